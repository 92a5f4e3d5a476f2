/* Whatever a client sends, replies stay replies. */
#include <stdlib.h>

#include "tests/mta/letter.h"
#include "tests/unit/test.h"

static const char policy[] =
    "milt 1\n"
    "rule helo { when helo starts with \"say \"\n"
    "  reject 550 5.7.1 \"<{helo}> 100% %s %d\" }\n"
    "rule lines { when helo is \"lines\"\n"
    "  reject 554 5.6.0 \"first {sender}\" \"second 50%\" \"third\" }\n"
    "rule gone { when helo is \"gone\" tempfail 421 4.3.2 \"closing\" }\n"
    "rule plain { when helo is \"plain\" reject \"no code\" }\n"
    "rule wait { when helo is \"wait\" tempfail \"no code\" }\n"
    "rule subject { when header(\"Subject\") exists\n"
    "  reject 550 5.7.1 \"{header(\"Subject\")}\" }\n";

static struct filter f;

static void
helo_gives(struct str helo, const char *want)
{
	struct letter l = { .helo = "x" };
	struct mta m;
	struct mta_outcome o;

	CHECK(letter_open(&m, f.where, &l));
	CHECK(mta_helo(&m, helo).verdict == MTA_CONTINUE);
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o), want);
	mta_quit(&m);
}

static void
subject_gives(struct str subject, const char *want)
{
	struct letter l = { 0 };
	struct mta m;
	struct mta_outcome o;
	struct mta_pair field = { STR("Subject"), subject };
	struct mta_address to = { STR("<a@example.com>"), NULL, 0 };
	struct mta_message msg = { .sender = { STR("<>"), NULL, 0 },
		.recipients = &to,
		.recipient_count = 1,
		.headers = &field,
		.header_count = 1 };

	CHECK(letter_open(&m, f.where, &l));
	mta_deliver(&m, &msg, &o);
	CHECK_STR(outcome_text(&m, &o), want);
	mta_quit(&m);
}

/* Every line on the wire, with its codes and CRLF, is at most 512 octets. */
static void
test_long(size_t length)
{
	char *long_text = malloc(length + 1);
	struct letter l = { 0 };
	struct mta m;
	struct mta_outcome o;
	struct mta_pair field = { STR("Subject"), { long_text, length } };
	struct mta_address to = { STR("<a@example.com>"), NULL, 0 };
	struct mta_message msg = { .sender = { STR("<>"), NULL, 0 },
		.recipients = &to,
		.recipient_count = 1,
		.headers = &field,
		.header_count = 1 };
	size_t line = 0;

	memset(long_text, '%', length);
	CHECK(letter_open(&m, f.where, &l));
	mta_deliver(&m, &msg, &o);
	CHECK(o.reply.verdict == MTA_REJECT && o.reply.code == 550);
	CHECK(o.reply.text.n >= (length < 400 ? length : 400));
	for (size_t i = 0; i < o.reply.text.n; i++)
		line += o.reply.text.p[i] == '%';
	CHECK(line == o.reply.text.n);
	CHECK(strlen("550 5.7.1 ") + o.reply.text.n + 2 <= 512);
	mta_quit(&m);
	free(long_text);
}

int
main(void)
{
	CHECK(filter_start(&f, policy));
	if (test_failures)
		TEST_DONE();
	helo_gives(STR("say hi"), "reject 550 5.7.1 <say hi> 100% %s %d at "
				  "rcpt");
	helo_gives(STR("say %n%n%%"),
	    "reject 550 5.7.1 <say %n%n%%> 100% %s %d at rcpt");
	helo_gives(STR("say a\r\n250 ok"),
	    "reject 550 5.7.1 <say a  250 ok> 100% %s %d at rcpt");
	helo_gives(STR("say \x01\x7f\t"),
	    "reject 550 5.7.1 <say    > 100% %s %d at rcpt");
	helo_gives(STR("say \xc3\xa4\xff."),
	    "reject 550 5.7.1 <say \?\?.> 100% %s %d at rcpt");
	helo_gives(STR("lines"), "reject 554 5.6.0 first "
				 "sender@client.invalid\\nsecond "
				 "50%\\nthird at rcpt");
	helo_gives(STR("gone"), "tempfail 421 4.3.2 closing at rcpt");
	helo_gives(STR("plain"), "reject 550 5.7.1 no code at rcpt");
	helo_gives(STR("wait"), "tempfail 451 4.7.1 no code at rcpt");
	/* The peer's text ends at a NUL. */
	helo_gives((struct str){ "say a\0b", 7 },
	    "reject 550 5.7.1 <say a> 100% %s %d at rcpt");
	subject_gives(STR("a\n\tb\n c"), "reject 550 5.7.1 a b c at eoh");
	subject_gives(
	    STR("a\r\n.\r\nQUIT"), "reject 550 5.7.1 a  .  QUIT at eoh");
	subject_gives(STR(""), "reject 550 5.7.1 (no text) at eoh");
	subject_gives(STR("2.0.0 ok"), "reject 550 5.7.1 2.0.0 ok at eoh");
	subject_gives(STR("-"), "reject 550 5.7.1 - at eoh");
	for (size_t n = 400; n <= 520; n += 8)
		test_long(n);
	test_long(60000);
	CHECK(filter_log_count(&f, "libmilter refuses") == 0);
	CHECK(filter_stop(&f) == 0);
	TEST_DONE();
}
