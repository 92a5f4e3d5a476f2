#include "runtime/html.h"
#include "runtime/limits.h"

#include <glib.h>

#include "dsl/tables.h"
#include "runtime/html_token.h"

struct reader {
	struct arena *arena;
	struct html *out;
	size_t max_links;
	GString *text;
	bool blank;   /* one is due before the next character */
	bool in_link; /* inside <a href> */
	size_t link;  /* its number, and where its text begins */
	size_t link_text;
	bool hidden; /* the text that follows is not shown */
	bool no_memory;
};

/* The list ends with an empty name. */
static bool
is_one_of(struct str name, const struct str *list)
{
	for (; list->n; list++)
		if (str_eq_ascii(name, *list))
			return true;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_hidden(struct str name)
{
	static const struct str list[] = { STR("script"), STR("style"),
		STR("title"), STR("") };

	return is_one_of(name, list);
}

/* Elements that begin and end a line. */
static bool
is_block(struct str name)
{
	static const struct str list[] = { STR("address"), STR("article"),
		STR("aside"), STR("blockquote"), STR("body"), STR("br"),
		STR("center"), STR("dd"), STR("div"), STR("dl"), STR("dt"),
		STR("fieldset"), STR("footer"), STR("form"), STR("h1"),
		STR("h2"), STR("h3"), STR("h4"), STR("h5"), STR("h6"),
		STR("header"), STR("hr"), STR("li"), STR("main"), STR("nav"),
		STR("ol"), STR("option"), STR("p"), STR("pre"), STR("section"),
		STR("table"), STR("tr"), STR("ul"), STR("") };

	return is_one_of(name, list);
}

/* Elements that stand apart in a line. */
static bool
is_cell(struct str name)
{
	static const struct str list[] = { STR("td"), STR("th"), STR("img"),
		STR("input"), STR("button"), STR("select"), STR("") };

	return is_one_of(name, list);
}

static void
break_line(struct reader *r)
{
	r->blank = false;
	if (r->text->len && r->text->str[r->text->len - 1] != '\n')
		g_string_append_c(r->text, '\n');
}

static void
break_at(struct reader *r, struct str name)
{
	if (is_block(name))
		break_line(r);
	else if (is_cell(name))
		r->blank = true;
}

/* ---- links ------------------------------------------------------------- */

/* The text of an attribute, in the arena. */
static struct str
decoded(struct arena *a, struct str s)
{
	/* The longest for its reference is that of &nGt;, 6 octets for 5. */
	char *p = arena_alloc(a, s.n + s.n / 5 + 1);
	size_t n = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	while (s.n) {
		size_t k = str_find(s, '&'), octets = 0, used;
		char c[6];

		if (k)
			memcpy(p + n, s.p, k);
		n += k;
		s = str_skip(s, k);
		if (!s.n)
			break;
		used = html_reference(str_skip(s, 1), true, c, &octets);
		memcpy(p + n, used ? c : "&", used ? octets : 1);
		n += used ? octets : 1;
		s = str_skip(s, used + 1);
	}
	return (struct str){ p, n };
}

/* `target` lies in the arena, or is {NULL, 0} with no memory. */
static void
add_link(struct reader *r, struct str target)
{
	struct html_link link = { .text = { NULL, 0 } };

	if (r->out->links.n >= r->max_links) {
		if (!r->out->over)
			limit_hit(LIMIT_URLS);
		r->out->over = true;
		return;
	}
	link.target = target;
	if (!target.p || !vec_push(r->arena, &r->out->links, link))
		r->no_memory = true;
}

static void
end_link(struct reader *r)
{
	struct str text;

	if (!r->in_link)
		return;
	r->in_link = false;
	text = (struct str){ r->text->str + r->link_text,
		r->text->len > r->link_text ? r->text->len - r->link_text : 0 };
	text = arena_dup(r->arena, str_trim(text));
	r->out->links.v[r->link].begin = r->link_text;
	r->out->links.v[r->link].end = r->text->len;
	if (text.p)
		r->out->links.v[r->link].text = text;
	else
		r->no_memory = true;
}

/* The next of the images between commas; taken from *s, empty at the end. */
static struct str
next_image(struct str *s)
{
	struct str url;
	size_t n = 0;

	while (n < s->n && (is_blank(s->p[n]) || s->p[n] == ','))
		n++;
	*s = str_skip(*s, n);
	for (n = 0; n < s->n && !is_blank(s->p[n]);)
		n++;
	url = str_head(*s, n);
	*s = str_skip(*s, n);
	if (!str_ends(url, STR(",")))
		*s = str_skip(*s, str_find(*s, ','));
	while (str_ends(url, STR(",")))
		url.n--;
	return url;
}

/* HTML 4.2.5.3: what stands behind the time. */
static struct str
refresh_target(struct str s)
{
	size_t n = 0;

	while (n < s.n && (is_blank(s.p[n]) || strchr("0123456789.;,", s.p[n])))
		n++;
	s = str_skip(s, n);
	if (str_eq_ascii(str_head(s, 3), STR("url"))) {
		struct str value = str_trim(str_skip(s, 3));

		if (str_starts(value, STR("=")))
			s = str_trim(str_skip(value, 1));
	}
	if (str_starts(s, STR("'")) || str_starts(s, STR("\"")))
		s = str_head(str_skip(s, 1), str_find(str_skip(s, 1), *s.p));
	return s;
}

/* What can hold links or sources; of which element, if not of any. */
static const struct holder {
	struct str name, element;
	bool images;
} holders[] = {
	{ STR("href"), STR(""), false },
	{ STR("src"), STR(""), false },
	{ STR("action"), STR(""), false },
	{ STR("background"), STR(""), false },
	{ STR("formaction"), STR(""), false },
	{ STR("poster"), STR(""), false },
	{ STR("xlink:href"), STR(""), false },
	{ STR("lowsrc"), STR(""), false },
	{ STR("dynsrc"), STR(""), false },
	{ STR("data"), STR("object"), false },
	{ STR("srcset"), STR(""), true },
	{ STR("imagesrcset"), STR(""), true },
};

enum { HOLDERS = sizeof(holders) / sizeof(*holders) };

static size_t
find_holder(struct str element, struct str name)
{
	size_t i = 0;

	while (
	    i < HOLDERS && !(str_eq_ascii(name, holders[i].name) &&
			       (!holders[i].element.n ||
				   str_eq_ascii(element, holders[i].element))))
		i++;
	return i;
}

static void
take_images(struct reader *r, struct str value)
{
	struct str s = decoded(r->arena, value), image;

	while (s.p && !r->out->over && (image = next_image(&s)).n)
		add_link(r, image);
	r->no_memory |= !s.p;
}

static void
take_link(struct reader *r, struct str element, struct str value)
{
	size_t before = r->out->links.n;

	add_link(r, decoded(r->arena, value));
	if (r->out->links.n == before || !str_eq_ascii(element, STR("a")))
		return;
	end_link(r);
	r->in_link = true;
	r->link = before;
	r->link_text = r->text->len;
}

/* Of attributes of one name the first one counts. */
static void
take_links(struct reader *r, const struct html_token *t)
{
	struct str rest = t->attributes;
	struct html_attribute at;
	unsigned seen = 0;

	while (r->max_links && html_attribute(&rest, &at)) {
		size_t k = find_holder(t->name, at.name);

		if (k == HOLDERS || seen >> k & 1)
			continue;
		seen |= 1u << k;
		if (holders[k].images)
			take_images(r, at.value);
		else
			take_link(r, t->name, at.value);
	}
}

/* <meta http-equiv=refresh content="0; url=..."> */
static void
take_refresh(struct reader *r, const struct html_token *t)
{
	struct str rest = t->attributes, content = STR("");
	struct html_attribute at;
	bool refreshes = false;

	while (r->max_links && html_attribute(&rest, &at)) {
		if (str_eq_ascii(at.name, STR("http-equiv")))
			refreshes |=
			    str_eq_ascii(str_trim(at.value), STR("refresh"));
		else if (!content.n && str_eq_ascii(at.name, STR("content")))
			content = at.value;
	}
	if (!refreshes)
		return;
	content = decoded(r->arena, content);
	if (content.p)
		add_link(r, refresh_target(content));
	else
		r->no_memory = true;
}

/* ---- text ---------------------------------------------------------------- */

/* Octets of a blank at the beginning; one without a break counts too. */
static inline size_t
blank_at(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c > ' ' && c != 0xc2)
		return 0;
	if (is_blank(s.p[0]))
		return 1;
	return c == 0xc2 && s.n > 1 && s.p[1] == '\xa0' ? 2 : 0;
}

