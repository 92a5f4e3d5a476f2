/*
 * The C side of the older API without Node: MTAs on several threads, one that
 * vanishes at random, and a taker in JavaScript's place that answers well,
 * late, twice, not at all, and with changes.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "addon/compat_change.h"
#include "addon/compat_event.h"
#include "addon/compat_milter.h"
#include "tests/mta/mta.h"
#include "tests/unit/test.h"

enum { TIMEOUT_MS = 30000, DEADLINE_MS = 20, MTAS = 6, SESSIONS = 60 };

static struct queue *queue;
static sem_t bell;
static atomic_bool over;
static atomic_long events, wrong, sessions_begun, sessions_closed;
static char where[64];

/* ---- in JavaScript's place ----------------------------------------------- */

static void
ring(void *arg)
{
	(void)arg;
	sem_post(&bell);
}

static void
set_reply(void *arg)
{
	static const char *const lines[] = { "one", "50%% of", "three" };

	if (compat_reply(arg, "550", "5.7.1", lines, 3) != MI_SUCCESS ||
	    compat_reply(arg, "550", "4.7.1", lines, 3) != MI_FAILURE ||
	    compat_reply(arg, "550", NULL, lines, 33) != MI_FAILURE)
		wrong++;
}

static void
get_symbol(void *arg)
{
	const struct compat_event *e = arg;
	const char *value = smfi_getsymval(e->context, (char *)"i");

	if (value && strcmp(value, "4ABC") != 0)
		wrong++;
}

static void
go_on(void *arg)
{
	if (compat_progress(arg) != MI_SUCCESS)
		wrong++;
}

static struct compat_changes *
some_changes(const struct compat_event *e)
{
	static char body[100000];
	const struct change good[] = {
		{ CHANGE_ADD_HEADER, 0, STR("X-A"), STR("a\n b") },
		{ CHANGE_SET_HEADER, 1, STR("Subject"), { NULL, 0 } },
		{ CHANGE_BODY, 0, { body, sizeof(body) }, { NULL, 0 } },
		{ CHANGE_SENDER, 0, STR("<x@y>"), STR("RET=HDRS") },
	}, bad[] = {
		{ CHANGE_ADD_HEADER, 0, STR("X A"), STR("a") },
		{ CHANGE_INSERT_HEADER, -1, STR("X"), STR("a") },
		{ CHANGE_ADD_RECIPIENT, 0, STR("a\nb"), { NULL, 0 } },
		{ CHANGE_QUARANTINE, 0, { NULL, 0 }, { NULL, 0 } },
	};
	struct compat_changes *c = changes_new();

	if (!c)
		abort();
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		wrong += !changes_add(c, &good[i], e->actions);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		wrong += changes_add(c, &bad[i], e->actions);
	return c;
}

static struct compat_answer *
new_answer(const struct compat_event *e)
{
	struct compat_answer *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->code = e->kind == COMPAT_NEGOTIATE ? SMFIS_ALL_OPTS : SMFIS_CONTINUE;
	return a;
}

static void
answer(struct call *call, struct compat_answer *a)
{
	if (call_answer(call, a))
		return;
	changes_free(a->changes);
	free(a);
}

/* What is odd about it follows from the number of the event. */
static void
handle(struct call *call, struct compat_event *e, unsigned *seed)
{
	struct compat_answer *a = new_answer(e);
	int dice = rand_r(seed) % 64;

	(void)call_do(call, get_symbol, e);
	if (e->kind == COMPAT_EOM) {
		(void)call_do(call, go_on, e);
		a->changes = some_changes(e);
	}
	if (e->kind != COMPAT_NEGOTIATE && dice == 0) {
		(void)call_do(call, set_reply, e);
		a->code = SMFIS_REJECT;
	} else if (dice == 1)
		a->code = COMPAT_THREW;
	else if (dice == 2)
		usleep(2 * DEADLINE_MS * 1000);
	if (dice == 3) {
		changes_free(a->changes);
		free(a);
	} else
		answer(call, a);
	if (dice == 4)
		answer(call, new_answer(e));
	call_release(call);
}

