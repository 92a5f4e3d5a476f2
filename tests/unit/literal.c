/* Required literals: what is told from a regex, and when nothing is. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "runtime/literal.h"
#include "runtime/literal_class.h"
#include "runtime/match.h"
#include "tests/unit/builder.h"

enum { I = REGEX_I, M = REGEX_M, S = REGEX_S, X = REGEX_X, B = REGEX_BYTES };

static size_t
put_width(char *out, uint32_t w)
{
	if (w == LITERAL_ANY)
		return (size_t)sprintf(out, "any");
	if (width_lines(w))
		return (size_t)sprintf(
		    out, "%uL+%u", width_lines(w), width_octets(w));
	return (size_t)sprintf(out, "%u", w);
}

/* "text@min-max" for each literal, in order; "-" where there are none. */
static const char *
literals_text(const char *source, uint32_t flags)
{
	static char out[LITERALS_MOST * 64];
	struct literals set;
	struct literals_also also;
	size_t n = 0;

	if (!literals_of(str_from(source), flags, &set, &also))
		return "-";
	for (uint32_t i = 0; i < set.n; i++) {
		const struct literal *l = &set.v[i];

		n += (size_t)sprintf(out + n, "%s%.*s@", i ? " " : "",
		    (int)l->n, (const char *)l->text);
		n += put_width(out + n, l->min);
		if (l->max == l->min)
			continue;
		out[n++] = '-';
		n += put_width(out + n, l->max);
	}
	return out;
}

struct expectation {
	const char *source;
	uint32_t flags;
	const char *literals;
};

static const struct expectation expectations[] = {
	/* plain texts, folded */
	{ "invoice", 0, "invoice@0" },
	{ "Invoice", I, "invoice@0" },
	{ "a\\.b\\-c", 0, "a.b-c@0" },
	{ "ab", 0, "-" },
	{ "the", 0, "the@0" },
	{ "", 0, "-" },
	/* alternatives, classes, options */
	{ "invoice|payment", 0, "invoice@0 payment@0" },
	{ "invoice|x", 0, "-" },
	{ "invoice|", 0, "-" },
	{ "colou?r", 0, "colour@0 color@0" },
	{ "v[i1]agra", 0, "v1agra@0 viagra@0" },
	{ "x(?:foo|bar)y", 0, "xfooy@0 xbary@0" },
	{ "[a-z]invoice", 0, "invoice@1" },
	{ "[^a]invoice", B, "invoice@1" },
	{ "[^a]invoice", 0, "invoice@1-4" },
	{ "(?:a|bc)\\dinvoice", B, "invoice@2-3" },
	/* repeats */
	{ "x{3}yz", 0, "xxxyz@0" },
	{ "(?:invoice)+", 0, "invoice@0" },
	{ "(?:invoice)*abc", 0, "abc@0-1L+0" },
	{ "pay(?:ment)?s", 0, "payments@0 pays@0" },
	{ "wo+rd", 0, "ord@1-1L+1" },
	{ "(?:invoice){0}abc", 0, "abc@0" },
	{ "x{2,3}invoice", 0, "xinvoice@1-2" },
	/* widths: to the line's begin, or beyond */
	{ ".*invoice", 0, "invoice@0-1L+0" },
	{ ".*invoice", S, "invoice@0-any" },
	{ "(?s).*invoice", 0, "invoice@0-any" },
	{ "(?-s).*invoice", S, "invoice@0-1L+0" },
	{ "\\s*invoice", 0, "invoice@0-any" },
	{ "[\\w.+-]+@paypal", 0, "`paypal@1-1L+0" },
	{ "[^>]*paypal", 0, "paypal@0-any" },
	{ "[^\\s>]*paypal", 0, "paypal@0-1L+0" },
	{ "[^\\r>]*paypal", 0, "paypal@0-any" },
	{ "[[:alpha:]]*paypal", 0, "paypal@0-any" },
	{ "a.*b.*paypal", 0, "paypal@2-2L+2" },
	{ "a.*b.*c.*paypal", 0, "paypal@3-any" },
	{ "(a).*\\1paypal", 0, "paypal@1-any" },
	/* zero width */
	{ "\\bfoo\\b bar$", 0, "foo bar@0" },
	{ "foo(?=x)bar(?!y)(?<=z)baz", 0, "foobarbaz@0" },
	{ "foo\\Kbar", 0, "foobar@0" },
	{ "^foo\\Abar\\z", M, "foobar@0" },
	/* groups */
	{ "(?<n>foo)(?'m'bar)(?P<o>baz)(?>q)", 0, "foobarbazq@0" },
	{ "(?|foo|bar)baz", 0, "foobaz@0 barbaz@0" },
	{ "foo(?#c)bar", 0, "foobar@0" },
	/* flags in the pattern */
	{ "foo(?i)bar", 0, "foobar@0" },
	{ "(?x) foo bar # baz", 0, "foobar@0" },
	{ "(?x: foo) bar", 0, "foo bar@0" },
	{ "foo +bar # x\n baz", X, "obarbaz@2-1L+2" },
	{ "(?^:foo bar)", X, "foo bar@0" },
	/* quoting and escapes */
	{ "\\Qa.b*c\\E", 0, "a.b*c@0" },
	{ "\\Qabc\\E+d", 0, "abc@0" },
	{ "\\Qabc", 0, "abc@0" },
	{ "\\x66oo\\x{62}ar", 0, "foobar@0" },
	{ "\\146oo", 0, "-" },
	{ "\\0abc", 0, " abc@0" },
	{ "x{abc}", 0, "x{abc}@0" },
	{ "a]bcd", 0, "a}bcd@0" },
	/* characters beyond ASCII */
	{ "caf\xc3\xa9", 0, "caf\xe3\xa9@0" },
	{ "caf\xc3\xa9", I, "caf@0" },
	{ "caf\xc3\xa9", I | B, "caf\xe3\xa9@0" },
	{ "caf\\x{e9}", 0, "caf\xe3\xa9@0" },
	{ "\xe2\x84\xaa"
	  "ey",
	    0, "key@0" },
	{ "\xc5\xbf"
	  "un",
	    0, "sun@0" },
	{ "(?:\xc3\xa9)?invoice", I, "invoice@0-4" },
	/* what is not understood */
	{ "(*COMMIT)invoice", 0, "-" },
	{ "(?R)?invoice", 0, "-" },
	{ "(a)(?1)invoice", 0, "-" },
	{ "(?<n>a)(?&n)invoice", 0, "-" },
	{ "(?<n>a)\\g<n>invoice", 0, "-" },
	{ "(a)?(?(1)b|c)invoice", 0, "-" },
	{ "(?C)invoice", 0, "-" },
	{ "\\Ginvoice", 0, "-" },
	{ "\\cAinvoice", 0, "-" },
	{ "(?xx)invoice", 0, "-" },
	{ "x{,2}invoice", 0, "-" },
	{ "[[:<:]]invoice", 0, "-" },
	{ "(*pla:x)invoice", 0, "-" },
	{ "invoice[\\Qa\\E]", 0, "-" },
};

