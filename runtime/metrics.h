/*
 * What the daemon counts.  Any thread may add; a count costs one addition to a
 * cell that few threads share.  Counts of single rules are in counts.h.
 */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "runtime/session.h"

/*
 * METRIC(ID, "name", "labels", "help")
 *	Rows of one name stand together; the help is the first one's.
 */
#define METRICS(METRIC)                                                       \
	METRIC(SESSIONS, "milt_sessions_total", "", "Sessions.")              \
	METRIC(PUT_OFF, "milt_sessions_put_off_total", "",                    \
	    "Sessions that could not be served: all is put off.")             \
	METRIC(MESSAGES, "milt_messages_total", "",                           \
	    "Messages: MAIL commands that reached the policy.")               \
	METRIC(RELOADS_OK, "milt_reloads_total", "result=\"ok\"",             \
	    "Readings of the policy, the first one left out.")                \
	METRIC(RELOADS_FAILED, "milt_reloads_total", "result=\"failed\"", "") \
	METRIC(QUESTIONS_CLOCK, "milt_questions_total",                       \
	    "kind=\"clock\",outcome=\"answer\"", "Questions of the policy.")  \
	METRIC(QUESTIONS_NOTHING, "milt_questions_total",                     \
	    "kind=\"js\",outcome=\"nothing\"", "")                            \
	METRIC(QUESTIONS_ANSWER, "milt_questions_total",                      \
	    "kind=\"js\",outcome=\"answer\"", "")                             \
	METRIC(QUESTIONS_FAILURE, "milt_questions_total",                     \
	    "kind=\"js\",outcome=\"failure\"", "")                            \
	METRIC(DELAYS, "milt_delays_total", "",                               \
	    "Messages whose answer was delayed.")                             \
	METRIC(LOG_LOST, "milt_log_lines_lost_total", "",                     \
	    "Lines of the log that could not be written.")                    \
	METRIC(TRACES_LOST, "milt_traces_lost_total", "",                     \
	    "Traces that nobody read fast enough.")

enum metric {
#define METRIC(id, name, labels, help) METRIC_##id,
	METRICS(METRIC)
#undef METRIC
	    METRIC_COUNT
};

void metric_add(enum metric);
/* A verdict that was given, at that stage. */
void metric_decision(enum milt_answer_kind, enum milt_stage);
/* A question to a js rule, and what it took in nanoseconds. */
void metric_question(enum milt_reply_kind, uint64_t);
/* What a stage cost, in nanoseconds. */
void metric_time(enum milt_stage, uint64_t);
/* Something could not be decided; static text. */
void metric_failure(const char *why);

uint64_t metric_read(enum metric);

/* Seconds since the first call, which the start of the daemon makes. */
uint64_t metrics_uptime(void);

/* All of it in Prometheus' text form, with the current policy's counts. */
void metrics_print(FILE *);

/*
 * Answers GET /metrics on a listening socket, from a thread of its own.
 * Called once signals are blocked.  False if there can be none.
 */
bool metrics_serve(int fd);

#endif
