/* Verdicts at each stage, on the wire: which answer, where, in which words. */
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

#define SENT(f, want, ...) \
	CHECK_STR(letter_text(f, &(struct letter){ __VA_ARGS__ }), want)

static bool
start(struct filter *f, const char *policy)
{
	bool ok = filter_start(f, policy);

	CHECK(ok);
	return ok;
}

static void
finish(struct filter *f)
{
	CHECK(filter_log_count(f, "claimed not to reply") == 0);
	CHECK(filter_log_count(f, "cannot be given") == 0);
	CHECK(filter_stop(f) == 0);
}

/* What is certain before RCPT is said there, for each recipient. */
static void
test_spoken_at_rcpt(void)
{
	struct filter f;

	if (!start(&f, "milt 1\n"
		       "rule client { when client.ip in 192.0.2.0/24\n"
		       "  reject 550 5.7.1 \"no {client.ip}\" }\n"
		       "rule name { when client.name under example.org\n"
		       "  tempfail 450 4.7.25 \"name {client.name}\" }\n"
		       "rule helo { when helo is \"bad.example\"\n"
		       "  reject 554 5.7.0 \"helo {helo}\" }\n"
		       "rule sender { when sender.domain is \"example.net\"\n"
		       "  reject 553 5.1.8 \"from {sender}\" }\n"
		       "rule null { when sender is <> and client.ip absent\n"
		       "  reject 550 5.7.1 \"null\" }\n"))
		return;
	SENT(&f, "accept at mail", 0);
	SENT(
	    &f, "reject 550 5.7.1 no 192.0.2.7 at rcpt", .client = "192.0.2.7");
	SENT(&f,
	    "reject 550 5.7.1 no 192.0.2.255 at rcpt | "
	    "550 5.7.1 no 192.0.2.255; 550 5.7.1 no 192.0.2.255",
	    .client = "192.0.2.255", .to = { "<a@b.example>", "<c@d>" });
	SENT(&f, "tempfail 450 4.7.25 name mx.example.org at rcpt",
	    .name = "mx.example.org");
	SENT(&f, "reject 554 5.7.0 helo bad.example at rcpt",
	    .helo = "bad.example");
	SENT(&f, "reject 553 5.1.8 from Joe@Example.NET at rcpt",
	    .sender = "<Joe@Example.NET>");
	SENT(&f, "reject 550 5.7.1 null at rcpt", .client = "", .sender = "<>");
	/* The first rule that matches decides, whatever is said later. */
	SENT(&f, "reject 550 5.7.1 no 192.0.2.1 at rcpt", .client = "192.0.2.1",
	    .helo = "bad.example");
	finish(&f);
}

static void
test_pinned(void)
{
	struct filter f;
	struct letter l = { .client = "192.0.2.7" };
	struct mta m;
	struct mta_outcome o;

	if (!start(&f, "milt 1\n"
		       "rule c { at connect when client.ip is 192.0.2.7\n"
		       "  reject 550 5.7.1 \"go away\" }\n"
		       "rule h { at helo when helo is \"bad\"\n"
		       "  tempfail 450 4.7.0 \"not now\" }\n"
		       "rule m { at mail when sender is <a@b.example>\n"
		       "  reject 550 5.1.0 \"not you\" }\n"
		       "rule d { at data when sender is <c@b.example>\n"
		       "  reject 550 5.1.0 \"late\" }\n"
		       "rule e { at message when sender is <d@b.example>\n"
		       "  reject 550 5.1.0 \"very late\" }\n"))
		return;
	CHECK(letter_open(&m, f.where, &l));
	CHECK(m.state == MTA_REFUSED_SESSION);
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o), "reject 550 5.7.1 go away at mail");
	mta_quit(&m);
	SENT(&f, "tempfail 450 4.7.0 not now at mail", .helo = "bad");
	SENT(&f, "reject 550 5.1.0 not you at mail", .sender = "<a@b.example>");
	SENT(&f, "reject 550 5.1.0 late at data", .sender = "<c@b.example>");
	SENT(
	    &f, "reject 550 5.1.0 very late at eom", .sender = "<d@b.example>");
	SENT(&f, "accept at mail", 0);
	finish(&f);
}