static void
test_expectations(void)
{
	for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations);
	     i++) {
		const struct expectation *e = &expectations[i];

		printf("# /%s/ %u\n", e->source, (unsigned)e->flags);
		CHECK_STR(
		    str_from(literals_text(e->source, e->flags)), e->literals);
	}
}

/* ---- neighbours and other literals ----------------------------------------
 */

struct near_expectation {
	const char *source;
	uint32_t flags;
	near_set before, after, second; /* of the first literal */
};

static const struct near_expectation near_expectations[] = {
	{ "invoice", B, NEAR_ANY, NEAR_ANY, NEAR_ANY },
	{ "invoice", 0, NEAR_ANY, NEAR_ANY, NEAR_ANY },
	{ "\\binvoice\\b", B, NEAR_ANY | NEAR_BOUNDARY,
	    NEAR_ANY | NEAR_BOUNDARY, NEAR_ANY },
	{ "(?:\\b|x)invoice", B, NEAR_ANY | NEAR_BOUNDARY, NEAR_ANY, NEAR_ANY },
	{ "^invoice$", B, NEAR_LINE | NEAR_EDGE, NEAR_LINE | NEAR_EDGE,
	    NEAR_ANY },
	{ "\\Ainvoice\\z", B, NEAR_EDGE, NEAR_EDGE, NEAR_ANY },
	{ "\\Ainvoice", 0, NEAR_EDGE | NEAR_HIGH, NEAR_ANY, NEAR_ANY },
	{ "[0-9]invoice[a-z]{2}", B, NEAR_DIGIT, NEAR_LETTER, NEAR_LETTER },
	{ "[0-9]+invoice[a-z]+", B, NEAR_DIGIT, NEAR_LETTER, NEAR_ANY },
	{ "invoice[0-9]?-", B, NEAR_ANY, NEAR_DIGIT | NEAR_DASH, NEAR_ANY },
	{ "invoice[0-9][.-]", B, NEAR_ANY, NEAR_DIGIT, NEAR_DOT | NEAR_DASH },
	{ "invoice[0-9]*", B, NEAR_ANY, NEAR_ANY, NEAR_ANY },
	{ "invoice[0-9]*(?=x)", B, NEAR_ANY, NEAR_ANY, NEAR_ANY },
	{ "[0-9]?invoice", B, NEAR_ANY, NEAR_ANY, NEAR_ANY },
	{ "@[0-9]?invoice", B, NEAR_AT | NEAR_DIGIT, NEAR_ANY, NEAR_ANY },
	{ "(?:invoice|[0-9])[ ]", B, 0, 0, 0 },
	{ "(?:[0-9]invoice|[a-z]invoice)", B, NEAR_DIGIT | NEAR_LETTER,
	    NEAR_ANY, NEAR_ANY },
	{ "(?:[0-9]invoice[a-z])+", B, NEAR_DIGIT, NEAR_LETTER, NEAR_ANY },
	{ "([0-9]).?\\1invoice", B, NEAR_ANY, NEAR_ANY, NEAR_ANY },
	{ "invoice[^a-z\r\n]{3}x", B, NEAR_ANY,
	    NEAR_ANY & ~(NEAR_EDGE | NEAR_LINE),
	    NEAR_ANY & ~(NEAR_EDGE | NEAR_LINE) },
};

