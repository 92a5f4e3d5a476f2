/* The facts of a transaction: runtime/facts.h. */
#include "tests/unit/facts_fake.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static struct facts *f;
static char shown[65536];

/*
 * All values of an attribute, joined by `|`; "-" missing, "!" failed, "?" the
 * clock must be asked.
 */
static struct str
key_show(enum milt_attr attr, const char *key)
{
	size_t count, n = 0;
	struct fact_value v;
	enum fact_state st = facts_count(f, attr, str_from(key), &count);

	if (st == FACT_THERE && count == 0)
		return STR("-");
	for (size_t i = 0; st == FACT_THERE && i < count; i++) {
		const char *bar = i ? "|" : "";

		st = facts_get(f, attr, str_from(key), i, &v);
		if (st == FACT_MISSING && attr_rows[attr].many) {
			n += (size_t)snprintf(
			    shown + n, sizeof(shown) - n, "%s-", bar);
			st = FACT_THERE;
			continue;
		}
		if (st != FACT_THERE)
			break;
		if (v.type == TYPE_IP || v.type == TYPE_NETWORK) {
			struct str s = network_print(facts_arena(f), v.range);

			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%.*s", bar, STR_ARG(s));
		} else if (v.type == TYPE_TEXT || v.type == TYPE_DOMAIN ||
			   v.type == TYPE_ADDRESS || v.type == TYPE_RECORD) {
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%.*s", bar, STR_ARG(v.text));
		} else {
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%lld", bar, v.number);
		}
	}
	switch (st) {
	case FACT_MISSING:
		return STR("-");
	case FACT_FAILED:
		return STR("!");
	case FACT_ASK:
		return STR("?");
	case FACT_THERE:
	case FACT_PARTIAL:
		break;
	}
	return (struct str){ shown, n };
}

static struct str
show(enum milt_attr attr)
{
	return key_show(attr, "");
}

static struct str
show_key(enum milt_attr attr, enum milt_type as)
{
	struct fact_value v;

	if (facts_get(f, attr, STR(""), 0, &v) != FACT_THERE)
		return STR("-");
	/* the second answer is the first one, not made again */
	CHECK(facts_key(f, &v, as).p == facts_key(f, &v, as).p);
	return facts_key(f, &v, as);
}

static bool
malformed(enum milt_attr attr)
{
	bool bad;

	return facts_malformed(f, attr, &bad) == FACT_THERE && bad;
}

static void
header(const char *name, const char *value)
{
	CHECK(facts_header(f, str_from(name), str_from(value)) == MILT_OK);
}

static void
macro(enum milt_stage stage, const char *name, const char *value)
{
	CHECK(
	    facts_macro(f, stage, str_from(name), str_from(value)) == MILT_OK);
}

static void
mail(const char *path, const char *parameter)
{
	struct str p = str_from(parameter);

	CHECK(facts_mail(f, str_from(path), &p, p.n ? 1 : 0) == MILT_OK);
}

static void
rcpt(const char *path)
{
	CHECK(facts_rcpt(f, str_from(path), NULL, 0) == MILT_OK);
}

static void
start(void)
{
	facts_free(f);
	f = facts_new(fake_reset());
}

/* ---- session ----------------------------------------------------------- */

static void
test_client(void)
{
	struct ip ip;

	start();
	CHECK_STR(show(ATTR_CLIENT_IP), "-");
	CHECK_STR(facts_client_text(f), "");
	ip_parse(STR("192.0.2.77"), &ip);
	CHECK(
	    facts_client(f, STR("Mx.example.net"), true, &ip, 4567) == MILT_OK);
	CHECK_STR(show(ATTR_CLIENT_IP), "192.0.2.77/32");
	CHECK_STR(show(ATTR_CLIENT_NETWORK), "192.0.2.0/24");
	CHECK_STR(show(ATTR_CLIENT_PORT), "4567");
	CHECK_STR(show(ATTR_CLIENT_NAME), "Mx.example.net");
	CHECK_STR(show_key(ATTR_CLIENT_NAME, TYPE_DOMAIN), "mx.example.net");
	CHECK_STR(facts_client_text(f), "Mx.example.net[192.0.2.77]");
	CHECK(facts_memory(f) < 2048);
	facts_reset(f, STAGE_CONNECT);
	CHECK_STR(show(ATTR_CLIENT_IP), "-");
	facts_client(f, STR("[192.0.2.77]"), false, &ip, 0);
	CHECK_STR(show(ATTR_CLIENT_NAME), "-");
	CHECK_STR(show(ATTR_CLIENT_PORT), "-");
	CHECK_STR(facts_client_text(f), "unknown[192.0.2.77]");
	facts_client(f, STR("localhost"), false, NULL, 0);
	CHECK_STR(show(ATTR_CLIENT_IP), "-");
	CHECK_STR(show(ATTR_CLIENT_NETWORK), "-");
	CHECK_STR(facts_client_text(f), "localhost");

	CHECK_STR(show(ATTR_HELO), "-");
	facts_helo(f, STR("a\xff"
			  "B"));
	CHECK_STR(show(ATTR_HELO), "a\xef\xbf\xbd"
				   "B");
	facts_reset(f, STAGE_HELO);
	CHECK_STR(show(ATTR_HELO), "-");
	CHECK_STR(facts_client_text(f), "localhost");
}

