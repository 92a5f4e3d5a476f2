/* Character references (HTML 13.2.5.72 to 13.2.5.80). */
#include "runtime/html_token.h"

#include <glib.h>
#include <libxml/HTMLparser.h>
#include <pthread.h>

enum { LONGEST = 10, LAST_NAMED = 0x2666 };

/* Those of HTML 4 from libxml2, and what hides a URL. */
static GHashTable *names;

static const struct {
	const char *name;
	unsigned value;
} more_names[] = { { "AMP", '&' }, { "COPY", 0xa9 }, { "GT", '>' },
	{ "LT", '<' }, { "QUOT", '"' }, { "REG", 0xae }, { "apos", '\'' },
	{ "ast", '*' }, { "bsol", '\\' }, { "colon", ':' }, { "comma", ',' },
	{ "commat", '@' }, { "dollar", '$' }, { "equals", '=' },
	{ "excl", '!' }, { "hyphen", 0x2010 }, { "lbrack", '[' },
	{ "lowbar", '_' }, { "lpar", '(' }, { "lsqb", '[' },
	{ "NewLine", '\n' }, { "num", '#' }, { "percnt", '%' },
	{ "period", '.' }, { "plus", '+' }, { "quest", '?' }, { "rbrack", ']' },
	{ "rpar", ')' }, { "rsqb", ']' }, { "semi", ';' }, { "sol", '/' },
	{ "Tab", '\t' }, { "verbar", '|' } };

static void
fill_names(void)
{
	names = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned v = '"'; v <= LAST_NAMED; v++) {
		const htmlEntityDesc *e = htmlEntityValueLookup(v);

		if (e)
			g_hash_table_insert(names, (char *)(uintptr_t)e->name,
			    GUINT_TO_POINTER(v));
	}
	for (size_t i = 0; i < sizeof(more_names) / sizeof(*more_names); i++)
		g_hash_table_insert(names,
		    (char *)(uintptr_t)more_names[i].name,
		    GUINT_TO_POINTER(more_names[i].value));
}

/* Does the name need no semicolon? */
static bool
is_old(unsigned value)
{
	return value == '&' || value == '<' || value == '>' || value == '"' ||
	       (value >= 0xa0 && value <= 0xff);
}

static size_t
put(unsigned c, char out[6], size_t *n)
{
	*n = (size_t)g_unichar_to_utf8(c, out);
	return *n;
}

/* The longest name at the beginning of `s`. */
static size_t
named(struct str s, bool in_attribute, char out[6], size_t *n)
{
	char name[LONGEST + 1];
	size_t k = 0;

	while (k < s.n && k < LONGEST && g_ascii_isalnum(s.p[k])) {
		name[k] = s.p[k];
		k++;
	}
	for (; k > 1; k--) {
		unsigned value;
		char next = k < s.n ? s.p[k] : ' ';

		name[k] = 0;
		value = GPOINTER_TO_UINT(g_hash_table_lookup(names, name));
		if (value == 0)
			continue;
		if (next == ';')
			return put(value, out, n) ? k + 1 : 0;
		if (!is_old(value))
			continue;
		if (in_attribute && (next == '=' || g_ascii_isalnum(next)))
			return 0;
		return put(value, out, n) ? k : 0;
	}
	return 0;
}

/* 13.2.5.80: octets of windows-1252, and what is no character. */
static unsigned
repaired(unsigned c)
{
	static const unsigned windows[32] = { 0x20ac, 0x81, 0x201a, 0x192,
		0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039,
		0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d,
		0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153,
		0x9d, 0x17e, 0x178 };

	if (c >= 0x80 && c < 0xa0)
		return windows[c - 0x80];
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	return c;
}

/* `s` begins with #. */
static size_t
numbered(struct str s, char out[6], size_t *n)
{
	bool hex = s.n > 1 && (s.p[1] == 'x' || s.p[1] == 'X');
	size_t from = hex ? 2 : 1, k = from;
	unsigned c = 0;

	for (; k < s.n; k++) {
		int digit = hex ? g_ascii_xdigit_value(s.p[k])
				: g_ascii_digit_value(s.p[k]);

		if (digit < 0)
			break;
		if (c <= 0x10ffff)
			c = c * (hex ? 16 : 10) + (unsigned)digit;
	}
	if (k == from || !put(repaired(c), out, n))
		return 0;
	return k + (k < s.n && s.p[k] == ';');
}

size_t
html_reference(struct str s, bool in_attribute, char out[6], size_t *n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, fill_names);
	if (s.n && s.p[0] == '#')
		return numbered(s, out, n);
	return named(s, in_attribute, out, n);
}
