/* Questions and answers as octets. */
#include <stdlib.h>

#include "runtime/exchange.h"
#include "tests/unit/js_session.h"

/* ---- questions ------------------------------------------------------------
 */

/* The value of record number `skip` of that key, from 0; {NULL, 0}: none. */
static struct str
value(struct str octets, const char *key, size_t skip)
{
	while (octets.n >= 8) {
		const unsigned char *p = (const unsigned char *)octets.p;
		size_t a = p[0] | p[1] << 8, b = p[4] | p[5] << 8;
		struct str name = { octets.p + 8, a };

		CHECK(p[2] == 0 && p[3] == 0 && p[6] == 0 && p[7] == 0);
		if (str_eq(name, str_from(key)) && skip-- == 0)
			return (struct str){ octets.p + 8 + a, b };
		octets = str_skip(octets, 8 + a + b);
	}
	return (struct str){ NULL, 0 };
}

static void
test_question(void)
{
	struct milt_answer a;
	struct str o;
	char *p;

	if (!start(ONE(
		"r", "when header.subject matches /(?<what>\\w+) (\\d+)/", "")))
		return;
	CHECK(upto(STAGE_HEADERS, &a) == MILT_QUESTION);
	CHECK(question_pack(session, milt_session_question(session), &p, &o.n));
	o.p = p;
	CHECK_STR(value(o, "stage", 0), "headers");
	CHECK_STR(value(o, "rule", 0), "r");
	CHECK(!value(o, "recipient-rule", 0).p);
	CHECK_STR(value(o, "capture", 1), "2");
	CHECK_STR(value(o, "capture.text", 1), "12");
	CHECK_STR(value(o, "capture", 2), "what");
	CHECK_STR(value(o, "client.ip", 0), "192.0.2.1");
	CHECK_STR(value(o, "client.port", 0), "25");
	CHECK_STR(value(o, "helo", 0), "mx.test");
	CHECK_STR(value(o, "sender", 0), "a@b.test");
	CHECK(!value(o, "recipient", 0).p);
	CHECK_STR(value(o, "headers.name", 1), "X-Old");
	CHECK_STR(value(o, "raw header", 1), "1");
	CHECK_STR(value(o, "header.subject", 0), "invoice 12 of A");
	CHECK(!value(o, "message.size", 0).p);
	CHECK(!value(o, "body.raw", 0).p);
	free(p);
	stop();
}

static void
test_recipient(void)
{
	struct milt_answer a;
	struct str o;
	char *p;

	if (!start(ONE("r", "when recipient.domain under d.test", "")))
		return;
	CHECK(upto(STAGE_RCPT, &a) == MILT_QUESTION);
	CHECK(question_pack(session, milt_session_question(session), &p, &o.n));
	o.p = p;
	CHECK(value(o, "recipient-rule", 0).p != NULL);
	CHECK_STR(value(o, "recipient", 0), "c@d.test");
	CHECK(!value(o, "headers", 0).p);
	free(p);
	stop();
}

static void
test_body(void)
{
	struct milt_answer a;
	struct str o;
	char *p;

	if (!start(ONE("r", "", "needs body")))
		return;
	CHECK(upto(STAGE_MESSAGE, &a) == MILT_QUESTION);
	CHECK(question_pack(session, milt_session_question(session), &p, &o.n));
	o.p = p;
	CHECK_STR(value(o, "body.raw", 0), "text\r\n");
	CHECK_STR(value(o, "body.text", 0), "text\n");
	CHECK(value(o, "message.size", 0).p != NULL);
	CHECK(!value(o, "body.partial", 0).p);
	free(p);
	stop();
}

/* ---- answers ---------------------------------------------------------------
 */

struct octets {
	size_t n;
	char p[1000];
};

static void
add_length(struct octets *o, size_t n)
{
	for (int i = 0; i < 4; i++)
		o->p[o->n++] = (char)(n >> 8 * i);
}

static void
add(struct octets *o, const char *key, const char *text)
{
	size_t a = strlen(key), b = strlen(text);

	add_length(o, a);
	add_length(o, b);
	memcpy(o->p + o->n, key, a);
	memcpy(o->p + o->n + a, text, b);
	o->n += a + b;
}