static void
test_macros(void)
{
	start();
	macro(STAGE_CONNECT, "{client_ptr}", "unknown");
	CHECK_STR(show(ATTR_CLIENT_REVERSE_NAME), "-");
	macro(STAGE_CONNECT, "client_ptr", "Host.example");
	CHECK_STR(show(ATTR_CLIENT_REVERSE_NAME), "Host.example");
	macro(STAGE_CONNECT, "{daemon_addr}", "[IPv6:::1]");
	CHECK_STR(show(ATTR_DAEMON_IP), "::1/128");
	macro(STAGE_CONNECT, "{daemon_addr}", "127.0.0.1");
	CHECK_STR(show(ATTR_DAEMON_IP), "127.0.0.1/32");
	macro(STAGE_CONNECT, "{daemon_addr}", "lo");
	CHECK_STR(show(ATTR_DAEMON_IP), "-");
	macro(STAGE_CONNECT, "{daemon_port}", "25");
	CHECK_STR(show(ATTR_DAEMON_PORT), "25");
	macro(STAGE_CONNECT, "{daemon_port}", "25 ");
	CHECK_STR(show(ATTR_DAEMON_PORT), "-");
	macro(STAGE_CONNECT, "j", "mx.example.com");
	CHECK_STR(show(ATTR_MTA_NAME), "mx.example.com");
	CHECK_STR(key_show(ATTR_MACRO, "j"), "mx.example.com");
	CHECK_STR(key_show(ATTR_MACRO, "{j}"), "mx.example.com");
	CHECK_STR(key_show(ATTR_MACRO, "k"), "-");

	CHECK_STR(show(ATTR_TLS_VERIFIED), "-");
	macro(STAGE_HELO, "{tls_version}", "TLSv1.3");
	CHECK_STR(show(ATTR_TLS_VERIFIED), "0");
	macro(STAGE_HELO, "{verify}", "FAIL");
	CHECK_STR(show(ATTR_TLS_VERIFIED), "0");
	macro(STAGE_HELO, "{verify}", "OK");
	CHECK_STR(show(ATTR_TLS_VERIFIED), "1");
	macro(STAGE_HELO, "{verify}", "");
	macro(STAGE_HELO, "{cert_subject}", "mx");
	CHECK_STR(show(ATTR_TLS_VERIFIED), "1");
	CHECK_STR(show(ATTR_TLS_CLIENT_SUBJECT), "mx");
	macro(STAGE_HELO, "{cipher_bits}", "256");
	CHECK_STR(show(ATTR_TLS_BITS), "256");

	/* the latest stage wins; an empty value is a missing one */
	macro(STAGE_MAIL, "{auth_authen}", "amy");
	CHECK_STR(show(ATTR_SASL_USERNAME), "amy");
	macro(STAGE_DATA, "{auth_authen}", "bob");
	macro(STAGE_RCPT, "{auth_authen}", "eve");
	CHECK_STR(show(ATTR_SASL_USERNAME), "bob");
	macro(STAGE_DATA, "{auth_authen}", "");
	CHECK_STR(show(ATTR_SASL_USERNAME), "-");
	macro(STAGE_RCPT, "{rcpt_addr}", "x@y");
	CHECK_STR(key_show(ATTR_MACRO, "rcpt_addr"), "x@y");
	facts_reset(f, STAGE_RCPT);
	CHECK_STR(key_show(ATTR_MACRO, "rcpt_addr"), "-");
	macro(STAGE_DATA, "i", "4Bq");
	CHECK_STR(facts_queue_id(f), "4Bq");
	CHECK_STR(show(ATTR_QUEUE_ID), "4Bq");
	facts_reset(f, STAGE_MAIL);
	CHECK_STR(facts_queue_id(f), "");
	CHECK_STR(show(ATTR_TLS_PROTOCOL), "TLSv1.3");
	facts_reset(f, STAGE_HELO);
	CHECK_STR(show(ATTR_TLS_PROTOCOL), "-");
	CHECK_STR(show(ATTR_MTA_NAME), "mx.example.com");
}