static void
test_content(void)
{
	struct filter f;

	if (!start(&f, "milt 1\n"
		       "rule many { when count(recipients) > 2\n"
		       "  reject 550 5.5.3 \"too many\" }\n"
		       "rule subject { when header.subject contains \"spam\"\n"
		       "  reject 550 5.7.1 \"subject {header.subject}\" }\n"
		       "rule twice { when count(header(\"Subject\")) > 1\n"
		       "  tempfail 451 4.6.0 \"twice\" }\n"
		       "rule lost { when header(\"X-Lost\") exists discard }\n"
		       "rule fine { when header(\"X-Fine\") exists accept }\n"
		       "rule body { when body.raw contains \"virus\"\n"
		       "  reject 554 5.7.1 \"virus\" }\n"
		       "rule large { when body.size > 20\n"
		       "  reject 552 5.3.4 \"{body.size} is too large\" }\n"))
		return;
	SENT(&f, "accept at eom", 0);
	SENT(&f, "reject 550 5.5.3 too many at data",
	    .to = { "<a@x>", "<b@x>", "<c@x>" });
	SENT(&f, "reject 550 5.7.1 subject more SPAM here at eoh",
	    .header = "Subject: more SPAM here\n");
	SENT(&f, "reject 550 5.7.1 subject spam at eoh",
	    .header = "From: a@b\nSubject: =?utf-8?B?c3BhbQ==?=\n");
	SENT(&f, "tempfail 451 4.6.0 twice at eoh",
	    .header = "Subject: a\nsubject: b\n");
	SENT(&f, "discard at eoh", .header = "X-Lost: 1\n");
	SENT(&f, "accept at eoh", .header = "X-Fine: 1\n", .body = "virus");
	SENT(&f, "reject 554 5.7.1 virus at eom", .body = "a virus\r\n");
	SENT(&f, "reject 552 5.3.4 22 is too large at eom",
	    .body = "01234567890123456789\r\n");
	SENT(&f, "accept at eom", .body = "012345678901234567\r\n");
	finish(&f);
}

static void
test_recipients(void)
{
	struct filter f;

	if (!start(&f,
		"milt 1\n"
		"list ours of domain { example.com }\n"
		"rule post { when recipient is <postmaster@example.com>\n"
		"  accept }\n"
		"rule relay { when recipient.domain not in ours\n"
		"  reject 550 5.7.1 \"no relay to {recipient}\" }\n"
		"rule slow { when recipient.user is \"slow\"\n"
		"  tempfail 450 4.2.1 \"{recipient.detail}\" }\n"
		"rule spam { when header.subject contains \"spam\"\n"
		"  reject 550 5.7.1 \"spam\" }\n"))
		return;
	SENT(&f, "accept at eoh", .to = { "<bob@example.com>" });
	SENT(&f, "reject 550 5.7.1 no relay to x@y.example at rcpt",
	    .to = { "<x@y.example>" });
	SENT(&f, "accept at eoh | ok; 550 5.7.1 no relay to x@y.example; ok",
	    .to = { "<bob@example.com>", "<x@y.example>", "<al@example.com>" });
	SENT(&f, "accept at eoh | 450 4.2.1 down; ok",
	    .to = { "<slow+down@example.com>", "<bob@example.com>" });
	SENT(&f, "tempfail 450 4.2.1 down at rcpt",
	    .to = { "<slow+down@example.com>" });
	/* Settled recipients alone: content is not asked. */
	SENT(&f, "accept at data", .to = { "<postmaster@example.com>" },
	    .header = "Subject: spam\n");
	/* Settled and open: one answer, that of the open ones. */
	SENT(&f, "reject 550 5.7.1 spam at eoh",
	    .to = { "<postmaster@example.com>", "<bob@example.com>" },
	    .header = "Subject: spam\n");
	SENT(&f, "accept at data | ok; 550 5.7.1 no relay to x@y.example",
	    .to = { "<Postmaster@EXAMPLE.com>", "<x@y.example>" },
	    .header = "Subject: spam\n");
	finish(&f);
}

