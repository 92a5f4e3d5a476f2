/* Changes of the message, compared by what is delivered in the end. */
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

/*
 * "Name: value" of each field, then the envelope where it is not that of the
 * letter, then the body where it is new.
 */
static struct str
delivered(struct mta *m, const struct mta_outcome *o, const char *body)
{
	static struct bytes b;

	b.n = 0;
	if (o->reply.verdict != MTA_ACCEPT)
		return outcome_text(m, o);
	for (size_t i = 0; i < o->header_count; i++) {
		if (str_eq(o->headers[i].name, STR("Received"))) {
			bytes_add(&b, "R ", 2);
			continue;
		}
		bytes_add(&b, o->headers[i].name.p, o->headers[i].name.n);
		bytes_add(&b, ": ", 2);
		bytes_add(&b, o->headers[i].value.p, o->headers[i].value.n);
		bytes_add(&b, "; ", 2);
	}
	bytes_add(&b, "<", 1);
	bytes_add(&b, o->sender.p, o->sender.n);
	bytes_add(&b, ">", 1);
	for (size_t i = 0; i < o->recipient_count; i++) {
		bytes_add(&b, i ? "," : " ", 1);
		bytes_add(&b, o->recipients[i].p, o->recipients[i].n);
	}
	if (o->quarantined) {
		bytes_add(&b, " held: ", 7);
		bytes_add(&b, o->quarantine_reason.p, o->quarantine_reason.n);
	}
	if (!str_eq(o->body, str_from(body))) {
		bytes_add(&b, " body: ", 7);
		bytes_add(&b, o->body.p, o->body.n);
	}
	return (struct str){ b.p, b.n };
}

static void
check(struct filter *f, const struct letter *l, const char *want)
{
	struct mta m;
	struct mta_outcome o;

	CHECK(letter_open(&m, f->where, l));
	letter_send(&m, l, &o);
	CHECK_STR(delivered(&m, &o, l->body), want);
	mta_quit(&m);
}

#define GIVES(f, want, ...) check(f, &(struct letter){ __VA_ARGS__ }, want)
#define ENV "<sender@client.invalid> recipient@server.invalid"

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
	CHECK(filter_stop(f) == 0);
}

static void
test_add_and_insert(void)
{
	struct filter f;

	if (!start(&f,
		"milt 1\n"
		"rule all { when sender exists\n"
		"  add header \"X-A\" \"one\" add header \"X-A\" \"two\"\n"
		"  insert header 0 \"X-Top\" \"first\"\n"
		"  insert header 0 \"X-Top\" \"second\"\n"
		"  insert header 1 \"X-One\" \"{sender}\"\n"
		"  insert header 2 \"X-Two\" \"2\"\n"
		"  insert header 99 \"X-End\" \"99\" }\n"))
		return;
	GIVES(&f,
	    "X-Top: first; X-Top: second; R X-One: sender@client.invalid; "
	    "A: 1; X-Two: 2; B: 2; X-End: 99; X-A: one; X-A: two; " ENV,
	    .header = "A: 1\nB: 2\n");
	finish(&f);
}

static void
test_set_and_remove(void)
{
	struct filter f;

	if (!start(&f,
		"milt 1\n"
		"rule s { when header(\"X-S\") exists\n"
		"  set header \"x-s\" \"new\" }\n"
		"rule n { when header(\"X-N\") absent\n"
		"  set header \"X-N\" \"none\" }\n"
		"rule r { when header(\"X-R\") exists\n"
		"  remove header \"X-R\" }\n"
		"rule w { when header(\"X-W\") exists\n"
		"  remove header \"X-W\" where value contains \"bad\" }\n"))
		return;
	GIVES(&f, "R A: 1; X-N: none; " ENV, .header = "A: 1\n");
	GIVES(&f, "R X-N: there; X-S: new; A: 1; " ENV,
	    .header = "X-N: there\nX-S: 1\nA: 1\nX-s: 2\nX-S: 3\n");
	GIVES(&f, "R A: 1; X-N: 0; B: 2; " ENV,
	    .header = "X-R: 1\nA: 1\nX-r: 2\nX-N: 0\nX-R: 3\nB: 2\n");
	GIVES(&f, "R X-W: good; X-N: 0; X-W: fine; " ENV,
	    .header = "X-W: bad\nX-W: good\nX-N: 0\nX-W: BAD\nX-W: fine\n"
		      "X-W: not bad\n");
	GIVES(&f, "R X-N: 0; X-W: good; X-S: new; " ENV,
	    .header = "X-R: 1\nX-W: bad\nX-N: 0\nX-R: 2\nX-W: good\n"
		      "X-S: old\n");
	finish(&f);
}

