/*
 * The index of regexes against PCRE2 alone: over random and real patterns and
 * subjects, a regex that is tried only where the scan allows it gives what it
 * gives when it is always tried.  Where PCRE2 alone hits a limit, the index may
 * know better.
 *
 *	regexes [PAIRS [SEED]]
 */
#include <stdlib.h>

#include "runtime/scan.h"
#include "tests/property/patterns.h"
#include "tests/property/random.h"
#include "tests/unit/test.h"
#include "tests/unit/world.h"

enum { PATTERNS = 60, SUBJECTS = 80, MAX_REPORTS = 10 };

struct set {
	struct pattern patterns[PATTERNS];
	size_t count;
	uint32_t code[PATTERNS];
	char subjects[SUBJECTS][PATTERN_BYTES * 4];
	size_t lengths[SUBJECTS];
};

struct tally {
	unsigned long pairs, matches, limits, skipped, differences;
};

static struct milt_image *
load_set(struct set *s)
{
	struct builder b = { 0 };
	struct milt_image *im = NULL;
	uint32_t ref = build_ref(&b, ATTR_BODY_RAW, REF_VALUE, 0, NULL);
	const char *why = "";
	size_t size;
	void *data;

	for (size_t i = 0; i < s->count; i++) {
		const struct pattern *p = &s->patterns[i];
		uint32_t regex = build_put(&b, SECTION_REGEXES,
		    &(struct image_regex){
			build_str(&b, (struct str){ p->text, p->n }), p->flags,
			p->captures, 0 },
		    1);
		struct image_rule rule;

		s->code[i] =
		    BUILD_CODE(&b, { OPC_MATCH, 0, (uint16_t)ref, regex },
			{ OPC_HALT, 0, 0, 0 });
		rule = build_rule(&b, "r", STAGE_MESSAGE, s->code[i]);
		rule.verdict = ACTION_NONE;
		build_put(&b, SECTION_RULES, &rule, 1);
	}
	data = build_image(&b, &size);
	if (milt_image_load(data, size, &im, &why) != MILT_OK)
		printf("# %s\n", why);
	free(data);
	return im;
}

static const char *
truth_text(enum truth t)
{
	return t == TRUE_ ? "match" : t == FALSE_ ? "no match" : "limit";
}

static void
report(const struct pattern *p, struct str subject, enum truth indexed,
    enum truth plain)
{
	printf("# /%.*s/ flags %u: indexed: %s, plain: %s\n# on", (int)p->n,
	    p->text, (unsigned)p->flags, truth_text(indexed),
	    truth_text(plain));
	for (size_t i = 0; i < subject.n; i++)
		printf(" %02x", (unsigned)(unsigned char)subject.p[i]);
	printf("\n");
}

static void
compare(struct interp *ip, const struct set *s, size_t i, struct str subject,
    struct tally *t)
{
	enum truth indexed, plain;

	ip->plain = false;
	indexed = interp_run(ip, s->code[i]);
	ip->plain = true;
	plain = interp_run(ip, s->code[i]);
	t->pairs++;
	t->matches += indexed == TRUE_;
	t->limits += plain == ERROR_;
	if (indexed == plain || plain == ERROR_)
		return;
	if (t->differences++ < MAX_REPORTS)
		report(&s->patterns[i], subject, indexed, plain);
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
run_set(struct set *s, struct tally *t)
{
	struct milt_image *im = load_set(s);
	struct interp ip = { .image = im };
	struct fact_value v;

	if (!im)
		exit(1);
	/* Steps enough for what is not hopeless. */
	((struct image_needs *)(uintptr_t)im->needs)
	    ->options[OPTION_REGEX_MATCH_LIMIT] = 5000;
	ip.facts = facts_new(im);
	for (size_t i = 0; i < SUBJECTS; i++) {
		struct str subject = { s->subjects[i], s->lengths[i] };

		facts_reset(ip.facts, STAGE_MAIL);
		ip.scratch = match_scratch();
		if (facts_mail(ip.facts, STR("<>"), NULL, 0) != MILT_OK ||
		    facts_body(ip.facts, subject) != MILT_OK ||
		    facts_get(ip.facts, ATTR_BODY_RAW, STR(""), 0, &v) !=
			FACT_THERE)
			exit(1);
		for (size_t k = 0; k < s->count; k++)
			compare(&ip, s, k, subject, t);
		t->skipped += left_out(&ip, &v, s->count);
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

	random_seed(argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
	while (t.pairs < pairs && t.differences < MAX_REPORTS) {
		make_set(&s);
		run_set(&s, &t);
	}
	printf("# %lu pairs: %lu match, %lu left out by the scan, %lu beyond "
	       "a limit\n",
	    t.pairs, t.matches, t.skipped, t.limits);
	CHECK(t.differences == 0);
	/* The test must have something to tell apart. */
	CHECK(t.matches > t.pairs / 50);
	CHECK(t.skipped > t.pairs / 4);
	CHECK(t.limits < t.pairs / 20);
	TEST_DONE();
}