static void
take(unsigned *seed)
{
	struct queue_item i;

	while ((i = queue_take(queue)).kind != QUEUE_NOTHING) {
		struct compat_event *e = i.matter;

		events++;
		if (i.kind == QUEUE_CALL) {
			sessions_begun += e->kind == COMPAT_NEGOTIATE;
			handle(i.call, e, seed);
		} else if (i.kind == QUEUE_POST) {
			sessions_closed += e->kind == COMPAT_CLOSE;
			compat_event_free(e);
		}
	}
}

static void *
taker(void *arg)
{
	unsigned seed = 7;

	(void)arg;
	while (!over) {
		sem_wait(&bell);
		take(&seed);
	}
	return NULL;
}

/* ---- MTAs ---------------------------------------------------------------- */

static bool
may_go_on(struct mta_reply r)
{
	switch (r.verdict) {
	case MTA_CONTINUE:
	case MTA_ACCEPT:
		return true;
	case MTA_FAILED:
		wrong++;
		break;
	case MTA_REJECT:
	case MTA_TEMPFAIL:
	case MTA_DISCARD:
		break;
	}
	return false;
}

static void
session(unsigned *seed)
{
	struct str mail[] = { STR("<a@b>"), STR("SIZE=1") };
	int vanish = rand_r(seed) % 24;
	struct mta m;

	if (!mta_open(&m, where, TIMEOUT_MS) ||
	    !mta_negotiate(&m, &mta_offer_postfix)) {
		wrong++;
		mta_close(&m);
		return;
	}
	mta_macro(&m, STR("i"), STR("4ABC"));
	if (vanish > 0 &&
	    may_go_on(mta_connect(
		&m, STR("x"), SMFIA_INET6, 25, STR("2001:db8::1"))) &&
	    may_go_on(mta_helo(&m, STR("x"))) &&
	    may_go_on(mta_mail(&m, mail, 2)) && vanish > 1 &&
	    may_go_on(mta_rcpt(&m, mail, 1)) && may_go_on(mta_data(&m)) &&
	    may_go_on(mta_header(&m, STR("Subject"), STR("x"))) &&
	    may_go_on(mta_eoh(&m)) && vanish > 2 &&
	    may_go_on(mta_body(&m, STR("x\r\n"))))
		(void)may_go_on(mta_eom(&m));
	if (vanish > 3 && m.state == MTA_READY)
		mta_quit(&m);
	mta_close(&m);
}

static void *
sessions(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;

	for (int i = 0; i < SESSIONS; i++)
		session(&seed);
	return NULL;
}

int
main(void)
{
	char dir[] = "/tmp/milt-compat.XXXXXX", why[512] = "";
	pthread_t javascript, mtas[MTAS];

	sem_init(&bell, 0, 0);
	queue = queue_new(1000, ring, NULL, compat_event_free);
	CHECK(queue && mkdtemp(dir));
	snprintf(where, sizeof(where), "unix:%s/sock", dir);
	compat_set_terms(
	    (struct compat_terms){ DEADLINE_MS, DEADLINE_MS, SMFIS_TEMPFAIL });
	CHECK(pthread_create(&javascript, NULL, taker, NULL) == 0);
	CHECK(
	    compat_start(where, 0700, SMFI_CURR_ACTS, queue, why, sizeof(why)));
	CHECK_STR(str_from(why), "");
	for (size_t i = 0; i < MTAS; i++)
		CHECK(pthread_create(
			  &mtas[i], NULL, sessions, (void *)(i + 1)) == 0);
	for (size_t i = 0; i < MTAS; i++)
		CHECK(pthread_join(mtas[i], NULL) == 0);
	/* Sessions whose MTA has gone end soon after. */
	for (int i = 0; i < 3000 && sessions_closed < sessions_begun; i++)
		usleep(10000);
	CHECK(sessions_closed >= sessions_begun);
	CHECK(sessions_begun > 0 && events > sessions_begun);
	CHECK(wrong == 0);
	compat_shutdown();
	CHECK(!mta_open(&(struct mta){ 0 }, where, TIMEOUT_MS));
	over = true;
	sem_post(&bell);
	CHECK(pthread_join(javascript, NULL) == 0);
	CHECK(rmdir(dir) == 0);
	TEST_DONE();
}
