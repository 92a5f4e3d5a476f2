/*
 * Where in an HTML document a text is shown.  The document comes from anybody:
 * comments, quoted values and the contents of elements that hold raw text are
 * stepped over, so that what looks like a tag in them is none.
 */
#include "runtime/insert_state.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* Does the tag that begins at i (`<` or `</`) have this name? */
static bool
has_name(struct str s, size_t i, struct str name)
{
	struct str rest = str_skip(s, i);

	if (rest.n < name.n || !str_eq_ascii(str_head(rest, name.n), name))
		return false;
	return rest.n == name.n || is_blank(rest.p[name.n]) ||
	       rest.p[name.n] == '>' || rest.p[name.n] == '/';
}

static bool
starts_at(struct str s, size_t i, struct str what)
{
	return i <= s.n && str_starts(str_skip(s, i), what);
}

/* Behind `what` from i on, or the end. */
static size_t
behind(struct str s, size_t i, struct str what)
{
	for (; i < s.n; i++)
		if (s.p[i] == what.p[0] && starts_at(s, i, what))
			return i + what.n;
	return s.n;
}

/* Behind the tag that begins at i. */
static size_t
tag_end(struct str s, size_t i)
{
	char quote = 0;

	for (; i < s.n; i++) {
		char c = s.p[i];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if ((c == '"' || c == '\'') && s.p[i - 1] == '=')
			quote = c;
		else if (c == '>')
			return i + 1;
	}
	return s.n;
}

static const struct {
	struct str open, close;
} raw_elements[] = {
	{ STR("<script"), STR("</script") },
	{ STR("<style"), STR("</style") },
	{ STR("<title"), STR("</title") },
	{ STR("<textarea"), STR("</textarea") },
};

/* Where the element of raw text that begins at i has its end tag. */
static size_t
raw_end(struct str s, size_t i)
{
	for (size_t k = 0; k < sizeof(raw_elements) / sizeof(*raw_elements);
	     k++) {
		if (!has_name(s, i, raw_elements[k].open))
			continue;
		for (i = tag_end(s, i); i < s.n; i++)
			if (s.p[i] == '<' &&
			    has_name(s, i, raw_elements[k].close))
				return i;
		return s.n;
	}
	return tag_end(s, i);
}

/* The next tag from *i on; *i moves behind it.  s.n at the end. */
static size_t
next_tag(struct str s, size_t *i)
{
	while (*i < s.n) {
		size_t at = *i + str_find(str_skip(s, *i), '<');

		if (at >= s.n)
			break;
		if (starts_at(s, at, STR("<!--"))) {
			*i = behind(s, at + 4, STR("-->"));
			continue;
		}
		*i = raw_end(s, at);
		return at;
	}
	*i = s.n;
	return s.n;
}

/* Behind <body>, else behind </head>, else behind <html> and <!doctype>. */
size_t
html_begin(struct str s)
{
	size_t head = 0, i = 0, at;

	while ((at = next_tag(s, &i)) < s.n) {
		if (has_name(s, at, STR("<body")))
			return i;
		if (has_name(s, at, STR("</head")) ||
		    has_name(s, at, STR("<html")) ||
		    has_name(s, at, STR("<!doctype")))
			head = i;
	}
	return head;
}

/* Before the last </body>, else before the last </html>, else the end. */
size_t
html_end(struct str s)
{
	size_t body = s.n, html = s.n, i = 0, at;

	while ((at = next_tag(s, &i)) < s.n) {
		if (has_name(s, at, STR("</body")))
			body = at;
		else if (has_name(s, at, STR("</html")))
			html = at;
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
