#include "runtime/session.h"

#include <stdlib.h>

#include "runtime/match.h"
#include "runtime/safe.h"
#include "runtime/state.h"

/* What a client reads when a rule could not be decided. */
#define FAILURE_XCODE STR("4.3.0")
#define FAILURE_TEXT STR("Temporary failure, try again later")
enum { FAILURE_CODE = 451 };

static uint32_t
memo_slots(const struct milt_image *im)
{
	uint32_t n = 0;

	for (int c = 0; c < MEMO_CLASSES; c++)
		n += im->needs->memo[c];
	return n;
}

static bool
has_recipient_rules(const struct milt_image *im)
{
	for (uint32_t i = 0; i < im->count[SECTION_RULES]; i++)
		if (im->rules[i].flags & RULE_RECIPIENT)
			return true;
	return false;
}

/* One block for all arrays of a session: its size, and where each starts. */
static bool
allocate_arrays(struct milt_session *s)
{
	size_t slots = memo_slots(s->image), loops = s->image->needs->loops;
	size_t arrays = 4 + (has_recipient_rules(s->image) ? 2 : 0);
	uint32_t *block =
	    malloc(loops * sizeof(*block) + slots + arrays * s->rules + 1);
	uint8_t *p;

	if (!block)
		return false;
	s->interp.found = block;
	memset(block, 0xff, loops * sizeof(*block));
	s->interp.memo = (uint8_t *)(block + loops);
	memset(s->interp.memo, MEMO_EMPTY, slots);
	p = s->interp.memo + slots;
	s->value = p;
	s->after_connect = p + s->rules;
	s->after_helo = p + 2 * (size_t)s->rules;
	s->noted = p + 3 * (size_t)s->rules;
	if (arrays > 4) {
		s->recipient = p + 4 * (size_t)s->rules;
		s->any = p + 5 * (size_t)s->rules;
	}
	return true;
}

struct milt_session *
milt_session_new(const struct milt_image *im)
{
	struct milt_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->image = im;
	s->rules = im->count[SECTION_RULES];
	s->facts = facts_new(im);
	s->done = -1;
	if (!s->facts || !allocate_arrays(s)) {
		milt_session_free(s);
		return NULL;
	}
	s->interp.image = im;
	s->interp.facts = s->facts;
	milt_session_begin(s, STAGE_CONNECT);
	return s;
}

void
milt_session_free(struct milt_session *s)
{
	if (!s)
		return;
	if (s->facts)
		facts_free(s->facts);
	free(s->interp.found);
	free(s);
}

const struct milt_image *
milt_session_image(const struct milt_session *s)
{
	return s->image;
}

struct facts *
milt_session_facts(struct milt_session *s)
{
	return s->facts;
}

/* ---- beginning a stage ------------------------------------------------ */

static void
forget_message(struct milt_session *s)
{
	s->message = s->open = (struct decision){ 0 };
	s->accepted.v = NULL;
	s->accepted.n = s->accepted.cap = 0;
	s->changes.v = NULL;
	s->changes.n = s->changes.cap = 0;
	s->notes.v = NULL;
	s->notes.n = s->notes.cap = 0;
	s->notes_given = 0;
	s->change_failure = NULL;
	memset(s->noted, 0, s->rules);
	if (s->any)
		memset(s->any, 0, s->rules);
	if (s->final && s->final_stage >= STAGE_MAIL)
		s->final = false;
}

static void
begin_connect(struct milt_session *s)
{
	memset(s->value, UNKNOWN_, s->rules);
	s->session = s->helo = (struct decision){ 0 };
	s->done = -1;
	s->final = s->asked = false;
	forget_message(s);
	interp_forget(&s->interp, MEMO_CONNECT);
}

static void
begin_helo(struct milt_session *s)
{
	if (s->done >= STAGE_HELO) {
		memcpy(s->value, s->after_connect, s->rules);
		s->done = STAGE_CONNECT;
	}
	s->helo = (struct decision){ 0 };
	forget_message(s);
	if (s->final && s->final_stage >= STAGE_HELO)
		s->final = false;
	interp_forget(&s->interp, MEMO_HELO);
}

static void
begin_mail(struct milt_session *s)
{
	if (s->done >= STAGE_MAIL) {
		memcpy(s->value, s->after_helo, s->rules);
		s->done = STAGE_HELO;
	}
	forget_message(s);
	interp_forget(&s->interp, MEMO_MESSAGE);
}

