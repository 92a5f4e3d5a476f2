#include "tests/property/patterns.h"

#include <string.h>

#include "runtime/match.h"
#include "tests/property/random.h"

/* A piece of a pattern and what it may match. */
struct piece {
	const char *pattern, *sample;
};

enum { DEPTH = 4 };

#define ANY(array) ((array)[rnd(sizeof(array) / sizeof(*(array)))])

/* ---- text that grows ---------------------------------------------------- */

static void
put_bytes(char *to, size_t *n, const char *s, size_t length)
{
	if (*n + length >= PATTERN_BYTES)
		return;
	memcpy(to + *n, s, length);
	*n += length;
}

static void
pattern_put(struct pattern *p, const char *s)
{
	put_bytes(p->text, &p->n, s, strlen(s));
}

static void
sample_put(struct pattern *p, const char *s)
{
	put_bytes(p->sample, &p->sample_n, s, strlen(s));
}

static void
put(struct pattern *p, const struct piece *piece)
{
	pattern_put(p, piece->pattern);
	sample_put(p, piece->sample);
}

/* ---- leaves ------------------------------------------------------------- */

static const struct piece words[] = {
	{ "invoice", "invoice" },
	{ "kiss", "kiss" },
	{ "sky", "sky" },
	{ "ask", "ask" },
	{ "abc", "abc" },
	{ "bcd", "bcd" },
	{ "viagra", "viagra" },
	{ "v1agra", "v1agra" },
	{ "a", "a" },
	{ "ab", "ab" },
	{ "k", "k" },
	{ "s", "s" },
	{ "KS", "KS" },
	{ "the", "the" },
	{ "100%", "100%" },
	{ "\\$\\$", "$$" },
	{ "\\.com", ".com" },
	{ "x-y_z", "x-y_z" },
	{ "meet singles", "meetsingles" },
	{ "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9" },
	{ "\xcf\x83", "\xcf\x82" },
	{ "\xe2\x84\xaa", "k" },
	{ "\xc5\xbf"
	  "ee",
	    "see" },
	{ "\xc4\xb0", "i" },
	{ "\xc4\xb1", "I" },
	{ "stra\xc3\x9f"
	  "e",
	    "strasse" },
	{ "\\x6bey", "key" },
	{ "\\x{212a}x", "kx" },
	{ "\\x{17f}", "s" },
	{ "\\x{e9}", "\xc3\xa9" },
	{ "\\xe9\\xff", "\xe9\xff" },
	{ "\\0", "" },
	{ "\\141b", "ab" },
	{ "\\o{141}c", "ac" },
	{ "\\r\\n", "\r\n" },
	{ "\\nab", "\nab" },
	{ "\\Qa.b*\\E", "a.b*" },
	{ "\\Qab\\Ec", "abc" },
	{ "x{y", "x{y" },
	{ "]", "]" },
	{ "\\tq", "\tq" },
};

static const struct piece classes[] = {
	{ ".", "z" },
	{ "\\N", "z" },
	{ "\\d", "7" },
	{ "\\D", "x" },
	{ "\\s", " " },
	{ "\\S", "y" },
	{ "\\w", "w" },
	{ "\\W", "\r\n" },
	{ "\\h", "\t" },
	{ "\\v", "\n" },
	{ "\\H", "h" },
	{ "\\V", "v" },
	{ "\\R", "\r\n" },
	{ "\\X", "e\xcc\x81" },
	{ "\\p{Lu}", "Q" },
	{ "\\PL", "1" },
	{ "[a-f]", "d" },
	{ "[kK]", "k" },
	{ "[ks]", "\xc5\xbf" },
	{ "[i1!|]", "!" },
	{ "[@a4]", "@" },
	{ "[^a]", "\n" },
	{ "[^k]", "\xe2\x84\xaa" },
	{ "[[:alpha:]]", "g" },
	{ "[[:^digit:]x]", "5" },
	{ "[\\w-]", "-" },
	{ "[0-9]", "3" },
	{ "[\xc3\xa9\xc3\xa8]", "\xc3\xa8" },
	{ "[a\\]b]", "]" },
	{ "[]x]", "x" },
	{ "[^]x]", "\n" },
	{ "[a-c\\d]", "c" },
	{ "[\\x{17f}-\\x{200}]", "s" },
	{ "[\\x41-\\x43]", "B" },
	{ "[\\n\\r]", "\n" },
	{ "[\\h.]", "." },
	{ "[[]", "[" },
	{ "[a-]", "-" },
	{ "[\\b]", "\b" },
	{ "[[a:]", ":" },
};

