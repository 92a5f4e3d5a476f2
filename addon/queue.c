#include "addon/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

/* What is there to take. */
struct item {
	TAILQ_ENTRY(item) link;
	enum queue_kind kind;
	bool listed;  /* in the queue */
	void *matter; /* owned */
};

enum call_state { STATE_QUEUED, STATE_TAKEN, STATE_ENDED };

struct call {
	struct item item; /* first: an item is a call by a cast */
	LIST_ENTRY(call) link;
	struct queue *queue;
	enum call_state state;
	enum call_end end; /* if it has ended */
	void *answer;      /* if it was answered */
	unsigned owners;
	pthread_cond_t wake; /* for who asked */
	/* What the taker wants done; NULL: nothing. */
	void (*work)(void *);
	void *work_arg;
	bool working;             /* it is being done */
	bool worked;              /* it was done */
	pthread_cond_t work_over; /* for the taker */
};

struct queue {
	pthread_mutex_t lock; /* all below */
	TAILQ_HEAD(, item) items;
	LIST_HEAD(, call) waiting;
	size_t waiting_count, post_count, limit;
	bool closed;
	void (*bell)(void *);
	void *bell_arg;
	void (*matter_free)(void *);
};

/* ---- life ---------------------------------------------------------------- */

struct queue *
queue_new(size_t limit, void (*bell)(void *), void *bell_arg,
    void (*matter_free)(void *))
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	TAILQ_INIT(&q->items);
	LIST_INIT(&q->waiting);
	q->limit = limit;
	q->bell = bell;
	q->bell_arg = bell_arg;
	q->matter_free = matter_free;
	return q;
}

size_t
queue_waiting(struct queue *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->waiting_count;
	pthread_mutex_unlock(&q->lock);
	return n;
}

/* With the lock held. */
static void
append(struct queue *q, struct item *item)
{
	bool was_empty = TAILQ_EMPTY(&q->items);

	TAILQ_INSERT_TAIL(&q->items, item, link);
	item->listed = true;
	/* Under the lock: after queue_close it is never rung again. */
	if (was_empty && !q->closed)
		q->bell(q->bell_arg);
}

/* With the lock held. */
static void
unlist(struct queue *q, struct item *item)
{
	if (item->listed)
		TAILQ_REMOVE(&q->items, item, link);
	item->listed = false;
}

static struct call *
call_new(struct queue *q, void *matter)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->item.kind = QUEUE_CALL;
	c->item.matter = matter;
	c->queue = q;
	c->owners = 1;
	pthread_cond_init(&c->wake, NULL);
	pthread_cond_init(&c->work_over, NULL);
	return c;
}

/* One owner less; without the lock. */
static void
disown(struct call *c)
{
	struct queue *q = c->queue;
	unsigned left;

	pthread_mutex_lock(&q->lock);
	left = --c->owners;
	pthread_mutex_unlock(&q->lock);
	if (left > 0)
		return;
	q->matter_free(c->item.matter);
	pthread_cond_destroy(&c->wake);
	pthread_cond_destroy(&c->work_over);
	free(c);
}

/*
 * The one transition that ends a call; with the lock held.  False if it has
 * ended already.
 */
static bool
end(struct call *c, enum call_end how)
{
	struct queue *q = c->queue;
	enum call_state before = c->state;

	if (before == STATE_ENDED)
		return false;
	c->state = STATE_ENDED;
	c->end = how;
	LIST_REMOVE(c, link);
	q->waiting_count--;
	c->work = NULL;
	pthread_cond_signal(&c->wake);
	pthread_cond_signal(&c->work_over);
	if (before == STATE_QUEUED) {
		/* The taker never hears of it. */
		unlist(q, &c->item);
	} else if (how != CALL_ANSWERED) {
		c->item.kind = QUEUE_ABANDONED;
		append(q, &c->item);
	}
	return true;
}

void
queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	while (!LIST_EMPTY(&q->waiting))
		(void)end(LIST_FIRST(&q->waiting), CALL_CLOSED);
	pthread_mutex_unlock(&q->lock);
}

