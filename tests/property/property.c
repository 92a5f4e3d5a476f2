/*
 * The rule of evaluation (LANGUAGE.md section 2) against a plain reading: over
 * random policies and transactions, the staged evaluation must give, for every
 * recipient, the kind of verdict that reading from top to bottom with all
 * facts known gives, and the speaker that section 2 names.  What is expected
 * is computed here from the text of section 2, on the rules as generated, and
 * shares nothing with the runtime.
 *
 *	property [PAIRS [SEED]]
 */
#include <stdlib.h>

#include "compiler/compile.h"
#include "tests/property/policy.h"
#include "tests/property/random.h"
#include "tests/unit/test.h"

enum { ROUNDS = 25 };

/* ---- comparing -------------------------------------------------------- */

static const enum milt_answer_kind answer_kind[] = { ANSWER_ACCEPT,
	ANSWER_REJECT, ANSWER_TEMPFAIL, ANSWER_DISCARD };

/*
 * What each recipient gets: refused at RCPT by its own reading; else what the
 * open recipients get, or, if all are settled, each its own accept.
 */
static void
expect_all(const struct policy *p, const struct reading *own, int n,
    struct reading *out, bool *mixed)
{
	int open = -1;

	*mixed = false;
	for (int i = 0; i < n; i++) {
		bool refused =
		    is_refusal(own[i].kind) && own[i].stage <= STAGE_RCPT;
		bool settled =
		    own[i].kind == ACCEPT && own[i].stage <= STAGE_RCPT;

		if (refused || settled)
			continue;
		if (open >= 0 && (own[open].kind != own[i].kind ||
				     own[open].speaker != own[i].speaker))
			*mixed = true;
		open = i;
	}
	(void)p;
	for (int i = 0; i < n; i++) {
		bool refused =
		    is_refusal(own[i].kind) && own[i].stage <= STAGE_RCPT;

		out[i] = refused || open < 0 || own[open].kind == ACCEPT
			     ? own[i]
			     : own[open];
	}
}

static bool
same_effects(const struct policy *p, const struct facts_bits *f,
    const struct reading *own, const struct outcome *o, int n)
{
	size_t k = 0;

	for (int i = 0; i <= p->n; i++) {
		const struct rule *r = &p->rules[i];
		bool due = false;
		char name[16];

		for (int j = 0; j < n; j++)
			due |= o->verdicts[j].kind == ANSWER_ACCEPT &&
			       i <= own[j].cut && rule_applies(r, &f[j]) &&
			       rule_has_effects(r, j);
		if (!due)
			continue;
		snprintf(name, sizeof(name), "X-%d", i);
		if (k >= o->changes.n ||
		    !str_eq(o->changes.v[k].name, str_from(name)))
			return false;
		k++;
	}
	return k == o->changes.n;
}

/* Shadow hits and logs of an accepted message. */
static bool
same_notes(const struct policy *p, const struct facts_bits *f,
    const struct reading *own, const struct outcome *o, int n)
{
	for (int i = 0; i <= p->n; i++) {
		const struct rule *r = &p->rules[i];
		size_t want = 0, got = 0;

		for (int j = 0; j < n; j++)
			want += i <= own[j].cut && rule_applies(r, &f[j]) &&
				rule_has_note(r, j);
		if (!r->recipient && want > 1)
			want = 1;
		for (size_t k = 0; k < o->notes.n; k++)
			got += (int)o->notes.v[k].rule == i;
		if (got != want)
			return false;
	}
	return true;
}

struct pair {
	const struct policy *policy;
	struct str text;
	struct facts_bits facts[MAX_RECIPIENTS]; /* one reading each */
	int n;
	unsigned asked[MAX_RULES + 1]; /* times; of recipient rules a set */
	bool twice;
};

/* Recipient number i is <x.i@b.test>. */
static void
answer_js(void *data, struct milt_session *s, const struct milt_question *q)
{
	struct pair *pr = data;
	const struct rule *r = &pr->policy->rules[q->rule];
	size_t at = str_find(q->recipient, '@');
	int recipient = r->recipient ? q->recipient.p[at - 1] - '0' : -1;
	unsigned bit = 1u << (recipient + 1);

	pr->twice |= (pr->asked[q->rule] & bit) != 0;
	pr->asked[q->rule] |= bit;
	answer_question(s, r, recipient);
}

/* With one recipient it is known who is asked. */
static bool
same_questions(const struct pair *pr, const struct reading *own)
{
	if (pr->twice)
		return false;
	for (int i = 0; pr->n == 1 && i < pr->policy->n; i++)
		if (own->asked[i] != (pr->asked[i] != 0))
			return false;
	return true;
}

