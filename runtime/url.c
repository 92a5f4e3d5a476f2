#include "runtime/url.h"

#include <glib.h>
#include <pthread.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

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

/* Punctuation that ends a sentence, not the URL; brackets that pair stay. */
static struct str
without_punctuation(struct str s)
{
	while (s.n) {
		char c = s.p[s.n - 1];

		if (c == ')' && str_find(s, '(') < s.n)
			break;
		if (!memchr(".,;:!?)]}'*_", c, 12))
			break;
		s.n--;
	}
	return s;
}

struct str
url_find(struct str text, size_t *at)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pcre2_match_data *match;
	struct str out = { NULL, 0 };

	(void)pthread_once(&once, compile);
	match = begin && text.n ? pcre2_match_data_create(1, NULL) : NULL;
	if (match && pcre2_match(begin, (PCRE2_SPTR)text.p, text.n, *at,
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

/* Into `room`, with http:// before www. and http: before //. */
static void
clean(struct str s, char *room)
{
	bool slashes = true;
	size_t n = 0;

	if (str_eq_ascii(str_head(s, 4), STR("www."))) {
		memcpy(room, "http://", 7);
		n = 7;
	} else if (str_starts(s, STR("//")) || str_starts(s, STR("\\\\"))) {
		memcpy(room, "http:", 5);
		n = 5;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((unsigned char)c < ' ' || c == 127 || (c == ' ' && n == 0))
			continue;
		slashes = slashes && c != '?' && c != '#';
		room[n++] = slashes && c == '\\' ? '/' : c;
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
set_host(struct arena *a, struct url *out, struct str host)
{
	struct str text = utf8_make_valid(a, host), normal;
	struct ip ip;

	if (text.p == host.p)
		text = arena_dup(a, host);
	out->host = text;
	if (!text.p || ip_parse(text, &ip))
		return;
	normal = domain_normal(a, text);
	if (!normal.p || !domain_is_valid(normal))
		return;
	out->domain = normal;
	out->org = domain_org(a, normal);
	if (out->org.n == 0)
		out->org = (struct str){ NULL, 0 };
}

bool
url_split(struct arena *a, struct str s, struct url *out)
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
		set_host(a, out, str_from(host));
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

static bool
is_same_site(const struct url *a, const struct url *b)
{
	if (a->org.p && b->org.p)
		return str_eq(a->org, b->org);
	return str_eq_ascii(a->host, b->host);
}

bool
url_is_deceptive(struct arena *a, const struct url *target, struct str text)
{
	size_t at = 0, named = 0;
	struct url other;
	struct str s;

	if (!target->host.p)
		return false;
	for (; named < 10 && (s = url_find(text, &at)).p; named++)
		if (!url_split(a, s, &other) || !other.host.p ||
		    is_same_site(target, &other))
			return false;
	if (named)
		return true;
	text = str_trim(text);
	if (text.n > 255 || !memchr(text.p, '.', text.n) ||
	    !domain_is_valid(text))
		return false;
	other = (struct url){ .host = { NULL, 0 } };
	set_host(a, &other, text);
	return other.org.p && !is_same_site(target, &other);
}