void
milt_session_begin(struct milt_session *s, enum milt_stage stage)
{
	facts_reset(s->facts, stage);
	s->at = stage;
	switch (stage) {
	case STAGE_CONNECT:
		begin_connect(s);
		return;
	case STAGE_HELO:
		begin_helo(s);
		return;
	case STAGE_MAIL:
		begin_mail(s);
		return;
	case STAGE_RCPT:
		interp_forget(&s->interp, MEMO_RECIPIENT);
		if (s->done >= STAGE_RCPT)
			s->done = STAGE_MAIL;
		return;
	case STAGE_DATA:
	case STAGE_HEADERS:
	case STAGE_MESSAGE:
	case STAGE_COUNT:
		return;
	}
}

void
milt_session_abort(struct milt_session *s)
{
	milt_session_begin(s, STAGE_MAIL);
}

/* ---- evaluating a stage ----------------------------------------------- */

/* False if suspended. */
static bool
run_fragment(struct milt_session *s, uint32_t rule, enum milt_stage stage,
    uint8_t *value)
{
	enum truth v =
	    interp_run(&s->interp, s->image->rules[rule].fragments[stage]);

	if (s->interp.asking)
		return false;
	*value = (uint8_t)v;
	return true;
}

static bool
run_shared(struct milt_session *s, enum milt_stage stage)
{
	const struct image_stage *st = &s->image->stages[stage];

	for (uint32_t k = 0; k < st->count; k++) {
		uint32_t i = s->image->stage_rules[st->first + k];

		if (s->value[i] != UNKNOWN_)
			continue;
		if (stage >= STAGE_RCPT &&
		    s->image->rules[i].flags & RULE_RECIPIENT)
			continue;
		if (!run_fragment(s, i, stage, &s->value[i]))
			return false;
	}
	return true;
}

static bool
run_recipient(struct milt_session *s)
{
	const struct image_stage *st = &s->image->stages[STAGE_RCPT];

	if (!s->recipient)
		return true;
	memcpy(s->recipient, s->value, s->rules);
	for (uint32_t k = 0; k < st->count; k++) {
		uint32_t i = s->image->stage_rules[st->first + k];

		if (s->recipient[i] != UNKNOWN_ ||
		    !(s->image->rules[i].flags & RULE_RECIPIENT))
			continue;
		if (!run_fragment(s, i, STAGE_RCPT, &s->recipient[i]))
			return false;
	}
	return true;
}

/* The verdict that is certain for the whole message, or an unset one. */
static const struct decision *
standing(const struct milt_session *s)
{
	if (s->message.set)
		return &s->message;
	return s->helo.set ? &s->helo : &s->session;
}

static bool
all_settled(const struct milt_session *s)
{
	for (size_t i = 0; i < s->accepted.n; i++)
		if (s->accepted.v[i].speaker == IMAGE_NONE)
			return false;
	return s->accepted.n > 0;
}

/*
 * A refusal that is certain, but heard at RCPT only, gives way to one of the
 * same kind that is pinned to this stage.
 */
static void
overtake(struct milt_session *s, enum milt_stage stage, struct decision *level)
{
	const struct decision *d = standing(s);
	struct decision pinned;

	if (!d->set || (d->kind != ACTION_REJECT && d->kind != ACTION_TEMPFAIL))
		return;
	if (!d->speaker.failure &&
	    s->image->rules[d->speaker.rule].flags & RULE_PINNED)
		return;
	if (decide_pinned(s, stage, d->kind, &pinned))
		*level = pinned;
}

/* The verdict for the message, or for those recipients that are open. */
static void
decide_shared(
    struct milt_session *s, enum milt_stage stage, struct decision *level)
{
	if (stage == STAGE_DATA && all_settled(s))
		*level = (struct decision){
			.set = true,
			.kind = ACTION_ACCEPT,
			.stage = stage,
			.speaker = { .rule = s->accepted.v[0].speaker },
		};
	else if (stage == STAGE_DATA && s->open.set)
		*level = s->open;
	else
		decide(s, stage, stage < STAGE_RCPT ? READ_SHARED : READ_OPEN,
		    level);
}

/* False if suspended. */
static bool
evaluate(struct milt_session *s, enum milt_stage stage)
{
	struct decision *level = stage == STAGE_CONNECT ? &s->session
				 : stage == STAGE_HELO  ? &s->helo
							: &s->message;

	if (stage == STAGE_RCPT)
		return s->at != STAGE_RCPT || run_recipient(s);
	if (!run_shared(s, stage))
		return false;
	if (stage == STAGE_CONNECT)
		memcpy(s->after_connect, s->value, s->rules);
	if (stage <= STAGE_HELO)
		memcpy(s->after_helo, s->value, s->rules);
	if (!standing(s)->set)
		decide_shared(s, stage, level);
	if (stage < STAGE_RCPT)
		overtake(s, stage, level);
	return true;
}

