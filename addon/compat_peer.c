#include "addon/compat_peer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "addon/compat_change.h"
#include "runtime/reply.h"

static struct queue *queue; /* borrowed */

static _Atomic unsigned command_ms = 25000, content_ms = 250000;
static _Atomic int late_verdict = SMFIS_TEMPFAIL;

/* ---- the table ----------------------------------------------------------- */

enum patience { PATIENCE_NONE, PATIENCE_COMMAND, PATIENCE_CONTENT };

#define A(verdict) (1u << SMFIS_##verdict)
#define OF_MESSAGE \
	(A(CONTINUE) | A(REJECT) | A(TEMPFAIL) | A(ACCEPT) | A(DISCARD))
#define ANYTHING (~0u)

static const struct row {
	enum milter_event reply; /* EVENT_COUNT: of no event of SMTP */
	enum patience patience;
	unsigned answers;
} rows[COMPAT_KINDS] = {
#define EVENT(id, name, reply, patience, answers) \
	[COMPAT_##id] = { reply, PATIENCE_##patience, answers },
#include "addon/compat_events.def"
#undef EVENT
};

static bool
is_answered(const struct peer *p, enum compat_kind kind)
{
	enum milter_event e = rows[kind].reply;

	return e == EVENT_COUNT || reply_expected(e, p->steps);
}

static unsigned
answers(const struct peer *p, enum compat_kind kind)
{
	unsigned skip = rows[kind].answers & A(SKIP);

	return is_answered(p, kind) ? rows[kind].answers
				    : A(CONTINUE) | A(NOREPLY) | skip;
}

/* ---- questions ----------------------------------------------------------- */

void
peer_report(uint64_t session, const char *what, const char *sentence)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s: %s", what, sentence);
	struct compat_event *e = compat_event_new(
	    COMPAT_REPORT, &(struct str){ text, (size_t)n }, 1);

	if (!e)
		return;
	e->session = session;
	(void)queue_post(queue, e, 1000);
}

static void
answer_free(struct compat_answer *a)
{
	if (a)
		changes_free(a->changes);
	free(a);
}

struct compat_event *
peer_event(struct peer *p, SMFICTX *ctx, enum compat_kind kind,
    const struct str *texts, size_t count)
{
	struct compat_event *e = compat_event_new(kind, texts, count);

	if (!e)
		return NULL;
	e->session = p->id;
	e->answers = answers(p, kind);
	e->actions = p->actions;
	e->context = ctx;
	return e;
}

