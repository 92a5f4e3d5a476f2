#include "tests/property/policy.h"

enum three { NO, YES, MAYBE };

struct reader {
	const struct policy *p;
	const struct facts_bits *f;
	int recipient;
	bool asked[MAX_RULES + 1];
};

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

/* ---- rules at a stage --------------------------------------------------- */

/* What a rule's verdict is: NO, YES with one kind, MAYBE with some. */
struct view {
	enum three v;
	unsigned kinds;
};

static enum three
condition(const struct rule *r, const struct facts_bits *f, int stage)
{
	return r->root < 0 ? YES : cond_value(r, r->root, f, stage);
}

/*
 * When a js rule is asked: the facts of its condition are known, and those of
 * what it says on failure.
 */
static int
known(const struct rule *r)
{
	int last = r->recipient ? STAGE_RCPT : STAGE_CONNECT;

	for (int i = 0; i < r->node_count; i++)
		if (r->nodes[i].op == OP_FACT && r->nodes[i].stage > last)
			last = r->nodes[i].stage;
	if (r->pin > last)
		last = r->pin;
	if (r->text_stage > last)
		last = r->text_stage;
	return r->body ? STAGE_MESSAGE : last;
}

static struct view
js_view(const struct reader *rd, int i, enum three v, int stage)
{
	const struct rule *r = &rd->p->rules[i];
	struct result said = result_of(r, rd->recipient);

	if (v == NO)
		return (struct view){ NO, 0 };
	if (stage < known(r) || !rd->asked[i])
		return (struct view){ MAYBE, js_kinds(r) };
	if (said.verdict < 0)
		return (struct view){ NO, 0 };
	return (struct view){ YES, 1u << said.verdict };
}

/* Known when the facts of condition and reply are, and not before its pin. */
static struct view
view_of(const struct reader *rd, int i, int stage)
{
	const struct rule *r = &rd->p->rules[i];
	enum three v = condition(r, rd->f, stage);

	if (r->kind == JS)
		return js_view(rd, i, v, stage);
	if (v == NO || r->kind > DISCARD)
		return (struct view){ NO, 0 };
	if (v == YES && (r->text_stage > stage || r->pin > stage))
		v = MAYBE;
	return (struct view){ v, 1u << r->kind };
}

static bool
is_certain(const struct reader *rd, int i, int stage)
{
	struct view own = view_of(rd, i, stage);

	if (own.v != YES)
		return false;
	for (int k = 0; k < i; k++)
		if (view_of(rd, k, stage).kinds & ~own.kinds)
			return false;
	return true;
}

/* ---- who is asked ------------------------------------------------------- */

/* Does a verdict stand before the stage that the rule cannot add to? */
static bool
is_settled_before(const struct reader *rd, int rule, int stage)
{
	for (int s = 0; s < stage; s++)
		for (int i = 0; i <= rd->p->n; i++)
			if (is_certain(rd, i, s))
				return view_of(rd, i, s).kinds !=
					   1u << ACCEPT ||
				       rule > i;
	return false;
}

static bool
is_asked(const struct reader *rd, int rule, int stage)
{
	if (condition(&rd->p->rules[rule], rd->f, stage) != YES ||
	    is_settled_before(rd, rule, stage))
		return false;
	for (int k = 0; k < rule; k++)
		if (view_of(rd, k, stage).v == YES)
			return false;
	return true;
}

static void
ask_all(struct reader *rd)
{
	for (int s = 0; s < STAGE_COUNT; s++)
		for (int i = 0; i < rd->p->n; i++)
			if (rd->p->rules[i].kind == JS &&
			    known(&rd->p->rules[i]) == s)
				rd->asked[i] = is_asked(rd, i, s);
}

/* ---- the reading -------------------------------------------------------- */

bool
is_refusal(enum kind k)
{
	return k == REJECT || k == TEMPFAIL;
}

int
given_at(const struct policy *p, int i, enum kind kind, int stage)
{
	if (!is_refusal(kind) || stage >= STAGE_RCPT || p->rules[i].pin >= 0)
		return stage;
	return STAGE_RCPT;
}

/*
 * Of the rules of that kind the one that is certain at the earliest stage, and
 * of those the first in the file; but one that is pinned speaks before one that
 * would be heard later.
 */
static void
find_speaker(const struct reader *rd, struct reading *r)
{
	r->stage = STAGE_COUNT;
	for (int s = STAGE_COUNT - 1; s >= 0; s--)
		for (int i = rd->p->n; i >= 0; i--) {
			if (!is_certain(rd, i, s) ||
			    view_of(rd, i, s).kinds != 1u << r->kind)
				continue;
			if (r->stage < STAGE_COUNT &&
			    given_at(rd->p, i, r->kind, s) >
				given_at(rd->p, r->speaker, r->kind, r->stage))
				continue;
			r->speaker = i;
			r->stage = s;
		}
}

/* The verdict follows from all answers, asked for or not. */
static enum kind
first_verdict(struct reader *rd, int *cut)
{
	struct reader all = *rd;
	struct view v = { NO, 0 };

	memset(all.asked, true, sizeof(all.asked));
	for (*cut = 0; v.v != YES; ++*cut)
		v = view_of(&all, *cut, STAGE_MESSAGE);
	--*cut;
	return (enum kind)__builtin_ctz(v.kinds);
}

struct reading
read_policy(const struct policy *p, const struct facts_bits *f, int recipient)
{
	struct reader rd = { .p = p, .f = f, .recipient = recipient };
	struct reading r = { .cut = 0 };

	ask_all(&rd);
	r.kind = first_verdict(&rd, &r.cut);
	memcpy(r.asked, rd.asked, sizeof(r.asked));
	find_speaker(&rd, &r);
	return r;
}

bool
rule_applies(const struct rule *r, const struct facts_bits *f)
{
	return condition(r, f, STAGE_MESSAGE) == YES;
}

bool
rule_has_effects(const struct rule *r, int recipient)
{
	return r->kind == EFFECT || r->extra ||
	       (r->kind == JS && result_of(r, recipient).effects);
}

bool
rule_has_note(const struct rule *r, int recipient)
{
	return r->kind == SHADOW || r->kind == NOTE ||
	       (r->kind == JS && result_of(r, recipient).log);
}
