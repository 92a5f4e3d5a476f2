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
#include "compiler/play.h"
#include "tests/unit/test.h"

enum {
	VARS = 2,
	MAX_RULES = 9,
	MAX_RECIPIENTS = 3,
	MAX_NODES = 12,
	ROUNDS = 25
};

/* A fact: variable `v` of a stage, written so that its truth can be chosen. */
static const char *const fact_text[STAGE_COUNT] = {
	"client.name contains \"c%d\"", "helo contains \"h%d\"",
	"sender.local contains \"m%d\"", "recipient.local contains \"r%d\"",
	"queue.id contains \"d%d\"", "header(\"X\") contains \"e%d\"",
	"body.raw contains \"b%d\""
};
static const char fact_letter[STAGE_COUNT + 1] = "chmrdeb";

enum op { OP_FACT, OP_AND_, OP_OR_, OP_NOT_ };

struct cond {
	enum op op;
	int stage, var; /* OP_FACT */
	int a, b;       /* children in rule.nodes */
};

enum kind { ACCEPT, REJECT, TEMPFAIL, DISCARD, EFFECT, SHADOW, NOTE, KINDS };

struct rule {
	enum kind kind;
	struct cond nodes[MAX_NODES];
	int node_count, root; /* root -1: no condition */
	int pin;              /* -1: none */
	int text_stage;       /* fact in the reply's text; -1: none */
	bool extra;           /* accept: an effect of its own */
	bool recipient;
};

struct policy {
	struct rule rules[MAX_RULES + 1]; /* the last is `otherwise` */
	int n;                            /* without `otherwise` */
};

struct facts_bits {
	bool v[STAGE_COUNT][VARS];
};

static uint64_t state;

static unsigned
rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

/* ---- generating ------------------------------------------------------- */

static int
make_cond(struct rule *r, int depth, int max_stage, bool recipient)
{
	int i = r->node_count++;
	struct cond c = { .op = OP_FACT };

	if (depth > 0 && r->node_count + 2 < MAX_NODES && rnd(3)) {
		c.op = (enum op)(1 + rnd(3));
		c.a = make_cond(r, depth - 1, max_stage, recipient);
		if (c.op != OP_NOT_)
			c.b = make_cond(r, depth - 1, max_stage, recipient);
	} else {
		do
			c.stage = (int)rnd((unsigned)max_stage + 1);
		while (c.stage == STAGE_RCPT && !recipient);
		c.var = (int)rnd(VARS);
		r->recipient |= c.stage == STAGE_RCPT;
	}
	r->nodes[i] = c;
	return i;
}

static void
make_rule(struct rule *r)
{
	static const int tops[] = { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL,
		STAGE_RCPT, STAGE_RCPT, STAGE_DATA, STAGE_HEADERS,
		STAGE_MESSAGE };
	int top = tops[rnd(sizeof(tops) / sizeof(*tops))];

	*r = (struct rule){ .pin = -1, .text_stage = -1, .root = -1 };
	r->kind = (enum kind)rnd(KINDS);
	if (rnd(12))
		r->root = make_cond(r, (int)rnd(4), top,
		    top == STAGE_RCPT || (r->kind >= EFFECT && rnd(4) == 0));
	if (r->kind == DISCARD && r->recipient)
		r->kind = REJECT;
	if (r->kind == REJECT || r->kind == TEMPFAIL) {
		if (rnd(5) == 0)
			r->pin = (int)rnd(STAGE_COUNT);
		if (rnd(5) == 0)
			r->text_stage = (int)rnd(STAGE_COUNT - 1);
		r->recipient |= r->text_stage == STAGE_RCPT;
	}
	r->extra = r->kind == ACCEPT && rnd(4) == 0;
}

static void
make_policy(struct policy *p)
{
	struct rule *o;

	p->n = 1 + (int)rnd(MAX_RULES);
	for (int i = 0; i < p->n; i++)
		make_rule(&p->rules[i]);
	o = &p->rules[p->n];
	*o = (struct rule){ .pin = -1, .text_stage = -1, .root = -1 };
	o->kind = (enum kind)rnd(4);
}

/* ---- writing ---------------------------------------------------------- */