static void
test_early_accept(void)
{
	struct filter f;
	struct letter l = { .client = "192.0.2.1" };
	struct mta m;

	if (!start(&f,
		"milt 1\n"
		"rule ours { when client.ip in 192.0.2.0/24 accept }\n"
		"rule us { when sender.domain is \"example.com\"\n"
		"  accept }\n"
		"rule away { when helo is \"discard.example\" discard }\n"
		"otherwise reject 550 5.7.1 \"closed\"\n"))
		return;
	CHECK(letter_open(&m, f.where, &l));
	CHECK(m.state == MTA_ACCEPTED_SESSION);
	mta_close(&m);
	SENT(&f, "accept at mail", .sender = "<a@example.com>");
	SENT(&f, "reject 550 5.7.1 closed at rcpt", 0);
	SENT(&f, "discard at data", .helo = "discard.example");
	finish(&f);
}

/* HELO comes again after STARTTLS, and may come in a transaction. */
static void
test_helo_again(void)
{
	struct filter f;
	struct letter l = { .helo = "bad.example" };
	struct mta m;
	struct mta_outcome o;

	if (!start(&f, "milt 1\n"
		       "rule plain { when tls.protocol absent and\n"
		       "    helo is \"bad.example\"\n"
		       "  reject 530 5.7.0 \"{helo} without TLS\" }\n"
		       "rule late { when header.subject is \"x\"\n"
		       "  reject 550 5.7.1 \"{helo} {tls.protocol}\" }\n"))
		return;
	CHECK(letter_open(&m, f.where, &l));
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o),
	    "reject 530 5.7.0 bad.example without TLS at rcpt");
	mta_macro(&m, STR("{tls_version}"), STR("TLSv1.3"));
	CHECK(mta_helo(&m, STR("bad.example")).verdict == MTA_CONTINUE);
	l.header = "Subject: x\n";
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o),
	    "reject 550 5.7.1 bad.example TLSv1.3 at eoh");
	CHECK(mta_helo(&m, STR("good.example")).verdict == MTA_CONTINUE);
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o),
	    "reject 550 5.7.1 good.example TLSv1.3 at eoh");
	mta_quit(&m);
	finish(&f);
}

/* Nothing of a message may show in the next one of the connection. */
static void
test_many_messages(void)
{
	struct filter f;
	struct letter l = { .to = { "<bad@example.com>", "<ok@example.com>" },
		.header = "Subject: spam\nX-A: 1\n",
		.body = "virus\r\n" };
	struct letter clean = { .header = "Subject: fine\n" };
	struct mta m;
	struct mta_outcome o;

	if (!start(&f, "milt 1\n"
		       "rule bad { when recipient.local is \"bad\"\n"
		       "  reject 550 5.1.1 \"bad\" }\n"
		       "rule tag { when header(\"X-A\") is \"1\"\n"
		       "  add header \"X-Tag\" \"{queue.id}\" }\n"
		       "rule spam { when header.subject is \"spam\" and\n"
		       "    body.raw contains \"virus\"\n"
		       "  reject 550 5.7.1 \"spam\" }\n"))
		return;
	CHECK(letter_open(&m, f.where, &l));
	for (int i = 0; i < 3; i++) {
		letter_send(&m, &l, &o);
		CHECK_STR(outcome_text(&m, &o),
		    "reject 550 5.7.1 spam at eom | 550 5.1.1 bad; ok");
		letter_send(&m, &clean, &o);
		CHECK_STR(outcome_text(&m, &o), "accept at eoh");
	}
	l.body = "clean\r\n";
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o),
	    "accept at eom | 550 5.1.1 bad; ok | add X-Tag: 4XyZ123456z9aB");
	/* The same connection goes on with another client. */
	mta_quit_nc(&m);
	CHECK(
	    mta_connect(&m, STR("[192.0.2.9]"), SMFIA_INET, 9, STR("192.0.2.9"))
		.verdict == MTA_CONTINUE);
	CHECK(mta_helo(&m, STR("other.example")).verdict == MTA_CONTINUE);
	letter_send(&m, &clean, &o);
	CHECK_STR(outcome_text(&m, &o), "accept at eoh");
	mta_quit(&m);
	finish(&f);
}

int
main(void)
{
	test_spoken_at_rcpt();
	test_pinned();
	test_content();
	test_recipients();
	test_early_accept();
	test_helo_again();
	test_many_messages();
	TEST_DONE();
}