/* Octets up to a blank that changes anything: single spaces stay. */
static size_t
plain_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n]) {
		size_t blank = blank_at(str_skip(s, n));

		if (blank == 0)
			n++;
		else if (s.p[n] == ' ' && n + 1 < s.n &&
			 !blank_at(str_skip(s, n + 1)))
			n++;
		else
			break;
	}
	return n;
}

/* Appends words, and the blank that is due before them. */
static void
put_words(struct reader *r, struct str words)
{
	GString *t = r->text;

	if (r->blank && t->len && t->str[t->len - 1] != '\n')
		g_string_append_c(t, ' ');
	r->blank = false;
	g_string_append_len(t, words.p, (gssize)words.n);
}

/* Blanks are joined; NUL is nothing to a reader. */
static void
put_text(struct reader *r, struct str s)
{
	while (s.n) {
		size_t n = s.p[0] ? blank_at(s) : 1;

		if (n) {
			r->blank |= s.p[0] != 0;
			s = str_skip(s, n);
			continue;
		}
		n = plain_run(s);
		put_words(r, str_head(s, n));
		s = str_skip(s, n);
	}
}

static void
put_references(struct reader *r, struct str s)
{
	while (s.n) {
		size_t k = str_find(s, '&'), octets = 0, used;
		char c[6];

		put_text(r, str_head(s, k));
		s = str_skip(s, k);
		if (!s.n)
			break;
		used = html_reference(str_skip(s, 1), false, c, &octets);
		put_text(r, used ? (struct str){ c, octets } : STR("&"));
		s = str_skip(s, used + 1);
	}
}