static struct arena arena;

static struct milt_reply
unpack(const char *p, size_t n)
{
	struct milt_reply r;

	reply_unpack(&arena, (struct str){ p, n }, &r);
	return r;
}

static struct octets
everything(void)
{
	struct octets o = { 0 };

	add(&o, "verdict", "reject");
	add(&o, "code", "554");
	add(&o, "xcode", "5.7.9");
	add(&o, "line", "one");
	add(&o, "line", "two");
	add(&o, "change", "insert header");
	add(&o, "index", "3");
	add(&o, "name", "X");
	add(&o, "value", "y");
	add(&o, "change", "remove recipient");
	add(&o, "log", "seen");
	return o;
}

static void
test_reply(void)
{
	struct octets o = everything();
	struct milt_reply r = unpack(o.p, o.n);

	CHECK(r.kind == REPLY_ANSWER && r.verdict == ACTION_REJECT);
	CHECK(r.code == 554 && r.line_count == 2);
	CHECK_STR(r.xcode, "5.7.9");
	CHECK_STR(r.lines[1], "two");
	CHECK(r.change_count == 2);
	CHECK(r.changes[0].action == ACTION_INSERT_HEADER);
	CHECK(r.changes[0].index == 3);
	CHECK_STR(r.changes[0].name, "X");
	CHECK_STR(r.changes[0].value, "y");
	CHECK(r.changes[1].action == ACTION_REMOVE_RECIPIENT);
	CHECK_STR(r.changes[1].value, "");
	CHECK(r.log_count == 1);
	CHECK_STR(r.logs[0], "seen");
	CHECK(unpack("", 0).kind == REPLY_NOTHING);
	o.n = 0;
	add(&o, "log", "x");
	r = unpack(o.p, o.n);
	CHECK(r.kind == REPLY_ANSWER && r.verdict == ACTION_NONE);
}

static void
check_failure(const char *key, const char *text, const char *why)
{
	struct octets o = { 0 };
	struct milt_reply r;

	add(&o, key, text);
	r = unpack(o.p, o.n);
	CHECK(r.kind == REPLY_FAILURE);
	CHECK_STR(str_from(r.failure), why);
}

static void
test_failed(void)
{
	static const char bad[] = "the function's answer is malformed";

	check_failure("failure", "threw", "the function threw an error");
	check_failure("failure", "missing", "there is no such function");
	check_failure("failure", "what", bad);
	check_failure("verdict", "add header", bad);
	check_failure("verdict", "", bad);
	check_failure("change", "reject", bad);
	check_failure("change", "log", bad);
	check_failure("name", "x", bad);
	check_failure("code", "", bad);
	check_failure("code", "1000", bad);
	check_failure("code", "-1", bad);
	check_failure("code", "99999999999999999999999", bad);
	check_failure("unknown", "", bad);
}

/* Cut and changed anywhere it is an answer or a failure. */
static void
test_mutations(void)
{
	const struct octets whole = everything();
	unsigned seed = 1;
	size_t failures = 0;

	for (size_t n = 0; n < whole.n; n++) {
		/* Of its size, for AddressSanitizer to see its end. */
		char *copy = malloc(n + 1);

		if (!copy)
			abort();
		memcpy(copy, whole.p, n);
		copy = realloc(copy, n ? n : 1);
		failures += unpack(copy, n).kind == REPLY_FAILURE;
		free(copy);
	}
	CHECK(failures > 0 && failures < whole.n);
	failures = 0;
	for (int i = 0; i < 20000; i++) {
		struct octets o = whole;

		for (int k = 0; k < 3; k++) {
			seed = seed * 1664525u + 1013904223u;
			o.p[(seed >> 8) % o.n] = (char)(seed >> 20);
		}
		failures += unpack(o.p, o.n).kind == REPLY_FAILURE;
		arena_reset(&arena);
	}
	CHECK(failures > 0);
}

int
main(void)
{
	arena_init(&arena, 0, NULL);
	test_question();
	test_recipient();
	test_body();
	test_reply();
	test_failed();
	test_mutations();
	arena_free(&arena);
	TEST_DONE();
}
