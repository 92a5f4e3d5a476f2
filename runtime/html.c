#include "runtime/html.h"
#include "runtime/limits.h"

#include <glib.h>
#include <libxml/HTMLparser.h>
#include <pthread.h>

#include "dsl/tables.h"

enum {
	CHUNK = 1024,
	/*
	 * libxml2's time for a tag grows with the square of the number of its
	 * attributes, so no tag with more blanks and quotes is read.
	 */
	MAX_SEPARATORS = 400,
};

/*
 * libxml2 stops where the outermost element ends, a reader does not: all is put
 * into one that no message has.
 */
#define ROOT "milt:all"

struct reader {
	struct arena *arena;
	struct html *out;
	htmlParserCtxtPtr parser;
	size_t max_links;
	GString *text;
	bool blank;   /* one is due before the next character */
	bool in_link; /* inside <a href> */
	size_t link;  /* its number, and where its text begins */
	size_t link_text;
	size_t waiting;    /* octets of a tag that has not ended yet */
	size_t separators; /* blanks and quotes in them */
	bool at_end;
	bool no_memory;
};

static bool
is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (**list == *name && strcmp(name, *list) == 0)
			return true;
	return false;
}

static bool
is_hidden(const char *name)
{
	static const char *const list[] = { "script", "style", "title", NULL };

	return is_one_of(name, list);
}

/* Elements that begin and end a line. */
static bool
is_block(const char *name)
{
	static const char *const list[] = { "address", "article", "aside",
		"blockquote", "body", "br", "center", "dd", "div", "dl", "dt",
		"fieldset", "footer", "form", "h1", "h2", "h3", "h4", "h5",
		"h6", "header", "hr", "li", "main", "nav", "ol", "option", "p",
		"pre", "section", "table", "tr", "ul", NULL };

	return is_one_of(name, list);
}

