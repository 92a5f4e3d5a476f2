/* The facts of a header: runtime/facts.h. */
#include <stdlib.h>

#include "tests/unit/facts_show.h"

static bool
malformed(enum milt_attr attr)
{
	bool bad;

	return facts_malformed(f, attr, &bad) == FACT_THERE && bad;
}

static void
test_fields(void)
{
	start();
	CHECK_STR(key_show(ATTR_HEADER, "X"), "-");
	CHECK_STR(show(ATTR_ALL_HEADERS), "-");
	header("X-A", "one \n\ttwo\r\n three \n");
	header("x-a", "");
	header("Other", "gr\xfc\xdf =?utf-8?q?=41?= ");
	CHECK_STR(key_show(ATTR_HEADER, "X-a"), "one \ttwo three|");
	CHECK_STR(
	    key_show(ATTR_RAW_HEADER, "X-A"), "one \n\ttwo\r\n three \n|");
	CHECK_STR(key_show(ATTR_HEADER, "other"),
	    "gr\xef\xbf\xbd\xef\xbf\xbd =?utf-8?q?=41?=");
	CHECK_STR(
	    key_show(ATTR_RAW_HEADER, "other"), "gr\xfc\xdf =?utf-8?q?=41?= ");
	CHECK_STR(key_show(ATTR_HEADER, "missing"), "-");
	CHECK_STR(show(ATTR_ALL_HEADERS_NAME), "X-A|x-a|Other");
	CHECK_STR(show(ATTR_ALL_HEADERS_VALUE),
	    "one \ttwo three||gr\xef\xbf\xbd\xef\xbf\xbd =?utf-8?q?=41?=");
	/* a field that comes later is found too */
	header("X-A", "late");
	CHECK_STR(key_show(ATTR_HEADER, "X-A"), "one \ttwo three||late");

	/* X-A: 3 + 19 + 4 and 2 bare LF; x-a: 7; Other: 5 + 21 + 4; X-A: 11 */
	facts_body(f, STR("abc\r\n"));
	CHECK_STR(show(ATTR_BODY_SIZE), "5");
	CHECK_STR(show(ATTR_MESSAGE_SIZE), "83");

	start();
	fake_needs.flags = 0;
	header("X", "y");
	CHECK_STR(show(ATTR_ALL_HEADERS), "-");
	CHECK_STR(show(ATTR_MESSAGE_SIZE), "8");
}

static void
test_header_limits(void)
{
	char *big = malloc(LIMIT_VALUE_HEADER_BYTES);

	start();
	for (long long i = 0; i < (long long)LIMIT_VALUE_HEADER_COUNT; i++)
		facts_header(f, STR("To"), STR(""));
	size_t n = 0;
	CHECK(facts_count(f, ATTR_HEADER, STR("to"), &n) == FACT_THERE);
	CHECK(n == (size_t)LIMIT_VALUE_HEADER_COUNT);
	header("From", "a@b.example");
	CHECK_STR(show(ATTR_ALL_HEADERS), "!");
	CHECK_STR(show(ATTR_ALL_HEADERS_VALUE), "!");
	CHECK_STR(key_show(ATTR_HEADER, "to"), "!");
	CHECK_STR(show(ATTR_HEADER_FROM), "!");
	CHECK_STR(show(ATTR_HEADER_SUBJECT), "!");
	CHECK_STR(show(ATTR_HEADER_DATE), "!");
	bool bad;
	CHECK(facts_malformed(f, ATTR_HEADER_FROM, &bad) == FACT_FAILED);
	CHECK_STR(str_from(facts_failure(f)),
	    "the header is larger than what is looked at");
	CHECK_STR(show(ATTR_MESSAGE_SIZE), "60021");

	start();
	memset(big, 'x', LIMIT_VALUE_HEADER_BYTES);
	facts_header(
	    f, STR("A"), (struct str){ big, LIMIT_VALUE_HEADER_BYTES - 1 });
	CHECK(facts_count(f, ATTR_ALL_HEADERS, STR(""), &n) == FACT_THERE);
	CHECK(n == 1);
	facts_header(f, STR("A"), STR(""));
	CHECK(facts_count(f, ATTR_ALL_HEADERS, STR(""), &n) == FACT_FAILED);

	start();
	memset(big, ' ', LIMIT_VALUE_ADDRESS_BYTES + 1);
	big[0] = big[LIMIT_VALUE_ADDRESS_BYTES] = 'a';
	facts_header(
	    f, STR("To"), (struct str){ big, LIMIT_VALUE_ADDRESS_BYTES + 1 });
	CHECK_STR(show(ATTR_HEADER_TO), "!");
	CHECK_STR(show(ATTR_HEADER_CC), "-");
	memset(big, ':', LIMIT_VALUE_ADDRESS_BYTES);
	for (long long i = 0; i < (long long)LIMIT_VALUE_ADDRESS_BYTES; i += 2)
		big[i] = 'a';
	facts_header(
	    f, STR("Cc"), (struct str){ big, LIMIT_VALUE_ADDRESS_BYTES });
	facts_header(
	    f, STR("From"), (struct str){ big, LIMIT_VALUE_ADDRESS_BYTES });
	CHECK(malformed(ATTR_HEADER_FROM));
	free(big);
}

