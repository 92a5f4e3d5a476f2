/* Character references (HTML 13.2.5.72 to 13.2.5.80). */
#include "runtime/html_token.h"

#include <glib.h>
#include <stdlib.h>

/* Octets of the longest name, and of the longest that needs no semicolon. */
enum { LONGEST = 31, LONGEST_BARE = 6 };

static int
compare(const void *key, const void *entity)
{
	const struct str *name = key;
	const struct html_entity *e = entity;
	int order = memcmp(name->p, e->name, name->n);

	/* Names end with a NUL, which sorts before what they go on with. */
	return order ? order : -(e->name[name->n] != 0);
}

/* `name` has at most LONGEST octets. */
static const struct html_entity *
find(struct str name)
{
	return bsearch(&name, html_entities, html_entity_count,
	    sizeof(*html_entities), compare);
}

static size_t
put(unsigned c, char out[6], size_t *n)
{
	*n = (size_t)g_unichar_to_utf8(c, out);
	return *n;
}

static size_t
put_entity(const struct html_entity *e, char out[6], size_t *n)
{
	*n = strlen(e->text);
	memcpy(out, e->text, *n);
	return strlen(e->name);
}

/* The longest name at the beginning of `s`. */
static size_t
named(struct str s, bool in_attribute, char out[6], size_t *n)
{
	const struct html_entity *e;
	size_t k = 0;

	while (k < s.n && k < LONGEST && g_ascii_isalnum(s.p[k]))
		k++;
	if (k < s.n && s.p[k] == ';' && (e = find(str_head(s, k))))
		return put_entity(e, out, n) + 1;
	for (k = k < LONGEST_BARE ? k : LONGEST_BARE; k > 1; k--) {
		char next = k < s.n ? s.p[k] : ' ';

		e = find(str_head(s, k));
		if (!e || !e->bare)
			continue;
		if (in_attribute && (next == '=' || g_ascii_isalnum(next)))
			return 0;
		return put_entity(e, out, n);
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
	if (s.n && s.p[0] == '#')
		return numbered(s, out, n);
	return named(s, in_attribute, out, n);
}
