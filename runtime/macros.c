#include "runtime/macros.h"

#include <glib.h>

/* How far the first tag is looked for before all is. */
enum { HEAD = 4096, MAX_MARKS = 7 };

/*
 * Types of parts and of relationships to them: Office goes by these
 * ([MS-OFFMACRO], [MS-XLSB]), and not by names.
 */
#define OPC_MARKS                                                    \
	"vnd.ms-office.vbaproject", "relationships/vbaproject",      \
	    "vnd.ms-excel.macrosheet", "relationships/xlmacrosheet", \
	    "vnd.ms-excel.intlmacrosheet", "relationships/xlintlmacrosheet"

/* A namespace of its first tag, and what stands in it with macros. */
struct dialect {
	const char *space, *marks[MAX_MARKS];
};

static const struct dialect opc = { "", { OPC_MARKS } };

static const struct dialect flat[] = {
	{ "office/2006/xmlpackage", { OPC_MARKS } },
	{ "office/word/2003/wordml", { "docsuppdata" } },
	{ "opendocument:xmlns:office", { ":source-code" } },
};

/*
 * In lower case, UTF-16 in octets, with a dot for each octet or character that
 * is not ASCII.
 */
static GString *
plain(struct str s)
{
	bool little = s.n > 1 && (!s.p[1] || str_starts(s, STR("\xff\xfe")));
	bool big = s.n > 1 && (!s.p[0] || str_starts(s, STR("\xfe\xff")));
	size_t step = little || big ? 2 : 1;
	GString *out = g_string_sized_new(s.n / step + 1);

	g_string_set_size(out, s.n / step);
	for (size_t i = 0; i < out->len; i++) {
		char c = s.p[i * step + (step == 2 && big)];
		char other = step == 2 ? s.p[i * step + !big] : 0;

		out->str[i] = c > 0 && !other ? g_ascii_tolower(c) : '.';
	}
	return out;
}

/* XML 1.0, 4.1: an ASCII character may be written as &#106; or &#x6a; */
static void
put_references(GString *s)
{
	char *from = s->str, *to = s->str, *end;

	while (*from) {
		if (from[0] == '&' && from[1] == '#') {
			bool hex = from[2] == 'x';
			guint64 c = g_ascii_strtoull(
			    from + 2 + hex, &end, hex ? 16 : 10);

			if (*end == ';' && c && c < 0x80) {
				*to++ = g_ascii_tolower((char)c);
				from = end + 1;
				continue;
			}
		}
		*to++ = *from++;
	}
	g_string_truncate(s, (gsize)(to - s->str));
}

static bool
has_mark(struct str contents, const struct dialect *d)
{
	GString *s = plain(contents);
	bool found = false;

	put_references(s);
	for (size_t i = 0; !found && i < MAX_MARKS && d->marks[i]; i++)
		found = strstr(s->str, d->marks[i]) != NULL;
	g_string_free(s, TRUE);
	return found;
}

/* ---- parts --------------------------------------------------------------- */

static bool
ends(const char *s, const char *end)
{
	return g_str_has_suffix(s, end);
}

/* ECMA-376, part 2: names of parts are compared without case. */
bool
macros_in_part(struct str name, struct str contents)
{
	char *s = g_ascii_strdown(name.p, (gssize)name.n);
	bool found = ends(s, "vbaproject.bin") || ends(s, "script-lb.xml") ||
		     ends(s, "script-lc.xml") || strstr(s, "/macrosheets/");

	if (!found && (ends(s, "[content_types].xml") || ends(s, ".rels")))
		found = has_mark(contents, &opc);
	g_free(s);
	return found;
}

/* ---- flat documents ------------------------------------------------------ */

/*
 * The first tag of what is plain, up to its end if that is there; p NULL where
 * it does not begin there.
 */
static struct str
first_tag(const char *z)
{
	char quote = 0;
	size_t n;

	z += strspn(z, ". \t\r\n"); /* a byte order mark */
	while (z[0] == '<' && (z[1] == '?' || z[1] == '!')) {
		const char *end = z[1] == '?'                   ? "?>"
				  : g_str_has_prefix(z, "<!--") ? "-->"
								: ">";

		z = strstr(z, end);
		if (!z)
			return (struct str){ NULL, 0 };
		z += strlen(end);
		z += strspn(z, " \t\r\n");
	}
	for (n = 0; z[n] && (quote || z[n] != '>'); n++)
		if (quote ? z[n] == quote : z[n] == '"' || z[n] == '\'')
			quote = quote ? 0 : z[n];
	return (struct str){ z, n };
}

/* The first tag of contents, with its references put in. */
static GString *
read_tag(struct str contents)
{
	struct str head = str_head(contents, HEAD);
	GString *s = plain(head), *out;
	struct str tag = first_tag(s->str);

	if (head.n < contents.n && (!tag.p || !tag.p[tag.n])) {
		g_string_free(s, TRUE);
		s = plain(contents);
		tag = first_tag(s->str);
	}
	out = g_string_new_len(tag.p, (gssize)tag.n);
	g_string_free(s, TRUE);
	put_references(out);
	return out;
}

/* Can a tag, a comment or a declaration go on with it (or UTF-16)? */
static bool
goes_on(char c)
{
	return !c || c & 0x80 || g_ascii_isalpha(c) || strchr("?!_:", c);
}

/* Most files are not, and nothing is made of them. */
static bool
may_be_xml(struct str s)
{
	size_t n = 0;

	while (n < s.n && memchr("\xef\xbb\xbf\xff\xfe \t\r\n", s.p[n], 10))
		n++;
	return n + 1 < s.n && s.p[n] == '<' && goes_on(s.p[n + 1]);
}

bool
macros_in_xml(struct str contents)
{
	bool found = false;
	GString *tag;

	if (!may_be_xml(contents))
		return false;
	tag = read_tag(contents);
	for (size_t i = 0; !found && i < sizeof(flat) / sizeof(*flat); i++)
		found = strstr(tag->str, flat[i].space) &&
			has_mark(contents, &flat[i]);
	g_string_free(tag, TRUE);
	return found;
}
