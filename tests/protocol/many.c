/* Many sessions at once, and policies that change under them. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum { THREADS = 50, IDLE = 50, ROUNDS = 20, MESSAGES = 5, RELOADS = 1000 };

static const char policy[] =
    "milt 1\n"
    "rule helo { when helo starts with \"bad\"\n"
    "  reject 550 5.7.1 \"{helo}\" }\n"
    "rule to { when recipient.local is \"bad\"\n"
    "  reject 550 5.1.1 \"{recipient}\" }\n"
    "rule subject { when header.subject matches /^spam (?<n>[0-9]+)$/\n"
    "  reject 550 5.7.1 \"{n} from {sender}\" }\n"
    "rule body { when body.raw contains \"virus\" discard }\n"
    "rule tag { when header(\"X\") exists\n"
    "  add header \"X-Tag\" \"{header(\"X\")} {sender}\" }\n";

static struct filter f;
static atomic_int wrong, sent, stop, rounds;

static unsigned
next(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* A random message and what must become of it. */
static void
random_message(struct mta *m, unsigned *seed, bool bad_helo, const char *helo)
{
	char sender[40], header[80], want[200];
	unsigned n = next(seed) % 1000;
	struct letter l = { .sender = sender, .header = header };
	struct mta_outcome o;

	snprintf(sender, sizeof(sender), "<s%u@example.org>", n);
	switch (next(seed) % 4) {
	case 0:
		snprintf(header, sizeof(header), "Subject: spam %u\n", n);
		snprintf(want, sizeof(want),
		    "reject 550 5.7.1 %u from s%u@example.org at eoh", n, n);
		break;
	case 1:
		snprintf(header, sizeof(header), "Subject: x\n");
		l.body = "a virus\r\n";
		snprintf(want, sizeof(want), "discard at eom");
		break;
	case 2:
		snprintf(header, sizeof(header), "X: x%u\n", n);
		l.to[0] = "<bad@example.com>";
		l.to[1] = "<good@example.com>";
		snprintf(want, sizeof(want),
		    "accept at eom | 550 5.1.1 bad@example.com; ok | add "
		    "X-Tag: x%u s%u@example.org",
		    n, n);
		break;
	default:
		snprintf(header, sizeof(header), "X: y%u\n", n);
		snprintf(want, sizeof(want),
		    "accept at eom | add X-Tag: y%u s%u@example.org", n, n);
	}
	if (bad_helo) {
		l.to[0] = NULL;
		snprintf(
		    want, sizeof(want), "reject 550 5.7.1 %s at rcpt", helo);
	}
	letter_send(m, &l, &o);
	atomic_fetch_add(&sent, 1);
	if (!str_eq(outcome_text(m, &o), str_from(want))) {
		struct str got = outcome_text(m, &o);

		atomic_fetch_add(&wrong, 1);
		printf("#  got: %.*s\n# want: %s\n", STR_ARG(got), want);
	}
}

static void *
work(void *arg)
{
	unsigned seed = 77u + (unsigned)(size_t)arg;

	for (int i = 0; i < atomic_load(&rounds) && !atomic_load(&stop); i++) {
		char helo[40];
		bool bad_helo = next(&seed) % 5 == 0;
		struct letter l = { .helo = helo };
		struct mta m;

		snprintf(helo, sizeof(helo), "%s%u.example",
		    bad_helo ? "bad" : "good", next(&seed) % 1000);
		if (!letter_open(&m, f.where, &l)) {
			atomic_fetch_add(&wrong, 1);
			printf("# %s\n", m.error);
			mta_close(&m);
			continue;
		}
		for (unsigned k = next(&seed) % MESSAGES + 1; k > 0; k--)
			random_message(&m, &seed, bad_helo, helo);
		if (next(&seed) % 3)
			mta_quit(&m);
		else
			mta_close(&m);
	}
	return NULL;
}

static void
start_work(pthread_t *threads, int limit)
{
	atomic_store(&rounds, limit);
	atomic_store(&wrong, 0);
	atomic_store(&sent, 0);
	atomic_store(&stop, 0);
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
			abort();
}

static void
end_work(pthread_t *threads)
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("# %d messages\n", atomic_load(&sent));
	CHECK(atomic_load(&wrong) == 0);
	CHECK(atomic_load(&sent) > 0);
}

static void
test_concurrency(void)
{
	pthread_t threads[THREADS];
	struct mta idle[IDLE];
	struct letter l = { .header = "X: 1\n" };

	for (int i = 0; i < IDLE; i++)
		CHECK(letter_open(&idle[i], f.where, &l));
	start_work(threads, ROUNDS);
	end_work(threads);
	for (int i = 0; i < IDLE; i++) {
		struct mta_outcome o;

		letter_send(&idle[i], &l, &o);
		CHECK_STR(outcome_text(&idle[i], &o),
		    "accept at eom | add X-Tag: 1 "
		    "sender@client.invalid");
		mta_quit(&idle[i]);
	}
}

