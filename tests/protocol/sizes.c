/* Every octet everywhere, and much of everything: decided, within memory. */
#include <stdlib.h>

#include "dsl/tables.h"
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum { MB = 1024 };

static const char policy[] =
    "milt 1\n"
    "option scan-limit 64MB\n"
    "rule helo { when helo contains \"\\u{1}\" reject 550 5.7.1 \"helo\" }\n"
    "rule long { when header(\"X-Long\") ends with \"needle\"\n"
    "  reject 550 5.7.1 \"long\" }\n"
    "rule last { when header(\"X-Last\") is \"1\" tempfail \"last\" }\n"
    "rule body { when body.raw contains \"needle\"\n"
    "  reject 550 5.7.1 \"body {body.size}\" }\n"
    "rule tag { when header(\"X\") exists\n"
    "  add header \"X-Seen\" \"{header(\"X\")}{sender}{helo}\" }\n";

static struct filter f;

static char *
filled(size_t n, char c)
{
	char *p = malloc(n + 1);

	if (!p)
		abort();
	memset(p, c, n);
	p[n] = 0;
	return p;
}

static void
deliver(struct mta *m, const struct mta_pair *fields, size_t n, struct str body,
    struct mta_outcome *o)
{
	struct mta_address to = { STR("<a@example.com>"), NULL, 0 };
	struct mta_message msg = {
		.sender = { STR("<s@example.org>"), NULL, 0 },
		.recipients = &to,
		.recipient_count = 1,
		.queue_id = STR("4XyZ123456z9aB"),
		.headers = fields,
		.header_count = n,
		.body = body,
	};

	mta_deliver(m, &msg, o);
}

static struct mta
ready(void)
{
	struct mta m;

	CHECK(letter_open(&m, f.where, &(struct letter){ 0 }));
	return m;
}

/* Every octet in every text that a client has a hand in. */
static void
test_octets(void)
{
	for (int c = 0; c < 256; c++) {
		char text[] = "<a?b@example.com>";
		struct mta m = ready();
		struct mta_outcome o;
		struct mta_address to = { { text, sizeof(text) - 1 }, NULL, 0 };
		struct mta_pair field = { STR("X"), to.path };
		struct mta_message msg = { .sender = to,
			.recipients = &to,
			.recipient_count = 1,
			.queue_id = to.path,
			.headers = &field,
			.header_count = 1,
			.body = to.path };

		text[2] = (char)c;
		/* A NUL there makes libmilter itself read what is not there. */
		if (c != 0) {
			mta_macro(&m, STR("{daemon_name}"), to.path);
			mta_macro(&m, STR("{tls_version}"), to.path);
		}
		mta_helo(&m, to.path);
		mta_deliver(&m, &msg, &o);
		if (c == 1)
			CHECK_STR(outcome_text(&m, &o),
			    "reject 550 5.7.1 helo at rcpt");
		else
			CHECK(
			    o.reply.verdict == MTA_ACCEPT && o.edit_count == 1);
		if (o.reply.verdict == MTA_FAILED)
			printf("# octet %d: %s\n", c, m.error);
		mta_quit(&m);
	}
}

static void
test_macros(void)
{
	static const struct str values[] = {
		STR(""),
		STR("{"),
		STR("}"),
		STR("%s%n"),
		STR("\xff\xfe"),
		STR("a\r\nb"),
		STR("-1"),
		STR("99999999999999999999"),
	};
	struct mta m = ready();
	char *large = filled(60000, 'm');
	struct mta_outcome o;

	for (size_t i = 0; i <= sizeof(values) / sizeof(*values); i++) {
		struct str v = i < sizeof(values) / sizeof(*values)
				   ? values[i]
				   : (struct str){ large, 60000 };

		/* One for each stage: all of them fit into a packet. */
		mta_macro(&m, STR("{tls_version}"), v);
		mta_macro(&m, STR("{auth_authen}"), v);
		mta_macro(&m, STR("{rcpt_host}"), v);
		m.has_lists = false; /* whatever was asked for */
		mta_helo(&m, STR("x"));
		deliver(&m, NULL, 0, STR(""), &o);
		CHECK(o.reply.verdict == MTA_ACCEPT);
	}
	mta_quit(&m);
	free(large);
}

