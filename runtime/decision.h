/*
 * Decisions in the log: one line each, the first token is the queue id or
 * NOQUEUE as in Postfix's own lines, the second the verdict.
 *
 *	4X1Y: reject stage=rcpt rule=no-relay at=inbound.milt:32
 *	client=mx.example.net[192.0.2.1] helo=<mx.example.net> from=<a@b>
 *	to=<c@d> reply="550 5.7.1 No" time=0.12ms
 */
#ifndef RUNTIME_DECISION_H
#define RUNTIME_DECISION_H

#include "runtime/session.h"

struct decision_record {
	struct milt_session *session;
	struct str queue_id; /* empty: NOQUEUE */
	const struct milt_answer *answer;
	const char *failure; /* why nothing was decided; NULL otherwise */
	bool decided;        /* by answer->speaker */
	bool changed;        /* name the rules whose changes were made */
	double delayed;      /* seconds that the answer was delayed */
	double ms;           /* spent on the message so far, without them */
};

/* accept, reject, tempfail or discard; with a NUL behind it. */
struct str verdict_word(enum milt_answer_kind);

void log_decision(const struct decision_record *);

/* Who is told of each decision beside the log; NULL: nobody.  Any thread. */
void decision_watch(void (*)(const struct decision_record *));

/* A log action, a shadow rule that matched, or an ignored failure. */
void log_note(
    struct milt_session *, struct str queue_id, const struct milt_note *);

/* A question of a js rule that has no answer. */
struct question_record {
	struct milt_session *session;
	struct str queue_id; /* empty: NOQUEUE */
	uint32_t rule;
	struct str recipient; /* of a recipient rule; else empty */
	const char *failure;
	double ms; /* until it failed */
};

void log_question(const struct question_record *);

#endif
