#include "compiler/play.h"

/* ---- playing ---------------------------------------------------------- */

struct play {
	struct arena *arena;
	struct milt_session *session;
	const struct transaction *t;
	struct outcome *out;
	bool over; /* an answer has ended the session or message */
};

static struct str
copy(struct play *p, struct str s)
{
	return arena_dup(p->arena, s);
}

static void
take_notes(struct play *p)
{
	const struct milt_note *note;
	size_t n = milt_session_notes(p->session, &note);

	for (size_t i = 0; i < n; i++) {
		struct milt_note kept = note[i];

		if (kept.kind == NOTE_IGNORED)
			continue; /* nothing that a test can expect */
		kept.text = copy(p, kept.text);
		kept.recipient = copy(p, kept.recipient);
		vec_push(p->arena, &p->out->notes, kept);
	}
}

static struct play_verdict
verdict_of(struct play *p, const struct milt_answer *a)
{
	struct play_verdict v = {
		.kind = a->kind,
		.stage = a->stage,
		.code = a->code,
		.xcode = copy(p, a->xcode),
		.speaker = a->speaker,
	};

	for (unsigned i = 0; i < a->line_count; i++)
		v.text = arena_printf(p->arena, "%.*s%s%.*s", STR_ARG(v.text),
		    i ? "\n" : "", STR_ARG(a->lines[i]));
	return v;
}

/* For every recipient that has no verdict yet. */
static void
give_all(struct play *p, const struct milt_answer *a)
{
	size_t accepted = 0;

	for (size_t i = 0; i < p->out->count; i++) {
		struct play_verdict *v = &p->out->verdicts[i];

		if (v->kind != ANSWER_CONTINUE)
			continue;
		*v = verdict_of(p, a);
		if (a->kind == ANSWER_ACCEPT)
			v->speaker =
			    milt_session_speaker(p->session, accepted++);
	}
}

static void
answer_js(struct play *p, const struct milt_question *q)
{
	const struct milt_image *im = milt_session_image(p->session);
	struct str name = image_text(im, im->rules[q->rule].name);
	struct milt_reply none = { .kind = REPLY_FAILURE,
		.failure = "no answer is given" };

	for (size_t i = 0; i < p->t->given.n; i++) {
		if (!str_eq(p->t->given.v[i].rule, name))
			continue;
		p->out->asked[i] = true;
		(void)milt_session_reply(p->session, &p->t->given.v[i].reply);
		return;
	}
	if (p->t->js) {
		p->t->js(p->t->js_data, p->session, q);
		return;
	}
	if (p->out->unanswered == IMAGE_NONE)
		p->out->unanswered = q->rule;
	(void)milt_session_reply(p->session, &none);
}

static enum milt_status
ask(struct play *p, struct milt_answer *a)
{
	enum milt_status st = milt_session_answer(p->session, a);

	while (st == MILT_QUESTION) {
		const struct milt_question *q =
		    milt_session_question(p->session);

		switch (q->kind) {
		case QUESTION_CLOCK:
			facts_clock(milt_session_facts(p->session), p->t->now);
			break;
		case QUESTION_JS:
			answer_js(p, q);
			break;
		}
		st = milt_session_answer(p->session, a);
	}
	take_notes(p);
	return st;
}

static enum milt_status
give_macros(struct play *p, enum milt_stage stage)
{
	for (size_t i = 0; i < p->t->macros.n; i++) {
		const struct play_macro *m = &p->t->macros.v[i];
		enum milt_status st;

		if (m->stage != stage)
			continue;
		st = facts_macro(
		    milt_session_facts(p->session), stage, m->name, m->value);
		if (st != MILT_OK)
			return st;
	}
	return MILT_OK;
}

static enum milt_status
give_facts(struct play *p, enum milt_stage stage)
{
	struct facts *f = milt_session_facts(p->session);
	const struct transaction *t = p->t;
	enum milt_status st = give_macros(p, stage);

	if (st != MILT_OK)
		return st;
	switch (stage) {
	case STAGE_CONNECT:
		return facts_client(f, t->client_name, t->client_name.n > 0,
		    t->has_ip ? &t->ip : NULL, t->port);
	case STAGE_HELO:
		return facts_helo(f, t->helo);
	case STAGE_MAIL:
		return facts_mail(
		    f, t->sender, t->parameters.v, t->parameters.n);
	case STAGE_HEADERS:
		for (size_t i = 0; i < t->fields.n && st == MILT_OK; i++)
			st = facts_header(
			    f, t->fields.v[i].name, t->fields.v[i].value);
		return st;
	case STAGE_MESSAGE:
		return t->body.n ? facts_body(f, t->body) : MILT_OK;
	case STAGE_RCPT:
	case STAGE_DATA:
	case STAGE_COUNT:
		return MILT_OK;
	}
	return MILT_OK;
}