static void
test_clock(void)
{
	start();
	CHECK_STR(show(ATTR_NOW), "?");
	CHECK_STR(show(ATTR_NOW_HOUR), "?");
	facts_clock(f, 1769860800000 + 1800000); /* 2026-01-31T12:30:00Z, sat */
	CHECK_STR(show(ATTR_NOW), "1769862600000");
	CHECK_STR(show(ATTR_NOW_HOUR), "12");
	CHECK_STR(show(ATTR_NOW_WEEKDAY), "5");
	CHECK_STR(show(ATTR_NOW_DATE), "20484");
	facts_clock(f, -1);
	CHECK_STR(show(ATTR_NOW_HOUR), "23");
	CHECK_STR(show(ATTR_NOW_WEEKDAY), "2");
	CHECK_STR(show(ATTR_NOW_DATE), "-1");
	facts_reset(f, STAGE_CONNECT);
	CHECK_STR(show(ATTR_NOW), "?");

	start();
	fake_option(OPTION_TIME_ZONE, "Pacific/Auckland");
	facts_clock(f, 1769860800000); /* 01:00 on Sunday there */
	CHECK_STR(show(ATTR_NOW_HOUR), "1");
	CHECK_STR(show(ATTR_NOW_WEEKDAY), "6");
	CHECK_STR(show(ATTR_NOW_DATE), "20485");
	start();
	fake_option(OPTION_TIME_ZONE, "No/Where");
	facts_clock(f, 1769860800000);
	CHECK_STR(show(ATTR_NOW_HOUR), "12");
}

/* ---- envelope ---------------------------------------------------------- */

static void
test_sender(void)
{
	start();
	CHECK_STR(show(ATTR_SENDER), "-");
	CHECK_STR(facts_sender_text(f), "");
	mail("<Amy+News@Mail.Example.co.uk>", "size=1000");
	CHECK_STR(show(ATTR_SENDER), "Amy+News@Mail.Example.co.uk");
	CHECK_STR(show(ATTR_SENDER_ADDRESS), "Amy+News@Mail.Example.co.uk");
	CHECK_STR(show(ATTR_SENDER_LOCAL), "Amy+News");
	CHECK_STR(show(ATTR_SENDER_USER), "Amy");
	CHECK_STR(show(ATTR_SENDER_DETAIL), "News");
	CHECK_STR(show(ATTR_SENDER_DOMAIN), "Mail.Example.co.uk");
	CHECK_STR(show(ATTR_SENDER_ORG_DOMAIN), "example.co.uk");
	CHECK_STR(
	    show_key(ATTR_SENDER, TYPE_ADDRESS), "amy+news@mail.example.co.uk");
	CHECK_STR(show(ATTR_SENDER_PARAMETERS), "size=1000");
	CHECK_STR(show(ATTR_DECLARED_SIZE), "1000");
	facts_reset(f, STAGE_MAIL);
	CHECK_STR(show(ATTR_SENDER), "-");
	CHECK_STR(show(ATTR_DECLARED_SIZE), "-");
	mail("<>", "");
	CHECK_STR(show(ATTR_SENDER), "<>");
	CHECK_STR(show(ATTR_SENDER_ADDRESS), "<>");
	CHECK_STR(show_key(ATTR_SENDER, TYPE_ADDRESS), "");
	CHECK_STR(show(ATTR_SENDER_LOCAL), "-");
	CHECK_STR(show(ATTR_SENDER_USER), "-");
	CHECK_STR(show(ATTR_SENDER_DOMAIN), "-");
	CHECK_STR(show(ATTR_SENDER_ORG_DOMAIN), "-");
	mail("", "SIZE=99999999999999999999");
	CHECK_STR(show(ATTR_SENDER), "<>");
	CHECK_STR(show(ATTR_DECLARED_SIZE), "-");
	mail("a@b", "SIZE=12x");
	CHECK_STR(show(ATTR_SENDER), "a@b");
	CHECK_STR(show(ATTR_SENDER_DETAIL), "-");
	CHECK_STR(show(ATTR_SENDER_USER), "a");
	CHECK_STR(show(ATTR_SENDER_ORG_DOMAIN), "-");
	CHECK_STR(show(ATTR_DECLARED_SIZE), "-");
	mail("<+tag@b>", "SIZE=");
	CHECK_STR(show(ATTR_SENDER_USER), "+tag");
	CHECK_STR(show(ATTR_SENDER_DETAIL), "-");
	CHECK_STR(show(ATTR_DECLARED_SIZE), "-");
	mail("<a+@b>", "");
	CHECK_STR(show(ATTR_SENDER_USER), "a");
	CHECK_STR(show(ATTR_SENDER_DETAIL), "");
	mail("<postmaster>", "");
	CHECK_STR(show(ATTR_SENDER_LOCAL), "postmaster");
	CHECK_STR(show(ATTR_SENDER_DOMAIN), "-");

	start();
	fake_option(OPTION_RECIPIENT_DELIMITER, "-=");
	mail("<a+b=c-d@e>", "");
	CHECK_STR(show(ATTR_SENDER_USER), "a+b");
	CHECK_STR(show(ATTR_SENDER_DETAIL), "c-d");
	start();
	fake_option(OPTION_RECIPIENT_DELIMITER, "");
	fake_needs.options[OPTION_LOCAL_PARTS] = LOCAL_PARTS_EXACT;
	mail("<A+b@E>", "");
	CHECK_STR(show(ATTR_SENDER_USER), "A+b");
	CHECK_STR(show_key(ATTR_SENDER, TYPE_ADDRESS), "A+b@e");
}