static const char *const zero_width[] = { "^", "$", "\\b", "\\B", "\\A", "\\z",
	"\\Z", "\\K", "(?#c)", "\\E", "(?=.)", "(?!q)", "(?<=a)", "(?<!kk)",
	"(?<=\\n)", "(?i)", "(?-i)", "(?s)", "(?m)", "(?x) ", "(?^)", "()",
	"(?n)" };

static const char *const exotic[] = { "\\1", "\\g{-1}", "\\g1", "(?P=n)",
	"(?(1)abc|sky)", "(?(?=a)ab|kiss)", "(?R)?", "(?1)", "(*COMMIT)",
	"(*SKIP)", "(*PRUNE)", "(*ACCEPT)", "(*F)|", "\\G", "\\ca", "(?C1)",
	"(*atomic:ab)", "(*pla:ab)", "\\k<n>", "{,2}", "(?xx)[a b]" };

static const char *const quantifiers[] = { "?", "*", "+", "{2}", "{1,3}",
	"{0,2}", "{2,}", "??", "*?", "+?", "?+", "*+", "++", "{1,2}+", "{0}",
	"{1}", "{3}" };

/* ---- compounds ---------------------------------------------------------- */

static void make(struct pattern *, int depth);

static void
make_leaf(struct pattern *p)
{
	switch (rnd(12)) {
	case 0:
	case 1:
	case 2:
		put(p, &ANY(classes));
		return;
	case 3:
		pattern_put(p, ANY(zero_width));
		return;
	case 4:
		if (rnd(4) == 0)
			pattern_put(p, ANY(exotic));
		return;
	}
	put(p, &ANY(words));
}

static void
make_group(struct pattern *p, int depth)
{
	static const char *const opens[] = { "(", "(?:", "(?>", "(?<n>", "(?|",
		"(?i:", "(?-i:", "(?x: ", "(?s:", "(?im:", "(?P<m>", "(?'o'",
		"(?x:#c\n", "(?^i:" };
	static const char *const looks[] = { "(?=", "(?!", "(?<=", "(?<!" };
	size_t sample = p->sample_n;

	if (rnd(6) == 0) {
		pattern_put(p, ANY(looks));
		make(p, depth - 1);
		if (rnd(2))
			p->sample_n = sample;
	} else {
		pattern_put(p, ANY(opens));
		make(p, depth - 1);
	}
	pattern_put(p, ")");
}

static void
make_alternatives(struct pattern *p, int depth)
{
	unsigned n = 2 + rnd(3), chosen = rnd(n);

	pattern_put(p, "(?:");
	for (unsigned i = 0; i < n; i++) {
		size_t sample = p->sample_n;

		if (i > 0)
			pattern_put(p, "|");
		make(p, depth - 1);
		if (i != chosen)
			p->sample_n = sample;
	}
	pattern_put(p, ")");
}

static void
make_repeated(struct pattern *p, int depth)
{
	size_t from = p->sample_n, n;
	char again[PATTERN_BYTES];

	if (rnd(2)) {
		pattern_put(p, "(?:");
		make(p, depth - 1);
		pattern_put(p, ")");
	} else {
		make_leaf(p);
	}
	pattern_put(p, ANY(quantifiers));
	n = p->sample_n - from;
	memcpy(again, p->sample + from, n);
	switch (rnd(4)) {
	case 0:
		p->sample_n = from;
		break;
	case 1:
		put_bytes(p->sample, &p->sample_n, again, n);
		break;
	}
}

