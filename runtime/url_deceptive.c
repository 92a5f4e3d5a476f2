/* Links whose texts name another host than the one that they lead to. */
#include "runtime/url.h"

#include <glib.h>

#include "dsl/tables.h"
#include "runtime/normal.h"

/* Hosts in a link's text that are compared; octets of the longest. */
enum { MAX_NAMED = 10, MAX_NAME = 255 };

static bool
is_same_site(const struct url *a, const struct url *b)
{
	if (a->org.p && b->org.p)
		return str_eq(a->org, b->org);
	return str_eq_ascii(a->host, b->host);
}

/* Octets at the beginning that part words; 0 where none do. */
static size_t
gap(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c >= 0x80)
		return (c & 0xc0) == 0x80 ? 0 : url_break(s);
	return c <= ' ' || strchr("<>()[]{}\"'`,;|", c) ? 1 : 0;
}

/* The next word of *s, which is taken from it; empty at its end. */
static struct str
next_word(struct str *s)
{
	struct str word;
	size_t n;

	while (s->n && (n = gap(*s)))
		*s = str_skip(*s, n);
	for (n = 0; n < s->n && !gap(str_skip(*s, n));)
		n++;
	word = str_head(*s, n);
	*s = str_skip(*s, n);
	return word;
}

static bool
is_letter(const char *p)
{
	gunichar c = g_utf8_get_char(p);

	return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

/* Without marks at both ends, as in *bank.com*, //bank.com and bank.com... */
static struct str
bare(struct str word)
{
	const char *end = word.p + word.n;

	while (word.n && !is_letter(word.p))
		word =
		    str_skip(word, (size_t)(g_utf8_next_char(word.p) - word.p));
	while (word.n) {
		const char *last = g_utf8_prev_char(end);

		if (is_letter(last))
			break;
		end = last;
		word.n = (size_t)(end - word.p);
	}
	return word;
}

/* The ASCII dot, and those that IDNA reads as it. */
static bool
has_dot(struct str s)
{
	return str_find(s, '.') < s.n || memmem(s.p, s.n, "\u3002", 3) ||
	       memmem(s.p, s.n, "\uff0e", 3) || memmem(s.p, s.n, "\uff61", 3);
}

/* RFC 2606 2: domains of no list that are meant as such. */
static bool
is_reserved(struct str label)
{
	return str_eq(label, STR("example")) || str_eq(label, STR("test")) ||
	       str_eq(label, STR("invalid"));
}

/*
 * Does a word name a host, as in bank.example:443/login?  Its last label tells
 * it from a file.
 */
static bool
names_host(
    struct arena *a, struct str word, struct url_site *site, struct url *out)
{
	struct str last;
	size_t n = 0;

	if (str_find(word, '@') < word.n)
		return false;
	word = bare(word);
	while (n < word.n && !strchr("/?#:!", word.p[n]))
		n++;
	word = str_head(word, n);
	if (n > MAX_NAME || !has_dot(word) || !domain_is_valid(word))
		return false;
	url_of_host(a, word, site, out);
	if (!out->org.p)
		return false;
	last = out->domain;
	while (str_find(last, '.') < last.n)
		last = str_skip(last, str_find(last, '.') + 1);
	return domain_is_suffix(last) || is_reserved(last);
}

/* The URL or, where `urls` is not asked for, the name that is next in *s. */
static bool
next_host(struct arena *a, struct str *s, bool urls, struct url_site *site,
    struct url *out)
{
	size_t at = 0;
	struct str word;

	if (urls) {
		word =
		    str_head(url_find(*s, &at), (size_t)LIMIT_VALUE_URL_BYTES);
		*s = str_skip(*s, at);
		return word.p && url_split(a, word, site, out);
	}
	while ((word = next_word(s)).n)
		if (names_host(a, word, site, out))
			return true;
	return false;
}

/* Without what is not seen: format characters (Unicode 16, 23.2). */
static struct str
visible(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n);
	size_t n = 0, k;

	for (; p && s.n; s = str_skip(s, k)) {
		gunichar c = g_utf8_get_char(s.p);

		k = (size_t)(g_utf8_next_char(s.p) - s.p);
		if (g_unichar_type(c) == G_UNICODE_FORMAT)
			continue;
		memcpy(p + n, s.p, k);
		n += k;
	}
	return (struct str){ p, n };
}

bool
url_is_deceptive(struct arena *a, const struct url *target, struct str text)
{
	struct url_site site = { .raw = { NULL, 0 } };
	struct url other;
	bool named = false;

	if (!target->host.p)
		return false;
	text = visible(a, text);
	for (int urls = 1; urls >= 0 && !named; urls--) {
		struct str rest = text;

		for (int i = 0; i < MAX_NAMED; i++) {
			if (!next_host(a, &rest, urls, &site, &other))
				break;
			if (!other.host.p || is_same_site(target, &other))
				return false;
			named = true;
		}
	}
	return named;
}
