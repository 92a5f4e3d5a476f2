/*
 * A connection of the MTA while it is served: shared by milter.c (callbacks),
 * conn_life.c (when it begins and ends), conn.c (answers) and conn_js.c
 * (questions).  Nothing else includes it.
 */
#ifndef RUNTIME_CONN_H
#define RUNTIME_CONN_H

#include <libmilter/mfapi.h>

#include "runtime/policy.h"
#include "runtime/reply.h"

/* A refusal of a recipient that is given at the end of the message. */
struct held {
	struct milt_answer answer;
	char text[]; /* of the answer */
};

struct conn {
	struct policy *policy;        /* counted */
	struct milt_session *session; /* owned; NULL: all is refused */
	unsigned long steps;          /* SMFIP_ flags that were negotiated */
	const char *failed_session;   /* static text: facts were lost */
	const char *failed_message;
	struct held *held;  /* owned */
	SMFICTX *waiting;   /* the MTA waits for an answer */
	uint64_t spent;     /* nanoseconds, on this message */
	uint64_t gathering; /* the same, on facts of this stage */
	uint64_t delayed;   /* nanoseconds waited before the answer */
	bool local;         /* the client looks like sendmail(1) */
	bool in_message, headers, body; /* begun */
	unsigned char id_length;
	char id[63]; /* queue id */
};

/* NULL with no memory.  Takes the current policy. */
struct conn *conn_new(void);
void conn_free(struct conn *);
/* How many there are, and in how many of them a message began. Any thread. */
unsigned long conn_count(void);
unsigned long conn_messages(void);

uint64_t conn_clock(void); /* nanoseconds, monotonic */
long long conn_milliseconds_utc(void);

/* conn_js.c: answers what the session asks; may take its time. */
void conn_answer_question(struct conn *);
/* Tells the host of js rules that there are no more questions. */
void conn_closed(const struct conn *);

/*
 * A fact of the stage could not be kept, unless `s` is MILT_OK: the message,
 * or the session up to HELO, is put off at the next event that has a reply.
 */
void conn_note(struct conn *, enum milt_stage, enum milt_status s);

/* Ends the one before, if there is one. */
void conn_begin_message(struct conn *);
/* After the end of a message, however it came about.  Idempotent. */
void conn_end_message(struct conn *);

/*
 * The end of a callback at a stage other than MESSAGE, and of EOM: evaluates,
 * logs, replies.  `since` is when the callback began.
 */
sfsistat conn_conclude(struct conn *, SMFICTX *, enum milter_event,
    enum milt_stage, uint64_t since);
sfsistat conn_conclude_message(struct conn *, SMFICTX *, uint64_t since);

/* A recipient beyond the limits is put off; the others are not touched. */
sfsistat conn_conclude_lost_recipient(struct conn *, SMFICTX *, uint64_t since);

/* The end of a callback that gave facts of a stage that goes on. */
void conn_gathered(struct conn *, uint64_t since);

/* Nothing is decided at this event. */
sfsistat conn_continue(const struct conn *, SMFICTX *, enum milter_event);

/* An event out of order, or without a session; `c` may be NULL. */
sfsistat conn_put_off(const struct conn *c, SMFICTX *, enum milter_event);

#endif
