/* What is counted and told while sessions run and policies change. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

/* ---- asking -------------------------------------------------------------- */

static int
connect_to(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", f.dir, name);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		perror(sa.sun_path);
		abort();
	}
	return fd;
}

/* All that is answered until the end, or until `lines` have come; owned. */
static char *
ask(const char *name, const char *question, int lines)
{
	int fd = connect_to(name);
	size_t n = 0, room = 1 << 16;
	char *all = malloc(room);
	ssize_t r;

	if (send(fd, question, strlen(question), MSG_NOSIGNAL) < 0 || !all)
		abort();
	while (lines > 0 && (r = recv(fd, all + n, room - n - 1, 0)) > 0) {
		for (ssize_t i = 0; i < r; i++)
			lines -= all[n + (size_t)i] == '\n';
		n += (size_t)r;
		if (room - n < 2 && !(all = realloc(all, room *= 2)))
			abort();
	}
	all[n] = 0;
	close(fd);
	return all;
}

static char *
scrape(void)
{
	return ask("metrics",
	    "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    1000000);
}

/* The value of a sample; -1 if it is not there. */
static long long
sample(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, n) == 0 && text[n] == ' ')
			return atoll(text + n + 1);
	}
	return -1;
}

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
		char *text = scrape(), *rules;

		for (int i = 0; i < 3; i++) {
			long long now = sample(text, names[i]);

			if (now < before[i])
				atomic_fetch_add(&wrong, 1);
			before[i] = now;
		}
		free(text);
		rules = ask("control", "{\"command\":\"rules\"}\n", 1);
		if (!strstr(rules, "\"tagged\""))
			atomic_fetch_add(&wrong, 1);
		free(rules);
		free(ask("control", "{\"command\":\"status\"}\n", 1));
	}
	return NULL;
}

static void *
reload(void *arg)
{
	(void)arg;
	for (int i = 0; i < RELOADS; i++) {
		char *text = ask("control", "{\"command\":\"reload\"}\n", 1);

		if (!strstr(text, "\"ok\":true"))
			atomic_fetch_add(&wrong, 1);
		free(text);
	}
	return NULL;
}

static void *
trace(void *arg)
{
	char *text = ask("control",
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
	text = scrape();
	CHECK(sample(text, "milt_messages_total") == all);
	CHECK(sample(text, "milt_count_total{name=\"tagged\"}") == all);
	CHECK(sample(text, "milt_count_total{name=\"refused\"}") == all);
	CHECK(sample(text,
		  "milt_decisions_total{verdict=\"reject\",stage=\"rcpt\"}") ==
	      all);
	CHECK(sample(text, "milt_stage_seconds_count{stage=\"rcpt\"}") ==
	      2 * all);
	CHECK(sample(text, "milt_reloads_total{result=\"ok\"}") == RELOADS);
	CHECK(sample(text, "milt_reloads_total{result=\"failed\"}") == 0);
	free(text);
	CHECK(filter_stop(&f) == 0);
	TEST_DONE();
}