/* From: value, whether it is malformed, and what it holds. */
static const struct {
	const char *value;
	bool malformed;
	const char *addresses, *names;
} froms[] = {
	{ "a@b.example", false, "a@b.example", "-" },
	{ "<a@b.example>", false, "a@b.example", "-" },
	{ "\"The CEO\" <ceo@example.com>", false, "ceo@example.com",
	    "The CEO" },
	{ "The CEO <ceo@example.com>", false, "ceo@example.com", "The CEO" },
	{ "a@b.example, C <c@d.example>", false, "a@b.example|c@d.example",
	    "-|C" },
	{ "a@b.example,, c@d.example", false, "a@b.example|c@d.example",
	    "-|-" },
	{ "We: a@b.example, c@d.example;", false, "a@b.example|c@d.example",
	    "We|We" },
	{ "=?utf-8?q?J=C3=BCrgen?= <a@b.example>", false, "a@b.example",
	    "J\u00fcrgen" },
	{ "=?utf-8?q?J=C3?= =?utf-8?q?=BCrgen?= <a@b.example>", false,
	    "a@b.example", "J\u00fcrgen" },
	{ "=?x-unknown?q?J=FC?= <a@b.example>", false, "a@b.example",
	    "=?x-unknown?q?J=FC?=" },
	{ "=?utf-8?b?YWI=?= =?utf-8?b?Y2Q=?= <a@b.example>", false,
	    "a@b.example", "abcd" },
	{ "=?utf-8?b?IiwgPHhAeT4=?= <a@b.example>", false, "a@b.example",
	    "\", <x@y>" },
	{ "=?utf-8?q?x=2C_=3Cc=40d.example=3E?= <a@b.example>", false,
	    "a@b.example", "x, <c@d.example>" },
	{ "J\u00fcrgen <a@b.example>", false, "a@b.example", "J\u00fcrgen" },
	{ "J\xfcrgen <a@b.example>", false, "a@b.example",
	    "J\xef\xbf\xbdrgen" },
	{ "a@b.example (A. Name)", false, "a@b.example", "A. Name" },
	{ "John Q. Public <a@b.example>", false, "a@b.example",
	    "John Q. Public" },
	{ "a@b.example <c@d.example>", false, "c@d.example", "a@b.example" },
	{ "\"a@b.example\" <c@d.example>", false, "c@d.example",
	    "a@b.example" },
	{ "\"quoted local\"@b.example", false, "\"quoted local\"@b.example",
	    "-" },
	{ "a @ b . example", false, "a@b.example", "-" },
	{ "<@route.example:a@b.example>", false, "a@b.example", "-" },
	{ "a@[192.0.2.1]", false, "a@[192.0.2.1]", "-" },
	{ "a@b\u00fccher.example", false, "a@b\u00fccher.example", "-" },
	{ "a@xn--bcher-kva.example", false, "a@xn--bcher-kva.example", "-" },

	{ "", true, "-", "-" },
	{ " ", true, "-", "-" },
	{ "<>", true, "-", "-" },
	{ "Nobody <>", true, "-", "-" },
	{ "nobody", true, "-", "-" },
	{ "Joe User", true, "-", "-" },
	{ "undisclosed-recipients:;", true, "-", "-" },
	{ "ceo@example.net(.example.com", true, "-", "-" },
	{ "\"unclosed <a@b.example>", true, "-", "-" },
	{ "a@b.example, <c@d.example", true, "a@b.example|c@d.example", "-|-" },
	{ "<a@b.example> <c@d.example>", true, "a@b.example|c@d.example",
	    "-|-" },
	{ "<a@b.example,c@d.example>", true, "a@b.example|c@d.example", "-|-" },
	{ "a@b.example c@d.example", true, "a@b.example|c@d.example", "-|-" },
	{ "a@b.example@c.example", true, "a@b.example", "-" },
	{ "Public, John <a@b.example>", true, "a@b.example", "John" },
	{ "a@b.example>", true, "a@b.example", "-" },
	{ "a@[192.0.2.1](", true, "-", "-" },
	{ "a@b.example)", true, "-", "-" },
	{ "\":-( \\\" \\( x\" <a@b.example>", false, "a@b.example",
	    ":-( \" ( x" },
	{ "a@b.example (a (b\\)) c\\\\)", false, "a@b.example", "a (b)) c\\" },
	{ "@\",a@[192.0.2.1](\"", true, "a@[192.0.2.1]", "-" },
	{ "\"=?utf-8?q?J=C3=BC_(x)?= \" <a@b.example>", false, "a@b.example",
	    "J\u00fc (x)" },
	{ "a@b..example", true, "-", "-" },
	{ "@b.example", true, "-", "-" },
	{ "The Director: bob@b.example, Amy <amy@b.example>;", false,
	    "bob@b.example|amy@b.example", "The Director|Amy" },
	{ "\"The\t Director\" : bob@b.example;, c@d.example", false,
	    "bob@b.example|c@d.example", "The Director|-" },
};