static void
test_near(void)
{
	for (size_t i = 0;
	     i < sizeof(near_expectations) / sizeof(*near_expectations); i++) {
		const struct near_expectation *e = &near_expectations[i];
		struct literals set = { 0 };
		struct literals_also also;
		bool found =
		    literals_of(str_from(e->source), e->flags, &set, &also);

		printf("# /%s/ %u: %x %x %x\n", e->source, (unsigned)e->flags,
		    (unsigned)set.v[0].before, (unsigned)set.v[0].after[0],
		    (unsigned)set.v[0].after[1]);
		CHECK(found == (e->before != 0));
		CHECK(set.v[0].before == e->before);
		CHECK(set.v[0].after[0] == e->after);
		CHECK(set.v[0].after[1] == e->second);
	}
}

struct also_expectation {
	const char *source;
	const char *first, *also; /* or "" */
};

/* The rarer one is looked for, the other must be there. */
static const struct also_expectation also_expectations[] = {
	{ "the.*xyzzyx", "xyzzyx", "the" },
	{ "xyzzyx.*the", "xyzzyx", "the" },
	{ "security.*bogofi", "bogofi", "security" },
	{ "(?:xyzzyx)+", "xyzzyx", "" },
	{ "xyzzyx(?:.*the)?", "xyzzyx", "" },
	{ "xyzzyx.*(?:the|for)", "xyzzyx", "the" },
	{ "xyzzyx.*(?:the|for|and|you|with)", "xyzzyx", "" },
	{ "(?:xyzzyx.*the|bogofi.*the)", "xyzzyx", "" },
	{ "(?:xyzzyx.*the).*bogofi", "xyzzyx", "bogofi" },
};

static void
test_also(void)
{
	for (size_t i = 0;
	     i < sizeof(also_expectations) / sizeof(*also_expectations); i++) {
		const struct also_expectation *e = &also_expectations[i];
		struct literals set = { 0 };
		struct literals_also also = { 0 };

		printf("# /%s/\n", e->source);
		CHECK(literals_of(str_from(e->source), B, &set, &also));
		CHECK_STR(((struct str){ (char *)set.v[0].text, set.v[0].n }),
		    e->first);
		CHECK_STR(((struct str){ (char *)also.v[0].text,
			      also.n ? also.v[0].n : 0 }),
		    e->also);
	}
}

/* Common words are known, whatever their letters; case does not matter. */
static void
test_rarity(void)
{
	CHECK(literal_rarity((const uint8_t *)"security", 8) <
	      literal_rarity((const uint8_t *)"bogofi", 6));
	CHECK(literal_rarity((const uint8_t *)"the", 3) <
	      literal_rarity((const uint8_t *)"tqe", 3));
	CHECK(literal_rarity((const uint8_t *)"the ", 4) <
	      literal_rarity((const uint8_t *)"viagra", 6));
}

struct class_expectation {
	const char *source;
	uint32_t flags;
	int n;                    /* classes, or -1 */
	const char *first, *last; /* octets up to 0x7f of these */
};