static void
test_long_header(void)
{
	struct mta m = ready();
	size_t n = 60000;
	char *value = filled(n, 'v');
	struct mta_pair field[] = { { STR("X-Long"), { value, n } },
		{ STR("X"), { value, n } } };
	struct mta_outcome o;

	deliver(&m, field, 2, STR(""), &o);
	CHECK(o.reply.verdict == MTA_ACCEPT && o.edit_count == 1);
	CHECK(o.edit_count == 1 && o.edits[0].value.n <= 65000);
	memcpy(value + n - 6, "needle", 6);
	deliver(&m, field, 1, STR(""), &o);
	CHECK_STR(outcome_text(&m, &o), "reject 550 5.7.1 long at eoh");
	field[0].name = (struct str){ value, 1000 };
	deliver(&m, field, 2, STR(""), &o);
	CHECK(o.reply.verdict == MTA_ACCEPT);
	mta_quit(&m);
	free(value);
}

/* More fields than are looked at: never as if the others were not there. */
static void
test_many_headers(void)
{
	size_t n = 100000, before = process_rss(f.pid);
	struct mta_pair *fields = calloc(n, sizeof(*fields));
	struct mta m = ready();
	struct mta_outcome o;

	if (!fields)
		abort();
	for (size_t i = 0; i < n; i++)
		fields[i] = (struct mta_pair){ STR("X-Other"), STR("value") };
	deliver(&m, fields, 9999, STR(""), &o);
	CHECK(o.reply.verdict == MTA_ACCEPT);
	fields[9998] = (struct mta_pair){ STR("X-Last"), STR("1") };
	deliver(&m, fields, 9999, STR(""), &o);
	CHECK_STR(outcome_text(&m, &o), "tempfail 451 4.7.1 last at eoh");
	deliver(&m, fields, n, STR(""), &o);
	CHECK(o.reply.verdict == MTA_TEMPFAIL);
	deliver(&m, fields, 100, STR(""), &o);
	CHECK(o.reply.verdict == MTA_ACCEPT);
	mta_quit(&m);
	free(fields);
	printf("# rss %zu KB -> %zu KB\n", before, process_rss(f.pid));
}

static void
test_large_body(void)
{
	size_t n = 50u << 20, before = process_rss(f.pid), after;
	char *body = filled(n, 'b');
	struct mta_outcome o;
	struct mta m = ready();
	char want[100];

	deliver(&m, NULL, 0, (struct str){ body, n }, &o);
	CHECK_STR(outcome_text(&m, &o), "accept at eom");
	memcpy(body + n - 6, "needle", 6);
	deliver(&m, NULL, 0, (struct str){ body, n }, &o);
	snprintf(want, sizeof(want), "reject 550 5.7.1 body %zu at eom", n);
	CHECK_STR(outcome_text(&m, &o), want);
	mta_quit(&m);
	after = process_rss(f.pid);
	printf("# rss %zu KB -> %zu KB\n", before, after);
	CHECK(after < before + 180 * MB || !filter_memory_is_real());
	/* A small message again, and what the large one took is given back. */
	m = ready();
	deliver(&m, NULL, 0, STR("x\r\n"), &o);
	CHECK_STR(outcome_text(&m, &o), "accept at eom");
	mta_quit(&m);
	CHECK(
	    process_rss(f.pid) < before + 20 * MB || !filter_memory_is_real());
	printf("# rss %zu KB in the end\n", process_rss(f.pid));
	free(body);
}