static void
test_from(void)
{
	start();
	CHECK(malformed(ATTR_HEADER_FROM));
	for (size_t i = 0; i < sizeof(froms) / sizeof(*froms); i++) {
		start();
		header("FROM", froms[i].value);
		printf("# From: %s\n", froms[i].value);
		CHECK_STR(show(ATTR_HEADER_FROM), froms[i].addresses);
		CHECK_STR(show(ATTR_HEADER_FROM_NAME), froms[i].names);
		CHECK(malformed(ATTR_HEADER_FROM) == froms[i].malformed);
		CHECK(malformed(ATTR_HEADER_FROM_DOMAIN) == froms[i].malformed);
	}
	start();
	header("From", "a@b.example");
	header("From", "C <c@Mail.D.example>");
	CHECK(malformed(ATTR_HEADER_FROM));
	CHECK_STR(show(ATTR_HEADER_FROM), "a@b.example|c@Mail.D.example");
	CHECK_STR(
	    show(ATTR_HEADER_FROM_ADDRESS), "a@b.example|c@Mail.D.example");
	CHECK_STR(show(ATTR_HEADER_FROM_LOCAL), "a|c");
	CHECK_STR(show(ATTR_HEADER_FROM_DOMAIN), "b.example|Mail.D.example");
	CHECK_STR(show(ATTR_HEADER_FROM_ORG_DOMAIN), "b.example|d.example");
	start();
	CHECK(facts_header(f, STR("From"), STR("a@b\0.example")) == MILT_OK);
	CHECK(malformed(ATTR_HEADER_FROM));
	CHECK_STR(show(ATTR_HEADER_FROM), "-");
}

