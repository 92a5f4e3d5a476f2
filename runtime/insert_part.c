/* One part: the texts in its charset and transfer encoding. */
#include "runtime/charset.h"
#include "runtime/content.h"
#include "runtime/insert_state.h"
#include "runtime/mime_contents.h"

/* What is worked on: contents without transfer encoding, and what to add. */
struct work {
	struct part_text *t;
	bool html, flowed, qp, base64;
	bool eight_bit; /* declared to be so */
	const char *charset;
	struct str contents;
	uint32_t *map; /* qp: see qp_decode */
	struct str before, after;
	size_t begin, end; /* where they go, in contents */
};

/* ---- charsets ------------------------------------------------------------ */

/* False where it cannot be done exactly; *out is {NULL, 0} with no memory. */
static bool
convert(struct arena *arena, struct str s, const char *from, const char *to,
    struct str *out)
{
	gsize n;
	char *z =
	    g_convert(s.n ? s.p : "", (gssize)s.n, to, from, NULL, &n, NULL);

	if (!z)
		return false;
	*out = arena_dup(arena, (struct str){ z, n });
	g_free(z);
	return true;
}

/* Octets below 128 are codes of other characters, too. */
static bool
is_seven_bit(const char *charset)
{
	return g_ascii_strncasecmp(charset, "iso-2022", 8) == 0 ||
	       g_ascii_strncasecmp(charset, "utf-7", 5) == 0 ||
	       g_ascii_strncasecmp(charset, "hz-", 3) == 0;
}

/* Octets below 128 are ASCII, wherever they stand. */
static bool
holds_ascii(struct arena *arena, const char *charset)
{
	struct str probe = STR("Az<>&;=\r\n"), out;

	return !is_seven_bit(charset) &&
	       convert(arena, probe, "utf-8", charset, &out) &&
	       str_eq(out, probe);
}

static const char *
charset_of(GMimePart *part)
{
	const char *name = g_mime_object_get_content_type_parameter(
	    GMIME_OBJECT(part), "charset");

	return name && *name ? name : "us-ascii";
}

/* ASCII, with a question mark for each other character. */
static struct str
questions(struct arena *arena, struct str s)
{
	char *p = arena_alloc(arena, s.n + 1);
	size_t n = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 128)
			p[n++] = (char)c;
		else if (c >= 0xc0)
			p[n++] = '?';
	}
	return (struct str){ p, n };
}

/*
 * A copy, to be unreffed: with its own type changed a part loses other fields
 * of that name.
 */
static GMimeContentType *
type_of(GMimePart *part)
{
	GMimeContentType *type;
	char *z;

	if (!content_has_type(GMIME_OBJECT(part)))
		return g_mime_content_type_new("text", "plain");
	z = g_mime_content_type_encode(
	    g_mime_object_get_content_type(GMIME_OBJECT(part)), NULL);
	type = g_mime_content_type_parse(NULL, z);
	g_free(z);
	return type;
}

/* The value of its Content-Type with another charset. */
static struct str
type_with(struct arena *arena, GMimePart *part, const char *charset)
{
	GMimeContentType *type = type_of(part);
	char *z;
	struct str s;

	g_mime_content_type_set_parameter(type, "charset", charset);
	z = g_mime_content_type_encode(type, NULL);
	s = arena_dup(arena, str_trim(str_from(z)));
	g_free(z);
	g_object_unref(type);
	return s;
}

/* As readers take its charset, else as it is named. */
static bool
to_utf8(struct work *w)
{
	struct arena *arena = w->t->arena;
	struct str s = w->contents;
	size_t n;
	char *z = charset_to_utf8(s, w->charset, &n);

	if (!z)
		return convert(arena, s, w->charset, "utf-8", &w->contents);
	w->contents = arena_dup(arena, (struct str){ z, n });
	g_free(z);
	return true;
}

/* Whatever its charset is said to be: ASCII may be codes of one of 7 bits. */
static bool
is_utf8(const struct work *w)
{
	struct str s = w->contents;

	return g_utf8_validate(s.n ? s.p : "", (gssize)s.n, NULL) &&
	       !(str_is_ascii(s) && is_seven_bit(w->charset));
}

/* The whole part becomes UTF-8; false where its text is not in its charset. */
static bool
widen(struct work *w)
{
	struct part_text *t = w->t;

	if (!to_utf8(w) && !is_utf8(w))
		return false;
	t->type = type_with(t->arena, t->part, "utf-8");
	if (!t->type.p)
		w->contents = t->type;
	w->charset = "utf-8";
	w->map = NULL;
	return true;
}