/* Larger than the scan limit: the rule cannot be decided. */
static void
test_beyond_scan_limit(void)
{
	size_t n = 65u << 20;
	char *body = filled(n, 'b');
	struct mta_outcome o;
	struct mta m = ready();

	deliver(&m, NULL, 0, (struct str){ body, n }, &o);
	CHECK(o.reply.verdict == MTA_TEMPFAIL);
	mta_quit(&m);
	free(body);
}

static void
test_many_recipients(void)
{
	enum { N = 5000 };
	struct mta_address *to = calloc(N, sizeof(*to));
	struct mta m = ready();
	struct mta_outcome o;
	struct mta_message msg = { .sender = { STR("<>"), NULL, 0 },
		.recipients = to,
		.recipient_count = N };

	if (!to)
		abort();
	for (int i = 0; i < N; i++)
		to[i].path = STR("<someone.of.many@example.com>");
	mta_deliver(&m, &msg, &o);
	CHECK(o.reply.verdict == MTA_ACCEPT);
	CHECK(o.accepted == N);
	mta_quit(&m);
	free(to);
}

/*
 * Where nothing is said at RCPT, one recipient too many puts the message off:
 * the MTA keeps it, and no rule would know of it.
 */
static void
test_recipient_limit(void)
{
	size_t n = (size_t)LIMIT_VALUE_RECIPIENTS + 1;
	struct mta_address *to = calloc(n, sizeof(*to));
	struct mta_pair subject = { STR("Subject"), STR("x") };
	struct mta_message msg = { .sender = { STR("<>"), NULL, 0 },
		.recipients = to,
		.recipient_count = 1,
		.headers = &subject,
		.header_count = 1 };
	struct mta_outcome o;
	struct mta m;

	if (!to)
		abort();
	for (size_t i = 0; i < n; i++)
		to[i].path = STR("<a@example.com>");
	CHECK(filter_start(&f,
	    "milt 1\n"
	    "rule any { when any recipient { domain is \"bad.test\" }\n"
	    "  and header(\"Subject\") exists reject 550 5.7.1 \"bad\" }\n"));
	m = ready();
	mta_deliver(&m, &msg, &o);
	CHECK_STR(outcome_text(&m, &o), "accept at data");
	to[0].path = STR("<q@bad.test>");
	mta_deliver(&m, &msg, &o);
	CHECK_STR(outcome_text(&m, &o), "reject 550 5.7.1 bad at eoh");
	to[0].path = to[1].path;
	to[n - 1].path = STR("<q@bad.test>");
	msg.recipient_count = n;
	mta_deliver(&m, &msg, &o);
	CHECK(o.reply.verdict == MTA_TEMPFAIL && o.reply.code == 451);
	CHECK_STR(reply_text(&m, o.reply),
	    "tempfail 451 4.3.0 Temporary failure, "
	    "try again later");
	CHECK(filter_wait_log(
	    &f, "failure=\"more recipients than a message may have\"", 1));
	CHECK(filter_log_count(&f, "tempfail stage=data") == 1);
	CHECK(filter_log_count(&f, "tempfail stage=rcpt") == 0);
	CHECK(filter_log_count(&f, "cannot be given") == 0);
	/* The next message of the session is none the worse for it. */
	msg.recipient_count = n - 1;
	mta_deliver(&m, &msg, &o);
	CHECK(o.reply.verdict == MTA_ACCEPT);
	mta_quit(&m);
	CHECK(filter_stop(&f) == 0);
	free(to);
}

int
main(void)
{
	CHECK(filter_start(&f, policy));
	if (test_failures)
		TEST_DONE();
	test_octets();
	test_macros();
	test_long_header();
	test_many_headers();
	test_large_body();
	test_beyond_scan_limit();
	test_many_recipients();
	CHECK(filter_log_count(&f, "claimed not to reply") == 0);
	CHECK(filter_stop(&f) == 0);
	test_recipient_limit();
	TEST_DONE();
}
