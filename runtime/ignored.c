/* Failures that the policy ignores: option on-failure, and shadow rules. */
#include "runtime/limits.h"
#include "runtime/state.h"

bool
ignores_failures(const struct milt_session *s)
{
	return s->image->needs->options[OPTION_ON_FAILURE] == ON_FAILURE_IGNORE;
}

/* With no memory too: one too few. */
static bool
was_noted(struct milt_session *s, uint32_t rule)
{
	uint8_t bit = (uint8_t)(1u << rule % 8);
	size_t n = s->rules / 8 + 1;
	bool noted;

	if (!s->ignored) {
		s->ignored = ARENA_ARRAY(facts_arena(s->facts), n, uint8_t);
		if (!s->ignored)
			return true;
		memset(s->ignored, 0, n);
	}
	noted = s->ignored[rule / 8] & bit;
	s->ignored[rule / 8] |= bit;
	return noted;
}

void
ignore_failure(struct milt_session *s, uint32_t rule, const char *why)
{
	struct arena *a = facts_arena(s->facts);
	struct milt_note note = {
		.rule = rule, .kind = NOTE_IGNORED, .text = str_from(why)
	};
	struct fact_value v;

	if (was_noted(s, rule))
		return;
	failure_ignored();
	if (s->image->rules[rule].flags & RULE_RECIPIENT &&
	    facts_get(s->facts, ATTR_RECIPIENT, STR(""), 0, &v) == FACT_THERE)
		note.recipient = arena_dup(a, v.text);
	(void)vec_push(a, &s->notes, note);
}

bool
condition_ignored(struct milt_session *s, uint32_t rule)
{
	if (!ignores_failures(s) &&
	    !(s->image->rules[rule].flags & RULE_SHADOW))
		return false;
	ignore_failure(s, rule, s->interp.failure);
	return true;
}

bool
effect_failed(struct milt_session *s, uint32_t rule, const char *why)
{
	if (ignores_failures(s)) {
		ignore_failure(s, rule, why);
		return true;
	}
	s->change_failure = why;
	return false;
}
