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

/* A place in a list of names that ends with an empty one, or its end. */
static size_t
place_in(const struct str *list, struct str name)
{
	size_t i = 0;

	while (list[i].n && !str_eq_ascii(name, list[i]))
		i++;
	return i;
}

static bool
is_one_of(struct str name, const struct str *list)
{
	return list[place_in(list, name)].n > 0;
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
	char *p = arena_alloc(a, s.n + 1);
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
		/* No reference is shorter than its octets. */
		memcpy(p + n, used ? c : "&", used ? octets : 1);
		n += used ? octets : 1;
		s = str_skip(s, used + 1);
	}
	return (struct str){ p, n };
}

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
	link.target = decoded(r->arena, target);
	if (!link.target.p || !vec_push(r->arena, &r->out->links, link))
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
	if (text.p)
		r->out->links.v[r->link].text = text;
	else
		r->no_memory = true;
}

/* Of attributes of one name the first one counts. */
static void
take_links(struct reader *r, const struct html_token *t)
{
	static const struct str holders[] = { STR("href"), STR("src"),
		STR("action"), STR("background"), STR("formaction"), STR("") };
	struct str rest = t->attributes;
	struct html_attribute at;
	unsigned seen = 0;
	size_t before;

	while (r->max_links && html_attribute(&rest, &at)) {
		size_t holder = place_in(holders, at.name);

		if (!holders[holder].n || seen >> holder & 1)
			continue;
		seen |= 1u << holder;
		before = r->out->links.n;
		add_link(r, at.value);
		if (r->out->links.n == before ||
		    !str_eq_ascii(t->name, STR("a")))
			continue;
		end_link(r);
		r->in_link = true;
		r->link = before;
		r->link_text = r->text->len;
	}
}

/* ---- text ---------------------------------------------------------------- */

/* Octets of a blank at the beginning; one without a break counts too. */
static inline size_t
blank_at(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c > ' ' && c != 0xc2)
		return 0;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
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

bool
html_read(
    struct arena *a, struct str source, size_t max_links, struct html *out)
{
	struct reader r = { .arena = a, .out = out, .max_links = max_links };
	struct html_scanner scanner = { .source = source };
	struct html_token token;

	*out = (struct html){ .over = false };
	r.text = g_string_sized_new(source.n / 2);
	while (!r.no_memory && html_next(&scanner, &token))
		take(&r, source, &token);
	end_link(&r);
	out->text = arena_dup(a, (struct str){ r.text->str, r.text->len });
	g_string_free(r.text, TRUE);
	return out->text.p && !r.no_memory;
}
