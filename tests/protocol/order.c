/* Events in orders that MTAs and clients produce, and some that they do not. */
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

static const char policy[] =
    "milt 1\n"
    "rule sender { when sender is <bad@example.com>\n"
    "  reject 550 5.1.0 \"sender\" }\n"
    "rule to { when recipient.local is \"bad\" reject 550 5.1.1 \"to\" }\n"
    "rule tag { when header(\"X\") exists add header \"X-Tag\" \"{sender}\" }\n"
    "rule none { when header(\"X\") is \"lost\" discard }\n"
    "rule many { when header(\"X\") is \"many\" and count(recipients) > 1\n"
    "  reject 550 5.5.3 \"many\" }\n"
    "rule body { when body.raw contains \"virus\"\n"
    "  reject 550 5.7.1 \"virus\" }\n";

static struct filter f;
static const struct str good = STR("<good@example.com>"),
			bad = STR("<bad@example.com>"),
			to_a = STR("<a@example.com>"),
			to_bad = STR("<bad@example.com>");

static struct mta
ready(void)
{
	struct mta m;
	struct letter l = { 0 };

	CHECK(letter_open(&m, f.where, &l));
	return m;
}

/* A whole message, after which nothing of what was before may show. */
static void
clean_passes(struct mta *m)
{
	struct letter l = { .header = "X: 1\n", .body = "clean\r\n" };
	struct mta_outcome o;

	letter_send(m, &l, &o);
	CHECK_STR(outcome_text(m, &o), "accept at eom | add X-Tag: "
				       "sender@client.invalid");
	if (m->error[0])
		printf("# %s\n", m->error);
}

enum step { MAIL, RCPT, DATA, HEADER, EOH, BODY, EOM, STEPS };

static void
step(struct mta *m, enum step s)
{
	switch (s) {
	case MAIL:
		mta_mail(m, &good, 1);
		break;
	case RCPT:
		mta_rcpt(m, &to_a, 1);
		break;
	case DATA:
		mta_data(m);
		break;
	case HEADER:
		mta_header(m, STR("X"), STR("lost"));
		break;
	case EOH:
		mta_eoh(m);
		break;
	case BODY:
		mta_body(m, STR("virus\r\n"));
		break;
	case EOM:
		mta_eom(m);
		break;
	case STEPS:
		break;
	}
}

/* A message that was given up after each of its steps, in several ways. */
static void
test_abort(void)
{
	for (int aborts = 1; aborts <= 3; aborts++) {
		struct mta m = ready();

		for (int last = -1; last < STEPS; last++) {
			for (int s = 0; s <= last; s++)
				step(&m, (enum step)s);
			for (int i = 0; i < aborts; i++)
				mta_abort(&m);
			clean_passes(&m);
		}
		mta_quit(&m);
	}
}

/* EHLO in a transaction ends it, too. */
static void
test_helo_in_transaction(void)
{
	for (int last = 0; last <= DATA; last++) {
		struct mta m = ready();

		for (int s = 0; s <= last; s++)
			step(&m, (enum step)s);
		CHECK(
		    mta_helo(&m, STR("again.example")).verdict == MTA_CONTINUE);
		mta_abort(&m);
		clean_passes(&m);
		mta_quit(&m);
	}
}

/* MAIL again without an end between: what was before is gone. */
static void
test_mail_twice(void)
{
	struct mta m = ready();

	CHECK(mta_mail(&m, &bad, 1).verdict == MTA_CONTINUE);
	CHECK(mta_mail(&m, &good, 1).verdict == MTA_CONTINUE);
	CHECK(mta_rcpt(&m, &to_a, 1).verdict == MTA_CONTINUE);
	CHECK(mta_mail(&m, &bad, 1).verdict == MTA_CONTINUE);
	CHECK_STR(
	    reply_text(&m, mta_rcpt(&m, &to_a, 1)), "reject 550 5.1.0 sender");
	CHECK(mta_mail(&m, &good, 1).verdict == MTA_CONTINUE);
	CHECK(mta_rcpt(&m, &to_a, 1).verdict == MTA_CONTINUE);
	CHECK(mta_data(&m).verdict == MTA_CONTINUE);
	CHECK(mta_header(&m, STR("X"), STR("many")).verdict == MTA_CONTINUE);
	CHECK(mta_eoh(&m).verdict == MTA_CONTINUE);
	CHECK(mta_eom(&m).verdict == MTA_ACCEPT);
	CHECK(m.edit_count == 1);
	mta_abort(&m);
	clean_passes(&m);
	mta_quit(&m);
}

/*
 * Parts left out: libmilter itself ignores some of what comes out of order, and
 * says nothing.  Whatever it makes of it, the next connection must work.
 */
