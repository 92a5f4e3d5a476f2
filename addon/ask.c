#include "addon/ask.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "addon/host.h"
#include "runtime/exchange.h"
#include "runtime/js_host.h"

static struct queue *queue; /* borrowed */
static atomic_ulong running;
static atomic_ullong last_id;

void
ask_open(struct queue *q)
{
	queue = q;
}

unsigned long
ask_running(void)
{
	return atomic_load(&running);
}

/* ---- answers ------------------------------------------------------------- */

struct answer {
	size_t count;
	char octets[];
};

void *
host_answer(const char *octets, size_t count)
{
	struct answer *a = malloc(sizeof(*a) + count);

	if (!a)
		return NULL;
	a->count = count;
	if (count)
		memcpy(a->octets, octets, count);
	return a;
}

void
host_answer_free(void *answer)
{
	free(answer);
}

static void
fail(struct milt_session *s, const char *why)
{
	struct milt_reply r = { .kind = REPLY_FAILURE, .failure = why };

	(void)milt_session_reply(s, &r);
}

static void
give(struct milt_session *s, struct answer *a)
{
	struct milt_reply r;
	struct arena arena;

	arena_init(&arena, 0, NULL);
	reply_unpack(&arena, (struct str){ a->octets, a->count }, &r);
	(void)milt_session_reply(s, &r);
	arena_free(&arena);
	free(a);
}

static const char *
reason(enum call_end end)
{
	switch (end) {
	case CALL_LATE:
		return "timeout";
	case CALL_FULL:
		return "too many questions wait";
	case CALL_GIVEN_UP:
		return "the client has gone";
	case CALL_DROPPED:
		return "no answer";
	case CALL_CLOSED:
		return "the server ends";
	case CALL_NO_MEMORY:
	case CALL_ANSWERED:
		break;
	}
	return "not enough memory";
}

/* ---- questions ----------------------------------------------------------- */

static struct matter *
make_matter(const void *connection, struct milt_session *s,
    const struct milt_question *q)
{
	struct matter *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->kind = MATTER_QUESTION;
	m->id = atomic_fetch_add(&last_id, 1) + 1;
	m->generation = js_generation(connection);
	m->rule = q->rule;
	if (question_pack(s, q, &m->octets, &m->count))
		return m;
	free(m);
	return NULL;
}

static bool
is_there(void *connection)
{
	return js_is_waited_for(connection);
}

static void
ask(const void *connection, struct milt_session *s,
    const struct milt_question *q)
{
	enum { LOOK = 1000 }; /* ms */
	struct call_terms terms = { .timeout_ms = q->js->timeout,
		.tick = is_there,
		.tick_arg = (void *)connection,
		.tick_ms = LOOK };
	struct matter *m = make_matter(connection, s, q);
	enum call_end end;
	void *answer = NULL;

	if (!m) {
		fail(s, reason(CALL_NO_MEMORY));
		return;
	}
	atomic_fetch_add(&running, 1);
	end = queue_call(queue, m, &terms, &answer);
	if (end == CALL_ANSWERED)
		give(s, answer);
	else
		fail(s, reason(end));
	atomic_fetch_sub(&running, 1);
}

const struct js_host ask_host = { .ask = ask };

/* ---- policies that are no more ------------------------------------------- */

struct freed {
	struct freed *next;
	unsigned long generation;
};

static struct {
	pthread_mutex_t lock;
	struct freed *first; /* owned */
} freed = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With no memory JavaScript keeps its hooks longer, that is all. */
void
ask_freed(unsigned long generation)
{
	struct freed *f = malloc(sizeof(*f));

	if (!f)
		return;
	f->generation = generation;
	pthread_mutex_lock(&freed.lock);
	f->next = freed.first;
	freed.first = f;
	pthread_mutex_unlock(&freed.lock);
}

unsigned long
ask_next_freed(void)
{
	unsigned long generation = 0;
	struct freed *f;

	pthread_mutex_lock(&freed.lock);
	f = freed.first;
	if (f)
		freed.first = f->next;
	pthread_mutex_unlock(&freed.lock);
	if (f)
		generation = f->generation;
	free(f);
	return generation;
}