static void
test_recipients(void)
{
	struct str p[] = { STR("NOTIFY=NEVER"), STR("ORCPT=rfc822;x") };

	start();
	mail("<a@b>", "");
	CHECK_STR(show(ATTR_RECIPIENT), "-");
	CHECK_STR(show(ATTR_RECIPIENTS), "-");
	macro(STAGE_RCPT, "{rcpt_host}", "one");
	facts_rcpt(f, STR("<One@x.example>"), p, 2);
	CHECK_STR(show(ATTR_RECIPIENT), "One@x.example");
	CHECK_STR(
	    show(ATTR_RECIPIENT_PARAMETERS), "NOTIFY=NEVER|ORCPT=rfc822;x");
	CHECK(facts_rcpt_accepted(f) == MILT_OK);
	CHECK(facts_rcpt_accepted(f) == MILT_OK);
	CHECK(facts_recipients(f) == 1);
	facts_reset(f, STAGE_RCPT);
	CHECK_STR(show(ATTR_RECIPIENT), "-");
	rcpt("<two@x.example>");
	CHECK_STR(show(ATTR_RECIPIENT_PARAMETERS), "-");
	CHECK_STR(key_show(ATTR_MACRO, "rcpt_host"), "-");
	facts_reset(f, STAGE_RCPT);
	rcpt("<three@x.example>");
	facts_rcpt_accepted(f);
	facts_reset(f, STAGE_DATA);
	CHECK(facts_recipients(f) == 2);
	CHECK_STR(show(ATTR_RECIPIENTS), "One@x.example|three@x.example");
	CHECK_STR(show(ATTR_RECIPIENTS_LOCAL), "One|three");
	CHECK_STR(show(ATTR_RECIPIENTS_DETAIL), "-|-");
	CHECK_STR(facts_recipient(f, 1), "three@x.example");
	CHECK_STR(facts_recipient(f, 2), "");
	facts_select_recipient(f, 0);
	CHECK_STR(show(ATTR_RECIPIENT), "One@x.example");
	CHECK_STR(
	    show(ATTR_RECIPIENT_PARAMETERS), "NOTIFY=NEVER|ORCPT=rfc822;x");
	CHECK_STR(key_show(ATTR_MACRO, "rcpt_host"), "one");
	facts_select_recipient(f, 7);
	CHECK_STR(show(ATTR_RECIPIENT), "One@x.example");

	facts_reset(f, STAGE_MAIL);
	CHECK(facts_recipients(f) == 0);
	for (long long i = 0; i < (long long)LIMIT_VALUE_RECIPIENTS; i++) {
		facts_rcpt(f, STR("<x@y>"), NULL, 0);
		facts_rcpt_accepted(f);
	}
	CHECK(facts_recipients(f) == (size_t)LIMIT_VALUE_RECIPIENTS);
	rcpt("<one-too-many@y>");
	CHECK(facts_rcpt_accepted(f) == MILT_NO_MEMORY);
	CHECK(facts_recipients(f) == (size_t)LIMIT_VALUE_RECIPIENTS);
}

