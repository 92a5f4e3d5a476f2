/* Finding URLs in plain text. */
#include "runtime/url.h"

#include <glib.h>
#include <pthread.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static pcre2_code *begin;

static void
compile(void)
{
	static const char pattern[] =
	    "(?<![a-z0-9])(?:(?:https?|ftp)://|www\\.)";
	int error;
	size_t offset;

	begin = pcre2_compile((PCRE2_SPTR)pattern, sizeof(pattern) - 1,
	    PCRE2_UTF | PCRE2_CASELESS, &error, &offset, NULL);
	if (begin)
		(void)pcre2_jit_compile(begin, PCRE2_JIT_COMPLETE);
}

/* ---- where they begin ----------------------------------------------------
 */

/*
 * A window that is searched for what every URL has: a small one first, for
 * where many stand; octets of the longest scheme, as the long s is an s
 * without case.
 */
enum { FIRST_WINDOW = 64, WINDOW = 4096, SCHEME = 6 };

/* Is the dot at i that of www.? */
static bool
ends_www(struct str s, size_t i)
{
	return i >= 3 && (s.p[i - 1] | 32) == 'w' && (s.p[i - 2] | 32) == 'w' &&
	       (s.p[i - 3] | 32) == 'w';
}

/*
 * Where the first :// or www. is found, less the longest scheme: no URL begins
 * before that.  s.n where there is none.
 */
static size_t
first_hint(struct str s, size_t at)
{
	size_t window = FIRST_WINDOW;

	for (size_t first = at; first < s.n; first += window) {
		struct str rest = str_skip(s, first), text;
		const char *colon, *dot;
		size_t found;

		if (first > at && window < WINDOW)
			window *= 2;
		text = str_head(rest, window + 2);
		colon = memmem(text.p, text.n, "://", 3);
		if (colon)
			text.n = (size_t)(colon - text.p);
		found = colon ? (size_t)(colon - s.p) : s.n;
		while ((dot = text.n ? memchr(text.p, '.', text.n) : NULL)) {
			size_t i = (size_t)(dot - s.p);

			if (ends_www(s, i)) {
				found = i;
				break;
			}
			text = str_skip(text, (size_t)(dot - text.p) + 1);
		}
		if (found < s.n)
			return found > at + SCHEME ? found - SCHEME : at;
	}
	return s.n;
}

/* Its beginning at or behind `from`, valid UTF-8, in v[0] to v[1]. */
static bool
find_begin(struct str text, size_t from, size_t v[2])
{
	pcre2_match_data *match;
	bool found;

	from = first_hint(text, from);
	while (from && from < text.n && (text.p[from] & 0xc0) == 0x80)
		from--;
	match =
	    begin && from < text.n ? pcre2_match_data_create(1, NULL) : NULL;
	found = match && pcre2_match(begin, (PCRE2_SPTR)text.p, text.n, from,
			     PCRE2_NO_UTF_CHECK, match, NULL) >= 0;
	if (found)
		memcpy(v, pcre2_get_ovector_pointer(match), 2 * sizeof(*v));
	pcre2_match_data_free(match);
	return found;
}

/* ---- where they end ------------------------------------------------------
 */

/* What IDNA reads as a dot (RFC 3490 3.1), beside the ASCII one. */
static bool
is_dot(gunichar c)
{
	return c == 0x3002 || c == 0xff0e || c == 0xff61;
}

/* Punctuation that a U-label may hold (RFC 5892 A.3 to A.7, 2.6). */
static bool
is_in_words(gunichar c)
{
	return c == 0xb7 || c == 0x5f3 || c == 0x5f4 || c == 0xf0b ||
	       c == 0x30fb;
}

/* Turns the direction of the text (UAX 9), and is not seen. */
static bool
is_direction(gunichar c)
{
	return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool
is_break(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_SPACE_SEPARATOR:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_DASH_PUNCTUATION:
	case G_UNICODE_OPEN_PUNCTUATION:
	case G_UNICODE_CLOSE_PUNCTUATION:
	case G_UNICODE_INITIAL_PUNCTUATION:
	case G_UNICODE_FINAL_PUNCTUATION:
		return true;
	case G_UNICODE_OTHER_PUNCTUATION:
		return !is_in_words(c);
	default:
		return is_direction(c);
	}
}

size_t
url_break(struct str s)
{
	gunichar c = g_utf8_get_char(s.p);
	size_t n = (size_t)g_unichar_to_utf8(c, NULL);

	if (is_dot(c) && n < s.n && g_ascii_isalnum(s.p[n]))
		return 0;
	return is_break(c) ? n : 0;
}

/* RFC 3986 appendix C, and what else no URL holds. */
static bool
delimits(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c >= 0x80)
		return (c & 0xc0) != 0x80 && url_break(s);
	return c <= ' ' || c == 127 || strchr("<>\"`|", c);
}

/* Octets of an IPv6 address in brackets; 0 where that is none. */
static size_t
address_end(struct str s)
{
	size_t n = 1;

	while (n < s.n &&
	       (g_ascii_isxdigit(s.p[n]) || s.p[n] == ':' || s.p[n] == '.'))
		n++;
	return n > 1 && n < s.n && s.p[n] == ']' ? n + 1 : 0;
}

/* The same of an authority: what else has brackets stands behind it. */
static size_t
authority_end(struct str s)
{
	size_t n = 0, k;

	for (; n < s.n && !delimits(str_skip(s, n)); n += k) {
		k = 1;
		if (s.p[n] == '[' && (n == 0 || s.p[n - 1] == '@'))
			k = address_end(str_skip(s, n));
		if (k <= 1 && strchr("/\\?#[]{}", s.p[n]))
			break;
	}
	return n;
}

/* Octets of what follows a scheme and its slashes. */
static size_t
tail_end(struct str s)
{
	size_t n = authority_end(s);

	if (n < s.n && strchr("[]{}", s.p[n]))
		return n;
	while (n < s.n && !delimits(str_skip(s, n)))
		n++;
	return n;
}

/* Brackets of a kind that close more than were opened. */
struct brackets {
	char open, close;
	size_t opened, closed;
};

static void
count(struct brackets *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		b->opened += s.p[i] == b->open;
		b->closed += s.p[i] == b->close;
	}
}

/*
 * Punctuation that ends a sentence, not the URL; brackets that pair stay.  A
 * URL may be as long as the body, so it is gone through only a few times.
 */
static struct str
without_punctuation(struct str s)
{
	struct brackets all[] = { { '(', ')', 0, 0 }, { '[', ']', 0, 0 },
		{ '{', '}', 0, 0 } };

	for (size_t i = 0; i < 3; i++)
		count(&all[i], s);
	for (; s.n; s.n--) {
		char c = s.p[s.n - 1];
		size_t i = 0;

		while (i < 3 && c != all[i].close)
			i++;
		if (i < 3 ? all[i].closed-- <= all[i].opened
			  : !memchr(".,;:!?'*_", c, 9))
			break;
	}
	return s;
}

struct str
url_find(struct str text, size_t *at)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct str tail;
	size_t v[2];

	(void)pthread_once(&once, compile);
	while (find_begin(text, *at, v)) {
		tail = str_skip(text, v[1]);
		tail = str_head(tail, tail_end(tail));
		*at = v[1] + tail.n;
		tail = without_punctuation(tail);
		if (tail.n)
			return str_skip(str_head(text, v[1] + tail.n), v[0]);
	}
	return (struct str){ NULL, 0 };
}
