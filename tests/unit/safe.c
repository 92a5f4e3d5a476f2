/* Values made safe for header fields: runtime/safe.h. */
#include "runtime/safe.h"

#include <stdlib.h>

#include "dsl/tables.h"
#include "runtime/facts.h"
#include "tests/unit/facts_fake.h"
#include "tests/unit/test.h"

#define JA "\xe6\x97\xa5"      /* three octets */
#define MIL "\xf0\x9f\x93\xa7" /* four octets */
#define FOUR(s) s s s s
#define TWENTY(s) FOUR(s) FOUR(s) FOUR(s) FOUR(s) FOUR(s)

static struct facts *f;
static struct arena arena;

static const struct {
	const char *text, *value;
} rows[] = {
	{ "", "" },
	{ "plain text", "plain text" },
	{ " a\r\nb\tc\x7f", "a  b c" },
	{ "gr\xc3\xbcn und blau", "=?UTF-8?b?Z3LDvG4=?= und blau" },
	{ "a  \xc3\xbc  b", "a  =?UTF-8?b?w7w=?=  b" },
	{ "\xc3\xbc  \xc3\xa4", "=?UTF-8?b?w7wgIMOk?=" },
	{ "(longer-than-base64-at-last_\xc3\xa9)",
	    "=?UTF-8?q?=28longer-than-base64-at-last=5F=C3=A9=29?=" },
	{ "bad \xff", "bad =?UTF-8?b?77+9?=" },
	{ "a \xc3\xbc b \xc3\xa4 c", "a =?UTF-8?b?w7wgYiDDpA==?= c" },
	{ "\xc3\xbc =?utf-8?q?x?= \xc3\xbc",
	    "=?UTF-8?b?w7w=?= =?utf-8?q?x?= =?UTF-8?b?w7w=?=" },
	{ "=?utf-8?q?x?= \xc3\xbc", "=?utf-8?q?x?= =?UTF-8?b?w7w=?=" },
	/* one line more than there is room for */
	{ "[EXT] " TWENTY(JA) FOUR(JA) FOUR(JA),
	    "[EXT]\n"
	    " =?UTF-8?b?"
	    "5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel"
	    "5pel?=\n"
	    " =?UTF-8?b?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?"
	    "=" },
	/* at the beginning, what the name leaves */
	{ TWENTY(JA),
	    "=?UTF-8?b?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?=\n"
	    " =?UTF-8?b?5pel5pel5pel5pel5pel5pel5pel?=" },
	/* ASCII beside it is folded, too */
	{ "\xc3\xbc 2345678901234567890123456789 2345678901234567890123456789 "
	  "x",
	    "=?UTF-8?b?w7w=?= 2345678901234567890123456789\n"
	    " 2345678901234567890123456789 x" },
};

static struct str
value_of(struct str text, size_t name)
{
	return safe_header_value(&arena, text, name);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		test_str(value_of(str_from(rows[i].text), strlen("Subject")),
		    str_from(rows[i].value), __FILE__, __LINE__, "value");
}

/* RFC 2047 2: words of 75 octets, lines of 76 with them. */
static bool
lines_fit(struct str value, size_t name)
{
	size_t column = name + 2;
	bool ok = true;

	while (value.n) {
		size_t n = str_find(value, '\n');
		struct str line = str_head(value, n), word;

		value = str_skip(value, n + (n < value.n));
		ok = ok && line.n > 1 && column + line.n <= 76;
		while (line.n) {
			word = str_head(line, str_find(line, ' '));
			line = str_skip(line, word.n + (word.n < line.n));
			ok = ok && word.n <= 75;
		}
		column = 0;
	}
	return ok;
}

/* As the MTA gives it to a reader. */
static bool
reads_as(struct str value, struct str text)
{
	struct fact_value v;

	facts_reset(f, STAGE_CONNECT);
	return facts_header(f, STR("Subject"), value) == MILT_OK &&
	       facts_get(f, ATTR_HEADER_SUBJECT, STR(""), 0, &v) ==
		   FACT_THERE &&
	       str_eq(v.text, text);
}

/* Characters of all lengths, at all places where a line may end. */
static void
test_round_trip(void)
{
	static const char *const pieces[] = { "a", JA, " ", "\xc3\xbc", MIL,
		" bc", JA JA, "=", "_?" };
	char text[1200];
	unsigned draw = 1;
	bool fits = true, same = true;

	for (size_t round = 0; round < 300; round++) {
		size_t n = 0, name = strlen("Subject");
		struct str value;

		n += (size_t)snprintf(text, sizeof(text), "x" JA);
		while (n < 20 + 3 * round) {
			draw = draw * 1103515245 + 12345;
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
			    pieces[(draw >> 16) % 9]);
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, JA "x");
		value = value_of((struct str){ text, n }, name);
		fits = fits && lines_fit(value, name);
		same = same && reads_as(value, (struct str){ text, n });
	}
	CHECK(fits);
	CHECK(same);
}

/* What is cut is cut between characters, words and lines. */
static void
test_large(void)
{
	size_t n = 3 * 30000;
	char *p = malloc(n);
	struct str value;

	CHECK(p != NULL);
	for (size_t i = 0; p && i < n; i++)
		p[i] = JA[i % 3];
	value = value_of((struct str){ p, n }, strlen("Subject"));
	CHECK(value.n <= LIMIT_VALUE_HEADER_VALUE);
	CHECK(value.n > LIMIT_VALUE_HEADER_VALUE - 80);
	CHECK(lines_fit(value, strlen("Subject")));
	CHECK(str_ends(value, STR("?=")));
	value = value_of((struct str){ p, 60 }, 2000);
	CHECK(value.n == 0);
	free(p);
}

int
main(void)
{
	f = facts_new(fake_reset());
	CHECK(f != NULL);
	facts_init();
	arena_init(&arena, 0, NULL);
	test_rows();
	test_round_trip();
	test_large();
	arena_free(&arena);
	facts_free(f);
	TEST_DONE();
}
