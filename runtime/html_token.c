#include "runtime/html_token.h"

#include <glib.h>

/* ---- characters ---------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool
ends_name(char c)
{
	return is_blank(c) || c == '/' || c == '>';
}

static size_t
skip_blanks(struct str s, size_t i)
{
	while (i < s.n && is_blank(s.p[i]))
		i++;
	return i;
}

static bool
starts_at(struct str s, size_t i, struct str what)
{
	return i <= s.n && str_starts(str_skip(s, i), what);
}

/* Is there this name at i, and does it end there? */
static bool
has_name(struct str s, size_t i, struct str name)
{
	struct str rest = str_skip(s, i);

	return rest.n > name.n && ends_name(rest.p[name.n]) &&
	       str_eq_ascii(str_head(rest, name.n), name);
}

/* Behind the next `c` from i on, or the end. */
static size_t
behind(struct str s, size_t i, char c)
{
	i += str_find(str_skip(s, i), c);
	return i + (i < s.n);
}

/* ---- elements of raw text ------------------------------------------------ */

struct html_raw {
	struct str name;
	bool references, script, endless;
};

/* HTML 13.2.6.4; readers of mail run no scripts, so not noscript. */
static const struct html_raw raw_elements[] = {
	{ .name = STR("script"), .script = true },
	{ .name = STR("style") },
	{ .name = STR("title"), .references = true },
	{ .name = STR("textarea"), .references = true },
	{ .name = STR("xmp") },
	{ .name = STR("iframe") },
	{ .name = STR("noembed") },
	{ .name = STR("noframes") },
	{ .name = STR("plaintext"), .endless = true },
};

static const struct html_raw *
find_raw(struct str name)
{
	for (size_t i = 0; i < sizeof(raw_elements) / sizeof(*raw_elements);
	     i++)
		if (str_eq_ascii(name, raw_elements[i].name))
			return &raw_elements[i];
	return NULL;
}

static bool
closes(struct str s, size_t i, const struct html_raw *raw)
{
	return starts_at(s, i, STR("</")) && has_name(s, i + 2, raw->name);
}

/*
 * Where its end tag begins.  A script inside a comment of a script has an end
 * tag of its own (13.2.5.15 to 13.2.5.31).
 */
static size_t
raw_end(struct str s, size_t i, const struct html_raw *raw)
{
	bool comment = false, inner = false;

	if (raw->endless)
		return s.n;
	for (; i < s.n; i++) {
		if (s.p[i] == '<' && closes(s, i, raw)) {
			if (!inner)
				return i;
			inner = false;
		} else if (!raw->script) {
			continue;
		} else if (starts_at(s, i, STR("<!--"))) {
			comment = true;
			i++;
		} else if (starts_at(s, i, STR("-->"))) {
			comment = inner = false;
		} else if (comment && s.p[i] == '<' &&
			   has_name(s, i + 1, raw->name)) {
			inner = true;
		}
	}
	return s.n;
}

/* ---- tags ---------------------------------------------------------------- */

/*
 * Behind an attribute that begins at i, where no blank is (13.2.5.32 to 39);
 * s.n where the tag does not end.
 */
static size_t
read_attribute(struct str s, size_t i, struct html_attribute *out)
{
	size_t from = i, to;

	i++; /* even if it is = */
	while (i < s.n && !ends_name(s.p[i]) && s.p[i] != '=')
		i++;
	out->name = (struct str){ s.p + from, i - from };
	out->value = STR("");
	to = skip_blanks(s, i);
	if (to >= s.n || s.p[to] != '=')
		return i;
	i = skip_blanks(s, to + 1);
	if (i >= s.n || s.p[i] == '>')
		return i;
	if (s.p[i] == '"' || s.p[i] == '\'') {
		to = behind(s, i + 1, s.p[i]);
		out->value = (struct str){ s.p + i + 1, to - i - 1 };
		out->value.n -= out->value.n && s.p[to - 1] == s.p[i];
		return to;
	}
	from = i;
	while (i < s.n && !is_blank(s.p[i]) && s.p[i] != '>')
		i++;
	out->value = (struct str){ s.p + from, i - from };
	return i;
}