static void
hup_and_wait(const char *line)
{
	size_t before = filter_log_count(&f, line);

	kill(f.pid, SIGHUP);
	CHECK(filter_wait_log(&f, line, before + 1));
}

/* Up to a stage with the old policy; the end tells which one decided. */
static void
test_reload_in_session(void)
{
	static const char *const texts[] = { "one", "two", "three", "four",
		"five", "six" };
	struct mta m[6];
	char text[300], want[100];
	struct str sender = STR("<s@example.org>"), to = STR("<a@example.com>");

	for (int i = 0; i < 6; i++) {
		struct letter l = { 0 };

		snprintf(text, sizeof(text),
		    "milt 1\nrule r { when header(\"X\") exists\n"
		    "  reject 550 5.7.1 \"%s\" }\n",
		    texts[i]);
		filter_write(&f, text);
		hup_and_wait("policy.milt: 1 rules");
		CHECK(letter_open(&m[i], f.where, &l));
		if (i > 0)
			mta_mail(&m[i], &sender, 1);
		if (i > 1)
			mta_rcpt(&m[i], &to, 1);
		if (i > 2)
			mta_data(&m[i]);
		if (i > 3)
			mta_header(&m[i], STR("X"), STR("1"));
	}
	for (int i = 0; i < 6; i++) {
		if (i < 1)
			mta_mail(&m[i], &sender, 1);
		if (i < 2)
			mta_rcpt(&m[i], &to, 1);
		if (i < 3)
			mta_data(&m[i]);
		if (i < 4)
			mta_header(&m[i], STR("X"), STR("1"));
		snprintf(want, sizeof(want), "reject 550 5.7.1 %s", texts[i]);
		CHECK_STR(reply_text(&m[i], mta_eoh(&m[i])), want);
		mta_quit(&m[i]);
	}
}

static void
test_bad_reload(void)
{
	struct letter l = { .header = "X: 1\n" };

	filter_write(&f, "milt 1\nrule r { when nothing reject }\n");
	hup_and_wait("the policy read before stays");
	CHECK_STR(letter_text(&f, &l), "reject 550 5.7.1 six at eoh");
	filter_write(&f, "");
	hup_and_wait("the policy read before stays");
	CHECK_STR(letter_text(&f, &l), "reject 550 5.7.1 six at eoh");
	filter_write(&f, "milt 1\nlist l of domain from \"missing\"\n"
			 "rule r { when helo in l reject \"no\" }\n");
	hup_and_wait("the policy read before stays");
	CHECK_STR(letter_text(&f, &l), "reject 550 5.7.1 six at eoh");
}

static void
test_reload_under_load(void)
{
	pthread_t threads[THREADS];

	filter_write(&f, policy);
	hup_and_wait("policy.milt: 5 rules");
	start_work(threads, INT_MAX);
	for (int i = 0; i < RELOADS; i++) {
		kill(f.pid, SIGHUP);
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	}
	atomic_store(&stop, 1);
	end_work(threads);
	CHECK(filter_log_count(&f, "stays") == 3);
}

/* What has begun is finished; what comes later finds no one. */
static void
test_stop(void)
{
	struct letter l = { 0 };
	struct mta m, late;
	struct str sender = STR("<s@example.org>"), to = STR("<a@example.com>");

	CHECK(letter_open(&m, f.where, &l));
	CHECK(mta_mail(&m, &sender, 1).verdict == MTA_CONTINUE);
	CHECK(mta_rcpt(&m, &to, 1).verdict == MTA_CONTINUE);
	kill(f.pid, SIGTERM);
	CHECK(filter_wait_log(&f, "stopping", 1));
	CHECK(mta_data(&m).verdict == MTA_CONTINUE);
	CHECK(mta_header(&m, STR("X"), STR("1")).verdict == MTA_CONTINUE);
	CHECK(mta_eoh(&m).verdict == MTA_CONTINUE);
	CHECK(mta_body(&m, STR("body\r\n")).verdict == MTA_CONTINUE);
	CHECK(mta_eom(&m).verdict == MTA_ACCEPT);
	CHECK(m.edit_count == 1);
	CHECK(!mta_open(&late, f.where, 1000));
	mta_close(&late);
	mta_quit(&m);
	CHECK(filter_wait_log(&f, "stopped", 1));
	CHECK(filter_log_count(&f, "cut off") == 0);
}

int
main(void)
{
	CHECK(filter_start(&f, policy));
	if (test_failures)
		TEST_DONE();
	test_concurrency();
	test_reload_in_session();
	test_bad_reload();
	test_reload_under_load();
	CHECK(filter_log_count(&f, "claimed not to reply") == 0);
	CHECK(filter_log_count(&f, "cannot be given") == 0);
	test_stop();
	CHECK(filter_stop(&f) == 0);
	TEST_DONE();
}
