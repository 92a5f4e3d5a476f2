/*
 * Which js rule is asked next.  A stage's conditions are run before: that of a
 * js rule is cheap, and only where it is true the rule is asked, in file order,
 * as long as its answer can matter.
 */
#include "runtime/state.h"

static enum reading
reading_at(enum milt_stage stage)
{
	return stage < STAGE_RCPT    ? READ_SHARED
	       : stage == STAGE_RCPT ? READ_RECIPIENT
				     : READ_OPEN;
}

/* The first rule that has no say in the recipient's reading any more. */
static uint32_t
recipient_end(const struct accepted *a, uint32_t open)
{
	uint32_t end = a->speaker != IMAGE_NONE ? a->speaker : open;

	return a->settled < end ? a->settled : end;
}

/*
 * Rules from here on have no say any more.  Beside a refusal nobody has; beside
 * an accept those above it have effects at most.
 */
static uint32_t
end_of(const struct milt_session *s, enum milt_stage stage)
{
	const struct decision *d = standing(s);
	uint32_t open = s->rules, end = 0;

	if (d->set && d->kind != ACTION_ACCEPT)
		return 0;
	if (d->set)
		open = d->speaker.rule;
	if (stage < STAGE_DATA || !s->accepted.n)
		return open;
	if (s->open.set && !all_settled(s))
		return 0;
	for (size_t i = 0; i < s->accepted.n; i++) {
		uint32_t own = recipient_end(&s->accepted.v[i], open);

		end = own > end ? own : end;
	}
	return end;
}

static bool
is_due(const struct milt_session *s, uint32_t rule, enum milt_stage stage,
    enum reading reading, enum truth v)
{
	const struct image_rule *r = &s->image->rules[rule];

	return r->flags & RULE_JS && v == TRUE_ && r->known <= stage &&
	       !(reading == READ_OPEN && r->flags & RULE_RECIPIENT) &&
	       !answer_find(s, rule);
}

static bool
fill_captures(struct milt_session *s, struct milt_question *q)
{
	struct arena *arena = facts_arena(s->facts);
	size_t n = q->js->capture_count;
	struct str *texts = ARENA_ARRAY(arena, n, struct str);
	struct str *names = ARENA_ARRAY(arena, n, struct str);

	if (!texts || !names)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct image_capture *c =
		    &s->image->captures[q->js->captures + i];

		names[i] = image_text(s->image, c->name);
		texts[i] = interp_text(&s->interp, c->template);
		if (!texts[i].p)
			return false;
	}
	q->captures = texts;
	q->capture_names = names;
	q->capture_count = n;
	return true;
}

static bool
make_question(struct milt_session *s, uint32_t rule, enum milt_stage stage)
{
	const struct image_rule *r = &s->image->rules[rule];
	struct milt_question q = { .kind = QUESTION_JS,
		.stage = stage,
		.rule = rule,
		.js = &s->image->js[r->js],
		.recipient = STR("") };
	struct fact_value v;

	if (r->flags & RULE_RECIPIENT &&
	    facts_get(s->facts, ATTR_RECIPIENT, STR(""), 0, &v) == FACT_THERE)
		q.recipient = v.text;
	if (!fill_captures(s, &q) || !answers_reserve(s, rule))
		return false;
	s->question = q;
	return true;
}

bool
questions_over(struct milt_session *s, enum milt_stage stage)
{
	struct walk w = { .s = s, .reading = reading_at(stage) };
	uint32_t end, rule;
	enum truth v;

	if (!(s->image->needs->flags & NEED_JS))
		return true;
	end = end_of(s, stage);
	while (walk_next(&w, &rule, &v) && rule < end) {
		if (is_due(s, rule, stage, w.reading, v)) {
			s->waiting = make_question(s, rule, stage);
			s->no_memory = !s->waiting;
			return false;
		}
		if (judge(s, rule, stage, w.reading, v).value == TRUE_)
			return true;
	}
	return true;
}

const struct milt_question *
milt_session_question(const struct milt_session *s)
{
	return &s->question;
}
