/* base64, against a reading of it bit by bit. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "runtime/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { MOST = 300 };

static int
value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* Eight bits are an octet; padding ends a group of whatever length. */
static size_t
slow_decode(struct str s, uint8_t *out)
{
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = value_of(s.p[i]);

		if (s.p[i] == '=')
			have = 0;
		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	return n;
}

static bool
slow_goes_on(struct str s)
{
	bool padding = false;

	for (size_t i = 0; i < s.n; i++) {
		padding |= s.p[i] == '=';
		if (padding && value_of(s.p[i]) >= 0)
			return true;
	}
	return false;
}

static bool
slow_is_loose(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (value_of(s.p[i]) < 0 &&
		    (!s.p[i] || !strchr("= \t\n\v\f\r", s.p[i])))
			return true;
	return false;
}

/* As long as it is, so that a sanitizer sees what is read behind it. */
static bool
is_same(struct str s)
{
	uint8_t *fast = malloc(s.n ? s.n : 1), slow[MOST];
	char *copy = malloc(s.n + 1);
	struct str text = { memcpy(copy + 1, s.p, s.n), s.n };
	size_t n = base64_decode(text, fast);
	bool same = n == slow_decode(s, slow) && !memcmp(fast, slow, n) &&
		    base64_goes_on(text) == slow_goes_on(s) &&
		    base64_is_loose(text) == slow_is_loose(s);

	free(fast);
	free(copy);
	return same;
}

/* Mostly letters; as the seed says others, too. */
static struct str
random_text(char *out)
{
	size_t n = (size_t)rand() % MOST;
	int others = rand() % 4, often = 1 + rand() % 100;

	for (size_t i = 0; i < n; i++) {
		out[i] = alphabet[rand() % 64];
		if (others > 0 && rand() % often == 0)
			out[i] = " \r\n\t\v\f"[rand() % 6];
		if (others > 1 && rand() % (20 * often) == 0)
			out[i] = '=';
		if (others > 2 && rand() % (40 * often) == 0)
			out[i] = (char)rand();
	}
	return (struct str){ out, n };
}

static void
at_random(void)
{
	char text[MOST];
	int wrong = 0, loose = 0, on = 0;

	srand(1);
	for (int i = 0; i < 100000; i++) {
		struct str s = random_text(text);

		wrong += !is_same(s);
		loose += slow_is_loose(s);
		on += slow_goes_on(s);
	}
	CHECK(wrong == 0);
	CHECK(loose > 1000 && loose < 50000);
	CHECK(on > 1000 && on < 90000);
}

/* Each octet at each place of a block. */
static void
each_octet(void)
{
	char text[130];
	int wrong = 0;

	for (size_t at = 0; at < sizeof(text); at++)
		for (int c = 0; c < 256; c++) {
			memset(text, 'A', sizeof(text));
			text[at] = (char)c;
			wrong += !is_same((struct str){ text, sizeof(text) });
		}
	CHECK(wrong == 0);
}

static struct str
decoded(const char *text)
{
	static uint8_t out[64];
	size_t n = base64_decode(str_from(text), out);

	return (struct str){ (const char *)out, n };
}

int
main(void)
{
	CHECK_STR(decoded(""), "");
	CHECK_STR(decoded("aW52b2ljZQ=="), "invoice");
	CHECK_STR(decoded("aW52b2ljZQ="), "invoice");
	CHECK_STR(decoded("aW52b2ljZQ"), "invoice");
	CHECK_STR(decoded("aW52b2ljZXM"), "invoices");
	CHECK_STR(decoded("aW52b2ljZXMh"), "invoices!");
	CHECK_STR(decoded("aW52b2ljZXMhQ"), "invoices!");
	CHECK_STR(decoded("aW52\r\n b2lj\tZQ==\r\n"), "invoice");
	CHECK_STR(decoded("aW5-2b2?ljZQ=="), "invoice");
	CHECK_STR(decoded("aW4=dm8=aWNl===="), "invoice");
	CHECK_STR(decoded("===="), "");
	CHECK_STR(decoded("Q==="), "");
	CHECK(base64_goes_on(STR("aW4=dm8=")));
	CHECK(!base64_goes_on(STR("aW4= \r\n==")));
	CHECK(base64_is_loose(STR("aW5-")));
	CHECK(!base64_is_loose(STR("aW5+/== \t\r\n")));
	CHECK(!base64_is_loose(STR("")));
	each_octet();
	at_random();
	TEST_DONE();
}