/* The texts in the charset of the part, or the part in that of the texts. */
static bool
agree(struct work *w)
{
	struct arena *arena = w->t->arena;
	struct str before, after;

	if (holds_ascii(arena, w->charset) &&
	    convert(arena, w->before, "utf-8", w->charset, &before) &&
	    convert(arena, w->after, "utf-8", w->charset, &after)) {
		w->before = before;
		w->after = after;
	} else if (!widen(w)) {
		w->before = questions(arena, w->before);
		w->after = questions(arena, w->after);
	}
	return w->contents.p && w->before.p && w->after.p;
}

/* ---- the form of the texts ----------------------------------------------- */

static bool
is_flowed(GMimePart *part)
{
	const char *format = g_mime_object_get_content_type_parameter(
	    GMIME_OBJECT(part), "format");

	return format && g_ascii_strcasecmp(format, "flowed") == 0;
}

static bool
shape(struct work *w)
{
	struct arena *arena = w->t->arena;

	if (w->html) {
		if (w->before.n)
			w->before = html_text(arena, w->before);
		if (w->after.n)
			w->after = html_text(arena, w->after);
	} else if (is_flowed(w->t->part)) {
		w->flowed = true;
		w->before = flowed_text(arena, w->before);
		w->after = flowed_text(arena, w->after);
	}
	return w->before.p && w->after.p;
}

static bool
ends_line(struct str s)
{
	return s.n && s.p[s.n - 1] == '\n';
}

/*
 * Where the texts go.  Nothing that stood inside a line begins one: it might be
 * a boundary then.  A text behind others begins a line; where the contents do
 * not end in a line end, because the boundary has it, neither do the new ones.
 */
static bool
place(struct work *w)
{
	struct str s = w->contents;

	w->begin = w->html && w->before.n ? html_begin(s) : 0;
	if (w->begin > 0)
		w->before.n -= 2;
	w->end = w->html && w->after.n ? html_end(s) : s.n;
	if (w->end < w->begin)
		w->end = s.n;
	if (!w->after.n || w->end < s.n)
		return true;
	/* An empty line ends a paragraph that would take the text in. */
	if (w->flowed && flowed_goes_on(s))
		w->after = join3(w->t->arena, STR("\r\n"), w->after, STR(""));
	if (!w->after.n || !s.n || ends_line(s))
		return w->after.p != NULL;
	w->after = join3(w->t->arena, STR("\r\n"),
	    str_head(w->after, w->after.n - 2), STR(""));
	return w->after.p != NULL;
}

/* ---- contents ------------------------------------------------------------ */

static struct str
middle(const struct work *w, size_t from, size_t to)
{
	return (struct str){ w->contents.p + from, to - from };
}

/* Everything, not yet encoded. */
static struct str
whole(struct work *w)
{
	struct arena *arena = w->t->arena;
	struct str s = join3(arena, middle(w, 0, w->begin), w->before,
	    middle(w, w->begin, w->end));

	if (!s.p)
		return s;
	return join3(arena, s, w->after, middle(w, w->end, w->contents.n));
}

static bool
begins_line_end(struct str s)
{
	return str_starts(s, STR("\n")) || str_starts(s, STR("\r\n"));
}

/* A soft line break whose line end the boundary has. */
static bool
ends_in_soft_break(struct str raw)
{
	while (raw.n && (raw.p[raw.n - 1] == ' ' || raw.p[raw.n - 1] == '\t'))
		raw.n--;
	return raw.n && raw.p[raw.n - 1] == '=';
}

/* What stands between that part of the contents and a text. */
static struct str
qp_break(struct str above, bool at_end, struct str text)
{
	if (!text.n || !above.n || ends_line(above))
		return STR("");
	if (at_end && ends_in_soft_break(above))
		return STR("\r\n");
	return begins_line_end(text) ? STR("") : STR("=\r\n");
}

/*
 * Quoted-printable stays as it is around the texts; what stood behind one in
 * its line stands there still.
 */
static struct str
splice_qp(const struct work *w)
{
	struct arena *arena = w->t->arena;
	struct str raw = w->t->raw, behind = STR("");
	size_t begin = w->map[w->begin], end = w->map[w->end];
	struct str top = str_head(raw, begin), rest = str_skip(raw, begin);
	struct str before = qp_encode(arena, w->before);
	struct str after = qp_encode(arena, w->after);
	struct str head, tail;

	if (before.n && !ends_line(before) && rest.n &&
	    !begins_line_end(rest) && !(after.n && begin == end))
		behind = STR("=\r\n");
	head = join3(arena, top, qp_break(top, !rest.n, before), before);
	head = join3(arena, head, behind, str_head(rest, end - begin));
	tail = str_skip(raw, end);
	tail = join3(
	    arena, qp_break(str_head(raw, end), !tail.n, after), after, tail);
	return join3(arena, head, STR(""), tail);
}

