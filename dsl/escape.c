#include "dsl/lexer.h"

enum { LONGEST = 16 }; /* bytes of an escape, good or bad */

static size_t
utf8_encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * The number in u{...}; p stands at the u.  Returns where it ends, and writes
 * *n bytes, none if no character has that number.
 */
static const char *
decode_number(const char *p, const char *limit, char out[4], size_t *n)
{
	const char *a = p + 2;
	uint32_t c = 0;
	bool good;

	*n = 0;
	for (; a < limit && hex_digit(*a) >= 0; a++)
		c = c > 0x10FFFF ? c : c << 4 | (uint32_t)hex_digit(*a);
	good = a > p + 2 && a < limit && *a == '}' && c <= 0x10FFFF &&
	       (c < 0xD800 || c > 0xDFFF);
	while (a < limit && *a != '}' && a < p + LONGEST)
		a++;
	if (good)
		*n = utf8_encode(c, out);
	return a < limit && *a == '}' ? a + 1 : p + 1;
}

/*
 * One escape; p stands behind the backslash, before the limit.  Returns where
 * it ends; *n is 0 if it is none.
 */
static const char *
decode_escape(const char *p, const char *limit, char out[4], size_t *n)
{
	static const char names[] = "nrt\\\"", bytes[] = "\n\r\t\\\"";
	const char *name = *p ? strchr(names, *p) : NULL;

	*n = name != NULL;
	if (name)
		out[0] = bytes[name - names];
	else if (*p == 'u' && p + 1 < limit && p[1] == '{')
		return decode_number(p, limit, out, n);
	for (p++; p < limit && (*p & 0xC0) == 0x80;)
		p++;
	return p;
}

struct str
unescape(struct arena *arena, struct lexer *lx, struct str raw, uint32_t base,
    uint32_t *map)
{
	const char *p = raw.p, *limit = raw.p + raw.n;
	char *out = arena_alloc(arena, raw.n + 1);
	size_t n = 0;

	while (p < limit) {
		const char *from = p++;
		char buffer[4] = { *from };
		size_t k = 1;

		if (*from == '\\')
			k = 0;
		if (*from == '\\' && p < limit)
			p = decode_escape(p, limit, buffer, &k);
		if (k == 0 && lx)
			report_escape(lx, from, p);
		for (size_t i = 0; i < k; i++) {
			if (map)
				map[n] = base + (uint32_t)(from - raw.p);
			out[n++] = buffer[i];
		}
	}
	if (map)
		map[n] = base + (uint32_t)raw.n;
	return (struct str){ out, n };
}

struct str
string_decode(struct arena *arena, const struct source *s, struct span span,
    uint32_t **map)
{
	struct str raw = { s->text.p + span.begin, span.end - span.begin };
	size_t open = 1, close;

	/* ASCII or typographic quotes; the closing one may be missing. */
	if (raw.n && (unsigned char)raw.p[0] >= 0x80)
		open = 3;
	close =
	    raw.n > open &&
		    (raw.p[raw.n - 1] == '"' || raw.p[raw.n - 1] == '\'')
		? 1
	    : raw.n > 3 && str_starts(str_skip(raw, raw.n - 3), STR("\xE2\x80"))
		? 3
		: 0;
	raw = (struct str){ raw.p + open, raw.n - close - open };
	*map = ARENA_ARRAY(arena, raw.n + 1, uint32_t);
	return unescape(arena, NULL, raw, span.begin + (uint32_t)open, *map);
}
