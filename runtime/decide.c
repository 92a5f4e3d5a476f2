#include "runtime/state.h"

/* What matters of a recipient rule's values for all recipients. */
static enum truth
seen(uint8_t values)
{
	if (values & 1 << ERROR_)
		return ERROR_;
	if (values & 1 << UNKNOWN_)
		return UNKNOWN_;
	return values & 1 << TRUE_ ? TRUE_ : FALSE_;
}

enum truth
rule_value(const struct milt_session *s, uint32_t i, enum reading reading)
{
	const struct image_rule *r = &s->image->rules[i];

	if (!(r->flags & RULE_RECIPIENT))
		return s->value[i];
	switch (reading) {
	case READ_SHARED:
		return s->value[i];
	case READ_RECIPIENT:
		return s->recipient[i];
	case READ_OPEN:
		return r->verdict != ACTION_NONE ? FALSE_ : seen(s->any[i]);
	}
	return UNKNOWN_;
}

/*
 * A rule with a verdict as the walk sees it: a failure is a tempfail or is
 * ignored; what waits for its text or its pin is unknown.
 */
static enum truth
effective(const struct milt_session *s, uint32_t i, enum milt_stage stage,
    enum reading reading)
{
	const struct image_rule *r = &s->image->rules[i];
	enum truth v = rule_value(s, i, reading);

	if (v == ERROR_)
		return s->image->needs->options[OPTION_ON_FAILURE] ==
			       ON_FAILURE_IGNORE
			   ? FALSE_
			   : ERROR_;
	if (v != TRUE_ || r->verdict == ACTION_NONE)
		return v;
	if (r->text_last > stage || (r->flags & RULE_PINNED && r->pin > stage))
		return UNKNOWN_;
	return TRUE_;
}

bool
decide(const struct milt_session *s, enum milt_stage stage,
    enum reading reading, struct decision *out)
{
	unsigned held = 0; /* kinds of the rules above that are unknown */

	for (uint32_t i = 0; i < s->rules; i++) {
		const struct image_rule *r = &s->image->rules[i];
		enum truth v;
		unsigned kind;

		if (s->value[i] == FALSE_ || r->flags & RULE_SHADOW)
			continue;
		v = effective(s, i, stage, reading);
		if (v == FALSE_ || (v != ERROR_ && r->verdict == ACTION_NONE))
			continue;
		kind = v == ERROR_ ? (unsigned)ACTION_TEMPFAIL : r->verdict;
		held |= 1u << kind;
		if (held & (held - 1))
			return false;
		if (v == UNKNOWN_)
			continue;
		*out = (struct decision){
			.set = true,
			.kind = (enum milt_action)kind,
			.stage = stage,
			.speaker = { i, v == ERROR_,
			    v == ERROR_ ? s->interp.failure : NULL },
		};
		return true;
	}
	return false;
}

bool
decide_pinned(const struct milt_session *s, enum milt_stage stage,
    enum milt_action kind, struct decision *out)
{
	for (uint32_t i = 0; i < s->rules; i++) {
		const struct image_rule *r = &s->image->rules[i];
		enum truth v;

		if (s->value[i] == FALSE_ || r->flags & RULE_SHADOW)
			continue;
		v = effective(s, i, stage, READ_SHARED);
		if (v == FALSE_ || (v != ERROR_ && r->verdict == ACTION_NONE))
			continue;
		if (v == ERROR_ || r->verdict != kind)
			return false;
		if (v != TRUE_ || !(r->flags & RULE_PINNED))
			continue;
		*out = (struct decision){
			.set = true,
			.kind = kind,
			.stage = stage,
			.speaker = { .rule = i },
		};
		return true;
	}
	return false;
}

static bool
has_kind(const struct milt_image *im, uint32_t rule, enum milt_action_kind kind)
{
	const struct image_rule *r = &im->rules[rule];

	for (uint32_t i = 0; i < r->count; i++)
		if (action_rows[im->actions[r->first + i].action].kind == kind)
			return true;
	return false;
}

bool
rule_has_changes(const struct milt_image *im, uint32_t rule)
{
	return !(im->rules[rule].flags & RULE_SHADOW) &&
	       has_kind(im, rule, ACTION_CHANGE);
}

bool
rule_has_notes(const struct milt_image *im, uint32_t rule)
{
	return im->rules[rule].flags & RULE_SHADOW ||
	       has_kind(im, rule, ACTION_NOTE);
}

static bool
template_needs_body(const struct milt_image *im, uint32_t template)
{
	const struct image_template *t;

	if (template == IMAGE_NONE)
		return false;
	t = &im->templates[template];
	for (uint32_t i = 0; i < t->count; i++) {
		const struct image_piece *p = &im->pieces[t->first + i];

		if (p->kind == IMAGE_PIECE_CAPTURE)
			return true;
		if (p->kind == IMAGE_PIECE_VALUE &&
		    attr_rows[im->refs[p->a].attr].from == STAGE_MESSAGE)
			return true;
	}
	return false;
}

/* What is in the body says whether it may be changed, and where. */
static bool
changes_body(const struct image_action *a)
{
	return a->action == ACTION_PREPEND_TEXT ||
	       a->action == ACTION_APPEND_TEXT ||
	       a->action == ACTION_REPLACE_BODY;
}

static bool
changes_need_body(const struct milt_image *im, uint32_t rule)
{
	const struct image_rule *r = &im->rules[rule];

	for (uint32_t i = 0; i < r->count; i++) {
		const struct image_action *a = &im->actions[r->first + i];

		if (a->where != IMAGE_NONE || changes_body(a) ||
		    template_needs_body(im, a->name) ||
		    template_needs_body(im, a->address))
			return true;
		for (uint32_t k = 0; k < a->text_count; k++)
			if (template_needs_body(im, a->texts + k))
				return true;
	}
	return false;
}

struct pending
accept_pending(const struct milt_session *s, uint32_t speaker)
{
	const struct milt_image *im = s->image;
	struct pending p = { 0 };
	bool cut = false; /* a verdict above may yet end the reading */

	for (uint32_t i = 0; i <= speaker; i++) {
		enum truth v;
		bool changes, notes;

		if (s->value[i] == FALSE_)
			continue;
		changes = rule_has_changes(im, i);
		notes = rule_has_notes(im, i);
		v = im->rules[i].flags & RULE_RECIPIENT && s->done >= STAGE_DATA
			? seen(s->any[i])
			: s->value[i];
		if (changes || notes)
			p.unknown |= v == UNKNOWN_ || (v == TRUE_ && cut);
		cut |= v == UNKNOWN_ && im->rules[i].verdict != ACTION_NONE &&
		       !(im->rules[i].flags & RULE_SHADOW);
		if (v != TRUE_)
			continue;
		p.notes |= notes;
		p.changes |= changes;
		p.body |= changes && changes_need_body(im, i);
	}
	return p;
}
