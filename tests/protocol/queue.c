/* The addon's queue: every way in which a call can end. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "addon/queue.h"
#include "tests/unit/test.h"

enum { NEVER = 1000000 }; /* ms: the test ends it otherwise */

static atomic_long matters; /* that are not freed */
static atomic_int rings;
static sem_t rung;

static void
ring(void *arg)
{
	(void)arg;
	atomic_fetch_add(&rings, 1);
	sem_post(&rung);
}

static int *
matter(int value)
{
	int *m = malloc(sizeof(*m));

	if (!m)
		abort();
	*m = value;
	atomic_fetch_add(&matters, 1);
	return m;
}

static void
matter_free(void *m)
{
	atomic_fetch_sub(&matters, 1);
	free(m);
}

static struct queue *
open_queue(size_t limit)
{
	struct queue *q = queue_new(limit, ring, NULL, matter_free);

	if (!q)
		abort();
	atomic_store(&rings, 0);
	sem_init(&rung, 0, 0);
	return q;
}

static void
end_queue(struct queue *q)
{
	queue_close(q);
	queue_free(q);
	sem_destroy(&rung);
	CHECK(atomic_load(&matters) == 0);
}

/* ---- a thread that asks -------------------------------------------------- */

struct asker {
	struct queue *queue;
	struct call_terms terms;
	pthread_t thread;
	atomic_bool ended;
	enum call_end end;
	void *answer;
};

static void *
ask(void *arg)
{
	struct asker *a = arg;

	a->end = queue_call(a->queue, matter(7), &a->terms, &a->answer);
	atomic_store(&a->ended, true);
	sem_post(&rung);
	return NULL;
}

static void
start(struct asker *a, struct queue *q, unsigned ms)
{
	a->queue = q;
	atomic_store(&a->ended, false);
	a->terms.timeout_ms = ms;
	if (pthread_create(&a->thread, NULL, ask, a) != 0)
		abort();
}

static enum call_end
join(struct asker *a)
{
	pthread_join(a->thread, NULL);
	return a->end;
}

/* The next thing to take, however long it takes to come. */
static struct queue_item
take(struct queue *q)
{
	struct queue_item i;

	while ((i = queue_take(q)).kind == QUEUE_NOTHING)
		sem_wait(&rung);
	return i;
}

static struct queue_item
take_unless_ended(struct queue *q, struct asker *a)
{
	struct queue_item i;

	while ((i = queue_take(q)).kind == QUEUE_NOTHING &&
	       !atomic_load(&a->ended))
		sem_wait(&rung);
	return i;
}

/* ---- one call ------------------------------------------------------------ */

static void
test_answer(void)
{
	struct queue *q = open_queue(1);
	struct asker a = { 0 };
	struct queue_item i;
	int yes;

	start(&a, q, NEVER);
	i = take(q);
	CHECK(i.kind == QUEUE_CALL && *(int *)i.matter == 7);
	CHECK(queue_waiting(q) == 1);
	CHECK(call_answer(i.call, &yes));
	CHECK(!call_answer(i.call, &yes)); /* double */
	CHECK(join(&a) == CALL_ANSWERED && a.answer == &yes);
	CHECK(!call_answer(i.call, &yes));
	CHECK(*(int *)i.matter == 7);
	call_release(i.call);
	CHECK(queue_take(q).kind == QUEUE_NOTHING);
	CHECK(queue_waiting(q) == 0);
	end_queue(q);
}

static void
test_late(void)
{
	struct queue *q = open_queue(1);
	struct asker a = { 0 };
	struct queue_item i, late;
	int yes;

	/* One that nobody has taken is forgotten. */
	start(&a, q, 0);
	CHECK(join(&a) == CALL_LATE);
	CHECK(queue_take(q).kind == QUEUE_NOTHING);
	CHECK(atomic_load(&matters) == 0);

	/* One that is taken: the deadline may pass before it is. */
	for (unsigned ms = 50;; ms *= 2) {
		start(&a, q, ms);
		i = take_unless_ended(q, &a);
		if (i.kind == QUEUE_CALL)
			break;
		CHECK(join(&a) == CALL_LATE);
	}
	late = take(q);
	CHECK(late.kind == QUEUE_ABANDONED && late.call == i.call);
	CHECK(late.why == CALL_LATE);
	CHECK(!call_answer(i.call, &yes));
	call_release(i.call);
	CHECK(join(&a) == CALL_LATE);
	end_queue(q);
}

