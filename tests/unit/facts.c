/* The facts of a session, an envelope and a body: runtime/facts.h. */
#include <stdlib.h>

#include "tests/unit/facts_show.h"

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
	CHECK(!facts_sender_text(f).p);
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
	size_t parts;
	CHECK(facts_get(f, ATTR_BODY_RAW, STR(""), 0, &v) == FACT_THERE);
	CHECK(v.text.n == 1029);
	facts_body(f, STR("x"));
	CHECK(facts_get(f, ATTR_BODY_RAW, STR(""), 0, &v) == FACT_PARTIAL);
	CHECK(v.text.n == 1029 && str_starts(v.text, STR("Abc")));
	CHECK_STR(str_from(facts_failure(f)),
	    "the body is larger than option scan-limit");
	CHECK_STR(show(ATTR_BODY_SIZE), "1030");
	/* Its elements leave the reason as it is. */
	CHECK(facts_count(f, ATTR_PART, STR(""), &parts) == FACT_PARTIAL);
	CHECK(facts_get(f, ATTR_PART_TYPE, STR(""), 0, &v) == FACT_THERE);
	CHECK_STR(str_from(facts_failure(f)),
	    "the body is larger than option scan-limit");
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
	test_client();
	test_macros();
	test_clock();
	test_sender();
	test_recipients();
	test_body();
	test_memory();
	facts_free(f);
	TEST_DONE();
}