/* Must the part become quoted-printable to have that text? */
static bool
needs_qp(const struct work *w, struct str text)
{
	bool ascii = str_is_ascii(w->before) && str_is_ascii(w->after);

	/* A wider charset makes other octets of what is there. */
	if (w->t->type.p)
		ascii = ascii && str_is_ascii(w->contents);
	return (!w->eight_bit && !ascii) ||
	       !lines_are_safe(w->t->boundaries, w->t->raw, text);
}

static bool
encode(struct work *w)
{
	struct part_text *t = w->t;
	struct str text = whole(w);

	if (!text.p)
		return false;
	if (w->base64) {
		t->contents = base64_encode(t->arena, text);
		if (t->raw.n && !ends_line(t->raw) && t->contents.n)
			t->contents.n -= 2;
	} else if (w->qp) {
		if (w->map)
			t->contents = splice_qp(w);
		if (!w->map ||
		    !lines_are_safe(t->boundaries, t->raw, t->contents))
			t->contents = qp_encode(t->arena, text);
	} else if (needs_qp(w, text)) {
		t->encoding = STR("quoted-printable");
		t->contents = qp_encode(t->arena, text);
	} else {
		t->contents = text;
	}
	return t->contents.p != NULL;
}

static bool
decode_base64(struct work *w)
{
	GByteArray *octets;
	struct str text = mime_contents(w->t->part, &octets);

	w->contents = arena_dup(w->t->arena, text);
	if (octets)
		g_byte_array_unref(octets);
	return w->contents.p != NULL;
}

static bool
decode(struct work *w)
{
	struct part_text *t = w->t;

	switch (g_mime_part_get_content_encoding(t->part)) {
	case GMIME_CONTENT_ENCODING_BASE64:
		w->base64 = true;
		return decode_base64(w);
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
		w->qp = true;
		w->contents = qp_decode(t->arena, t->raw, &w->map);
		return w->contents.p != NULL;
	case GMIME_CONTENT_ENCODING_8BIT:
		w->eight_bit = true;
		break;
	case GMIME_CONTENT_ENCODING_DEFAULT:
	case GMIME_CONTENT_ENCODING_7BIT:
	case GMIME_CONTENT_ENCODING_BINARY:
	case GMIME_CONTENT_ENCODING_UUENCODE:
		break;
	}
	w->contents = t->raw.n ? t->raw : STR("");
	return true;
}

/* RFC 2045 6.1; what a reader makes of any other is not known. */
static bool
is_known_encoding(struct str word)
{
	static const struct str known[] = { STR("7bit"), STR("8bit"),
		STR("binary"), STR("quoted-printable"), STR("base64") };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_eq_ascii(word, known[i]))
			return true;
	return false;
}

/* Another Content-Type that readers may go by: they see parts, or a file. */
static bool
says_no_text(const char *field, struct str value)
{
	return g_ascii_strcasecmp(field, "Content-Type") == 0 &&
	       str_find(value, '/') < value.n &&
	       !str_eq_ascii(str_head(value, 5), STR("text/"));
}

/*
 * Quoted-printable stays as it is around the texts, whatever is in it; base64
 * is written anew.
 */
bool
part_is_sound(GMimePart *part, struct str raw)
{
	static const char name[] = "Content-Transfer-Encoding";
	GMimeHeaderList *list =
	    g_mime_object_get_header_list(GMIME_OBJECT(part));
	int n = g_mime_header_list_get_count(list), found = 0;

	for (int i = 0; i < n; i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(list, i);
		const char *field = g_mime_header_get_name(h);
		struct str value =
		    str_trim(str_from(g_mime_header_get_raw_value(h)));

		if (says_no_text(field, value))
			return false;
		if (g_ascii_strcasecmp(field, name) != 0)
			continue;
		if (found++ || !is_known_encoding(value))
			return false;
	}
	return g_mime_part_get_content_encoding(part) !=
		   GMIME_CONTENT_ENCODING_BASE64 ||
	       base64_is_whole(raw);
}

bool
insert_part(struct part_text *t)
{
	struct work w = {
		.t = t,
		.charset = charset_of(t->part),
		.before = t->before.n ? t->before : STR(""),
		.after = t->after.n ? t->after : STR(""),
	};
	GMimeContentType *type =
	    g_mime_object_get_content_type(GMIME_OBJECT(t->part));

	w.html = g_mime_content_type_is_type(type, "text", "html");
	t->contents = t->type = t->encoding = (struct str){ NULL, 0 };
	return decode(&w) && shape(&w) && agree(&w) && place(&w) && encode(&w);
}