/* ---- header ------------------------------------------------------------ */

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
	    "-|-" },
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
	check_subject("=?utf-8*en?q?abc?=", "abc");
	check_subject("=?x-none?q?=41?= =?utf-8?q?=42?=", "=?x-none?q?=41?= B");
	check_subject("=?utf-8?q?=FF?= a", "=?utf-8?q?=FF?= a");
	check_subject("=?utf-8?q?ok?= =?utf-8?q?=FF?=", "ok =?utf-8?q?=FF?=");
	check_subject("=?us-ascii?q?=FC?=", "=?us-ascii?q?=FC?=");
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

/* ---- body, memory ------------------------------------------------------ */

static void
test_body(void)
{
	static char chunk[1024];

	start();
	CHECK_STR(show(ATTR_BODY_RAW), "-");
	mail("<a@b>", "");
	CHECK_STR(show(ATTR_BODY_RAW), "");
	CHECK_STR(show(ATTR_BODY_SIZE), "0");
	facts_body(f, STR("Abc"));
	CHECK_STR(show_key(ATTR_BODY_RAW, TYPE_TEXT), "abc");
	facts_body(f, STR("\xff"
			  "D"));
	CHECK_STR(show(ATTR_BODY_RAW), "Abc\xff"
				       "D");
	CHECK_STR(show_key(ATTR_BODY_RAW, TYPE_TEXT), "abc\xff"
						      "d");
	fake_needs.options[OPTION_SCAN_LIMIT] = 1029;
	facts_body(f, (struct str){ chunk, 1024 });
	struct fact_value v;
	CHECK(facts_get(f, ATTR_BODY_RAW, STR(""), 0, &v) == FACT_THERE);
	CHECK(v.text.n == 1029);
	facts_body(f, STR("x"));
	CHECK_STR(show(ATTR_BODY_RAW), "!");
	CHECK_STR(str_from(facts_failure(f)),
	    "the body is larger than option scan-limit");
	CHECK_STR(show(ATTR_BODY_SIZE), "1030");
	facts_reset(f, STAGE_MAIL);
	mail("<a@b>", "");
	CHECK_STR(show(ATTR_BODY_RAW), "");
	fake_needs.flags = 0;
	facts_body(f, STR("abc"));
	CHECK_STR(show(ATTR_BODY_RAW), "");
	CHECK_STR(show(ATTR_BODY_SIZE), "3");
}

static void
test_memory(void)
{
	char *big = calloc(1, 65536);
	enum milt_status st = MILT_OK;
	size_t held;

	start();
	memset(big, 'x', 65535);
	for (int i = 0; i < 1000 && st == MILT_OK; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", i);
		st = facts_macro(f, STAGE_CONNECT, str_from(name),
		    (struct str){ big, 65535 });
	}
	CHECK(st == MILT_NO_MEMORY);
	CHECK(facts_memory(f) <= (size_t)LIMIT_VALUE_SESSION_MEMORY);
	start();
	held = facts_memory(f);
	for (int i = 0; i < 1000; i++) {
		facts_reset(f, STAGE_HELO);
		facts_helo(f, (struct str){ big, 65535 });
		facts_mail(f, (struct str){ big, 65535 }, NULL, 0);
	}
	facts_reset(f, STAGE_HELO);
	CHECK(facts_memory(f) == held);
	facts_reset(f, STAGE_HELO);
	facts_reset(f, STAGE_CONNECT);
	facts_reset(f, STAGE_CONNECT);
	facts_reset(f, STAGE_RCPT);
	CHECK(facts_memory(f) == held);
	free(big);
}

int
main(void)
{
	facts_init();
	test_client();
	test_macros();
	test_clock();
	test_sender();
	test_recipients();
	test_fields();
	test_header_limits();
	test_from();
	test_other_addresses();
	test_subject();
	test_identifiers();
	test_date();
	test_body();
	test_memory();
	facts_free(f);
	TEST_DONE();
}
