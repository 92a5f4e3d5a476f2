/* Each limit that is hit while mail is decided is counted. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/edits.h"
#include "runtime/limits.h"
#include "runtime/session.h"
#include "tests/unit/test.h"

static struct milt_image *im;
static struct milt_session *s;

/* ---- a transaction --------------------------------------------------------
 */

static void
open_policy(const char *text)
{
	struct compile_options o = { 0 };
	struct compilation c;
	const char *why = "it does not compile";

	im = NULL;
	s = NULL;
	if (milt_compile_text(&c, STR("limits"), str_from(text), &o) == MILT_OK)
		(void)milt_image_load(c.image, c.image_size, &im, &why);
	else
		diags_print(&c.diags, stdout, false);
	milt_compile_free(&c);
	if (im)
		s = milt_session_new(im);
	CHECK(s != NULL);
	if (!s)
		exit(1);
}

static void
close_policy(void)
{
	milt_session_free(s);
	milt_image_free(im);
}

static struct facts *
begin(enum milt_stage stage)
{
	milt_session_begin(s, stage);
	return milt_session_facts(s);
}

static struct milt_answer
answer(void)
{
	struct milt_answer a = { 0 };

	CHECK(milt_session_answer(s, &a) == MILT_OK);
	return a;
}

static void
envelope(struct str helo)
{
	CHECK(facts_client(begin(STAGE_CONNECT), STR("x"), true, NULL, 0) ==
	      MILT_OK);
	answer();
	CHECK(facts_helo(begin(STAGE_HELO), helo) == MILT_OK);
	answer();
	CHECK(facts_mail(begin(STAGE_MAIL), STR("<a@b.test>"), NULL, 0) ==
	      MILT_OK);
	answer();
	CHECK(facts_rcpt(begin(STAGE_RCPT), STR("<c@d.test>"), NULL, 0) ==
	      MILT_OK);
	answer();
	begin(STAGE_DATA);
	answer();
}

static struct milt_answer
message(const char *name, struct str value, size_t times, struct str body)
{
	struct facts *f;

	envelope(STR("helo.test"));
	f = begin(STAGE_HEADERS);
	for (size_t i = 0; i < times; i++)
		if (facts_header(f, str_from(name), value) != MILT_OK)
			printf("# a field is refused\n");
	answer();
	f = begin(STAGE_MESSAGE);
	CHECK(facts_body(f, body) == MILT_OK);
	return answer();
}

static struct str
filled(size_t n, char c)
{
	char *p = malloc(n);

	if (!p)
		abort();
	memset(p, c, n);
	return (struct str){ p, n };
}

static void
release(struct str text)
{
	free((char *)(uintptr_t)text.p);
}

/* `part` so many times. */
static struct str
repeated(struct str head, const char *part, size_t times)
{
	size_t n = strlen(part);
	char *p = malloc(head.n + n * times);

	if (!p)
		abort();
	memcpy(p, head.p, head.n);
	for (size_t i = 0; i < times; i++)
		memcpy(p + head.n + i * n, part, n);
	return (struct str){ p, head.n + n * times };
}

/* ---- the limits -----------------------------------------------------------
 */

static void
test_header(void)
{
	struct str large = filled(200000, 'a'), long_value = filled(60000, 'b');

	open_policy("milt 1\n"
		    "rule a { when header(\"X\") is \"1\" reject \"x\" }\n"
		    "rule b { when header.to.domain is \"x\" reject \"x\" }\n");
	message("Y", STR("1"), LIMIT_VALUE_HEADER_COUNT, STR("x"));
	CHECK(limit_hits(LIMIT_HEADER_COUNT) == 0);
	message("Y", STR("1"), LIMIT_VALUE_HEADER_COUNT + 3, STR("x"));
	CHECK(limit_hits(LIMIT_HEADER_COUNT) == 1);
	message("Y", long_value, 100, STR("x"));
	CHECK(limit_hits(LIMIT_HEADER_BYTES) == 1);
	message("To", large, 1, STR("x"));
	CHECK(limit_hits(LIMIT_ADDRESS_BYTES) == 1);
	close_policy();
	release(large);
	release(long_value);
}

