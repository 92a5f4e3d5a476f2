/*
 * Where in an HTML document a text is shown.  The document comes from anybody:
 * what looks like a tag in comments, quoted values, elements of raw text and
 * templates is none.
 */
#include <glib.h>

#include "runtime/html_token.h"
#include "runtime/insert_state.h"

struct walk {
	struct html_scanner scanner;
	size_t templates; /* open ones */
};

static bool
is_tag(const struct html_token *t, enum html_kind kind, struct str name)
{
	return t->kind == kind && str_eq_ascii(t->name, name);
}

/* The next one outside of templates. */
static bool
next_token(struct walk *w, struct html_token *t)
{
	while (html_next(&w->scanner, t)) {
		if (is_tag(t, HTML_OPEN, STR("template")))
			w->templates++;
		else if (is_tag(t, HTML_CLOSE, STR("template")))
			w->templates -= w->templates > 0;
		else if (!w->templates)
			return true;
	}
	return false;
}

static bool
is_doctype(struct str s, const struct html_token *t)
{
	return t->kind == HTML_OTHER &&
	       str_eq_ascii(
		   str_head(str_skip(s, t->begin), 9), STR("<!doctype"));
}

static bool
is_one_of(struct str name, const struct str *list)
{
	for (; list->n; list++)
		if (str_eq_ascii(name, *list))
			return true;
	return false;
}

/*
 * May it stand before the body (HTML 13.2.6.4.1 to 13.2.6.4.6)?  noscript may,
 * too, but where scripts run it is not shown.
 */
static bool
is_of_head(struct str s, const struct html_token *t)
{
	static const struct str opened[] = { STR("html"), STR("head"),
		STR("title"), STR("meta"), STR("style"), STR("link"),
		STR("script"), STR("base"), STR("basefont"), STR("bgsound"),
		STR("noframes"), STR("") };
	static const struct str begin_body[] = { STR("body"), STR("html"),
		STR("br"), STR("") };

	switch (t->kind) {
	case HTML_TEXT:
	case HTML_RAW:
		return !str_trim(str_skip(str_head(s, t->end), t->begin)).n;
	case HTML_OPEN:
		return is_one_of(t->name, opened);
	case HTML_CLOSE:
		return !is_one_of(t->name, begin_body);
	case HTML_OTHER:
		return true;
	}
	return true;
}

/*
 * Behind the <body> that begins the body, else before what begins it; where
 * there is nothing, behind </head>, <html> and <!doctype>.
 */
size_t
html_begin(struct str s)
{
	struct walk w = { .scanner.source = s };
	struct html_token t;
	size_t head = 0;
	bool inside = false; /* in an element of the head */

	/* A byte order mark is no text. */
	if (str_starts(s, STR("\xef\xbb\xbf")))
		w.scanner.at = head = 3;
	while (next_token(&w, &t)) {
		if (is_tag(&t, HTML_OPEN, STR("body")))
			return t.end;
		if (!inside && !is_of_head(s, &t))
			return t.begin;
		inside = w.scanner.raw != NULL;
		if (is_tag(&t, HTML_CLOSE, STR("head")) ||
		    is_tag(&t, HTML_OPEN, STR("html")) || is_doctype(s, &t))
			head = t.end;
	}
	return head;
}

/* Before the last </body>, else before the last </html>, else the end. */
size_t
html_end(struct str s)
{
	struct walk w = { .scanner.source = s };
	size_t body = s.n, html = s.n;
	struct html_token t;

	while (next_token(&w, &t)) {
		if (is_tag(&t, HTML_CLOSE, STR("body")))
			body = t.begin;
		else if (is_tag(&t, HTML_CLOSE, STR("html")))
			html = t.begin;
	}
	return body < s.n ? body : html;
}

struct str
html_text(struct arena *arena, struct str text)
{
	GString *out = g_string_new("<div>");
	struct str s;

	for (const char *p = text.p, *end = p + text.n; p < end;
	     p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == '\r')
			continue;
		if (c == '\n' && p + 1 < end)
			g_string_append(out, "<br>\r\n");
		else if (c == '<')
			g_string_append(out, "&lt;");
		else if (c == '>')
			g_string_append(out, "&gt;");
		else if (c == '&')
			g_string_append(out, "&amp;");
		else if (c >= 127)
			g_string_append_printf(out, "&#%u;", (unsigned)c);
		else if (c >= ' ' || c == '\t')
			g_string_append_c(out, (char)c);
	}
	g_string_append(out, "</div>\r\n");
	s = arena_dup(arena, (struct str){ out->str, out->len });
	g_string_free(out, TRUE);
	return s;
}