void
queue_free(struct queue *q)
{
	struct queue_item i;

	if (!q)
		return;
	while ((i = queue_take(q)).kind != QUEUE_NOTHING)
		if (i.kind == QUEUE_POST)
			q->matter_free(i.matter);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* ---- asking -------------------------------------------------------------- */

static struct timespec
in_future(struct timespec t, unsigned ms)
{
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

static bool
is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec
				      : a->tv_nsec < b->tv_nsec;
}

/* Unlocks for the time of the work. */
static void
do_work(struct call *c)
{
	struct queue *q = c->queue;
	void (*work)(void *) = c->work;

	c->work = NULL;
	c->working = true;
	pthread_mutex_unlock(&q->lock);
	work(c->work_arg);
	pthread_mutex_lock(&q->lock);
	c->working = false;
	c->worked = true;
	pthread_cond_signal(&c->work_over);
}

/* Unlocks for the time of the tick. */
static void
do_tick(struct call *c, const struct call_terms *t)
{
	struct queue *q = c->queue;
	bool go_on;

	pthread_mutex_unlock(&q->lock);
	go_on = t->tick(t->tick_arg);
	pthread_mutex_lock(&q->lock);
	if (!go_on)
		(void)end(c, CALL_GIVEN_UP);
}

/* Until the call has ended; with the lock held. */
static void
wait_for_end(struct call *c, const struct call_terms *t)
{
	struct queue *q = c->queue;
	struct timespec now, deadline, tick;

	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = in_future(now, t->timeout_ms);
	tick = in_future(now, t->tick_ms);
	while (c->state != STATE_ENDED) {
		bool ticks = t->tick && is_before(&tick, &deadline);
		int e = 0;

		if (c->work)
			do_work(c);
		else
			e = pthread_cond_clockwait(&c->wake, &q->lock,
			    CLOCK_MONOTONIC, ticks ? &tick : &deadline);
		if (e != ETIMEDOUT || c->state == STATE_ENDED)
			continue;
		if (!ticks) {
			(void)end(c, CALL_LATE);
			continue;
		}
		do_tick(c, t);
		clock_gettime(CLOCK_MONOTONIC, &now);
		tick = in_future(now, t->tick_ms);
	}
}

enum call_end
queue_call(
    struct queue *q, void *matter, const struct call_terms *t, void **answer)
{
	struct call *c = call_new(q, matter);
	enum call_end how;

	if (!c) {
		q->matter_free(matter);
		return CALL_NO_MEMORY;
	}
	pthread_mutex_lock(&q->lock);
	if (q->closed || q->waiting_count >= q->limit) {
		how = q->closed ? CALL_CLOSED : CALL_FULL;
		pthread_mutex_unlock(&q->lock);
		disown(c);
		return how;
	}
	LIST_INSERT_HEAD(&q->waiting, c, link);
	q->waiting_count++;
	append(q, &c->item);
	wait_for_end(c, t);
	how = c->end;
	if (how == CALL_ANSWERED)
		*answer = c->answer;
	pthread_mutex_unlock(&q->lock);
	disown(c);
	return how;
}

bool
queue_post(struct queue *q, void *matter, size_t most)
{
	struct item *item = calloc(1, sizeof(*item));
	bool taken = false;

	if (item) {
		item->kind = QUEUE_POST;
		item->matter = matter;
		pthread_mutex_lock(&q->lock);
		taken = !q->closed && (most == 0 || q->post_count < most);
		if (taken) {
			q->post_count++;
			append(q, item);
		}
		pthread_mutex_unlock(&q->lock);
	}
	if (!taken) {
		free(item);
		q->matter_free(matter);
	}
	return taken;
}

/* ---- answering ----------------------------------------------------------- */

/* The item is off the list; with the lock held. */
static struct queue_item
take_call(struct call *c)
{
	if (c->item.kind == QUEUE_CALL) {
		c->state = STATE_TAKEN;
		c->owners++;
	}
	return (struct queue_item){
		.kind = c->item.kind,
		.call = c,
		.why = c->end,
		.matter = c->item.matter,
	};
}

struct queue_item
queue_take(struct queue *q)
{
	struct queue_item out = { .kind = QUEUE_NOTHING };
	struct item *post = NULL, *item;

	pthread_mutex_lock(&q->lock);
	item = TAILQ_FIRST(&q->items);
	if (item) {
		unlist(q, item);
		if (item->kind == QUEUE_POST) {
			q->post_count--;
			post = item;
		} else
			out = take_call((struct call *)item);
	}
	pthread_mutex_unlock(&q->lock);
	if (post) {
		out.kind = QUEUE_POST;
		out.matter = post->matter;
		free(post);
	}
	return out;
}

bool
call_answer(struct call *c, void *answer)
{
	struct queue *q = c->queue;
	bool first;

	pthread_mutex_lock(&q->lock);
	first = c->state != STATE_ENDED;
	if (first) {
		c->answer = answer;
		(void)end(c, CALL_ANSWERED);
	}
	pthread_mutex_unlock(&q->lock);
	return first;
}

bool
call_do(struct call *c, void (*work)(void *), void *arg)
{
	struct queue *q = c->queue;
	bool done;

	pthread_mutex_lock(&q->lock);
	c->worked = false;
	if (c->state != STATE_ENDED) {
		c->work = work;
		c->work_arg = arg;
		pthread_cond_signal(&c->wake);
	}
	while (c->work || c->working)
		pthread_cond_wait(&c->work_over, &q->lock);
	done = c->worked;
	pthread_mutex_unlock(&q->lock);
	return done;
}

void
call_release(struct call *c)
{
	struct queue *q = c->queue;

	pthread_mutex_lock(&q->lock);
	(void)end(c, CALL_DROPPED);
	/* The taker need not be told that the call is abandoned. */
	unlist(q, &c->item);
	pthread_mutex_unlock(&q->lock);
	disown(c);
}