static void
test_values(void)
{
	struct str large = filled(LIMIT_VALUE_ARGUMENT_BYTES + 1, 'a');
	struct str value = filled(LIMIT_VALUE_HEADER_VALUE + 1, 'b');
	struct milt_change delays[] = {
		{ .action = ACTION_DELAY, .milliseconds = 200000 },
		{ .action = ACTION_DELAY, .milliseconds = 200000 },
	};

	open_policy("milt 1\n"
		    "rule a { when helo is \"helo.test\" add header \"X-A\" "
		    "\"{header(\"Y\")}\" }\n"
		    "otherwise reject \"{header(\"Y\")}\"\n");
	message("Y", value, 1, STR("x"));
	CHECK(limit_hits(LIMIT_REPLY_LINE) >= 1);
	close_policy();
	open_policy("milt 1\n"
		    "rule a { when helo is \"helo.test\" add header \"X-A\" "
		    "\"{header(\"Y\")}\" }\n");
	message("Y", value, 1, STR("x"));
	CHECK(limit_hits(LIMIT_HEADER_VALUE) == 1);
	CHECK(limit_hits(LIMIT_HEADER_LINE) == 1);
	CHECK(facts_helo(begin(STAGE_HELO), large) == MILT_OK);
	CHECK(limit_hits(LIMIT_ARGUMENT_BYTES) == 1);
	close_policy();
	CHECK(milt_delay(delays, 1) == 200000);
	CHECK(limit_hits(LIMIT_DELAY) == 0);
	CHECK(milt_delay(delays, 2) == (long long)LIMIT_VALUE_DELAY);
	CHECK(limit_hits(LIMIT_DELAY) == 1);
	release(large);
	release(value);
}

static void
test_recipients(void)
{
	open_policy(
	    "milt 1\nrule a { when recipient is <no@x.test> reject \"x\" }\n");
	envelope(STR("x"));
	CHECK(facts_mail(begin(STAGE_MAIL), STR("<a@b.test>"), NULL, 0) ==
	      MILT_OK);
	answer();
	for (size_t i = 0; i < LIMIT_VALUE_RECIPIENTS + 1; i++) {
		struct milt_answer a = { 0 };

		if (facts_rcpt(begin(STAGE_RCPT), STR("<c@d.test>"), NULL, 0) !=
			MILT_OK ||
		    milt_session_answer(s, &a) != MILT_OK)
			printf("# recipient %zu\n", i);
	}
	CHECK(limit_hits(LIMIT_RECIPIENTS) == 1);
	close_policy();
}

static void
test_work(void)
{
	struct str subject = filled(60, 'a'), large = filled(1 << 20, 'a');

	open_policy(
	    "milt 1\noption regex-match-limit 1000\n"
	    "option on-failure ignore\n"
	    "rule a { when header(\"X\") matches /^(a+)+$/ reject \"x\" }\n");
	((char *)(uintptr_t)subject.p)[59] = 'b';
	CHECK(message("X", subject, 1, STR("x")).kind == ANSWER_ACCEPT);
	CHECK(limit_option_hits(OPTION_REGEX_MATCH_LIMIT) == 1);
	CHECK(failures_ignored() == 1);
	close_policy();
	open_policy("milt 1\noption regex-match-limit 10000000\n"
		    "option regex-heap-limit 64KB\n"
		    "rule a { when body.raw matches /^(?:(a)|(b))*[cd]/ reject "
		    "\"x\" }\n");
	message("X", STR("1"), 1, large);
	CHECK(limit_option_hits(OPTION_REGEX_HEAP_LIMIT) == 1);
	close_policy();
	release(subject);
	release(large);
}

static void
test_content(void)
{
	struct str parts =
	    repeated(STR(""), "--x\r\n\r\na\r\n", LIMIT_VALUE_PARTS + 1);
	struct str links = repeated(
	    STR("<p>"), "<a href='http://a.test/'>b</a>", LIMIT_VALUE_URLS + 1);
	struct str url = repeated(STR("http://a.test/"), "x", 5000);

	open_policy(
	    "milt 1\noption scan-limit 1MB\n"
	    "rule a { when any part { type is \"x/y\" } reject \"x\" }\n"
	    "rule b { when url.host is \"x.test\" reject \"x\" }\n"
	    "rule c { when body.html contains \"none\" reject \"x\" }\n");
	message("Content-Type", STR("multipart/mixed; boundary=x"), 1, parts);
	CHECK(limit_hits(LIMIT_PARTS) == 1);
	message("Content-Type", STR("text/html"), 1, links);
	CHECK(limit_hits(LIMIT_URLS) == 1);
	message("Content-Type", STR("text/plain"), 1, url);
	CHECK(limit_hits(LIMIT_URL_BYTES) == 1);
	CHECK(limit_option_hits(OPTION_SCAN_LIMIT) == 0);
	message("X", STR("1"), 1, STR("x"));
	release(parts);
	parts = filled((1 << 20) + 1, 'x');
	message("X", STR("1"), 1, parts);
	CHECK(limit_option_hits(OPTION_SCAN_LIMIT) == 1);
	close_policy();
	release(parts);
	release(links);
	release(url);
}

/* A tar with three files of 1000 octets. */
static struct str
tar(char *room, size_t size)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	struct str octets = filled(1000, 'x');
	size_t n = 0;

	archive_write_set_format_ustar(a);
	archive_write_open_memory(a, room, size, &n);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, 1000);
	for (int i = 0; i < 3; i++) {
		archive_entry_set_pathname(e, "a.txt");
		archive_write_header(a, e);
		archive_write_data(a, octets.p, octets.n);
	}
	archive_entry_free(e);
	archive_write_close(a);
	archive_write_free(a);
	release(octets);
	return (struct str){ room, n };
}