static const char *
compare(const struct pair *pr, const struct outcome *o)
{
	struct reading own[MAX_RECIPIENTS], want[MAX_RECIPIENTS];
	bool mixed, all_accepted = true;

	for (int i = 0; i < pr->n; i++)
		own[i] = read_policy(pr->policy, &pr->facts[i], i);
	expect_all(pr->policy, own, pr->n, want, &mixed);
	if (mixed)
		return "open recipients differ";
	for (int i = 0; i < pr->n; i++) {
		const struct play_verdict *v = &o->verdicts[i];

		if (v->kind != answer_kind[want[i].kind])
			return "kind of verdict";
		if ((int)v->speaker.rule != want[i].speaker)
			return "speaker";
		if (is_refusal(want[i].kind) &&
		    (int)v->stage != given_at(pr->policy, want[i].speaker,
					 want[i].kind, want[i].stage))
			return "stage";
		all_accepted &= v->kind == ANSWER_ACCEPT;
	}
	if (!same_questions(pr, own))
		return "questions";
	if (!same_effects(pr->policy, pr->facts, own, o, pr->n))
		return "effects";
	if (all_accepted && !same_notes(pr->policy, pr->facts, own, o, pr->n))
		return "notes";
	return NULL;
}

static void
report(const struct pair *pr, const struct outcome *o, const char *what)
{
	printf("# differs: %s\n", what);
	for (int i = 0; i < pr->n; i++) {
		struct reading r = read_policy(pr->policy, &pr->facts[i], i);
		const struct play_verdict *v = &o->verdicts[i];

		printf("# recipient %d: reading kind %d speaker %d stage %d "
		       "cut %d; got answer %d speaker %u stage %d\n# facts:",
		    i, r.kind, r.speaker, r.stage, r.cut, v->kind,
		    v->speaker.rule, v->stage);
		for (int s = 0; s < STAGE_COUNT; s++)
			for (int k = 0; k < VARS; k++)
				printf(" %c%d=%d", fact_letter[s], k,
				    pr->facts[i].v[s][k]);
		puts("");
	}
	printf("%.*s\n", STR_ARG(pr->text));
}

/* False if the evaluation differs from the reading. */
static bool
try_pair(struct pair *pr, const struct milt_image *im)
{
	struct arena a;
	struct transaction t;
	struct outcome o;
	struct facts_bits f = { 0 }, r[MAX_RECIPIENTS] = { 0 };
	const char *what;

	arena_init(&a, 0, NULL);
	pr->n = 1 + (int)rnd(MAX_RECIPIENTS);
	for (int s = 0; s < STAGE_COUNT; s++)
		for (int k = 0; k < VARS; k++)
			f.v[s][k] = rnd(2);
	for (int i = 0; i < pr->n; i++) {
		pr->facts[i] = f;
		for (int k = 0; k < VARS; k++)
			pr->facts[i].v[STAGE_RCPT][k] = rnd(2);
		r[i] = pr->facts[i];
	}
	make_transaction(&a, &f, r, pr->n, &t);
	memset(pr->asked, 0, sizeof(pr->asked));
	t.js = answer_js;
	t.js_data = pr;
	if (transaction_play(&a, im, &t, &o) != MILT_OK)
		abort();
	what = compare(pr, &o);
	if (what)
		report(pr, &o, what);
	arena_free(&a);
	return !what;
}

/* Pairs tried with a random policy; 0 if the compiler refuses it. */
static unsigned
try_policy(unsigned *bad)
{
	struct compile_options opt = { 0 };
	struct compilation c;
	struct policy p;
	struct milt_image *im;
	struct arena a;
	unsigned done = 0;
	struct str text;

	arena_init(&a, 0, NULL);
	make_policy(&p);
	text = policy_text(&a, &p);
	if (milt_compile_text(&c, STR("p.milt"), text, &opt) == MILT_OK &&
	    milt_image_load(c.image, c.image_size, &im, NULL) == MILT_OK) {
		struct pair pr = { .policy = &p, .text = text };

		for (; done < ROUNDS && !*bad; done++)
			*bad += !try_pair(&pr, im);
		milt_image_free(im);
	}
	milt_compile_free(&c);
	arena_free(&a);
	return done;
}

int
main(int argc, char **argv)
{
	unsigned want = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
	unsigned pairs = 0, policies = 0, tried = 0, bad = 0;

	random_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : 20260101);
	while (pairs < want && !bad && tried < want) {
		unsigned n = try_policy(&bad);

		pairs += n;
		policies += n > 0;
		tried++;
	}
	printf("# %u pairs of %u policies; %u more were refused\n", pairs,
	    policies, tried - policies);
	CHECK(bad == 0);
	CHECK(pairs >= want);
	TEST_DONE();
}
