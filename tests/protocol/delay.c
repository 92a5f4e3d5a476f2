/* Messages that are delayed, and others meanwhile. */
#include <signal.h>
#include <stdlib.h>

#include "dsl/tables.h"
#include "tests/mta/ask.h"
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum { SLOW = 20, OTHERS = 200 };

static const char policy[] =
    "milt 1\n"
    "rule slow { when sender.local is \"slow\" delay 4m }\n"
    "rule brief { when sender.local is \"brief\" delay 20ms }\n"
    "rule tag { when header(\"X\") exists\n"
    "  add header \"X-Tag\" \"{sender}\" }\n";

static struct filter f;
static struct mta *slow; /* LIMIT_VALUE_DELAYED of them */

static bool
is_delayed(long long n)
{
	return ask_until(&f, "milt_sessions_delayed", n);
}

/* A message of which the answer at the end is not read. */
static bool
begin_slow(struct mta *m)
{
	struct str sender = STR("<slow@example.org>"), to = STR("<a@b.test>");
	struct letter l = { 0 };

	return letter_open(m, f.where, &l) &&
	       mta_mail(m, &sender, 1).verdict == MTA_CONTINUE &&
	       mta_rcpt(m, &to, 1).verdict == MTA_CONTINUE &&
	       mta_data(m).verdict == MTA_CONTINUE &&
	       mta_header(m, STR("X"), STR("1")).verdict == MTA_CONTINUE &&
	       mta_eoh(m).verdict == MTA_CONTINUE &&
	       mta_put(m, SMFIC_BODYEOB, NULL, 0) && mta_flush(m);
}

/* Reads to the answer; the field that the policy adds comes before it. */
static void
end_slow(struct mta *m)
{
	size_t fields = 0;
	struct str data;
	char command = 0;

	do {
		if (!mta_read(m, &command, &data))
			break;
		fields += command == SMFIR_ADDHEADER;
	} while (command == SMFIR_PROGRESS || command == SMFIR_ADDHEADER);
	CHECK(command == SMFIR_ACCEPT);
	CHECK(fields == 1);
	mta_quit(m);
}

static void
test_others(void)
{
	struct letter l = { .header = "X: 1\n" };

	for (int i = 0; i < SLOW; i++)
		CHECK(begin_slow(&slow[i]));
	CHECK(is_delayed(SLOW));
	for (int i = 0; i < OTHERS; i++)
		CHECK_STR(letter_text(&f, &l),
		    "accept at eom | add X-Tag: sender@client.invalid");
	CHECK(is_delayed(SLOW));
	l.sender = "<brief@example.org>";
	CHECK_STR(letter_text(&f, &l),
	    "accept at eom | add X-Tag: brief@example.org");
	CHECK(filter_wait_log(&f, " effects=brief/delay,tag/add-header", 1));
	CHECK(filter_log_count(&f, " delayed=0.0s") == 1);
}

static void
test_progress_and_leaving(void)
{
	struct str data;
	char command = 0;

	CHECK(mta_read(&slow[0], &command, &data));
	CHECK(command == SMFIR_PROGRESS);
	mta_close(&slow[0]);
	CHECK(is_delayed(SLOW - 1));
	CHECK(filter_wait_log(&f, "the MTA left while", 1));
}

static void
test_crowd(void)
{
	struct letter l = { .header = "X: 1\n",
		.sender = "<slow@example.org>" };
	char *page;

	CHECK(begin_slow(&slow[0]));
	for (size_t i = SLOW; i < LIMIT_VALUE_DELAYED; i++)
		CHECK(begin_slow(&slow[i]));
	CHECK(is_delayed(LIMIT_VALUE_DELAYED));
	CHECK_STR(
	    letter_text(&f, &l), "accept at eom | add X-Tag: slow@example.org");
	page = ask_metrics(&f);
	CHECK(metric_value(page, "milt_limits_total{limit=\"DELAYED\"}") == 1);
	CHECK(metric_value(page, "milt_delays_total") ==
	      (long long)LIMIT_VALUE_DELAYED + 2);
	free(page);
}

/* Who waits is answered at once, and the daemon ends. */
static void
test_stop(void)
{
	kill(f.pid, SIGTERM);
	for (size_t i = 0; i < LIMIT_VALUE_DELAYED; i++)
		end_slow(&slow[i]);
	CHECK(filter_wait_log(&f, "stopped", 1));
	CHECK(filter_log_count(&f, "cut off") == 0);
	CHECK(filter_stop(&f) == 0);
}

int
main(void)
{
	slow = calloc(LIMIT_VALUE_DELAYED, sizeof(*slow));
	CHECK(slow && filter_start(&f, policy));
	if (test_failures)
		TEST_DONE();
	test_others();
	test_progress_and_leaving();
	test_crowd();
	test_stop();
	free(slow);
	TEST_DONE();
}
