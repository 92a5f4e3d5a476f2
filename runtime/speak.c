/* What a verdict that is certain makes the session say, and when. */
#include "runtime/safe.h"
#include "runtime/state.h"
#include "runtime/limits.h"

/* What a client reads when a rule could not be decided. */
#define FAILURE_XCODE STR("4.3.0")
#define FAILURE_TEXT STR("Temporary failure, try again later")
enum { FAILURE_CODE = 451 };

void
answer_failure(struct milt_answer *out)
{
	out->kind = ANSWER_TEMPFAIL;
	out->code = FAILURE_CODE;
	out->xcode = FAILURE_XCODE;
	out->lines[0] = FAILURE_TEXT;
	out->line_count = 1;
}

static const struct image_action *
verdict_action(const struct milt_image *im, uint32_t rule)
{
	const struct image_rule *r = &im->rules[rule];

	for (uint32_t i = 0; i < r->count; i++)
		if (im->actions[r->first + i].action == r->verdict)
			return &im->actions[r->first + i];
	return NULL;
}

static bool
fill_texts(struct milt_session *s, const struct image_action *a,
    struct milt_answer *out)
{
	struct arena *arena = facts_arena(s->facts);

	out->code = a->code;
	out->xcode =
	    a->xcode == IMAGE_NONE ? STR("") : image_text(s->image, a->xcode);
	for (uint32_t i = 0; i < a->text_count && i < 32; i++) {
		struct str text = interp_text(&s->interp, a->texts + i);
		struct str line = text.p ? safe_reply_line(arena, text,
					       reply_line_room(out->xcode))
					 : text;

		if (!line.p)
			return false;
		out->lines[out->line_count++] = line;
	}
	return true;
}

static void
fill_answered(const struct js_answer *a, struct milt_answer *out)
{
	out->code = a->code;
	out->xcode = a->xcode;
	for (unsigned i = 0; i < a->line_count && i < 32; i++)
		out->lines[out->line_count++] = a->lines[i];
}

/* A reject or tempfail, with its text.  False with no memory. */
static bool
answer_refusal(
    struct milt_session *s, const struct decision *d, struct milt_answer *out)
{
	uint32_t rule = d->speaker.rule;

	out->decided = true;
	out->speaker = d->speaker;
	if (!speaks_itself(s, &d->speaker)) {
		answer_failure(out);
		return true;
	}
	out->kind = d->kind == ACTION_REJECT ? ANSWER_REJECT : ANSWER_TEMPFAIL;
	if (is_js(s, rule) && !d->speaker.failure) {
		fill_answered(answer_find(s, rule), out);
		return true;
	}
	return fill_texts(s, verdict_action(s->image, rule), out);
}

static void
answer_final(struct milt_session *s, const struct decision *d,
    enum milt_answer_kind kind, struct milt_answer *out)
{
	out->kind = kind;
	out->decided = true;
	out->speaker = d->speaker;
	s->final = true;
	s->final_kind = kind;
	s->final_stage = s->at;
	s->spoken = *d;
}

static bool
refuse(
    struct milt_session *s, const struct decision *d, struct milt_answer *out)
{
	if (!answer_refusal(s, d, out))
		return false;
	answer_final(s, d, out->kind, out);
	return true;
}

enum milt_status
answer_again(struct milt_session *s, struct milt_answer *out)
{
	if (s->final_kind != ANSWER_REJECT && s->final_kind != ANSWER_TEMPFAIL)
		out->kind = s->final_kind;
	else if (!answer_refusal(s, &s->spoken, out))
		return MILT_NO_MEMORY;
	out->decided = false;
	return MILT_OK;
}

/* connect, helo, mail: only what is pinned, and accept, is said there. */
static bool
speak_early(struct milt_session *s, struct milt_answer *out)
{
	const struct decision *d = standing(s);
	const struct image_rule *r;
	struct pending p;

	if (!d->set)
		return true;
	r = &s->image->rules[d->speaker.rule];
	switch (d->kind) {
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
		if (!speaks_itself(s, &d->speaker) ||
		    !(r->flags & RULE_PINNED) || r->pin > s->at)
			return true;
		note_refusal(s, d->speaker.rule, false);
		return refuse(s, d, out);
	case ACTION_ACCEPT:
		/* HELO may come again, behind STARTTLS. */
		if (s->at == STAGE_HELO)
			return true;
		p = accept_pending(s, d->speaker.rule);
		if (!p.unknown && !p.changes && !p.notes)
			answer_final(s, d, ANSWER_ACCEPT, out);
		return true;
	default:
		return true;
	}
}