static void
test_left_out(void)
{
	static const struct {
		const char *name;
		enum step steps[8];
		int n;
	} cases[] = {
		{ "data without rcpt", { MAIL, DATA, HEADER, EOH, EOM }, 5 },
		{ "no header", { MAIL, RCPT, DATA, EOH, BODY, EOM }, 6 },
		{ "no header, no eoh", { MAIL, RCPT, DATA, BODY, EOM }, 5 },
		{ "end alone", { MAIL, RCPT, DATA, EOM }, 4 },
		{ "end after mail", { MAIL, EOM }, 2 },
		{ "no mail", { RCPT, DATA, EOH, EOM }, 4 },
		{ "eoh twice", { MAIL, RCPT, DATA, EOH, EOH, EOM }, 6 },
		{ "header behind body",
		    { MAIL, RCPT, DATA, EOH, BODY, HEADER, EOM }, 7 },
		{ "end twice", { MAIL, RCPT, DATA, EOH, EOM, EOM }, 6 },
		{ "end at once", { EOM }, 1 },
		{ "rcpt behind data", { MAIL, RCPT, DATA, RCPT, EOM }, 5 },
		{ "data twice", { MAIL, RCPT, DATA, DATA, EOH, EOM }, 6 },
		{ "body behind mail", { MAIL, BODY, EOM }, 3 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mta m = ready();

		mta_set_timeout(&m, 300);
		for (int s = 0; s < cases[i].n; s++) {
			step(&m, cases[i].steps[s]);
			m.state = m.state == MTA_ACCEPTED_MESSAGE ? MTA_READY
								  : m.state;
		}
		if (m.error[0])
			printf("# %s: %s\n", cases[i].name, m.error);
		mta_quit(&m);
		CHECK(filter_is_alive(&f));
		m = ready();
		clean_passes(&m);
		mta_quit(&m);
	}
}

static void
test_empty_parts(void)
{
	struct mta m = ready();

	CHECK(mta_mail(&m, &good, 1).verdict == MTA_CONTINUE);
	CHECK(mta_rcpt(&m, &to_a, 1).verdict == MTA_CONTINUE);
	CHECK(mta_data(&m).verdict == MTA_CONTINUE);
	CHECK(mta_header(&m, STR("X"), STR("")).verdict == MTA_CONTINUE);
	CHECK(mta_eoh(&m).verdict == MTA_CONTINUE);
	CHECK(mta_eom(&m).verdict == MTA_ACCEPT);
	CHECK(m.edit_count == 1);
	mta_abort(&m);
	CHECK(mta_mail(&m, &(struct str){ "", 0 }, 1).verdict == MTA_CONTINUE);
	CHECK(mta_rcpt(&m, &(struct str){ "", 0 }, 1).verdict == MTA_CONTINUE);
	CHECK(mta_data(&m).verdict == MTA_CONTINUE);
	CHECK(mta_eoh(&m).verdict == MTA_CONTINUE);
	CHECK(mta_eom(&m).verdict == MTA_ACCEPT);
	mta_abort(&m);
	clean_passes(&m);
	mta_quit(&m);
}

/* A pattern is found wherever the MTA cuts the body into chunks. */
static void
test_chunks(void)
{
	static const char body[] = "nothing here\r\nbut a virus\r\n";
	size_t n = sizeof(body) - 1;

	for (size_t cut = 1; cut < n; cut++) {
		struct mta m = ready();

		mta_mail(&m, &good, 1);
		mta_rcpt(&m, &to_a, 1);
		mta_data(&m);
		mta_eoh(&m);
		mta_body(&m, (struct str){ body, cut });
		mta_body(&m, (struct str){ body + cut, n - cut });
		CHECK_STR(
		    reply_text(&m, mta_eom(&m)), "reject 550 5.7.1 virus");
		mta_quit(&m);
	}
}

/* Recipients that were refused or given up do not count. */
static void
test_recipients(void)
{
	struct mta m = ready();
	const struct str to[] = { STR("<a@x>"), STR("<b@x>") };

	CHECK(mta_mail(&m, &good, 1).verdict == MTA_CONTINUE);
	CHECK(mta_rcpt(&m, &to[0], 1).verdict == MTA_CONTINUE);
	CHECK_STR(
	    reply_text(&m, mta_rcpt(&m, &to_bad, 1)), "reject 550 5.1.1 to");
	CHECK(mta_data(&m).verdict == MTA_CONTINUE);
	CHECK(mta_header(&m, STR("X"), STR("many")).verdict == MTA_CONTINUE);
	CHECK(mta_eoh(&m).verdict == MTA_CONTINUE);
	CHECK(mta_eom(&m).verdict == MTA_ACCEPT);
	mta_abort(&m);
	mta_mail(&m, &good, 1);
	mta_rcpt(&m, &to[0], 1);
	mta_rcpt(&m, &to[1], 1);
	mta_data(&m);
	mta_header(&m, STR("X"), STR("many"));
	CHECK_STR(reply_text(&m, mta_eoh(&m)), "reject 550 5.5.3 many");
	mta_abort(&m);
	clean_passes(&m);
	mta_quit(&m);
}

int
main(void)
{
	CHECK(filter_start(&f, policy));
	if (test_failures)
		TEST_DONE();
	test_abort();
	test_helo_in_transaction();
	test_mail_twice();
	test_left_out();
	test_empty_parts();
	test_chunks();
	test_recipients();
	CHECK(filter_log_count(&f, "claimed not to reply") == 0);
	CHECK(filter_stop(&f) == 0);
	TEST_DONE();
}
