/*
 * The index of regexes against PCRE2 alone: over random and real patterns and
 * subjects, a regex that is tried only where the scan allows it gives what it
 * gives when it is always tried.  Where PCRE2 alone hits a limit, the index may
 * know better; what it knows then does not depend on the other regexes.
 *
 *	regexes [PAIRS [SEED]]
 */
#include <stdlib.h>

#include "runtime/scan.h"
#include "tests/property/patterns.h"
#include "tests/property/random.h"
#include "tests/unit/test.h"
#include "tests/unit/world.h"

enum {
	PATTERNS = 60,
	SUBJECTS = 80,
	MAX_REPORTS = 10,
	ALONE_EACH = 4, /* sets: in one of them each regex is tried alone too */
};

struct set {
	struct pattern patterns[PATTERNS];
	size_t count;
	uint32_t code[PATTERNS];
	enum truth among[SUBJECTS][PATTERNS]; /* what the index gave */
	char subjects[SUBJECTS][PATTERN_BYTES * 4];
	size_t lengths[SUBJECTS];
};

struct tally {
	unsigned long pairs, matches, limits, skipped, alone, differences;
};

static struct milt_image *
load(const struct pattern *patterns, size_t count, uint32_t *code)
{
	struct builder b = { 0 };
	struct milt_image *im = NULL;
	uint32_t ref = build_ref(&b, ATTR_BODY_RAW, REF_VALUE, 0, NULL);
	const char *why = "";
	size_t size;
	void *data;

	for (size_t i = 0; i < count; i++) {
		const struct pattern *p = &patterns[i];
		uint32_t regex = build_put(&b, SECTION_REGEXES,
		    &(struct image_regex){
			build_str(&b, (struct str){ p->text, p->n }), p->flags,
			p->captures, 0 },
		    1);
		struct image_rule rule;

		code[i] = BUILD_CODE(&b, { OPC_MATCH, 0, (uint16_t)ref, regex },
		    { OPC_HALT, 0, 0, 0 });
		rule = build_rule(&b, "r", STAGE_MESSAGE, code[i]);
		rule.verdict = ACTION_NONE;
		build_put(&b, SECTION_RULES, &rule, 1);
	}
	data = build_image(&b, &size);
	if (milt_image_load(data, size, &im, &why) != MILT_OK) {
		printf("# %s\n", why);
		exit(1);
	}
	free(data);
	/* Steps enough for what is not hopeless. */
	((struct image_needs *)(uintptr_t)im->needs)
	    ->options[OPTION_REGEX_MATCH_LIMIT] = 5000;
	return im;
}

static const char *
truth_text(enum truth t)
{
	return t == TRUE_ ? "match" : t == FALSE_ ? "no match" : "limit";
}

static void
report(const struct pattern *p, struct str subject, enum truth indexed,
    const char *how, enum truth other)
{
	printf("# /%.*s/ flags %u: indexed: %s, %s: %s\n# on", (int)p->n,
	    p->text, (unsigned)p->flags, truth_text(indexed), how,
	    truth_text(other));
	for (size_t i = 0; i < subject.n; i++)
		printf(" %02x", (unsigned)(unsigned char)subject.p[i]);
	printf("\n");
}

static void
compare(
    struct interp *ip, struct set *s, size_t subject, size_t i, struct tally *t)
{
	struct str text = { s->subjects[subject], s->lengths[subject] };
	enum truth indexed, plain;

	ip->plain = false;
	indexed = s->among[subject][i] = interp_run(ip, s->code[i]);
	ip->plain = true;
	plain = interp_run(ip, s->code[i]);
	t->pairs++;
	t->matches += indexed == TRUE_;
	t->limits += plain == ERROR_;
	if (indexed == plain || plain == ERROR_)
		return;
	if (t->differences++ < MAX_REPORTS)
		report(&s->patterns[i], text, indexed, "plain", plain);
}

/* How many of the set's regexes the scan of a subject leaves out. */
static unsigned long
left_out(struct interp *ip, const struct fact_value *v, size_t count)
{
	unsigned long candidates = 0;
	struct scan_result r;

	for (uint32_t i = 0; i < ip->image->scan->count; i++)
		if (scan_value(ip, i, v, &r))
			candidates += r.count;
	return candidates < count ? count - candidates : 0;
}

static void
begin_subject(struct interp *ip, const struct set *s, size_t i)
{
	struct str subject = { s->subjects[i], s->lengths[i] };

	facts_reset(ip->facts, STAGE_MAIL);
	ip->scratch = match_scratch();
	if (facts_mail(ip->facts, STR("<>"), NULL, 0) != MILT_OK ||
	    facts_body(ip->facts, subject) != MILT_OK)
		exit(1);
}

static void
run_set(struct set *s, struct tally *t)
{
	struct milt_image *im = load(s->patterns, s->count, s->code);
	struct interp ip = { .image = im, .facts = facts_new(im) };
	struct fact_value v;

	for (size_t i = 0; i < SUBJECTS; i++) {
		begin_subject(&ip, s, i);
		if (facts_get(ip.facts, ATTR_BODY_RAW, STR(""), 0, &v) !=
		    FACT_THERE)
			exit(1);
		for (size_t k = 0; k < s->count; k++)
			compare(&ip, s, i, k, t);
		t->skipped += left_out(&ip, &v, s->count);
	}
	facts_free(ip.facts);
	milt_image_free(im);
}

/* The index of a regex alone, where a limit is hit too. */
static void
run_alone(const struct set *s, size_t k, struct tally *t)
{
	uint32_t code;
	struct milt_image *im = load(&s->patterns[k], 1, &code);
	struct interp ip = { .image = im, .facts = facts_new(im) };

	for (size_t i = 0; i < SUBJECTS; i++) {
		enum truth alone;

		begin_subject(&ip, s, i);
		alone = interp_run(&ip, code);
		t->alone++;
		if (alone == s->among[i][k])
			continue;
		if (t->differences++ < MAX_REPORTS)
			report(&s->patterns[k],
			    (struct str){ s->subjects[i], s->lengths[i] },
			    s->among[i][k], "alone", alone);
	}
	facts_free(ip.facts);
	milt_image_free(im);
}

static void
make_set(struct set *s)
{
	s->count = 0;
	while (s->count < PATTERNS)
		if (pattern_make(&s->patterns[s->count]))
			s->count++;
	for (size_t i = 0; i < SUBJECTS; i++)
		s->lengths[i] =
		    pattern_subject(&s->patterns[i % s->count], s->subjects[i]);
}

int
main(int argc, char **argv)
{
	unsigned long pairs = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000000;
	struct tally t = { 0 };
	static struct set s;
	unsigned long sets = 0;

	random_seed(argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
	while (t.pairs < pairs && t.differences < MAX_REPORTS) {
		make_set(&s);
		run_set(&s, &t);
		for (size_t k = 0; k < s.count && sets % ALONE_EACH == 0; k++)
			run_alone(&s, k, &t);
		sets++;
	}
	printf("# %lu pairs: %lu match, %lu left out by the scan, %lu beyond "
	       "a limit, %lu tried alone too\n",
	    t.pairs, t.matches, t.skipped, t.limits, t.alone);
	CHECK(t.differences == 0);
	/* The test must have something to tell apart. */
	CHECK(t.matches > t.pairs / 50);
	CHECK(t.skipped > t.pairs / 4);
	CHECK(t.limits < t.pairs / 20);
	TEST_DONE();
}