/* Released before it is heard that it is abandoned, and before any end. */
static void
test_release(void)
{
	struct queue *q = open_queue(1);
	struct asker a = { 0 };
	struct queue_item i;

	start(&a, q, NEVER);
	i = take(q);
	queue_close(q);
	CHECK(join(&a) == CALL_CLOSED);
	call_release(i.call);
	CHECK(queue_take(q).kind == QUEUE_NOTHING);
	end_queue(q);

	q = open_queue(1);
	start(&a, q, NEVER);
	i = take(q);
	call_release(i.call);
	CHECK(join(&a) == CALL_DROPPED);
	CHECK(queue_take(q).kind == QUEUE_NOTHING);
	end_queue(q);
}

static void
test_full(void)
{
	struct queue *q = open_queue(2);
	struct asker a = { 0 }, b = { 0 }, c = { 0 };
	struct queue_item i, k;

	start(&a, q, NEVER);
	start(&b, q, NEVER);
	i = take(q);
	k = take(q);
	start(&c, q, NEVER);
	CHECK(join(&c) == CALL_FULL);
	CHECK(call_answer(i.call, NULL) && call_answer(k.call, NULL));
	CHECK(join(&a) == CALL_ANSWERED && join(&b) == CALL_ANSWERED);
	call_release(i.call);
	call_release(k.call);
	end_queue(q);
}

static bool
tick_down(void *arg)
{
	return atomic_fetch_sub((atomic_int *)arg, 1) > 1;
}

static void
test_tick(void)
{
	struct queue *q = open_queue(1);
	atomic_int ticks = 3;
	struct asker a = {
		.terms = { .tick = tick_down, .tick_arg = &ticks, .tick_ms = 1 }
	};
	struct queue_item i, gone;

	start(&a, q, NEVER);
	CHECK(join(&a) == CALL_GIVEN_UP);
	CHECK(atomic_load(&ticks) == 0);
	CHECK(queue_take(q).kind == QUEUE_NOTHING);

	atomic_store(&ticks, 1000);
	start(&a, q, NEVER);
	i = take(q);
	atomic_store(&ticks, 1);
	gone = take(q);
	CHECK(gone.kind == QUEUE_ABANDONED && gone.why == CALL_GIVEN_UP);
	call_release(i.call);
	CHECK(join(&a) == CALL_GIVEN_UP);
	end_queue(q);
}

static void
note_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
}

static void
test_work(void)
{
	struct queue *q = open_queue(1);
	struct asker a = { 0 };
	pthread_t worker = pthread_self();
	struct queue_item i;

	start(&a, q, NEVER);
	i = take(q);
	CHECK(call_do(i.call, note_thread, &worker));
	CHECK(call_do(i.call, note_thread, &worker));
	CHECK(pthread_equal(worker, a.thread));
	CHECK(call_answer(i.call, NULL));
	worker = pthread_self();
	CHECK(!call_do(i.call, note_thread, &worker));
	CHECK(pthread_equal(worker, pthread_self()));
	join(&a);
	call_release(i.call);
	end_queue(q);
}

/* ---- posts and the bell -------------------------------------------------- */

static void
test_posts(void)
{
	struct queue *q = open_queue(1);
	struct queue_item i;

	CHECK(queue_post(q, matter(1), 2));
	CHECK(queue_post(q, matter(2), 2));
	CHECK(!queue_post(q, matter(3), 2));
	CHECK(queue_post(q, matter(4), 0));
	CHECK(atomic_load(&rings) == 1);
	for (int n = 1; n <= 4; n += n == 2 ? 2 : 1) {
		i = queue_take(q);
		CHECK(i.kind == QUEUE_POST && *(int *)i.matter == n);
		matter_free(i.matter);
	}
	CHECK(queue_take(q).kind == QUEUE_NOTHING);
	CHECK(queue_post(q, matter(5), 0));
	CHECK(atomic_load(&rings) == 2);
	queue_close(q);
	CHECK(!queue_post(q, matter(6), 0));
	CHECK(atomic_load(&rings) == 2);
	end_queue(q);
}

static void
test_closed(void)
{
	struct queue *q = open_queue(8);
	struct asker a[8] = { 0 }, late = { 0 };
	struct queue_item i[4];

	for (int n = 0; n < 8; n++)
		start(&a[n], q, NEVER);
	for (int n = 0; n < 4; n++)
		i[n] = take(q);
	queue_close(q);
	for (int n = 0; n < 8; n++)
		CHECK(join(&a[n]) == CALL_CLOSED);
	start(&late, q, NEVER);
	CHECK(join(&late) == CALL_CLOSED);
	for (int n = 0; n < 4; n++) {
		CHECK(!call_answer(i[n].call, NULL));
		call_release(i[n].call);
	}
	end_queue(q);
}

