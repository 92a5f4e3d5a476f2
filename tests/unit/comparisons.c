/*
 * Each operator with each pair of types: what dsl/comparisons.def has compiles,
 * and nothing else.
 */
#include "compiler/compile.h"
#include "tests/unit/test.h"

enum { TYPE_HELO = TYPE_COUNT, TYPES };
enum right_kind { RIGHT_VALUE, RIGHT_LIST, RIGHT_ATTR, RIGHT_REGEX };

static const struct {
	enum compare_op op;
	int left;
	enum right_kind kind;
	int right;
	bool exactly;
} rows[] = {
#define EXACT true
#define PLAIN false
#define COMPARE(op, left, kind, right, exactly) \
	{ OP_##op, TYPE_##left, RIGHT_##kind, TYPE_##right, exactly },
#include "dsl/comparisons.def"
#undef COMPARE
};

/* An attribute of each type, a literal of it, and a list of it. */
static const struct {
	const char *attr, *literal, *list;
} samples[] = {
	[TYPE_TEXT] = { "sender.local", "\"x\"", "texts" },
	[TYPE_DOMAIN] = { "client.name", "\"example.com\"", "domains" },
	[TYPE_ADDRESS] = { "sender", "<a@example.com>", "addresses" },
	[TYPE_NETWORK] = { "client.network", "192.0.2.0/24", "networks" },
	[TYPE_NUMBER] = { "client.port", "25", "numbers" },
	[TYPE_IP] = { "client.ip", "192.0.2.1", NULL },
	[TYPE_SIZE] = { "body.size", "10MB", NULL },
	[TYPE_DURATION] = { "header.date.age", "30d", NULL },
	[TYPE_TIME] = { "now", "\"2026-01-31T12:00:00Z\"", NULL },
	[TYPE_DATE] = { "now.date", "\"2026-01-31\"", NULL },
	[TYPE_WEEKDAY] = { "now.weekday", "sun", NULL },
	[TYPE_RESULT] = { "dkim", "pass", NULL },
	[TYPE_BOOLEAN] = { "tls.verified", "yes", NULL },
	[TYPE_RECORD] = { "headers", NULL, NULL },
	[TYPE_HELO] = { "helo", NULL, NULL },
};

static bool
compiles(
    const char *left, const char *op, const char *exactly, const char *right)
{
	struct compile_options options = { 0 };
	struct compilation c;
	char text[512];
	enum milt_status s;

	snprintf(text, sizeof(text),
	    "milt 1\n"
	    "list texts of text { x }\n"
	    "list domains of domain { example.com }\n"
	    "list addresses of address { <a@example.com> }\n"
	    "list networks of network { 192.0.2.0/24 }\n"
	    "list numbers of number { 25 }\n"
	    "rule r { when %s %s %s %s log \"x\" }\n",
	    left, op, exactly, right);
	s = milt_compile_text(&c, STR("p.milt"), str_from(text), &options);
	milt_compile_free(&c);
	return s == MILT_OK;
}

/* Text that stands for `helo`, and the other way round, agree with TEXT. */
static bool
allowed(int op, int left, enum right_kind kind, int right)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool l = rows[i].left == left ||
			 (left == TYPE_HELO && rows[i].left == TYPE_TEXT);
		bool r = rows[i].right == right ||
			 (right == TYPE_HELO && rows[i].right == TYPE_TEXT);

		if ((int)rows[i].op == op && rows[i].kind == kind && l && r)
			return true;
	}
	return false;
}

static void
check(int op, int left, enum right_kind kind, int right, const char *words)
{
	char what[128];

	if (!words)
		return;
	snprintf(what, sizeof(what), "%s %s %s", samples[left].attr,
	    operator_rows[op].words.p, words);
	test_check(compiles(samples[left].attr, operator_rows[op].words.p, "",
		       words) == allowed(op, left, kind, right),
	    __FILE__, __LINE__, what);
}

int
main(void)
{
	int ops = OP_COUNT;

	for (int op = 0; op < ops; op++)
		for (int l = TYPE_TEXT; l < TYPES; l++)
			for (int r = TYPE_TEXT; r < TYPES; r++) {
				check(op, l, RIGHT_ATTR, r, samples[r].attr);
				check(op, l, RIGHT_LIST, r, samples[r].list);
			}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *left = samples[rows[i].left].attr;
		const char *op = operator_rows[rows[i].op].words.p;
		const char *right = samples[rows[i].right].literal;

		if (rows[i].kind == RIGHT_REGEX)
			right = "/x/";
		else if (rows[i].kind != RIGHT_VALUE)
			continue;
		test_check(compiles(left, op, "", right), left, (int)i, op);
		test_check(
		    rows[i].kind == RIGHT_REGEX ||
			compiles(left, op, "exactly", right) == rows[i].exactly,
		    "exactly", (int)i, op);
	}
	TEST_DONE();
}
