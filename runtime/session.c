#include "runtime/session.h"

#include <stdlib.h>

#include "runtime/limits.h"
#include "runtime/match.h"
#include "runtime/state.h"

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
	s->done = s->ran = -1;
	arena_init(
	    &s->connect_answers, (size_t)LIMIT_VALUE_JS_ANSWERS / 2, NULL);
	arena_init(&s->helo_answers, (size_t)LIMIT_VALUE_JS_ANSWERS / 2, NULL);
	s->connect_answers.refused = s->helo_answers.refused =
	    limit_counter(LIMIT_JS_ANSWERS);
	s->connect_answers.budget = s->helo_answers.budget = &facts_budget;
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
	answers_free(s);
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
	s->ignored = NULL;
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
	s->done = s->ran = (int)stage;
	if (lives_copy(&s->value, to))
		return;
	lives_clear(&s->value);
	s->done = s->ran = -1;
}

static void
begin_connect(struct milt_session *s)
{
	lives_clear(&s->value);
	s->session = s->helo = (struct decision){ 0 };
	s->done = s->ran = -1;
	s->final = s->asked = false;
	forget_message(s);
	forget(s, MEMO_CONNECT);
}

static void
begin_helo(struct milt_session *s)
{
	if (s->ran >= STAGE_HELO)
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
	if (s->ran >= STAGE_MAIL)
		go_back(s, &s->after_helo, STAGE_HELO);
	forget_message(s);
	forget(s, MEMO_MESSAGE);
}

void
milt_session_begin(struct milt_session *s, enum milt_stage stage)
{
	facts_reset(s->facts, stage);
	answers_forget(s, stage);
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
		if (s->ran >= STAGE_RCPT)
			s->ran = s->done;
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

const struct decision *
standing(const struct milt_session *s)
{
	if (s->message.set)
		return &s->message;
	return s->helo.set ? &s->helo : &s->session;
}

bool
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
	if (speaks_itself(s, &d->speaker) &&
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
run_conditions(struct milt_session *s, enum milt_stage stage)
{
	if (stage == STAGE_RCPT) {
		s->current = (uint32_t)s->accepted.n;
		return stage_run_recipient(s);
	}
	if (!stage_run_shared(s, stage))
		return false;
	if (stage == STAGE_CONNECT && !save(&s->after_connect, s))
		return false;
	return stage > STAGE_HELO || save(&s->after_helo, s);
}

/* The same; after an answer it goes on with the questions. */
static bool
evaluate(struct milt_session *s, enum milt_stage stage)
{
	struct decision *level = stage == STAGE_CONNECT ? &s->session
				 : stage == STAGE_HELO  ? &s->helo
							: &s->message;

	if (stage == STAGE_RCPT && s->at != STAGE_RCPT)
		return true;
	if (s->ran < (int)stage) {
		if (!run_conditions(s, stage))
			return false;
		s->ran = (int)stage;
	}
	if (!questions_over(s, stage))
		return false;
	if (stage == STAGE_RCPT)
		return true;
	if (!standing(s)->set)
		decide_shared(s, stage, level);
	if (stage < STAGE_RCPT)
		overtake(s, stage, level);
	return true;
}

/* ---- all of it --------------------------------------------------------- */

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
	if (s->waiting)
		return MILT_QUESTION;
	s->question = (struct milt_question){ .stage = s->at };
	if (s->image->needs->flags & NEED_CLOCK && !s->asked) {
		s->asked = true;
		return MILT_QUESTION;
	}
	s->interp.asking = false;
	s->interp.stage = s->at;
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