static size_t
skip_to_attribute(struct str s, size_t i)
{
	while (i < s.n && (is_blank(s.p[i]) || s.p[i] == '/'))
		i++;
	return i;
}

bool
html_attribute(struct str *attributes, struct html_attribute *out)
{
	size_t i = skip_to_attribute(*attributes, 0);

	if (i >= attributes->n)
		return false;
	*attributes =
	    str_skip(*attributes, read_attribute(*attributes, i, out));
	return true;
}

/* The tag whose name begins at i. */
static void
read_tag(struct str s, size_t i, enum html_kind kind, struct html_token *t)
{
	struct html_attribute skipped;
	size_t from = i;

	while (i < s.n && !ends_name(s.p[i]))
		i++;
	t->name = (struct str){ s.p + from, i - from };
	from = i;
	for (;;) {
		i = skip_to_attribute(s, i);
		if (i >= s.n || s.p[i] == '>')
			break;
		i = read_attribute(s, i, &skipped);
	}
	t->attributes = (struct str){ s.p + from, i - from };
	t->kind = i < s.n ? kind : HTML_OTHER;
	t->end = i + (i < s.n);
}

/* ---- what is no text ----------------------------------------------------- */

/* Behind a comment whose text begins at i (13.2.5.43 to 13.2.5.52). */
static size_t
comment_end(struct str s, size_t i)
{
	if (starts_at(s, i, STR(">")))
		return i + 1;
	if (starts_at(s, i, STR("->")))
		return i + 2;
	while (i < s.n) {
		i += str_find(str_skip(s, i), '-');
		if (starts_at(s, i, STR("-->")))
			return i + 3;
		if (starts_at(s, i, STR("--!>")))
			return i + 4;
		i += i < s.n;
	}
	return s.n;
}

/* Does the < at i begin something else than text? */
static bool
is_markup(struct str s, size_t i)
{
	char c = i + 1 < s.n ? s.p[i + 1] : ' ';

	return c == '!' || c == '?' || g_ascii_isalpha(c) ||
	       (c == '/' && i + 2 < s.n);
}

static void
read_markup(struct html_scanner *h, struct html_token *t)
{
	struct str s = h->source;
	size_t i = t->begin + 1;

	t->kind = HTML_OTHER;
	if (g_ascii_isalpha(s.p[i])) {
		read_tag(s, i, HTML_OPEN, t);
		if (t->kind == HTML_OPEN)
			h->raw = find_raw(t->name);
	} else if (s.p[i] == '/' && g_ascii_isalpha(s.p[i + 1])) {
		read_tag(s, i + 1, HTML_CLOSE, t);
	} else if (starts_at(s, i, STR("!--"))) {
		t->end = comment_end(s, i + 3);
	} else {
		t->end = behind(s, i, '>');
	}
}

static size_t
text_end(struct str s, size_t i)
{
	while (i < s.n) {
		i += str_find(str_skip(s, i), '<');
		if (i < s.n && is_markup(s, i))
			break;
		i += i < s.n;
	}
	return i;
}

bool
html_next(struct html_scanner *h, struct html_token *t)
{
	struct str s = h->source;

	*t = (struct html_token){ .kind = HTML_TEXT, .begin = h->at };
	if (h->raw) {
		t->kind = h->raw->references ? HTML_TEXT : HTML_RAW;
		t->end = raw_end(s, h->at, h->raw);
		h->raw = NULL;
	} else if (h->at < s.n && s.p[h->at] == '<' && is_markup(s, h->at)) {
		read_markup(h, t);
	} else {
		t->end = text_end(s, h->at);
	}
	h->at = t->end;
	return t->end > t->begin || h->at < s.n;
}