static struct str
cond_text(struct arena *a, const struct rule *r, int i)
{
	const struct cond *c = &r->nodes[i];

	switch (c->op) {
	case OP_FACT:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		return arena_printf(a, fact_text[c->stage], c->var);
#pragma GCC diagnostic pop
	case OP_NOT_:
		return arena_printf(a, "not (%s)", cond_text(a, r, c->a).p);
	case OP_AND_:
	case OP_OR_:
		break;
	}
	return arena_printf(a, "(%s) %s (%s)", cond_text(a, r, c->a).p,
	    c->op == OP_AND_ ? "and" : "or", cond_text(a, r, c->b).p);
}

static const char *
text_fact(int stage)
{
	static const char *const names[STAGE_COUNT] = { "{client.name}",
		"{helo}", "{sender}", "{recipient}", "{queue.id}",
		"{header.subject}", "{body.size}" };

	return stage < 0 ? "" : names[stage];
}

static struct str
action_text(struct arena *a, const struct rule *r, int i)
{
	switch (r->kind) {
	case ACCEPT:
		return r->extra ? arena_printf(
				      a, "accept add header \"X-%d\" \"y\"", i)
				: STR("accept");
	case REJECT:
		return arena_printf(
		    a, "reject 550 5.7.1 \"no %s\"", text_fact(r->text_stage));
	case TEMPFAIL:
		return arena_printf(a, "tempfail 451 4.7.1 \"later %s\"",
		    text_fact(r->text_stage));
	case DISCARD:
		return STR("discard");
	case EFFECT:
	case SHADOW:
		return arena_printf(a, "add header \"X-%d\" \"y\"", i);
	case NOTE:
		return arena_printf(a, "log \"%d\"", i);
	case KINDS:
		break;
	}
	return STR("");
}

static struct str
policy_text(struct arena *a, const struct policy *p)
{
	struct str s = STR("milt 1\n");

	for (int i = 0; i <= p->n; i++) {
		const struct rule *r = &p->rules[i];
		struct str action = action_text(a, r, i);

		if (i == p->n) {
			s = arena_printf(
			    a, "%s\notherwise %s\n", s.p, action.p);
			break;
		}
		s = arena_printf(a, "%s%srule r%d {\n%s%s%s%s%s%s\n}\n", s.p,
		    r->kind == SHADOW ? "shadow " : "", i,
		    r->pin >= 0 ? "at " : "",
		    r->pin >= 0 ? stage_rows[r->pin].name.p : "",
		    r->root >= 0 ? " when " : "",
		    r->root >= 0 ? cond_text(a, r, r->root).p : "", "\n",
		    action.p);
	}
	return s;
}

static struct str
value_text(struct arena *a, const struct facts_bits *f, int stage)
{
	return arena_printf(a, "x%s%s",
	    f->v[stage][0] ? (char[]){ fact_letter[stage], '0', 0 } : "",
	    f->v[stage][1] ? (char[]){ fact_letter[stage], '1', 0 } : "");
}

static void
make_transaction(struct arena *a, const struct facts_bits *f,
    const struct facts_bits *recipients, int n, struct transaction *t)
{
	struct play_macro id = { STAGE_DATA, STR("i"),
		value_text(a, f, STAGE_DATA) };
	struct play_field x = { STR("X"), value_text(a, f, STAGE_HEADERS) };
	struct play_field subject = { STR("Subject"), STR("s") };

	*t = (struct transaction){ .has_ip = true };
	(void)ip_parse(STR("192.0.2.1"), &t->ip);
	t->client_name = value_text(a, f, STAGE_CONNECT);
	t->helo = value_text(a, f, STAGE_HELO);
	t->sender =
	    arena_printf(a, "<%s@a.test>", value_text(a, f, STAGE_MAIL).p);
	for (int i = 0; i < n; i++) {
		struct play_recipient r = {
			.path = arena_printf(a, "<%s.%d@b.test>",
			    value_text(a, &recipients[i], STAGE_RCPT).p, i),
		};

		vec_push(a, &t->recipients, r);
	}
	vec_push(a, &t->macros, id);
	vec_push(a, &t->fields, x);
	vec_push(a, &t->fields, subject);
	t->body = arena_printf(a, "%s\r\n", value_text(a, f, STAGE_MESSAGE).p);
}

/* ---- the plain reading ------------------------------------------------ */

enum three { NO, YES, MAYBE };

