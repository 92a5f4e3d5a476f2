#include "runtime/conn.h"

#include <stdlib.h>
#include <time.h>

#include "runtime/apply.h"
#include "runtime/decision.h"
#include "runtime/delay.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/trace.h"

static const char no_memory[] = "not enough memory";

/* ---- small parts --------------------------------------------------------- */

uint64_t
conn_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

long long
conn_milliseconds_utc(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct str
queue_id(const struct conn *c)
{
	return (struct str){ c->id, c->id_length };
}

/* What is said where nothing could be decided. */
static struct milt_answer
failure_answer(enum milt_stage stage)
{
	return (struct milt_answer){
		.kind = ANSWER_TEMPFAIL,
		.stage = stage,
		.code = 451,
		.xcode = STR("4.3.0"),
		.lines = { STR("Temporary failure, try again later") },
		.line_count = 1,
	};
}

/* Not all facts of the connection or the message could be kept. */
static void
lose(struct conn *c, bool whole_session, const char *why)
{
	if (whole_session)
		c->failed_session = why;
	else
		c->failed_message = why;
}

void
conn_note(struct conn *c, enum milt_stage stage, enum milt_status s)
{
	if (s != MILT_OK)
		lose(c, stage <= STAGE_HELO, no_memory);
}

static void
take_macros(struct conn *c, SMFICTX *ctx, enum milt_stage stage)
{
	struct facts *f = milt_session_facts(c->session);
	const char *id;

	for (size_t i = 0; i < c->policy->macro_count; i++) {
		const struct policy_macro *m = &c->policy->macros[i];
		const char *value;

		if (m->stage != stage)
			continue;
		value = smfi_getsymval(ctx, (char *)m->name);
		if (value)
			conn_note(c, stage,
			    facts_macro(f, stage, m->text, str_from(value)));
	}
	if (stage < STAGE_MAIL)
		return;
	id = smfi_getsymval(ctx, (char *)"i");
	if (id) {
		struct str s = str_head(str_from(id), sizeof(c->id));

		memcpy(c->id, s.p, s.n);
		c->id_length = (unsigned char)s.n;
	}
}

/* ---- refusals of recipients that wait ------------------------------------ */

/*
 * Mail that sendmail(1) hands over has a queue id before its first recipient.
 * Postfix cannot report the refusal of one recipient then: it would try the
 * message again for ever.
 */
static bool
is_submission(const struct conn *c)
{
	return c->local && c->id_length > 0;
}

static struct str
keep_text(char **at, struct str s)
{
	char *p = *at;

	if (s.n)
		memcpy(p, s.p, s.n);
	*at += s.n;
	return (struct str){ p, s.n };
}

static void
hold_refusal(struct conn *c, const struct milt_answer *a)
{
	size_t n = a->xcode.n;
	char *at;

	if (c->held)
		return;
	for (unsigned i = 0; i < a->line_count; i++)
		n += a->lines[i].n;
	c->held = malloc(sizeof(*c->held) + n);
	if (!c->held) {
		lose(c, false, no_memory);
		return;
	}
	at = c->held->text;
	c->held->answer = *a;
	c->held->answer.stage = STAGE_MESSAGE;
	c->held->answer.xcode = keep_text(&at, a->xcode);
	for (unsigned i = 0; i < a->line_count; i++)
		c->held->answer.lines[i] = keep_text(&at, a->lines[i]);
}

/* ---- answers ------------------------------------------------------------- */

/* Between two questions the MTA is told, if it waits, that there is life. */
static const char *
ask(struct conn *c, SMFICTX *ctx, enum milter_event event,
    struct milt_answer *out)
{
	enum milt_status s = milt_session_answer(c->session, out);

	c->waiting = reply_expected(event, c->steps) ? ctx : NULL;
	while (s == MILT_QUESTION) {
		conn_answer_question(c);
		s = milt_session_answer(c->session, out);
		if (s == MILT_QUESTION && c->waiting)
			(void)smfi_progress(ctx);
	}
	c->waiting = NULL;
	if (s == MILT_OK)
		return NULL;
	*out = failure_answer(out->stage);
	return no_memory;
}

/*
 * The answer of a stage whose facts are given, or the failure that stands in
 * its way; `*failure` says which.
 */
static void
answer(struct conn *c, SMFICTX *ctx, enum milter_event event,
    enum milt_stage stage, struct milt_answer *out, const char **failure)
{
	*failure = c->failed_session ? c->failed_session : c->failed_message;
	if (*failure)
		*out = failure_answer(stage);
	else
		*failure = ask(c, ctx, event, out);
	out->stage = stage;
}

static enum rule_event
note_event(enum milt_note_kind kind)
{
	switch (kind) {
	case NOTE_SHADOW:
		return RULE_MATCHED_SHADOW;
	case NOTE_IGNORED:
		return RULE_FAILED;
	case NOTE_LOG:
	case NOTE_METRIC:
		return RULE_EFFECT;
	}
	return RULE_EFFECT;
}

static void
write_notes(struct conn *c)
{
	const struct milt_note *notes;
	size_t n = milt_session_notes(c->session, &notes);

	for (size_t i = 0; i < n; i++) {
		counts_add(c->policy->counts, notes[i].rule,
		    note_event(notes[i].kind));
		if (notes[i].kind == NOTE_METRIC)
			counts_add_named(c->policy->counts, notes[i].text);
		else
			log_note(c->session, queue_id(c), &notes[i]);
	}
}

static void
count_decision(struct conn *c, const struct milt_answer *a, const char *failure,
    bool changed)
{
	const struct milt_change *changes;
	size_t n = changed ? milt_session_changes(c->session, &changes) : 0;

	bool told = a->decided && a->speaker.reply;

	metric_decision(a->kind, a->stage);
	if (failure && !told)
		metric_failure(failure);
	if (a->decided)
		counts_add(c->policy->counts, a->speaker.rule,
		    a->speaker.failure && !told ? RULE_FAILED : RULE_DECIDED);
	for (size_t i = 0; i < n; i++)
		counts_add(c->policy->counts, changes[i].rule, RULE_EFFECT);
}

static void
record(struct conn *c, const struct milt_answer *a, const char *failure,
    bool changed, uint64_t since)
{
	struct decision_record d;

	if (!failure && a->speaker.failure)
		failure = a->speaker.what;
	write_notes(c);
	if (!a->decided && !failure)
		return;
	count_decision(c, a, failure, changed);
	d = (struct decision_record){
		.session = c->session,
		.queue_id = queue_id(c),
		.answer = a,
		.failure = failure,
		.decided = a->decided,
		.changed = changed,
		.delayed = (double)c->delayed / 1e9,
		.ms = (double)(c->spent + conn_clock() - since) / 1e6,
	};
	log_decision(&d);
	if (trace_is_on())
		trace_give(&d);
}

/* The stage is over: what it cost. */
static void
end_stage(struct conn *c, enum milt_stage stage, uint64_t since)
{
	uint64_t ns = conn_clock() - since;

	c->spent += ns;
	metric_time(stage, c->gathering + ns);
	c->gathering = 0;
}

static bool
is_final(enum milt_stage stage, enum milt_answer_kind kind)
{
	if (stage == STAGE_MESSAGE)
		return true;
	if (stage == STAGE_RCPT)
		return false;
	return kind != ANSWER_CONTINUE && kind != ANSWER_SKIP;
}

/*
 * Why the message cannot go on as the facts are, whatever the answer, or NULL.
 * The refusal of one recipient too many is such a reason where there is no
 * reply to RCPT: the MTA keeps a recipient of which no rule would know.
 */
static const char *
obstacle(const struct milt_answer *a, const char *failure)
{
	if (!failure && a->kind == ANSWER_TEMPFAIL && a->speaker.failure)
		return a->speaker.what;
	return failure;
}

sfsistat
conn_conclude(struct conn *c, SMFICTX *ctx, enum milter_event event,
    enum milt_stage stage, uint64_t since)
{
	struct milt_answer a;
	const char *failure;
	sfsistat r;

	take_macros(c, ctx, stage);
	answer(c, ctx, event, stage, &a, &failure);
	if (!reply_expected(event, c->steps) && obstacle(&a, failure)) {
		/* Said at the next event that has a reply. */
		lose(c, stage <= STAGE_HELO, obstacle(&a, failure));
		return SMFIS_NOREPLY;
	}
	record(c, &a, failure, false, since);
	if (stage == STAGE_RCPT && is_submission(c) &&
	    a.kind != ANSWER_CONTINUE && a.kind != ANSWER_ACCEPT) {
		hold_refusal(c, &a);
		a = (struct milt_answer){ .stage = stage };
	}
	r = reply_give(ctx, event, c->steps, &a);
	end_stage(c, stage, since);
	if (stage >= STAGE_MAIL && is_final(stage, a.kind) &&
	    r != SMFIS_NOREPLY)
		conn_end_message(c);
	return r;
}

void
conn_gathered(struct conn *c, uint64_t since)
{
	uint64_t ns = conn_clock() - since;

	c->spent += ns;
	c->gathering += ns;
}

sfsistat
conn_put_off(const struct conn *c, SMFICTX *ctx, enum milter_event event)
{
	struct milt_answer a = failure_answer(STAGE_MESSAGE);

	return reply_give(ctx, event, c ? c->steps : 0, &a);
}

sfsistat
conn_conclude_lost_recipient(struct conn *c, SMFICTX *ctx, uint64_t since)
{
	struct milt_answer a = failure_answer(STAGE_RCPT);

	if (is_submission(c) || !reply_expected(EVENT_RCPT, c->steps)) {
		lose(c, false, no_memory);
		return conn_continue(c, ctx, EVENT_RCPT);
	}
	a.code = 452;
	a.xcode = STR("4.5.3");
	a.lines[0] = STR("Too many recipients");
	record(
	    c, &a, "too many recipients, or not enough memory", false, since);
	return reply_give(ctx, EVENT_RCPT, c->steps, &a);
}

sfsistat
conn_continue(const struct conn *c, SMFICTX *ctx, enum milter_event event)
{
	static const struct milt_answer a = { .kind = ANSWER_CONTINUE };

	return reply_give(ctx, event, c ? c->steps : 0, &a);
}

/* ---- the end of the message ---------------------------------------------- */

static const char *
make_changes(struct conn *c, SMFICTX *ctx)
{
	const struct edit *edits;
	size_t n;

	if (milt_edits(c->session, &edits, &n) != MILT_OK)
		return "the message's changes could not be computed";
	return apply_edits(
	    ctx, edits, n, facts_arena(milt_session_facts(c->session)));
}

/*
 * Before the changes, so that a peer that leaves meanwhile makes none of them.
 * Adds to *since what was waited, which is no work; false if the peer has left.
 */
static bool
make_delay(struct conn *c, SMFICTX *ctx, uint64_t *since)
{
	const struct milt_change *changes;
	size_t n = milt_session_changes(c->session, &changes);
	long long ms = milt_delay(changes, n);
	uint64_t begin = conn_clock();
	enum delay_end end;

	if (ms == 0)
		return true;
	end = delay_wait(ctx, ms);
	c->delayed = conn_clock() - begin;
	*since += c->delayed;
	return end != DELAY_LEFT;
}

sfsistat
conn_conclude_message(struct conn *c, SMFICTX *ctx, uint64_t since)
{
	struct milt_answer a;
	const char *failure;
	bool accepted;
	sfsistat r;

	take_macros(c, ctx, STAGE_MESSAGE);
	answer(c, ctx, EVENT_EOM, STAGE_MESSAGE, &a, &failure);
	accepted = a.kind == ANSWER_ACCEPT || a.kind == ANSWER_CONTINUE;
	if (c->held && (accepted || a.kind == ANSWER_DISCARD)) {
		write_notes(c);
		a = c->held->answer;
		accepted = false;
	}
	if (accepted) {
		failure = make_delay(c, ctx, &since)
			      ? make_changes(c, ctx)
			      : "the MTA left while the message was delayed";
		if (failure) {
			a = failure_answer(STAGE_MESSAGE);
			accepted = false;
		}
	}
	record(c, &a, failure, accepted, since);
	r = reply_give(ctx, EVENT_EOM, c->steps, &a);
	end_stage(c, STAGE_MESSAGE, since);
	conn_end_message(c);
	return r;
}
