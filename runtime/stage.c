/*
 * One stage evaluated: guards, then the rules that were unknown before and
 * those that enter, in file order.
 */
#include "runtime/state.h"

/* The rules that a stage may have to look at: three lists, ascending. */
struct sources {
	struct milt_session *s;
	enum milt_stage stage;
	bool recipient; /* recipient rules, for the current recipient */
	const uint32_t *always;
	uint32_t always_count;
	uint32_t old, next, hit; /* in s->value, always, s->hits */
};

static bool
run_guards(struct milt_session *s, enum milt_stage stage)
{
	const struct image_stage *st = &s->image->stages[stage];

	for (uint32_t i = st->guards; i < st->guards + st->guard_count; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);
		enum truth v = interp_run(&s->interp, s->image->guards[i].code);

		if (s->interp.asking)
			return false;
		if (v == FALSE_)
			s->guards[i / 8] &= (uint8_t)~bit;
		else
			s->guards[i / 8] |= bit;
	}
	return true;
}

/* Is it a rule for this run? */
static bool
is_due(const struct sources *from, uint32_t rule)
{
	bool recipient = from->s->image->rules[rule].flags & RULE_RECIPIENT;

	if (from->recipient)
		return recipient;
	return from->stage < STAGE_RCPT || !recipient;
}

static enum truth
run_rule(struct sources *from, uint32_t rule)
{
	uint32_t code = from->s->image->rules[rule].fragments[from->stage];

	return code == IMAGE_NONE ? UNKNOWN_
				  : interp_run(&from->s->interp, code);
}

/* The next rule, with its value before the stage; false behind the last. */
static bool
next_rule(struct sources *from, struct live *out)
{
	struct milt_session *s = from->s;
	uint32_t old =
	    from->old < s->value.n ? s->value.v[from->old].rule : IMAGE_NONE;
	uint32_t always = from->next < from->always_count
			      ? from->always[from->next]
			      : IMAGE_NONE;
	uint32_t hit =
	    from->hit < s->hits.n ? s->hits.v[from->hit] : IMAGE_NONE;
	uint32_t rule = old < always ? old : always;

	rule = hit < rule ? hit : rule;
	if (rule == IMAGE_NONE)
		return false;
	*out = rule == old ? s->value.v[from->old]
			   : (struct live){ .rule = rule, .value = UNKNOWN_ };
	from->old += rule == old;
	from->next += rule == always;
	from->hit += rule == hit;
	return true;
}

/* Does the policy go on without the rule, which could not be decided? */
static bool
goes_on(const struct milt_session *s, uint32_t rule)
{
	const struct image_rule *r = &s->image->rules[rule];

	if (is_js(s, rule))
		return r->verdict == ACTION_NONE;
	return r->flags & RULE_SHADOW || ignores_failures(s);
}

/* Fills s->spare. */
static bool
run_rules(struct sources *from)
{
	struct milt_session *s = from->s;
	struct live l;

	s->spare.n = 0;
	while (next_rule(from, &l)) {
		if (l.value == UNKNOWN_ && is_due(from, l.rule)) {
			l.value = (uint8_t)run_rule(from, l.rule);
			if (s->interp.asking)
				return false;
			if (l.value == ERROR_ && goes_on(s, l.rule))
				ignore_failure(s, l.rule, s->interp.failure);
		}
		if (l.value != FALSE_ && !lives_push(&s->spare, l)) {
			s->no_memory = true;
			return false;
		}
	}
	return true;
}

static bool
run(struct milt_session *s, enum milt_stage stage, bool recipient,
    struct lives *out)
{
	const struct image_stage *st = &s->image->stages[stage];
	struct sources from = { .s = s,
		.stage = stage,
		.recipient = recipient,
		.always = s->image->stage_rules + st->always,
		.always_count = st->always_count };
	struct lives made;

	if (!index_hits(&s->interp, stage, &s->hits)) {
		s->no_memory = !s->interp.asking;
		return false;
	}
	if (!run_rules(&from))
		return false;
	made = s->spare;
	s->spare = *out;
	*out = made;
	return true;
}

bool
stage_run_shared(struct milt_session *s, enum milt_stage stage)
{
	return run_guards(s, stage) && run(s, stage, false, &s->value);
}

bool
stage_run_recipient(struct milt_session *s)
{
	return run(s, STAGE_RCPT, true, &s->recipient);
}