/* Elements that stand apart in a line. */
static bool
is_cell(const char *name)
{
	static const char *const list[] = { "td", "th", "img", "input",
		"button", "select", NULL };

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
break_at(struct reader *r, const char *name)
{
	if (is_block(name))
		break_line(r);
	else if (is_cell(name))
		r->blank = true;
}

/* ---- links ------------------------------------------------------------- */

static void
add_link(struct reader *r, const char *target)
{
	struct html_link link = { .text = { NULL, 0 } };

	if (r->out->links.n >= r->max_links) {
		if (!r->out->over)
			limit_hit(LIMIT_URLS);
		r->out->over = true;
		return;
	}
	link.target = arena_dup(r->arena, str_from(target));
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

static void
take_links(struct reader *r, const char *name, const xmlChar **attributes)
{
	static const char *const holders[] = { "href", "src", "action",
		"background", "formaction", NULL };
	size_t before;

	for (; attributes && *attributes; attributes += 2) {
		if (!attributes[1] ||
		    !is_one_of((const char *)attributes[0], holders))
			continue;
		before = r->out->links.n;
		add_link(r, (const char *)attributes[1]);
		if (r->out->links.n == before || strcmp(name, "a") != 0)
			continue;
		end_link(r);
		r->in_link = true;
		r->link = before;
		r->link_text = r->text->len;
	}
}

/* ---- what the parser finds ---------------------------------------------- */

/*
 * An end tag is compared with all open elements, so there must not be too
 * many.  The outer ones matter for nothing here.
 */
static void
forget_outer(htmlParserCtxtPtr parser)
{
	int max = (int)LIMIT_VALUE_HTML_DEPTH, gone = max / 2;

	if (parser->nameNr <= max)
		return;
	limit_hit(LIMIT_HTML_DEPTH);
	memmove(parser->nameTab + 1, parser->nameTab + 1 + gone,
	    (size_t)(parser->nameNr - 1 - gone) * sizeof(*parser->nameTab));
	parser->nameNr -= gone;
}

static void
on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
	struct reader *r = data;
	const char *z = (const char *)name;

	forget_outer(r->parser);
	break_at(r, z);
	take_links(r, z, attributes);
}

static void
on_end(void *data, const xmlChar *name)
{
	struct reader *r = data;
	const char *z = (const char *)name;

	if (strcmp(z, "a") == 0)
		end_link(r);
	if (strcmp(z, ROOT) == 0 && !r->at_end)
		r->out->over = true;
	break_at(r, z);
}

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

	while (n < s.n) {
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

/* Blanks are joined. */
static void
on_characters(void *data, const xmlChar *characters, int length)
{
	struct reader *r = data;
	struct str s = { (const char *)characters, (size_t)length };

	if (r->parser->name && is_hidden((const char *)r->parser->name))
		return;
	while (s.n) {
		size_t n = blank_at(s);

		if (n) {
			r->blank = true;
			s = str_skip(s, n);
			continue;
		}
		n = plain_run(s);
		put_words(r, str_head(s, n));
		s = str_skip(s, n);
	}
}

static htmlSAXHandler handler = {
	.startElement = on_start,
	.endElement = on_end,
	.characters = on_characters,
	.ignorableWhitespace = on_characters,
};

/* ---- feeding it ---------------------------------------------------------- */

static bool
is_separator(char c)
{
	return c == '"' || c == '\'' || (unsigned char)c <= ' ';
}

/* Does the parser wait for the end of a tag that has too many attributes? */
static bool
is_bomb(struct reader *r)
{
	const xmlParserInput *in = r->parser->input;
	size_t n = in ? (size_t)(in->end - in->cur) : 0;
	struct str s;

	if (n < 2 || in->cur[0] != '<' || !g_ascii_isalpha(in->cur[1])) {
		r->waiting = 0;
		return false;
	}
	if (n < r->waiting)
		r->waiting = 0;
	if (r->waiting == 0)
		r->separators = 0;
	s = (struct str){ (const char *)in->cur + r->waiting, n - r->waiting };
	r->waiting = n;
	for (size_t i = 0; i < s.n; i++)
		r->separators += is_separator(s.p[i]);
	return r->separators > MAX_SEPARATORS;
}

/* Is there a tag like that at the end of the chunk? */
static bool
ends_in_bomb(struct str chunk)
{
	size_t separators = 0;

	for (size_t i = chunk.n - 1; i-- > 0;) {
		char c = chunk.p[i];

		if (c == '>')
			return false;
		if (c == '<' && g_ascii_isalpha(chunk.p[i + 1]))
			return separators > MAX_SEPARATORS;
		separators += is_separator(c);
	}
	return false;
}

/*
 * To the end of a tag: of one that comes in two pieces libxml2 (2.9.14)
 * sometimes does not see the end.
 */
static size_t
chunk_length(struct str source)
{
	struct str head = str_head(source, CHUNK);
	const char *end = memrchr(head.p, '>', head.n);

	if (!end && source.n > head.n)
		end = memchr(source.p + head.n, '>', source.n - head.n);
	return end ? (size_t)(end - source.p) + 1 : source.n;
}

static void
read_all(struct reader *r, struct str source)
{
	while (source.n && !r->no_memory) {
		struct str chunk = str_head(source, chunk_length(source));

		if (ends_in_bomb(chunk)) {
			r->out->over = true;
			break;
		}
		(void)htmlParseChunk(r->parser, chunk.p, (int)chunk.n, 0);
		source = str_skip(source, chunk.n);
		if (is_bomb(r)) {
			r->out->over = true;
			return;
		}
	}
	r->at_end = true;
	(void)htmlParseChunk(r->parser, "", 0, 1);
}

/* NUL ends a text for libxml2; to a reader it is nothing. */
static struct str
without_nul(struct arena *a, struct str s)
{
	char *p;

	if (str_find(s, 0) == s.n)
		return s;
	s = arena_dup(a, s);
	p = (char *)s.p;
	for (size_t i = 0; i < s.n; i++)
		if (p[i] == 0)
			p[i] = ' ';
	return s;
}

bool
html_read(
    struct arena *a, struct str source, size_t max_links, struct html *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct reader r = { .arena = a, .out = out, .max_links = max_links };

	(void)pthread_once(&once, xmlInitParser);
	*out = (struct html){ .over = false };
	source = without_nul(a, source);
	if (!source.p && source.n)
		return false;
	r.parser = htmlCreatePushParserCtxt(
	    &handler, &r, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (!r.parser)
		return false;
	(void)htmlCtxtUseOptions(
	    r.parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
			  HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
			  HTML_PARSE_IGNORE_ENC | HTML_PARSE_NOIMPLIED);
	(void)htmlParseChunk(r.parser, "<" ROOT ">", sizeof(ROOT) + 1, 0);
	r.text = g_string_sized_new(source.n / 2);
	read_all(&r, source);
	end_link(&r);
	out->text = arena_dup(a, (struct str){ r.text->str, r.text->len });
	g_string_free(r.text, TRUE);
	htmlFreeParserCtxt(r.parser);
	return out->text.p && !r.no_memory;
}