/* One stage for the session or message. */
static enum milt_status
play_stage(struct play *p, enum milt_stage stage)
{
	struct milt_answer a;
	enum milt_status st;

	milt_session_begin(p->session, stage);
	st = give_facts(p, stage);
	if (st == MILT_OK)
		st = ask(p, &a);
	if (st != MILT_OK)
		return st;
	if (a.kind == ANSWER_CONTINUE || a.kind == ANSWER_SKIP)
		return MILT_OK;
	give_all(p, &a);
	p->over = true;
	return MILT_OK;
}

static enum milt_status
play_recipient(struct play *p, size_t i)
{
	const struct play_recipient *r = &p->t->recipients.v[i];
	struct milt_answer a;
	enum milt_status st;

	milt_session_begin(p->session, STAGE_RCPT);
	st = give_macros(p, STAGE_RCPT);
	if (st == MILT_OK)
		st = facts_rcpt(milt_session_facts(p->session), r->path,
		    r->parameters.v, r->parameters.n);
	if (st == MILT_OK)
		st = ask(p, &a);
	if (st == MILT_OK && a.kind != ANSWER_CONTINUE)
		p->out->verdicts[i] = verdict_of(p, &a);
	return st;
}

static bool
is_anybody_left(const struct outcome *out)
{
	for (size_t i = 0; i < out->count; i++)
		if (out->verdicts[i].kind == ANSWER_CONTINUE)
			return true;
	return false;
}

static void
take_changes(struct play *p)
{
	const struct milt_change *c;
	const struct edit *e;
	size_t n = milt_session_changes(p->session, &c), edits = 0;

	for (size_t i = 0; i < n; i++) {
		struct milt_change kept = c[i];

		kept.name = copy(p, kept.name);
		kept.value = copy(p, kept.value);
		vec_push(p->arena, &p->out->changes, kept);
	}
	if (!n || milt_edits(p->session, &e, &edits) != MILT_OK)
		return;
	for (size_t i = 0; i < edits; i++) {
		struct edit kept = e[i];

		kept.name = copy(p, kept.name);
		kept.value = copy(p, kept.value);
		vec_push(p->arena, &p->out->edits, kept);
	}
}

static enum milt_status
play_all(struct play *p)
{
	enum milt_status st = MILT_OK;

	for (int s = STAGE_CONNECT; s < STAGE_RCPT && !p->over; s++) {
		st = play_stage(p, (enum milt_stage)s);
		if (st != MILT_OK)
			return st;
	}
	for (size_t i = 0; i < p->out->count && !p->over; i++) {
		st = play_recipient(p, i);
		if (st != MILT_OK)
			return st;
	}
	for (int s = STAGE_DATA;
	     s < STAGE_COUNT && !p->over && is_anybody_left(p->out); s++) {
		st = play_stage(p, (enum milt_stage)s);
		if (st != MILT_OK)
			return st;
	}
	take_changes(p);
	return MILT_OK;
}

enum milt_status
transaction_play(struct arena *arena, const struct milt_image *im,
    const struct transaction *t, struct outcome *out)
{
	struct play p = { .arena = arena, .t = t, .out = out };
	enum milt_status st;

	*out = (struct outcome){
		.count = t->recipients.n,
		.asked = ARENA_ARRAY(arena, t->given.n + 1, bool),
		.unanswered = IMAGE_NONE,
	};
	out->verdicts = ARENA_ARRAY(arena, out->count + 1, struct play_verdict);
	p.session = milt_session_new(im);
	if (!p.session || !out->verdicts || !out->asked) {
		milt_session_free(p.session);
		return MILT_NO_MEMORY;
	}
	st = play_all(&p);
	milt_session_free(p.session);
	return st;
}