static enum three
cond_value(const struct rule *r, int i, const struct facts_bits *f, int stage)
{
	const struct cond *c = &r->nodes[i];
	enum three x, y;

	if (c->op == OP_FACT)
		return c->stage > stage         ? MAYBE
		       : f->v[c->stage][c->var] ? YES
						: NO;
	x = cond_value(r, c->a, f, stage);
	if (c->op == OP_NOT_)
		return x == MAYBE ? MAYBE : x == YES ? NO : YES;
	y = cond_value(r, c->b, f, stage);
	if (c->op == OP_AND_)
		return x == NO || y == NO     ? NO
		       : x == YES && y == YES ? YES
					      : MAYBE;
	return x == YES || y == YES ? YES : x == NO && y == NO ? NO : MAYBE;
}

static bool
is_verdict(const struct rule *r)
{
	return r->kind <= DISCARD;
}

/* Known when the facts of condition and reply are, and not before its pin. */
static enum three
rule_at(const struct rule *r, const struct facts_bits *f, int stage)
{
	enum three v = r->root < 0 ? YES : cond_value(r, r->root, f, stage);

	if (v == YES && is_verdict(r) &&
	    (r->text_stage > stage || r->pin > stage))
		return MAYBE;
	return v;
}

struct reading {
	enum kind kind;
	int speaker, stage; /* at which it is certain */
	int cut;            /* first matching verdict in file order */
};

static bool
is_certain(const struct policy *p, int i, const struct facts_bits *f, int stage)
{
	if (rule_at(&p->rules[i], f, stage) != YES)
		return false;
	for (int k = 0; k < i; k++)
		if (is_verdict(&p->rules[k]) &&
		    p->rules[k].kind != p->rules[i].kind &&
		    rule_at(&p->rules[k], f, stage) != NO)
			return false;
	return true;
}

static bool
is_refusal(enum kind k)
{
	return k == REJECT || k == TEMPFAIL;
}

/* When the answer of rule `i`, certain at `stage`, is given. */
static int
given_at(const struct policy *p, int i, int stage)
{
	const struct rule *r = &p->rules[i];

	if (!is_refusal(r->kind) || stage >= STAGE_RCPT || r->pin >= 0)
		return stage;
	return STAGE_RCPT;
}

/*
 * Of the rules of that kind the one that is certain at the earliest stage, and
 * of those the first in the file; but one that is pinned speaks before one that
 * would be heard later.
 */
static void
find_speaker(
    const struct policy *p, const struct facts_bits *f, struct reading *r)
{
	r->stage = STAGE_COUNT;
	for (int s = STAGE_COUNT - 1; s >= 0; s--)
		for (int i = p->n; i >= 0; i--) {
			if (p->rules[i].kind != r->kind ||
			    !is_certain(p, i, f, s))
				continue;
			if (r->stage < STAGE_COUNT &&
			    given_at(p, i, s) >
				given_at(p, r->speaker, r->stage))
				continue;
			r->speaker = i;
			r->stage = s;
		}
}

static struct reading
read_policy(const struct policy *p, const struct facts_bits *f)
{
	struct reading r = { .cut = 0 };

	while (!is_verdict(&p->rules[r.cut]) ||
	       rule_at(&p->rules[r.cut], f, STAGE_MESSAGE) != YES)
		r.cut++;
	r.kind = p->rules[r.cut].kind;
	find_speaker(p, f, &r);
	return r;
}

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
			       i <= own[j].cut &&
			       rule_at(r, &f[j], STAGE_MESSAGE) == YES;
		if (!due || !(r->kind == EFFECT || r->extra))
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

		if (r->kind != SHADOW && r->kind != NOTE)
			continue;
		for (int j = 0; j < n; j++)
			want += i <= own[j].cut &&
				rule_at(r, &f[j], STAGE_MESSAGE) == YES;
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
};

static const char *
compare(const struct pair *pr, const struct outcome *o)
{
	struct reading own[MAX_RECIPIENTS], want[MAX_RECIPIENTS];
	bool mixed, all_accepted = true;

	for (int i = 0; i < pr->n; i++)
		own[i] = read_policy(pr->policy, &pr->facts[i]);
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
		    (int)v->stage !=
			given_at(pr->policy, want[i].speaker, want[i].stage))
			return "stage";
		all_accepted &= v->kind == ANSWER_ACCEPT;
	}
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
		struct reading r = read_policy(pr->policy, &pr->facts[i]);
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

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20260101;
	state = state * 6364136223846793005u + 1442695040888963407u;
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