static void
archive_with(const char *option)
{
	static char room[1 << 16];
	char policy[300];

	snprintf(policy, sizeof(policy),
	    "milt 1\n%s\n"
	    "rule a { when any file { extension is \"exe\" } reject \"x\" }\n",
	    option);
	open_policy(policy);
	message("Content-Type", STR("application/x-tar"), 1,
	    tar(room, sizeof(room)));
	close_policy();
}

static void
test_archives(void)
{
	archive_with("");
	CHECK(limit_option_hits(OPTION_ARCHIVE_MEMBERS) == 0);
	archive_with("option archive-members 2");
	CHECK(limit_option_hits(OPTION_ARCHIVE_MEMBERS) == 1);
	CHECK(limit_option_hits(OPTION_ARCHIVE_SIZE) == 0);
	archive_with("option archive-size 1500B");
	CHECK(limit_option_hits(OPTION_ARCHIVE_SIZE) == 1);
	CHECK(limit_option_hits(OPTION_ARCHIVE_DEPTH) == 0);
	archive_with("option archive-depth 0");
	CHECK(limit_option_hits(OPTION_ARCHIVE_DEPTH) == 1);
}

static void
test_memory(void)
{
	struct str large = filled(60000, 'm');
	struct facts *f;
	bool fits = true;

	open_policy("milt 1\nrule a { when macro(\"{a}\") is \"x\" accept }\n");
	f = begin(STAGE_CONNECT);
	for (int i = 0; i < 100 && fits; i++) {
		char name[] = { 'a', (char)i };

		fits =
		    facts_macro(f, STAGE_CONNECT,
			(struct str){ name, sizeof(name) }, large) == MILT_OK;
	}
	CHECK(!fits);
	CHECK(limit_hits(LIMIT_SESSION_MEMORY) == 1);
	f = begin(STAGE_MAIL);
	CHECK(!arena_alloc(facts_arena(f), LIMIT_VALUE_MESSAGE_MEMORY + 1));
	CHECK(limit_hits(LIMIT_MESSAGE_MEMORY) == 1);
	facts_budget.refused = limit_counter(LIMIT_TOTAL_MEMORY);
	facts_budget.limit = 1;
	CHECK(facts_mail(f, STR("<a@b.test>"), NULL, 0) == MILT_NO_MEMORY);
	CHECK(limit_hits(LIMIT_TOTAL_MEMORY) >= 1);
	facts_budget.limit = 0;
	close_policy();
	release(large);
}

/* Answers to a js rule that is asked at once. */
static void
reply_with(size_t logs, size_t octets)
{
	struct str text = filled(octets, 'l');
	struct str *lines = calloc(logs, sizeof(*lines));
	struct milt_reply r = {
		.kind = REPLY_ANSWER, .logs = lines, .log_count = logs
	};
	struct milt_answer a = { 0 };

	if (!lines)
		abort();
	for (size_t i = 0; i < logs; i++)
		lines[i] = text;
	open_policy("milt 1\njs rule j { call \"a.mjs#f\" timeout 1s on "
		    "failure tempfail }\n");
	CHECK(facts_client(begin(STAGE_CONNECT), STR("x"), true, NULL, 0) ==
	      MILT_OK);
	CHECK(milt_session_answer(s, &a) == MILT_QUESTION);
	(void)milt_session_reply(s, &r);
	close_policy();
	free(lines);
	release(text);
}

static void
test_js(void)
{
	reply_with(LIMIT_VALUE_JS_CHANGES, 1);
	CHECK(limit_hits(LIMIT_JS_CHANGES) == 0);
	reply_with(LIMIT_VALUE_JS_CHANGES + 1, 1);
	CHECK(limit_hits(LIMIT_JS_CHANGES) == 1);
	CHECK(limit_hits(LIMIT_JS_ANSWERS) == 0);
	reply_with(LIMIT_VALUE_JS_CHANGES, 1000);
	CHECK(limit_hits(LIMIT_JS_ANSWERS) == 1);
	reply_with(17, 1 << 20);
	CHECK(limit_hits(LIMIT_JS_ANSWER) == 1);
}

/* None was forgotten here. */
static void
test_all(void)
{
	for (int i = 0; i < LIMIT_COUNT; i++) {
		bool hit = limit_hits((enum milt_limit)i) > 0;

		/* protocol/delay, unit/flow */
		if (i == LIMIT_DELAYED || i == LIMIT_STEPS)
			continue;
		if (hit != limit_rows[i].counted)
			printf("# %.*s\n", STR_ARG(limit_rows[i].id));
		CHECK(hit == limit_rows[i].counted);
	}
	for (size_t i = 0; i < counted_option_count; i++)
		CHECK(limit_option_hits(counted_options[i]) > 0);
}

int
main(void)
{
	test_header();
	test_values();
	test_recipients();
	test_work();
	test_content();
	test_archives();
	test_memory();
	test_js();
	test_all();
	TEST_DONE();
}