/* ---- tokens -------------------------------------------------------------- */

static void
take(struct reader *r, struct str source, const struct html_token *t)
{
	struct str s = str_skip(str_head(source, t->end), t->begin);

	switch (t->kind) {
	case HTML_TEXT:
	case HTML_RAW:
		if (r->hidden)
			break;
		if (t->kind == HTML_TEXT)
			put_references(r, s);
		else
			put_text(r, s);
		break;
	case HTML_OPEN:
		r->hidden = is_hidden(t->name);
		break_at(r, t->name);
		if (str_eq_ascii(t->name, STR("meta")))
			take_refresh(r, t);
		else
			take_links(r, t);
		break;
	case HTML_CLOSE:
		r->hidden = false;
		if (str_eq_ascii(t->name, STR("a")))
			end_link(r);
		break_at(r, t->name);
		break;
	case HTML_OTHER:
		break;
	}
}

/* ---- conditional comments --------------------------------------------------
 */

/* Where the contents of one begin, `<!--[if ...]>`; 0 where t is none. */
static size_t
condition_end(struct str source, const struct html_token *t)
{
	struct str s = str_skip(str_head(source, t->end), t->begin);
	size_t n;

	if (t->kind != HTML_OTHER ||
	    !str_eq_ascii(str_head(s, 7), STR("<!--[if")))
		return 0;
	n = str_find(s, ']') + 1;
	return n < s.n && s.p[n] == '>' ? t->begin + n + 1 : 0;
}

/*
 * Outlook shows what stands in one, and browsers do not: its links are links,
 * and its text is none.
 */
static void
take_conditional(struct reader *r, struct str source, size_t from, size_t to)
{
	struct html_scanner scanner = { .source = str_head(source, to),
		.at = from };
	struct reader inner = { .arena = r->arena,
		.out = r->out,
		.max_links = r->max_links,
		.text = g_string_new(NULL) };
	size_t first = r->out->links.n;
	struct html_token token;

	while (!inner.no_memory && html_next(&scanner, &token))
		take(&inner, source, &token);
	end_link(&inner);
	for (; first < r->out->links.n; first++)
		r->out->links.v[first].begin = r->out->links.v[first].end =
		    r->text->len;
	r->no_memory |= inner.no_memory;
	g_string_free(inner.text, TRUE);
}

bool
html_read(
    struct arena *a, struct str source, size_t max_links, struct html *out)
{
	struct reader r = { .arena = a, .out = out, .max_links = max_links };
	struct html_scanner scanner = { .source = source };
	struct html_token token;

	*out = (struct html){ .over = false };
	r.text = g_string_sized_new(source.n / 2);
	while (!r.no_memory && html_next(&scanner, &token)) {
		size_t n = condition_end(source, &token);

		if (n && max_links)
			take_conditional(&r, source, n, token.end);
		else
			take(&r, source, &token);
	}
	end_link(&r);
	out->text = arena_dup(a, (struct str){ r.text->str, r.text->len });
	g_string_free(r.text, TRUE);
	return out->text.p && !r.no_memory;
}
