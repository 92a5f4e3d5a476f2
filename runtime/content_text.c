/* The texts of a message's body, and the URLs in them. */
#include "runtime/charset.h"
#include "runtime/content.h"
#include "runtime/html.h"
#include "runtime/mime_contents.h"
#include "runtime/url.h"
#include "runtime/limits.h"

static const char urls_over[] = "the message has more URLs than are looked at";

/* ---- decoding --------------------------------------------------------
 */

/* A copy in which CRLF is LF. */
static struct str
with_lf(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	while (s.n) {
		size_t k = str_find(s, '\r');

		if (k)
			memcpy(p + n, s.p, k);
		n += k;
		s = str_skip(s, k);
		if (s.n > 1 && s.p[1] == '\n')
			s = str_skip(s, 1);
		if (s.n) {
			p[n++] = s.p[0];
			s = str_skip(s, 1);
		}
	}
	return (struct str){ p, n };
}

struct str
content_text(struct arena *a, struct str octets, const char *charset, bool html)
{
	char name[64] = "";
	struct str text, named;

	if (!charset && html) {
		named = str_head(html_charset(octets), sizeof(name) - 1);
		memcpy(name, named.p, named.n);
		charset = name;
	}
	text = charset_decode(a, octets, charset);
	return text.p || !octets.n ? with_lf(a, text) : text;
}

/* ---- URLs
 * ---------------------------------------------------------------------
 */

/* A piece of text that lies in the arena already. */
static struct cell
cell_of(struct arena *a, struct str s)
{
	return (struct cell){ .text = s, .arena = a };
}

static bool
wants_urls(const struct content *c)
{
	return (c->facts->image->needs->flags & NEED_URLS) != 0;
}

/*
 * `text` may be {NULL, 0}.  *is_url: it is absolute.  False with no memory.
 */
static bool
add_url(struct content *c, struct str value, struct str text, bool *is_url)
{
	struct arena *a = &c->facts->message_arena;
	struct url_fact fact = { .deceptive = false };
	struct url url;

	if (value.n > (size_t)LIMIT_VALUE_URL_BYTES)
		limit_hit(LIMIT_URL_BYTES);
	value = str_trim(str_head(value, (size_t)LIMIT_VALUE_URL_BYTES));
	*is_url = url_split(a, value, &c->site, &url);
	if (!*is_url)
		return true;
	if (c->urls.n >= (size_t)LIMIT_VALUE_URLS) {
		if (!c->urls_partial)
			limit_hit(LIMIT_URLS);
		c->urls_partial = urls_over;
		return true;
	}
	if (!facts_set_cell(&fact.value, a, value))
		return false;
	fact.host = cell_of(a, url.host);
	fact.domain = cell_of(a, url.domain);
	fact.org = cell_of(a, url.org);
	fact.path = cell_of(a, url.path);
	fact.text = cell_of(a, text);
	fact.deceptive = text.p && url_is_deceptive(a, &url, text);
	return vec_push(a, &c->urls, fact);
}

static bool
find_urls(struct content *c, struct str text)
{
	size_t at = 0;
	struct str s;
	bool is_url;

	while (wants_urls(c) && !c->urls_partial && (s = url_find(text, &at)).p)
		if (!add_url(c, s, (struct str){ NULL, 0 }, &is_url))
			return false;
	return true;
}

/*
 * Links, and what readers make links of: what stands in the text, outside of
 * the texts of links that lead somewhere.
 */
static bool
add_links(struct content *c, const struct html *html)
{
	VEC(struct html_link) shown = { 0 };
	struct arena *a = &c->facts->message_arena;
	size_t at = 0;

	for (size_t i = 0; i < html->links.n; i++) {
		const struct html_link *link = &html->links.v[i];
		bool is_url;

		if (!add_url(c, link->target, link->text, &is_url) ||
		    (is_url && link->text.p && !vec_push(a, &shown, *link)))
			return false;
	}
	for (size_t i = 0; i < shown.n; i++) {
		/* One of a conditional comment may stand inside another. */
		if (shown.v[i].begin < at)
			continue;
		if (!find_urls(c,
			str_skip(str_head(html->text, shown.v[i].begin), at)))
			return false;
		at = shown.v[i].end;
	}
	return find_urls(c, str_skip(html->text, at));
}

/* ---- texts
 * ---------------------------------------------------------------------
 */

typedef VEC(struct str) pieces;

/* One after the other; each ends its line.  False with no memory. */
static bool
join(struct arena *a, const pieces *all, struct cell *out)
{
	size_t n = 0;
	char *p;

	if (all->n == 0)
		return true;
	if (all->n == 1 && all->v[0].p) {
		*out = cell_of(a, all->v[0]);
		return true;
	}
	for (size_t i = 0; i < all->n; i++)
		n += all->v[i].n + 1;
	p = arena_alloc(a, n);
	if (!p)
		return false;
	n = 0;
	for (size_t i = 0; i < all->n; i++) {
		struct str s = all->v[i];

		if (n && p[n - 1] != '\n')
			p[n++] = '\n';
		if (s.n)
			memcpy(p + n, s.p, s.n);
		n += s.n;
	}
	*out = cell_of(a, (struct str){ p, n });
	return true;
}

static bool
read_html(struct content *c, struct str source, pieces *out)
{
	struct arena *a = &c->facts->message_arena;
	size_t links = wants_urls(c) ? (size_t)LIMIT_VALUE_URLS : 0;
	struct html html;

	if (!html_read(a, source, links, &html))
		return false;
	if (html.over)
		c->urls_partial = urls_over;
	return add_links(c, &html) && vec_push(a, out, html.text);
}

static bool
read_leaf(
    struct content *c, const struct leaf *leaf, pieces *plain, pieces *html)
{
	struct arena *a = &c->facts->message_arena;
	GByteArray *octets;
	struct str text = mime_contents(leaf->part, &octets);

	text = content_text(a, text,
	    g_mime_object_get_content_type_parameter(
		GMIME_OBJECT(leaf->part), "charset"),
	    leaf->html);
	if (octets)
		g_byte_array_unref(octets);
	if (!text.p)
		return false;
	if (leaf->html)
		return read_html(c, text, html);
	return vec_push(a, plain, text) && find_urls(c, text);
}

bool
content_read_texts(struct content *c)
{
	struct arena *a = &c->facts->message_arena;
	pieces plain = { 0 }, html = { 0 };

	for (size_t i = 0; i < c->leaves.n; i++)
		if ((c->leaves.v[i].plain || c->leaves.v[i].html) &&
		    !read_leaf(c, &c->leaves.v[i], &plain, &html))
			return false;
	return join(a, &plain, &c->text) && join(a, &html, &c->html);
}
