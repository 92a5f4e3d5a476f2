#include "runtime/url.h"

#include <glib.h>
#include <pthread.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "dsl/tables.h"
#include "runtime/normal.h"

static pcre2_code *begin;

/*
 * RFC 3986 appendix C: blanks, quotes and angle brackets delimit a URL in a
 * text.
 */
static void
compile(void)
{
	static const char pattern[] =
	    "(?:\\b(?:https?|ftp)://|\\bwww\\.)[^\\s<>\"\\x00-\\x20\\x7f]+";
	int error;
	size_t offset;

	begin = pcre2_compile((PCRE2_SPTR)pattern, sizeof(pattern) - 1,
	    PCRE2_UTF | PCRE2_CASELESS, &error, &offset, NULL);
	if (begin)
		(void)pcre2_jit_compile(begin, PCRE2_JIT_COMPLETE);
}

/*
 * Punctuation that ends a sentence, not the URL; brackets that pair stay.  A
 * URL may be as long as the body, so it is gone through only once.
 */
static struct str
without_punctuation(struct str s)
{
	size_t open = str_find(s, '(');

	while (s.n) {
		char c = s.p[s.n - 1];

		if (c == ')' && open < s.n)
			break;
		if (!memchr(".,;:!?)]}'*_", c, 12))
			break;
		s.n--;
	}
	return s;
}

/*
 * A window that is searched for what every URL has; octets of the longest
 * scheme, as the long s is an s without case.
 */
enum { WINDOW = 4096, SCHEME = 6 };

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
	for (size_t first = at; first < s.n; first += WINDOW) {
		struct str rest = str_skip(s, first), text;
		const char *colon, *dot;
		size_t found;

		text = str_head(rest, WINDOW + 2);
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

struct str
url_find(struct str text, size_t *at)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct str out = { NULL, 0 };
	pcre2_match_data *match;
	size_t from;

	(void)pthread_once(&once, compile);
	from = first_hint(text, *at);
	while (from > *at && from < text.n && (text.p[from] & 0xc0) == 0x80)
		from--;
	match =
	    begin && from < text.n ? pcre2_match_data_create(1, NULL) : NULL;
	if (match && pcre2_match(begin, (PCRE2_SPTR)text.p, text.n, from,
			 PCRE2_NO_UTF_CHECK, match, NULL) >= 0) {
		const size_t *v = pcre2_get_ovector_pointer(match);

		out = without_punctuation(
		    (struct str){ text.p + v[0], v[1] - v[0] });
		*at = v[1];
	}
	pcre2_match_data_free(match);
	return out;
}

/* ---- parts ----------------------------------------------------------------
 */

/*
 * Octets of the scheme if that is one whose slashes may be one, many, or
 * backslashes (WHATWG URL 4.4, special schemes), its colon included.
 */
static size_t
special_scheme(const char *room, size_t n)
{
	static const struct str schemes[] = { STR("http:"), STR("https:"),
		STR("ftp:") };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (n == schemes[i].n &&
		    str_eq_ascii((struct str){ room, n }, schemes[i]))
			return n;
	return 0;
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/*
 * Into `room`, which has 8 octets more than `s`, with http:// before www. and
 * in place of //.
 */
static void
clean(struct str s, char *room)
{
	bool slashes = true, begins = false;
	size_t n = 0;

	if (str_eq_ascii(str_head(s, 4), STR("www."))) {
		memcpy(room, "http://", 7);
		n = 7;
	} else if (s.n > 1 && is_slash(s.p[0]) && is_slash(s.p[1])) {
		memcpy(room, "http://", 7);
		n = 7;
		begins = true;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((unsigned char)c < ' ' || c == 127 || (c == ' ' && n == 0))
			continue;
		if (begins && is_slash(c))
			continue;
		slashes = slashes && c != '?' && c != '#';
		room[n++] = slashes && c == '\\' ? '/' : c;
		begins = c == ':' && special_scheme(room, n) > 0;
		if (begins) {
			memcpy(room + n, "//", 2);
			n += 2;
		}
	}
	while (n && room[n - 1] == ' ')
		n--;
	room[n] = 0;
}

static bool
is_inside(const char *scheme)
{
	return g_ascii_strcasecmp(scheme, "cid") == 0 ||
	       g_ascii_strcasecmp(scheme, "mid") == 0;
}

static void
set_site(struct arena *a, struct url_site *site, struct str host)
{
	struct str normal;
	struct ip ip;

	if (site->raw.p && str_eq(site->raw, host))
		return;
	*site = (struct url_site){ .raw = arena_dup(a, host) };
	if (!site->raw.p)
		return;
	site->host = utf8_make_valid(a, site->raw);
	if (!site->host.p || ip_parse(site->host, &ip))
		return;
	normal = domain_normal(a, site->host);
	if (!normal.p || !domain_is_valid(normal))
		return;
	site->domain = normal;
	site->org = domain_org(a, normal);
	if (site->org.n == 0)
		site->org = (struct str){ NULL, 0 };
}

static void
set_host(
    struct arena *a, struct url *out, struct url_site *site, struct str host)
{
	set_site(a, site, host);
	out->host = site->host;
	out->domain = site->domain;
	out->org = site->org;
}

bool
url_split(struct arena *a, struct str s, struct url_site *site, struct url *out)
{
	char *room = g_malloc(s.n + 8);
	char *scheme = NULL, *host = NULL, *path = NULL;
	bool ok;

	*out = (struct url){ .host = { NULL, 0 } };
	clean(s, room);
	ok = g_uri_split(room,
		 G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED_PATH |
		     G_URI_FLAGS_ENCODED_QUERY | G_URI_FLAGS_ENCODED_FRAGMENT,
		 &scheme, NULL, &host, NULL, &path, NULL, NULL, NULL)
		 ? scheme && !is_inside(scheme)
		 : strstr(room, "://") != NULL;
	if (ok && host && *host)
		set_host(a, out, site, str_from(host));
	if (ok && path)
		out->path = utf8_make_valid(a, arena_dup(a, str_from(path)));
	g_free(scheme);
	g_free(host);
	g_free(path);
	g_free(room);
	return ok;
}

/* ---- deception -------------------------------------------------------------
 */

/* Hosts in a link's text that are compared; octets of the longest. */
enum { MAX_NAMED = 10, MAX_NAME = 255 };

static bool
is_same_site(const struct url *a, const struct url *b)
{
	if (a->org.p && b->org.p)
		return str_eq(a->org, b->org);
	return str_eq_ascii(a->host, b->host);
}

static bool
splits_words(char c)
{
	return (unsigned char)c <= ' ' || strchr("<>()[]{}\"'`,;|", c);
}

/* The next word of *s, which is taken from it; empty at its end. */
static struct str
next_word(struct str *s)
{
	struct str word;
	size_t n = 0;

	while (n < s->n && splits_words(s->p[n]))
		n++;
	*s = str_skip(*s, n);
	for (n = 0; n < s->n && !splits_words(s->p[n]);)
		n++;
	word = str_head(*s, n);
	*s = str_skip(*s, n);
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
	while (n < word.n && !strchr("/?#:!", word.p[n]))
		n++;
	word = str_head(word, n);
	if (n > MAX_NAME || !has_dot(word) || !domain_is_valid(word))
		return false;
	*out = (struct url){ .host = { NULL, 0 } };
	set_host(a, out, site, word);
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

bool
url_is_deceptive(struct arena *a, const struct url *target, struct str text)
{
	struct url_site site = { .raw = { NULL, 0 } };
	struct url other;
	bool named = false;

	if (!target->host.p)
		return false;
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