/* What is said in place of an answer that did not come in time. */
static int
verdict_when_late(enum compat_kind kind)
{
	int verdict = late_verdict;

	if (rows[kind].answers >> verdict & 1)
		return verdict;
	return verdict == SMFIS_ACCEPT ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

/* SMFIS_ without an answer; says why. */
static int
verdict_without(uint64_t session, enum compat_kind kind, enum call_end end)
{
	const char *name = compat_name(kind);

	switch (end) {
	case CALL_LATE:
		peer_report(session, name, "no answer before the deadline");
		return verdict_when_late(kind);
	case CALL_FULL:
		peer_report(
		    session, name, "too many events wait for an answer");
		return verdict_when_late(kind);
	case CALL_DROPPED:
		peer_report(session, name,
		    "the function let go of its envelope "
		    "and did not call done()");
		return verdict_when_late(kind);
	case CALL_GIVEN_UP:
	case CALL_CLOSED:
	case CALL_NO_MEMORY:
	case CALL_ANSWERED:
		break;
	}
	return SMFIS_TEMPFAIL;
}

/*
 * What JavaScript says to the event, which is taken in every case; *out is set
 * if it did, and the caller's.
 */
static int
wait_for(struct compat_event *e, struct compat_answer **out)
{
	enum compat_kind kind = e->kind;
	uint64_t session = e->session;
	struct call_terms terms = {
		.timeout_ms = rows[kind].patience == PATIENCE_CONTENT
				  ? content_ms
				  : command_ms,
	};
	void *answer = NULL;
	enum call_end end = queue_call(queue, e, &terms, &answer);

	if (end != CALL_ANSWERED)
		return verdict_without(session, kind, end);
	*out = answer;
	return (*out)->code == COMPAT_THREW ? SMFIS_TEMPFAIL : (*out)->code;
}

static bool
delivers(int code)
{
	return code == SMFIS_CONTINUE || code == SMFIS_ACCEPT;
}

/* From a verdict to what this event may return. */
static sfsistat
conclude(struct peer *p, enum compat_kind kind, int code)
{
	if (!is_answered(p, kind)) {
		bool early = kind == COMPAT_CONNECT || kind == COMPAT_HELO;
		bool refused = code == SMFIS_TEMPFAIL || code == SMFIS_REJECT;

		/* It is said at the next event that has an answer. */
		p->failed |= refused && early;
		p->failed_message |= refused && p->in_message;
		return SMFIS_NOREPLY;
	}
	if (code == SMFIS_SKIP && !(p->steps & SMFIP_SKIP))
		return SMFIS_CONTINUE;
	return code;
}

sfsistat
peer_put_off(struct peer *p, enum compat_kind kind)
{
	return p ? conclude(p, kind, SMFIS_TEMPFAIL) : SMFIS_TEMPFAIL;
}

sfsistat
peer_ask(
    SMFICTX *ctx, struct peer *p, enum compat_kind kind, struct compat_event *e)
{
	struct compat_answer *a = NULL;
	int code = e ? wait_for(e, &a) : SMFIS_TEMPFAIL;

	if (a && delivers(code) && !changes_send(ctx, a->changes)) {
		peer_report(p->id, compat_name(kind),
		    "the changes could not be sent to the MTA");
		code = SMFIS_TEMPFAIL;
	}
	answer_free(a);
	return conclude(p, kind, code);
}

void
peer_post(struct peer *p, enum compat_kind kind)
{
	struct compat_event *e = compat_event_new(kind, NULL, 0);

	if (!e)
		return;
	e->session = p->id;
	e->answers = rows[kind].answers;
	(void)queue_post(queue, e, 0);
}

sfsistat
peer_negotiate(struct peer *p, struct compat_event *e, unsigned long wanted[4])
{
	struct compat_answer *a = NULL;
	int code = e ? wait_for(e, &a) : SMFIS_TEMPFAIL;

	if (code == SMFIS_CONTINUE && a)
		memcpy(wanted, a->wanted, sizeof(a->wanted));
	/* A connection is not dropped for a mistake here. */
	if (code == SMFIS_TEMPFAIL || (code == SMFIS_REJECT && !a)) {
		p->failed = true;
		code = SMFIS_CONTINUE;
	}
	answer_free(a);
	return code;
}

bool
kind_is_of_message(enum compat_kind kind)
{
	return (rows[kind].answers & A(DISCARD)) != 0 &&
	       rows[kind].patience != PATIENCE_NONE;
}

void
peer_open(struct queue *q)
{
	queue = q;
}

int
compat_reply(const struct compat_event *e, const char *code, const char *xcode,
    const char *const *lines, size_t count)
{
	/* Postfix gives the milter up if the classes differ. */
	if (count > REPLY_LINES || (xcode && xcode[0] != code[0]))
		return MI_FAILURE;
	return reply_set(e->context, code, xcode, lines, count);
}

int
compat_progress(struct compat_event *e)
{
	struct timespec t;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	if (e->progressed && now - e->progressed < 1000000000u)
		return MI_SUCCESS;
	e->progressed = now;
	return smfi_progress(e->context);
}

void
compat_set_terms(struct compat_terms t)
{
	command_ms = t.command_ms;
	content_ms = t.content_ms;
	late_verdict = t.verdict;
}
