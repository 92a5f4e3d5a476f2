/*
 * The blocking queue between many threads that ask and one that answers, the
 * one that runs JavaScript.  Plain C, and nothing of Node.
 *
 * A call waits for its answer, at most until its deadline; a post is not
 * waited for.  Both are taken in the order in which they came.  A call has two
 * owners, who asks and who answers, and ends in one way: answered, late,
 * refused, given up, dropped or closed; whatever comes after that is told so
 * and does no harm.  Any thread may ask; queue_take and all below it belong to
 * one thread, the taker.
 */
#ifndef ADDON_QUEUE_H
#define ADDON_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct queue;
struct call;

enum call_end {
	CALL_ANSWERED,
	CALL_LATE,      /* the deadline has passed */
	CALL_FULL,      /* too many wait already: refused at once */
	CALL_GIVEN_UP,  /* who asked needs no answer any more: tick */
	CALL_DROPPED,   /* the taker let it go without an answer */
	CALL_CLOSED,    /* the queue is closed */
	CALL_NO_MEMORY, /* for the call itself */
};

/*
 * `bell` is rung each time that there is something to take after there was
 * nothing: by any thread, under the queue's lock, so it must not wait and not
 * call the queue.  `matter_free` frees what calls and posts are about, in any
 * thread.  At most `limit` calls wait at a time.  NULL with no memory.
 */
struct queue *queue_new(size_t limit, void (*bell)(void *), void *bell_arg,
    void (*matter_free)(void *));

/*
 * From here on each call and post is refused and the bell is silent; those who
 * wait are woken.  What is there can still be taken.  Any thread; idempotent.
 */
void queue_close(struct queue *);

/* After queue_close, when no thread is in the queue; frees what is there. */
void queue_free(struct queue *);

/* Calls that wait now. */
size_t queue_waiting(struct queue *);

/* ---- asking: any thread but the taker ------------------------------------ */

struct call_terms {
	unsigned timeout_ms;
	/*
	 * Called every `tick_ms` milliseconds by the thread that waits; false
	 * gives the call up.  NULL: never.
	 */
	bool (*tick)(void *);
	void *tick_arg;
	unsigned tick_ms;
};

/*
 * Takes `matter` in every case.  *answer is set, and the caller's, if the
 * result is CALL_ANSWERED.
 */
enum call_end queue_call(
    struct queue *, void *matter, const struct call_terms *, void **answer);

/*
 * Never waits.  Takes `matter` in every case; false if it is lost, because the
 * queue is closed, there is no memory, or so many as `most` posts are there
 * already (0: as many as you like).
 */
bool queue_post(struct queue *, void *matter, size_t most);

/* ---- answering: the taker ------------------------------------------------ */

enum queue_kind {
	QUEUE_NOTHING,   /* the bell will be rung */
	QUEUE_CALL,      /* `call` wants an answer */
	QUEUE_ABANDONED, /* `call`, taken before, does not: `why` */
	QUEUE_POST,      /* `matter` is the taker's to free */
};

struct queue_item {
	enum queue_kind kind;
	struct call *call;
	enum call_end why;
	void *matter; /* QUEUE_CALL: borrowed until call_release */
};

/* Take until there is QUEUE_NOTHING. */
struct queue_item queue_take(struct queue *);

/*
 * True: who asked has the answer.  False: the call had ended, by an answer or
 * otherwise, and `answer` stays the taker's.
 */
bool call_answer(struct call *, void *answer);

/*
 * Has the thread that waits for the answer do some work, and waits until it is
 * done.  False: the call had ended, and nothing was done.
 */
bool call_do(struct call *, void (*work)(void *), void *arg);

/*
 * The taker needs the call no more; once for each QUEUE_CALL.  One that has no
 * answer ends.
 */
void call_release(struct call *);

#ifdef __cplusplus
}
#endif

#endif