/* ---- many ---------------------------------------------------------------- */

enum { THREADS = 16, CALLS = 2000 };

static atomic_long counts[CALL_NO_MEMORY + 1];
static atomic_int running;

static void
nothing(void *arg)
{
	(void)arg;
}

static void *
ask_much(void *arg)
{
	struct queue *q = arg;
	unsigned seed = (unsigned)atomic_fetch_add(&running, 1);

	for (int n = 0; n < CALLS; n++) {
		struct call_terms t = { .timeout_ms = NEVER };
		void *answer = NULL;
		enum call_end e;

		seed = seed * 1664525u + 1013904223u;
		if (seed >> 16 & 1)
			t.timeout_ms = seed >> 17 & 1;
		if (seed >> 18 & 1)
			(void)queue_post(q, matter(-1), 64);
		e = queue_call(q, matter(n), &t, &answer);
		atomic_fetch_add(&counts[e], 1);
		if (e == CALL_ANSWERED)
			free(answer);
	}
	atomic_fetch_sub(&running, 1);
	sem_post(&rung);
	return NULL;
}

/* Answers some calls at once, others later, twice or never in time. */
static void
answer_much(struct queue *q, struct queue_item i, struct call **kept)
{
	static unsigned n;
	void *answer = malloc(1);

	if (!answer)
		abort();
	if (n++ % 3 == 0 && *kept) {
		if (!call_answer(*kept, answer))
			free(answer);
		call_release(*kept);
		*kept = i.call;
		return;
	}
	if (n % 5 == 0)
		(void)call_do(i.call, nothing, NULL);
	if (!call_answer(i.call, answer))
		free(answer);
	if (n % 2 == 0 && call_answer(i.call, q))
		abort();
	call_release(i.call);
}

static void
take_much(struct queue *q)
{
	struct call *kept = NULL;

	do {
		struct queue_item i = queue_take(q);

		switch (i.kind) {
		case QUEUE_NOTHING:
			sem_wait(&rung);
			break;
		case QUEUE_CALL:
			if (kept)
				answer_much(q, i, &kept);
			else
				kept = i.call;
			break;
		case QUEUE_ABANDONED:
			if (i.call == kept) {
				call_release(kept);
				kept = NULL;
			}
			break;
		case QUEUE_POST:
			matter_free(i.matter);
			break;
		}
		/* The last ones wait for what is kept. */
		if (kept && queue_waiting(q) <= 1) {
			void *answer = malloc(1);

			if (!call_answer(kept, answer))
				free(answer);
			call_release(kept);
			kept = NULL;
		}
	} while (atomic_load(&running) > 0 || queue_waiting(q) > 0);
	if (kept)
		call_release(kept);
}

static void
test_many(void)
{
	struct queue *q = open_queue(THREADS - 2);
	pthread_t threads[THREADS];
	long all = 0;

	for (int n = 0; n < THREADS; n++)
		if (pthread_create(&threads[n], NULL, ask_much, q) != 0)
			abort();
	while (atomic_load(&running) == 0)
		sched_yield();
	take_much(q);
	for (int n = 0; n < THREADS; n++)
		pthread_join(threads[n], NULL);
	for (int e = 0; e <= CALL_NO_MEMORY; e++)
		all += atomic_load(&counts[e]);
	printf("# %ld answered, %ld late, %ld refused\n", counts[CALL_ANSWERED],
	    counts[CALL_LATE], counts[CALL_FULL]);
	CHECK(all == (long)THREADS * CALLS);
	CHECK(counts[CALL_ANSWERED] > 0 && counts[CALL_LATE] > 0);
	end_queue(q);
}

/* Threads that are in calls and posts while the queue is closed. */
static void
test_close_many(void)
{
	for (int round = 0; round < 20; round++) {
		struct queue *q = open_queue(THREADS);
		pthread_t threads[4];

		for (int n = 0; n < 4; n++)
			if (pthread_create(&threads[n], NULL, ask_much, q) != 0)
				abort();
		for (int n = 0; n < round; n++) {
			struct queue_item i = take(q);

			if (i.kind == QUEUE_CALL)
				call_release(i.call);
			else if (i.kind == QUEUE_POST)
				matter_free(i.matter);
		}
		queue_close(q);
		for (int n = 0; n < 4; n++)
			pthread_join(threads[n], NULL);
		end_queue(q);
	}
}

int
main(void)
{
	test_answer();
	test_late();
	test_release();
	test_full();
	test_tick();
	test_work();
	test_posts();
	test_closed();
	test_many();
	test_close_many();
	TEST_DONE();
}