/* What a group matched once more; the group is the first, or another is. */
static void
make_reference(struct pattern *p, int depth)
{
	static const char *const references[] = { "\\1", "\\1", "\\2",
		"(?i)\\1", "(?-i)\\1" };
	char again[PATTERN_BYTES];
	unsigned n = 1 + rnd(4);
	size_t from;

	if (rnd(4) == 0)
		put(p, &(struct piece){ "(?|(k)|(s))", "k" });
	from = p->sample_n;
	pattern_put(p, "(");
	if (rnd(2))
		put(p, &ANY(classes));
	else
		make(p, depth - 1);
	pattern_put(p, ")");
	from = p->sample_n - from;
	memcpy(again, p->sample + p->sample_n - from, from);
	pattern_put(p, ANY(references));
	while (n-- > 1) {
		put_bytes(p->sample, &p->sample_n, again, from);
		pattern_put(p, "\\1");
	}
	put_bytes(p->sample, &p->sample_n, again, from);
}

static void
make(struct pattern *p, int depth)
{
	for (unsigned n = 1 + rnd(3); n > 0; n--) {
		unsigned kind = depth > 0 ? rnd(9) : 8;

		if (kind == 0)
			make_group(p, depth);
		else if (kind == 1)
			make_alternatives(p, depth);
		else if (kind <= 3)
			make_repeated(p, depth);
		else if (kind == 4)
			make_reference(p, depth);
		else
			make_leaf(p);
	}
}

/* ---- real ones ---------------------------------------------------------- */

static const struct piece real[] = {
	{ "\\burgent\\b.*\\b(invoice|payment)\\b", "urgent: your payment" },
	{ "v[i1!|l][a@4]gr[a@4]", "V1@gra" },
	{ "^(re|fwd?): ", "Fwd: hello" },
	{ "(?:lottery|prize|winner|jackpot|million dollars)", "jackpot" },
	{ "https?://[^\\s/]+\\.(?:top|xyz|click)/", "http://a.b.xyz/" },
	{ "<[^>]*\\bsrc\\s*=\\s*[\"']?cid:", "<img src = \"cid:" },
	{ ".*unsubscribe.*", "to unsubscribe, click" },
	{ "^[A-Z ]{10,}$", "BUY IT NOW OR NEVER" },
	{ "\\d{3}-\\d{2}-\\d{4}", "123-45-6789" },
	{ "(\\w)\\1{4,}", "heyyyyyyy" },
	{ "[\\w.+-]+@example\\.(?:com|org)", "amy+x@example.org" },
	{ "=\\?(?:utf-8|iso-8859-1)\\?[bq]\\?", "=?UTF-8?B?" },
	{ "(?<!not )spam(?!assassin)", "spam" },
	{ "\\bc\\W?i\\W?a\\W?l\\W?i\\W?s\\b", "c-i-a-l-i-s" },
	{ "dear (?:friend|customer|sir(?: or madam)?)", "Dear sir or madam" },
	{ "(?i)bitcoin|btc wallet", "BTC wallet" },
	{ "\\$\\d+(?:,\\d{3})*(?:\\.\\d\\d)?", "$1,000.00" },
	{ "pass(?:word|wd|phrase)s? (?:is|are|will)", "passwords will" },
	{ "from\\s+(\\S+)\\s+\\(.*\\bhelo=\\1", "from mx.a (x helo=mx.a" },
	{ "ma\xc3\xb1"
	  "ana|\xc3\xbc"
	  "ber",
	    "ma\xc3\xb1"
	    "ana" },
	{ "(?=.*click)(?=.*here)", "here you click" },
	{ "^Received: .*\\bby mx\\.", "Received: from x by mx." },
	{ "[\\x{400}-\\x{4ff}]{5,}",
	    "\xd0\xb0\xd0\xb1\xd0\xb2\xd0\xb3\xd0\xb4" },
	{ "\\bk[e3]y ?s?ki+ll", "key skill" },
	{ ".*sky.*invoice", "the sky, an invoice" },
	{ "\\babc\\b.*\\bviagra", "abc and viagra" },
	{ "(?:abc|kiss|ask)[^a-z]{3}x", "ask 1 x" },
	{ "\\bsky-?\\d7\\b", "sky-37" },
	{ "kiss\\s+\\w+\\s+abcd?", "kiss the \r\nabc" },
	{ "[a-z]{2}\\d{3,}-invoice$", "xy4711-invoice" },
	{ "^.{0,40}invoice\\W", "an invoice." },
	{ "(?:\\bsky|kiss\\b)[!?.]{2}\\d", "sky?!1" },
	{ "invoice\\W?viagra\\W?sky", "invoice-viagra sky" },
	{ "abc\\d?[k-s]+,", "abc1kiss," },
	{ "invoice\\z|\\Aviagra", "viagra" },
	{ "(?:sky[ks])+the", "skyskyk\xe2\x84\xaathe" },
};