static void
test_other_addresses(void)
{
	start();
	CHECK(!malformed(ATTR_HEADER_TO));
	CHECK(!malformed(ATTR_HEADER_SENDER));
	CHECK_STR(show(ATTR_HEADER_SENDER), "-");
	header("To", "undisclosed-recipients:;");
	CHECK(!malformed(ATTR_HEADER_TO));
	header("Cc", "a@b.example,\n\tc@d.example");
	header("Cc", "e@f.example");
	CHECK(!malformed(ATTR_HEADER_CC));
	CHECK_STR(show(ATTR_HEADER_CC), "a@b.example|c@d.example|e@f.example");
	header("Reply-To", "");
	CHECK(malformed(ATTR_HEADER_REPLY_TO));
	header("Sender", "a@b.example, c@d.example");
	CHECK(!malformed(ATTR_HEADER_SENDER));
	CHECK_STR(show(ATTR_HEADER_SENDER), "a@b.example");
	facts_reset(f, STAGE_MAIL);
	header("Sender", "a@b.example");
	header("Sender", "c@d.example");
	CHECK(malformed(ATTR_HEADER_SENDER));
	CHECK_STR(show(ATTR_HEADER_SENDER), "a@b.example");
	CHECK(!malformed(ATTR_HEADER_SUBJECT));
	CHECK(!malformed(ATTR_SENDER));
}

static void
check_subject(const char *value, const char *want)
{
	start();
	header("Subject", value);
	printf("# Subject: %s\n", value);
	CHECK_STR(show(ATTR_HEADER_SUBJECT), want);
}

static void
test_subject(void)
{
	start();
	CHECK_STR(show(ATTR_HEADER_SUBJECT), "-");
	check_subject("", "");
	check_subject("plain", "plain");
	check_subject(
	    "=?utf-8?Q?gr=C3=BC=C3=9Fe_an?= alle", "gr\u00fc\u00dfe an alle");
	check_subject("=?UTF-8?B?w7w=?=\n =?utf-8?b?w7w=?=", "\u00fc\u00fc");
	check_subject(
	    "=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "\u00fc\u00fc");
	check_subject("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\u00fc");
	check_subject(
	    "=?utf-8?b?YWI=?= =?utf-8?b?Y2Q=?= =?utf-8?b?ZQ==?=", "abcde");
	check_subject("=?utf-8?b?YWI=Y2Q=?=", "abcd");
	check_subject("=?utf-8?q?\?= =?utf-8?q?a?=", "a");
	check_subject("=?utf-8?q?=EF=B7=90?=", "=?utf-8?q?=EF=B7=90?=");
	check_subject("=?gb2312?b?xOO6ww==?=", "\u4f60\u597d");
	check_subject("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\u65e5\u672c");
	check_subject(
	    "=?iso-2022-jp?b?GyRCLSFGfBsoSUMbKEI=?=", "\u2460\u65e5\uff83");
	check_subject("=?utf-8*en?q?abc?=", "abc");
	check_subject("=?x-none?q?=41?= =?utf-8?q?=42?=", "=?x-none?q?=41?= B");
	check_subject("=?utf-8?q?=FF?= a", "=?utf-8?q?=FF?= a");
	check_subject("=?utf-8?q?ok?= =?utf-8?q?=FF?=", "ok =?utf-8?q?=FF?=");
	check_subject("=?us-ascii?q?=FC?=", "=?us-ascii?q?=FC?=");
	check_subject(
	    "=?utf-8?q?a?= =?utf-8?q?b=?utf-8?q?c", "a =?utf-8?q?b=?utf-8?q?c");
	check_subject("=?utf-8?x?abc?=", "=?utf-8?x?abc?=");
	check_subject("=?utf-8?q?abc", "=?utf-8?q?abc");
	check_subject("=?=?=?utf-8?q?a?=", "=?=?a");
	check_subject("8 bit \u00fc =?utf-8?q?a?=", "8 bit \u00fc a");
	check_subject("bad \xfc =?utf-8?q?a?=", "bad \xef\xbf\xbd a");
	check_subject("\ufdd0 =?x-none?q?a?=", "\ufffd =?x-none?q?a?=");
	start();
	facts_header(f, STR("Subject"), STR("=?utf-8?q?a?=\0=?utf-8?q?b?="));
	CHECK(str_eq(show(ATTR_HEADER_SUBJECT), STR("a\0b")) ||
	      show(ATTR_HEADER_SUBJECT).n == 1);
	start();
	header("Subject", "one");
	header("Subject", "two");
	CHECK_STR(show(ATTR_HEADER_SUBJECT), "one");
	CHECK_STR(show_key(ATTR_HEADER_SUBJECT, TYPE_TEXT), "one");
}

static void
test_identifiers(void)
{
	static const struct {
		const char *name, *value;
		enum milt_attr attr;
		const char *want;
	} rows[] = {
		{ "Message-Id", "<a@b>", ATTR_HEADER_MESSAGE_ID, "a@b" },
		{ "Message-ID", " <a@b> (x)", ATTR_HEADER_MESSAGE_ID, "a@b" },
		{ "Message-ID", "a@b", ATTR_HEADER_MESSAGE_ID, "a@b" },
		{ "Message-ID", "<a@b", ATTR_HEADER_MESSAGE_ID, "a@b" },
		{ "Message-ID", "<>", ATTR_HEADER_MESSAGE_ID, "" },
		{ "Message-ID", "", ATTR_HEADER_MESSAGE_ID, "" },
		{ "List-Id", "News <news.example.com>", ATTR_HEADER_LIST_ID,
		    "news.example.com" },
		{ "List-ID", "\"<a>\" <news.example.com> ", ATTR_HEADER_LIST_ID,
		    "news.example.com" },
		{ "List-Id", " news.example.com ", ATTR_HEADER_LIST_ID,
		    "news.example.com" },
		{ "List-Id", "<>", ATTR_HEADER_LIST_ID, "" },
	};

	start();
	CHECK_STR(show(ATTR_HEADER_MESSAGE_ID), "-");
	CHECK_STR(show(ATTR_HEADER_LIST_ID), "-");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		start();
		header(rows[i].name, rows[i].value);
		CHECK_STR(show(rows[i].attr), rows[i].want);
	}
}