/* The current recipient is accepted: which of its rules have a say. */
static bool
accept_recipient(struct milt_session *s, const struct decision *d)
{
	struct accepted a = { IMAGE_NONE, IMAGE_NONE };
	uint32_t limit = s->rules - 1;

	if (d->set && d->kind == ACTION_ACCEPT)
		a.speaker = limit = d->speaker.rule;
	for (uint32_t i = 0; i < s->recipient.n; i++) {
		const struct live *l = &s->recipient.v[i];
		const struct image_rule *r = &s->image->rules[l->rule];
		enum truth v;

		if (!(r->flags & RULE_RECIPIENT))
			continue;
		if (a.settled == IMAGE_NONE && gives_verdict(s, l))
			a.settled = l->rule;
		v = effect_value(
		    s, l->rule, READ_RECIPIENT, (enum truth)l->value);
		if (l->rule <= limit &&
		    !lives_merge(&s->any, l->rule, (uint8_t)(1 << v)))
			return false;
	}
	return facts_rcpt_accepted(s->facts) == MILT_OK &&
	       vec_push(facts_arena(s->facts), &s->accepted, a);
}

/* RFC 5321 4.5.3.1.10. */
static void
answer_too_many(const struct milt_session *s, struct milt_answer *out)
{
	limit_hit(LIMIT_RECIPIENTS);
	answer_failure(out);
	out->code = 452;
	out->xcode = STR("4.5.3");
	out->lines[0] = STR("Too many recipients");
	out->decided = true;
	out->speaker = (struct milt_speaker){
		.rule = s->rules - 1,
		.failure = true,
		.what = "more recipients than a message may have",
	};
}

static bool
speak_recipient(struct milt_session *s, struct milt_answer *out)
{
	struct decision d = *standing(s);

	if (!d.set)
		decide(s, STAGE_RCPT, READ_RECIPIENT, &d);
	if (d.set && (d.kind == ACTION_REJECT || d.kind == ACTION_TEMPFAIL)) {
		note_refusal(s, d.speaker.rule, true);
		return answer_refusal(s, &d, out);
	}
	if (facts_recipients(s->facts) >= LIMIT_VALUE_RECIPIENTS) {
		answer_too_many(s, out);
		return true;
	}
	if (d.set && d.kind == ACTION_DISCARD)
		s->open = d;
	return accept_recipient(s, &d);
}

static bool
speak_accept(
    struct milt_session *s, const struct decision *d, struct milt_answer *out)
{
	struct decision failed = *d;
	uint32_t last = d->speaker.rule;
	struct pending p;

	for (size_t i = 0; i < s->accepted.n; i++)
		if (s->accepted.v[i].speaker != IMAGE_NONE &&
		    s->accepted.v[i].speaker > last)
			last = s->accepted.v[i].speaker;
	p = accept_pending(s, last);
	if (s->at < STAGE_MESSAGE && (p.unknown || p.changes))
		return true;
	note_message(s, d);
	if (!collect_changes(s)) {
		if (!s->change_failure)
			return false;
		failed.speaker.failure = true;
		failed.speaker.what = s->change_failure;
		return refuse(s, &failed, out);
	}
	answer_final(s, d, ANSWER_ACCEPT, out);
	return true;
}

static bool
speak_message(struct milt_session *s, struct milt_answer *out)
{
	const struct decision *d = standing(s);

	if (!d->set)
		return true;
	switch (d->kind) {
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
		note_message(s, d);
		return refuse(s, d, out);
	case ACTION_DISCARD:
		note_message(s, d);
		answer_final(s, d, ANSWER_DISCARD, out);
		return true;
	default:
		return speak_accept(s, d, out);
	}
}

bool
speak(struct milt_session *s, struct milt_answer *out)
{
	if (s->at < STAGE_RCPT)
		return speak_early(s, out);
	if (s->at == STAGE_RCPT)
		return speak_recipient(s, out);
	return speak_message(s, out);
}