/* ---- all ---------------------------------------------------------------- */

static uint32_t
make_flags(void)
{
	uint32_t flags = rnd(2) ? REGEX_I : 0;

	flags |= rnd(4) == 0 ? REGEX_M : 0;
	flags |= rnd(4) == 0 ? REGEX_S : 0;
	flags |= rnd(8) == 0 ? REGEX_X : 0;
	return flags | (rnd(2) ? REGEX_BYTES : 0);
}

bool
pattern_make(struct pattern *p)
{
	char message[256];
	size_t offset;

	p->n = p->sample_n = 0;
	p->flags = make_flags();
	if (rnd(10) == 0) {
		if (rnd(8) == 0)
			pattern_put(p, ANY(zero_width));
		put(p, &ANY(real));
		p->flags &= ~(uint32_t)REGEX_X;
	} else if (rnd(6) == 0) {
		make_alternatives(p, DEPTH);
	} else {
		make(p, DEPTH);
	}
	return match_check((struct str){ p->text, p->n }, p->flags, &offset,
		   message, &p->captures) &&
	       p->captures <= 90;
}

/* ---- subjects ----------------------------------------------------------- */

static const char *const noise[] = { "", " ", "\r\n", "\n", "\r", "the ", "a",
	"hello world ", "Kiss", "SKY", "\xe2\x84\xaa", "\xc5\xbf", "\xc3\xa9",
	"\xff", "\xc3", "\xe2\x84", "0123", "....", "abcabcabc", "\t",
	"invoice ", "aaaaaaaaaaaa", "\xf0\x9f\x98\x80", "-", "xyz" };

struct text {
	char *p;
	size_t n;
};

static void
add(struct text *t, const char *s, size_t n)
{
	if (t->n + n > (size_t)PATTERN_BYTES * 4)
		return;
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void
add_noise(struct text *t)
{
	for (unsigned n = rnd(4); n > 0; n--) {
		const char *s = ANY(noise);

		add(t, s, strlen(s));
	}
	/* Long enough for windows to matter. */
	if (rnd(4) == 0)
		for (unsigned n = rnd(60); n > 0; n--) {
			const char *s = ANY(noise);

			add(t, s, strlen(s));
		}
}

/* The sample, with a few letters changed. */
static void
add_sample(struct text *t, const struct pattern *p)
{
	unsigned wild = rnd(3);

	for (size_t i = 0; i < p->sample_n; i++) {
		char c = p->sample[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		unsigned r = wild ? rnd(wild == 1 ? 40 : 8) : 99;

		if (r == 0 && letter)
			c ^= 0x20;
		if (r == 1 && (c | 0x20) == 'k')
			add(t, "\xe2\x84\xaa", 3);
		else if (r == 1 && (c | 0x20) == 's')
			add(t, "\xc5\xbf", 2);
		else if (r == 2 && wild == 2)
			add(t, "\r\n", 2);
		else if (r != 3 || wild != 2)
			add(t, &c, 1);
	}
}

size_t
pattern_subject(const struct pattern *p, char *out)
{
	struct text t = { out, 0 };

	for (unsigned n = 1 + rnd(3); n > 0; n--) {
		add_noise(&t);
		add_sample(&t, p);
	}
	add_noise(&t);
	return t.n;
}