static void
test_date(void)
{
	start();
	CHECK_STR(show(ATTR_HEADER_DATE), "-");
	CHECK_STR(show(ATTR_HEADER_DATE_AGE), "-");
	CHECK(!malformed(ATTR_HEADER_DATE));
	header("Date", "Sat, 31 Jan 2026 13:00:00 +0100 (CET)");
	CHECK_STR(show(ATTR_HEADER_DATE), "1769860800000");
	CHECK_STR(show(ATTR_HEADER_DATE_AGE), "?");
	CHECK(!malformed(ATTR_HEADER_DATE));
	facts_clock(f, 1769860800000 + 5000);
	CHECK_STR(show(ATTR_HEADER_DATE_AGE), "5000");
	facts_clock(f, 1769860800000 - 5000);
	CHECK_STR(show(ATTR_HEADER_DATE_AGE), "-5000");
	header("Date", "nonsense");
	start();
	header("Date", "nonsense");
	CHECK_STR(show(ATTR_HEADER_DATE), "-");
	CHECK_STR(show(ATTR_HEADER_DATE_AGE), "-");
	CHECK(malformed(ATTR_HEADER_DATE));
	start();
	header("Date", "Sat, 31 Jan 2026 12:00:00 +0000");
	header("Date", "Sat, 31 Jan 2026 12:00:00 +0000");
	CHECK_STR(show(ATTR_HEADER_DATE), "1769860800000");
	CHECK(malformed(ATTR_HEADER_DATE));
	start();
	header("Date", "");
	CHECK(malformed(ATTR_HEADER_DATE));
}

int
main(void)
{
	facts_init();
	test_fields();
	test_header_limits();
	test_from();
	test_other_addresses();
	test_subject();
	test_identifiers();
	test_date();
	facts_free(f);
	TEST_DONE();
}
