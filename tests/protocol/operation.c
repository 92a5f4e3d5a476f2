/* What is counted and told while sessions run and policies change. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/mta/ask.h"
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum { THREADS = 8, MESSAGES = 150, RELOADS = 40, TRACES = 100 };

static const char policy[] =
    "milt 1\n"
    "rule to { when recipient.local is \"bad\"\n"
    "  reject 550 5.1.1 \"{recipient}\" count refused }\n"
    "shadow rule seen { when header(\"X\") exists reject \"x\" }\n"
    "rule tag { when header(\"X\") exists\n"
    "  add header \"X-Tag\" \"{sender}\" count tagged }\n";

static struct filter f;
static atomic_int wrong, stop;

/* ---- load ---------------------------------------------------------------- */

static void *
send_mail(void *arg)
{
	struct letter l = { .header = "X: 1\n",
		.to = { "<bad@example.com>", "<good@example.com>" } };

	(void)arg;
	for (int i = 0; i < MESSAGES; i++) {
		struct mta_outcome o;
		struct mta m;

		if (letter_open(&m, f.where, &l)) {
			letter_send(&m, &l, &o);
			if (!str_eq(outcome_text(&m, &o),
				STR("accept at eom | 550 5.1.1 "
				    "bad@example.com; ok | add X-Tag: "
				    "sender@client.invalid")))
				atomic_fetch_add(&wrong, 1);
		} else
			atomic_fetch_add(&wrong, 1);
		mta_quit(&m);
	}
	return NULL;
}

static void *
look(void *arg)
{
	static const char *const names[] = { "milt_messages_total",
		"milt_count_total{name=\"tagged\"}",
		"milt_decisions_total{verdict=\"reject\",stage=\"rcpt\"}" };
	long long before[3] = { 0, 0, 0 };

	(void)arg;
	while (!atomic_load(&stop)) {
		char *text = ask_metrics(&f), *rules;

		for (int i = 0; i < 3; i++) {
			long long now = metric_value(text, names[i]);

			if (now < before[i])
				atomic_fetch_add(&wrong, 1);
			before[i] = now;
		}
		free(text);
		rules = ask(&f, "control", "{\"command\":\"rules\"}\n", 1);
		if (!strstr(rules, "\"tagged\""))
			atomic_fetch_add(&wrong, 1);
		free(rules);
		free(ask(&f, "control", "{\"command\":\"status\"}\n", 1));
	}
	return NULL;
}

static void *
reload(void *arg)
{
	(void)arg;
	for (int i = 0; i < RELOADS; i++) {
		char *text =
		    ask(&f, "control", "{\"command\":\"reload\"}\n", 1);

		if (!strstr(text, "\"ok\":true"))
			atomic_fetch_add(&wrong, 1);
		free(text);
	}
	return NULL;
}

static void *
trace(void *arg)
{
	char *text = ask(&f, "control",
	    "{\"command\":\"trace\",\"count\":100,\"rule\":\"tag\"}\n",
	    TRACES + 1);
	int lines = 0;

	(void)arg;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	if (lines != TRACES + 1 || !strstr(text, "\"value\":\"true\""))
		atomic_fetch_add(&wrong, 1);
	free(text);
	return NULL;
}

static pthread_t
start(void *(*run)(void *))
{
	pthread_t t;

	if (pthread_create(&t, NULL, run, NULL) != 0)
		abort();
	return t;
}

int
main(void)
{
	pthread_t senders[THREADS], watcher, reloader, tracer;
	long long all = THREADS * MESSAGES;
	char *text;

	CHECK(filter_start(&f, policy));
	if (test_failures)
		TEST_DONE();
	tracer = start(trace);
	watcher = start(look);
	reloader = start(reload);
	for (int i = 0; i < THREADS; i++)
		senders[i] = start(send_mail);
	for (int i = 0; i < THREADS; i++)
		pthread_join(senders[i], NULL);
	pthread_join(reloader, NULL);
	pthread_join(tracer, NULL);
	atomic_store(&stop, 1);
	pthread_join(watcher, NULL);
	CHECK(atomic_load(&wrong) == 0);

	/* Nothing is lost and nothing counted twice, whatever was reloaded. */
	text = ask_metrics(&f);
	CHECK(metric_value(text, "milt_messages_total") == all);
	CHECK(metric_value(text, "milt_count_total{name=\"tagged\"}") == all);
	CHECK(metric_value(text, "milt_count_total{name=\"refused\"}") == all);
	CHECK(metric_value(text,
		  "milt_decisions_total{verdict=\"reject\",stage=\"rcpt\"}") ==
	      all);
	CHECK(metric_value(text, "milt_stage_seconds_count{stage=\"rcpt\"}") ==
	      2 * all);
	CHECK(
	    metric_value(text, "milt_reloads_total{result=\"ok\"}") == RELOADS);
	CHECK(metric_value(text, "milt_reloads_total{result=\"failed\"}") == 0);
	free(text);
	CHECK(filter_stop(&f) == 0);
	TEST_DONE();
}