static const struct class_expectation class_expectations[] = {
	{ "\\d{3}-\\d{4}", B, 8, "0123456789", "0123456789" },
	{ "[xX]\\d[yz]{9}", B, 4, "Xx", "yz" },
	{ "q[a-c]{2}q[a-c]{2}", I | B, 3, "Qq", "ABCabc" },
	{ "ab|[c-f]g|h.", B, -1, "", "" },
	{ "(?:a\\d|b\\d){3}", B, 6, "ab", "0123456789" },
	{ "[!?]+%|[&*]%", B, 2, "!&*?", "%" },
	{ "\\w*[!?][!?]+", B, 2, "!?", "!?" },
	{ "(\\d)\\1{5}", B, 6, "0123456789", "0123456789" },
	{ "(?'a'(\\d[ae])\\d)(?i)\\2\\1", B, 8, "0123456789", "0123456789" },
	{ "(?P<b>\\d[ae])(?i)\\1", B, 4, "0123456789", "AEae" },
	{ "(?|(\\d)|(\\d))(\\d)\\2{8}", B, -1, "", "" },
	{ "(?n)(\\d)\\1{8}", B, -1, "", "" },
	{ "(\\d\\1){8}", B, -1, "", "" },
	{ "\\1{8}(\\d)", B, -1, "", "" },
	{ "(?:(\\d)|(\\d\\d))\\1\\2{4}", B, 9, "0123456789", "0123456789" },
	{ "[a-z]+", B, -1, "", "" },
	{ "a?b*", B, -1, "", "" },
	{ "(*COMMIT)\\d{8}", B, -1, "", "" },
};

static const char *
octets_text(const struct class_set *set)
{
	static char out[129];
	size_t n = 0;

	for (uint8_t c = 1; c < 0x80; c++)
		if (class_has(set, c))
			out[n++] = (char)c;
	out[n] = 0;
	return out;
}

static void
test_classes(void)
{
	for (size_t i = 0;
	     i < sizeof(class_expectations) / sizeof(*class_expectations);
	     i++) {
		const struct class_expectation *e = &class_expectations[i];
		struct classes c = { 0 };
		bool found = classes_of(str_from(e->source), e->flags, &c);

		printf("# /%s/ %u: %u\n", e->source, (unsigned)e->flags,
		    (unsigned)c.n);
		CHECK((found ? (int)c.n : -1) == e->n);
		if (!found || e->n < 0)
			continue;
		CHECK_STR(str_from(octets_text(&c.set[0])), e->first);
		CHECK_STR(str_from(octets_text(&c.set[c.n - 1])), e->last);
	}
}

/* Groups beyond what is read, and a source that is nothing but groups. */
static void
test_depth(void)
{
	enum { N = 10000 };
	static char source[2 * N + 8];

	memset(source, '(', N);
	memcpy(source + N, "invoice", 7);
	memset(source + N + 7, ')', N);
	CHECK_STR(str_from(literals_text(source, 0)), "-");
}

static size_t
encode(uint32_t c, char *out)
{
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/*
 * The scan folds U+212A and U+017F alone: PCRE2 must not know other characters
 * beyond ASCII that match one of ASCII.
 */
static void
test_lookalikes(void)
{
	enum { ALL = 0x110000 };
	char *text = malloc((size_t)ALL * 4);
	size_t n = 0, offset;
	uint32_t captures;
	struct builder b = { 0 };
	struct milt_image *im = NULL;
	struct str groups[1];
	size_t size;
	void *data;

	if (!text)
		abort();
	for (uint32_t c = 0x80; c < ALL; c++)
		if ((c < 0xd800 || c > 0xdfff) && c != 0x212a && c != 0x17f)
			n += encode(c, text + n);
	CHECK(match_check(
	    STR("[\\x00-\\x7f]"), I, &offset, (char[256]){ 0 }, &captures));
	build_regex(&b, "[\\x00-\\x7f]", I, 0);
	for (char c = 'a'; c <= 'z'; c++)
		build_regex(&b, (char[]){ c, 0 }, I, 0);
	data = build_image(&b, &size);
	CHECK(milt_image_load(data, size, &im, NULL) == MILT_OK);
	for (uint32_t i = 0; i < 27; i++)
		CHECK(match_run(im, i, (struct str){ text, n }, match_scratch(),
			  groups, 1) == MATCH_NO);
	milt_image_free(im);
	free(data);
	free(text);
}

int
main(void)
{
	test_expectations();
	test_near();
	test_also();
	test_rarity();
	test_classes();
	test_depth();
	test_lookalikes();
	TEST_DONE();
}