static void
test_envelope(void)
{
	struct filter f;

	if (!start(&f, "milt 1\n"
		       "rule from { when header(\"X-From\") exists\n"
		       "  set sender <bounces@example.com> }\n"
		       "rule null { when header(\"X-Null\") exists\n"
		       "  set sender <> }\n"
		       "rule copy { when header(\"X-Copy\") exists\n"
		       "  add recipient <archive@example.com>\n"
		       "  remove recipient where domain under example.org }\n"
		       "rule all { when header(\"X-All\") exists\n"
		       "  remove recipient add recipient <only@example.com> }\n"
		       "rule hold { when header(\"X-Hold\") exists\n"
		       "  quarantine \"held: {header(\"X-Hold\")}\" }\n"))
		return;
	GIVES(&f,
	    "R X-From: 1; <bounces@example.com> "
	    "recipient@server.invalid",
	    .header = "X-From: 1\n");
	GIVES(&f, "R X-Null: 1; <> recipient@server.invalid",
	    .header = "X-Null: 1\n");
	GIVES(&f,
	    "R X-Copy: 1; <sender@client.invalid> a@b.example,"
	    "archive@example.com",
	    .header = "X-Copy: 1\n",
	    .to = { "<x@example.org>", "<a@b.example>", "<y@s.example.org>" });
	GIVES(&f, "R X-All: 1; <sender@client.invalid> only@example.com",
	    .header = "X-All: 1\n", .to = { "<a@b.example>", "<c@d.example>" });
	GIVES(&f, "R X-Hold: a b; " ENV " held: held: a b",
	    .header = "X-Hold: a b\n");
	finish(&f);
}

/* What cannot be decided stays, where the policy says so. */
static void
test_undecided(void)
{
	struct filter f;

	if (!start(&f, "milt 1\n"
		       "option regex-match-limit 100\n"
		       "option on-failure ignore\n"
		       "rule all { when header(\"X-W\") exists\n"
		       "  remove header \"X-W\" where value matches "
		       "/^(a|aa)+$/\n"
		       "  remove recipient where local matches "
		       "/^(a|aa)+$/ }\n"))
		return;
	GIVES(&f,
	    "R X-W: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab; X-W: b; "
	    "<sender@client.invalid> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab@b.test,"
	    "c@d.test",
	    .header = "X-W: aaa\nX-W: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n"
		      "X-W: aa\nX-W: b\n",
	    .to = { "<aaa@b.test>", "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab@b.test>",
		"<c@d.test>" });
	CHECK(filter_log_count(&f, " ignored rule=all ") == 1);
	finish(&f);
}

static void
test_body(void)
{
	struct filter f;

	if (!start(&f, "milt 1\n"
		       "rule gone { when body.raw contains \"virus\"\n"
		       "  add header \"X-Was\" \"{body.size}\"\n"
		       "  replace body \"removed\\nfrom {sender}\"\n"
		       "  quarantine \"virus\" }\n"))
		return;
	GIVES(&f,
	    "R A: 1; MIME-Version: 1.0; Content-Type: text/plain; "
	    "charset=utf-8; Content-Transfer-Encoding: 8bit; X-Was: 7; " ENV
	    " held: virus body: removed\r\nfrom sender@client.invalid\r\n",
	    .header = "A: 1\n", .body = "virus\r\n");
	GIVES(&f,
	    "R content-type: text/plain; charset=utf-8; "
	    "MIME-Version: 1.0; Content-Transfer-Encoding: 8bit; X-Was: 7; " ENV
	    " held: virus body: removed\r\nfrom sender@client.invalid\r\n",
	    .header = "content-type: text/html\n", .body = "virus\r\n");
	GIVES(&f, "R A: 1; " ENV, .header = "A: 1\n", .body = "clean\r\n");
	finish(&f);
}

/* Values from the client do not break out of the field that they are put in. */
static void
test_safe_values(void)
{
	struct filter f;

	if (!start(&f, "milt 1\n"
		       "rule tag { when helo exists\n"
		       "  add header \"X-Helo\" \"[{helo}]\" }\n"))
		return;
	GIVES(&f, "R A: 1; X-Helo: [a  b: c]; " ENV, .header = "A: 1\n",
	    .helo = "a\r\nb: c");
	GIVES(&f, "R A: 1; X-Helo: [%s%n%%]; " ENV, .header = "A: 1\n",
	    .helo = "%s%n%%");
	GIVES(&f, "R A: 1; X-Helo: []; " ENV, .header = "A: 1\n", .helo = "");
	GIVES(&f, "R A: 1; X-Helo: =?UTF-8?b?W8OkXQ==?=; " ENV,
	    .header = "A: 1\n", .helo = "\xc3\xa4");
	finish(&f);
}

/* Changes belong to accepted messages, and shadow rules change nothing. */
static void
test_not_applied(void)
{
	struct filter f;

	if (!start(&f,
		"milt 1\n"
		"rule tag { when header(\"X\") exists\n"
		"  add header \"X-Tag\" \"1\" quarantine \"x\" }\n"
		"shadow rule never { when header(\"X\") exists\n"
		"  reject 550 5.7.1 \"never\" }\n"
		"rule below { when header(\"X\") is \"accept\" accept }\n"
		"rule no { when header(\"X\") is \"no\"\n"
		"  reject 550 5.7.1 \"no\" }\n"
		"rule late { when header(\"X\") exists\n"
		"  add header \"X-Late\" \"1\" }\n"))
		return;
	GIVES(&f, "reject 550 5.7.1 no at eoh", .header = "X: no\n");
	GIVES(&f, "R X: accept; X-Tag: 1; " ENV " held: x",
	    .header = "X: accept\n");
	GIVES(&f, "R X: 1; X-Tag: 1; X-Late: 1; " ENV " held: x",
	    .header = "X: 1\n");
	CHECK(filter_log_count(&f, "never") == 3);
	finish(&f);
}

int
main(void)
{
	test_add_and_insert();
	test_set_and_remove();
	test_envelope();
	test_undecided();
	test_body();
	test_safe_values();
	test_not_applied();
	TEST_DONE();
}
