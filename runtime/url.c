/* The parts of a URL, as browsers read it (WHATWG URL 4.4). */
#include "runtime/url.h"

#include <glib.h>

#include "runtime/normal.h"

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

/* Its slashes may be backslashes, too, but they count. */
static bool
is_file(struct str scheme)
{
	return str_eq_ascii(scheme, STR("file:"));
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Into `room`, without controls, and blanks at the ends. */
static struct str
without_controls(struct str s, char *room)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= ' ' && c != 127 && (n || c != ' '))
			room[n++] = s.p[i];
	}
	while (n && room[n - 1] == ' ')
		n--;
	return (struct str){ room, n };
}

/* Octets that may be put before a URL. */
enum { HEAD = 8 };

/*
 * Into `room`, which has HEAD octets more than `s`, with http:// before www.
 * and in place of //.  What is read stands in `room` too, but always behind
 * what is written.
 */
static struct str
clean(struct str s, char *room)
{
	bool begins, special;
	size_t n = 0;

	s = without_controls(s, room + HEAD);
	begins = s.n > 1 && is_slash(s.p[0]) && is_slash(s.p[1]);
	special = begins || str_eq_ascii(str_head(s, 4), STR("www."));
	if (special) {
		memcpy(room, "http://", 7);
		n = 7;
	}
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (begins && is_slash(c))
			continue;
		special = special && c != '?' && c != '#';
		room[n++] = special && c == '\\' ? '/' : c;
		special |= c == ':' && is_file((struct str){ room, n });
		begins = c == ':' && special_scheme(room, n) > 0;
		if (begins) {
			special = true;
			memcpy(room + n, "//", 2);
			n += 2;
		}
	}
	return (struct str){ room, n };
}

/* Octets before the first of `ends`. */
static size_t
until(struct str s, struct str ends)
{
	size_t n = 0;

	while (n < s.n && str_find(ends, s.p[n]) == ends.n)
		n++;
	return n;
}

/* A scheme and its colon, taken from *s; false where it begins with none. */
static bool
take_scheme(struct str *s, struct str *scheme)
{
	size_t n = 0;

	while (n < s->n &&
	       (g_ascii_isalnum(s->p[n]) || str_find(STR("+-."), s->p[n]) < 3))
		n++;
	if (n == s->n || s->p[n] != ':' || !g_ascii_isalpha(s->p[0]))
		return false;
	*scheme = str_head(*s, n);
	*s = str_skip(*s, n + 1);
	return true;
}

/* Does it name a part of the message? */
static bool
is_inside(struct str scheme)
{
	return str_eq_ascii(scheme, STR("cid")) ||
	       str_eq_ascii(scheme, STR("mid"));
}

/*
 * The host of what stands between // and the path, both taken from *s: behind
 * the last @, before the port.
 */
static struct str
take_host(struct str *s)
{
	struct str host = str_skip(*s, 2);
	const char *at;

	host = str_head(host, until(host, STR("/?#")));
	*s = str_skip(*s, 2 + host.n);
	at = host.n ? memrchr(host.p, '@', host.n) : NULL;
	if (at)
		host = str_skip(host, (size_t)(at - host.p) + 1);
	if (str_starts(host, STR("[")))
		return str_head(str_skip(host, 1), str_find(host, ']') - 1);
	return str_head(host, str_find(host, ':'));
}

/* Without percent signs that stand for octets; p NULL with no memory. */
static struct str
percent_decoded(struct arena *a, struct str s)
{
	char *p;
	size_t n = 0;

	if (str_find(s, '%') == s.n)
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 0; p && i < s.n; i++) {
		p[n] = s.p[i];
		if (s.p[i] == '%' && i + 2 < s.n &&
		    g_ascii_isxdigit(s.p[i + 1]) &&
		    g_ascii_isxdigit(s.p[i + 2])) {
			p[n] = (char)(g_ascii_xdigit_value(s.p[i + 1]) << 4 |
				      g_ascii_xdigit_value(s.p[i + 2]));
			i += 2;
		}
		n++;
	}
	return (struct str){ p, n };
}

static void
set_site(struct arena *a, struct url_site *site, struct str host)
{
	if (site->raw.p && str_eq(site->raw, host))
		return;
	*site = (struct url_site){ .raw = arena_dup(a, host) };
	if (!site->raw.p)
		return;
	site->host = percent_decoded(a, site->raw);
	if (site->host.p)
		site->host = utf8_make_valid(a, site->host);
	if (site->host.p)
		site->domain = host_domain(a, site->host);
	if (site->domain.p)
		site->org = host_org(site->domain);
	if (site->org.n == 0)
		site->org = (struct str){ NULL, 0 };
}

void
url_of_host(
    struct arena *a, struct str host, struct url_site *site, struct url *out)
{
	set_site(a, site, host);
	*out = (struct url){
		.host = site->host, .domain = site->domain, .org = site->org
	};
}

bool
url_split(struct arena *a, struct str s, struct url_site *site, struct url *out)
{
	char *room = g_malloc(s.n + HEAD);
	struct str rest = clean(s, room), scheme, host;
	bool ok = take_scheme(&rest, &scheme) && !is_inside(scheme);

	*out = (struct url){ .host = { NULL, 0 } };
	if (ok && str_starts(rest, STR("//")) && (host = take_host(&rest)).n)
		url_of_host(a, host, site, out);
	if (ok)
		out->path = utf8_make_valid(
		    a, arena_dup(a, str_head(rest, until(rest, STR("?#")))));
	g_free(room);
	return ok;
}