/* ---- answers ---------------------------------------------------------- */

static void
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

/* A reject or tempfail, with its text.  False with no memory. */
static bool
answer_refusal(
    struct milt_session *s, const struct decision *d, struct milt_answer *out)
{
	struct arena *arena = facts_arena(s->facts);
	const struct image_action *a;

	out->decided = true;
	out->speaker = d->speaker;
	if (d->speaker.failure) {
		answer_failure(out);
		return true;
	}
	a = verdict_action(s->image, d->speaker.rule);
	out->kind = d->kind == ACTION_REJECT ? ANSWER_REJECT : ANSWER_TEMPFAIL;
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

static enum milt_status
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
		if (d->speaker.failure || !(r->flags & RULE_PINNED) ||
		    r->pin > s->at)
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
	for (uint32_t i = 0; s->recipient && i < s->rules; i++) {
		const struct image_rule *r = &s->image->rules[i];

		if (!(r->flags & RULE_RECIPIENT))
			continue;
		if (a.settled == IMAGE_NONE && r->verdict != ACTION_NONE &&
		    s->recipient[i] == TRUE_)
			a.settled = i;
		if (i <= limit)
			s->any[i] |= (uint8_t)(1 << s->recipient[i]);
	}
	return facts_rcpt_accepted(s->facts) == MILT_OK &&
	       vec_push(facts_arena(s->facts), &s->accepted, a);
}

static bool
speak_recipient(struct milt_session *s, struct milt_answer *out)
{
	struct decision d = *standing(s);

	if (!d.set)
		decide(s, STAGE_RCPT, s->recipient ? READ_RECIPIENT : READ_OPEN,
		    &d);
	if (d.set && (d.kind == ACTION_REJECT || d.kind == ACTION_TEMPFAIL)) {
		note_refusal(s, d.speaker.rule, true);
		return answer_refusal(s, &d, out);
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

static bool
speak(struct milt_session *s, struct milt_answer *out)
{
	if (s->at < STAGE_RCPT)
		return speak_early(s, out);
	if (s->at == STAGE_RCPT)
		return speak_recipient(s, out);
	return speak_message(s, out);
}

enum milt_status
milt_session_answer(struct milt_session *s, struct milt_answer *out)
{
	*out = (struct milt_answer){ .kind = ANSWER_CONTINUE, .stage = s->at };
	if (s->final)
		return answer_again(s, out);
	if (s->image->needs->flags & NEED_CLOCK && !s->asked) {
		s->asked = true;
		return MILT_QUESTION;
	}
	s->interp.asking = false;
	s->interp.scratch = match_scratch();
	if (!s->interp.scratch) {
		answer_failure(out);
		return MILT_NO_MEMORY;
	}
	for (int t = s->done + 1; t <= (int)s->at; t++) {
		if (!evaluate(s, (enum milt_stage)t))
			return MILT_QUESTION;
		s->done = t;
	}
	if (speak(s, out))
		return MILT_OK;
	*out = (struct milt_answer){ .stage = s->at };
	answer_failure(out);
	return MILT_NO_MEMORY;
}

bool
milt_session_skip_body(const struct milt_session *s)
{
	const struct decision *d = standing(s);
	struct pending p;

	if (s->final)
		return true;
	if (s->done < STAGE_HEADERS || !d->set || d->kind != ACTION_ACCEPT)
		return false;
	p = accept_pending(s, s->rules - 1);
	return !p.unknown && !p.body;
}

size_t
milt_session_changes(struct milt_session *s, const struct milt_change **out)
{
	*out = s->changes.v;
	return s->changes.n;
}

size_t
milt_session_notes(struct milt_session *s, const struct milt_note **out)
{
	size_t n = s->notes.n - s->notes_given;

	*out = s->notes.v ? s->notes.v + s->notes_given : NULL;
	s->notes_given = s->notes.n;
	return n;
}

struct milt_speaker
milt_session_speaker(const struct milt_session *s, size_t recipient)
{
	const struct decision *d = standing(s);

	if (d->set && d->kind == ACTION_ACCEPT && recipient < s->accepted.n &&
	    s->accepted.v[recipient].speaker != IMAGE_NONE)
		return (struct milt_speaker){
			.rule = s->accepted.v[recipient].speaker,
		};
	return d->speaker;
}
