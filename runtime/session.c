#include "runtime/session.h"

#include <stdlib.h>

#include "runtime/match.h"
#include "runtime/safe.h"
#include "runtime/state.h"

/* What a client reads when a rule could not be decided. */
#define FAILURE_XCODE STR("4.3.0")
#define FAILURE_TEXT STR("Temporary failure, try again later")
enum { FAILURE_CODE = 451 };

struct milt_session *
milt_session_new(const struct milt_image *im)
{
	struct milt_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->image = im;
	s->rules = im->count[SECTION_RULES];
	s->facts = facts_new(im);
	s->guards = calloc(im->count[SECTION_GUARDS] / 8 + 1, 1);
	s->done = -1;
	if (!s->facts || !s->guards) {
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
	memo_free(&s->interp.memo);
	lives_free(&s->value);
	lives_free(&s->after_connect);
	lives_free(&s->after_helo);
	lives_free(&s->spare);
	lives_free(&s->recipient);
	lives_free(&s->any);
	free(s->hits.v);
	free(s->guards);
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
	for (uint32_t i = 0; i < s->value.n; i++)
		s->value.v[i].noted = false;
	lives_clear(&s->recipient);
	lives_clear(&s->any);
	lives_clear(&s->spare);
	rule_numbers_clear(&s->hits);
	if (s->final && s->final_stage >= STAGE_MAIL)
		s->final = false;
}

static void
forget(struct milt_session *s, enum memo_class from)
{
	memo_forget(&s->interp.memo, s->image, from);
}

/* With no memory the stages are evaluated anew. */
static void
go_back(struct milt_session *s, const struct lives *to, enum milt_stage stage)
{
	s->done = (int)stage;
	if (lives_copy(&s->value, to))
		return;
	lives_clear(&s->value);
	s->done = -1;
}

static void
begin_connect(struct milt_session *s)
{
	lives_clear(&s->value);
	s->session = s->helo = (struct decision){ 0 };
	s->done = -1;
	s->final = s->asked = false;
	forget_message(s);
	forget(s, MEMO_CONNECT);
}

static void
begin_helo(struct milt_session *s)
{
	if (s->done >= STAGE_HELO)
		go_back(s, &s->after_connect, STAGE_CONNECT);
	s->helo = (struct decision){ 0 };
	forget_message(s);
	if (s->final && s->final_stage >= STAGE_HELO)
		s->final = false;
	forget(s, MEMO_HELO);
}

static void
begin_mail(struct milt_session *s)
{
	if (s->done >= STAGE_MAIL)
		go_back(s, &s->after_helo, STAGE_HELO);
	forget_message(s);
	forget(s, MEMO_MESSAGE);
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
		forget(s, MEMO_RECIPIENT);
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

static bool
save(struct lives *to, struct milt_session *s)
{
	if (lives_copy(to, &s->value))
		return true;
	s->no_memory = true;
	return false;
}

/* False if suspended, or with s->no_memory set. */
static bool
evaluate(struct milt_session *s, enum milt_stage stage)
{
	struct decision *level = stage == STAGE_CONNECT ? &s->session
				 : stage == STAGE_HELO  ? &s->helo
							: &s->message;

	if (stage == STAGE_RCPT)
		return s->at != STAGE_RCPT || stage_run_recipient(s);
	if (!stage_run_shared(s, stage))
		return false;
	if (stage == STAGE_CONNECT && !save(&s->after_connect, s))
		return false;
	if (stage <= STAGE_HELO && !save(&s->after_helo, s))
		return false;
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
	for (uint32_t i = 0; i < s->recipient.n; i++) {
		const struct live *l = &s->recipient.v[i];
		const struct image_rule *r = &s->image->rules[l->rule];

		if (!(r->flags & RULE_RECIPIENT))
			continue;
		if (a.settled == IMAGE_NONE && r->verdict != ACTION_NONE &&
		    l->value == TRUE_)
			a.settled = l->rule;
		if (l->rule <= limit &&
		    !lives_merge(&s->any, l->rule, (uint8_t)(1 << l->value)))
			return false;
	}
	return facts_rcpt_accepted(s->facts) == MILT_OK &&
	       vec_push(facts_arena(s->facts), &s->accepted, a);
}

/* RFC 5321 4.5.3.1.10. */
static void
answer_too_many(const struct milt_session *s, struct milt_answer *out)
{
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

static bool
speak(struct milt_session *s, struct milt_answer *out)
{
	if (s->at < STAGE_RCPT)
		return speak_early(s, out);
	if (s->at == STAGE_RCPT)
		return speak_recipient(s, out);
	return speak_message(s, out);
}

static enum milt_status
no_memory(const struct milt_session *s, struct milt_answer *out)
{
	*out = (struct milt_answer){ .stage = s->at };
	answer_failure(out);
	return MILT_NO_MEMORY;
}

static enum milt_status
stopped(struct milt_session *s, struct milt_answer *out)
{
	if (!s->no_memory)
		return MILT_QUESTION;
	s->no_memory = false;
	return no_memory(s, out);
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
	if (!s->interp.scratch)
		return no_memory(s, out);
	for (int t = s->done + 1; t <= (int)s->at; t++) {
		if (!evaluate(s, (enum milt_stage)t))
			return stopped(s, out);
		s->done = t;
	}
	return speak(s, out) ? MILT_OK : no_memory(s, out);
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
