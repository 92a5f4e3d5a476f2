#include "runtime/mime.h"

#include "runtime/mime_names.h"
#include "runtime/limits.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

/* The parse that this thread is in. */
static _Thread_local struct parse {
	struct mime_budget *budget;
	GMimeStream *stream;
	GByteArray *octets; /* to be mended, or NULL */
	bool mended, may_be_cut;
	bool *malformed;
} * current;

/* The parser sees the end of the stream here, as if the message ended. */
static void
stop(void)
{
	if (!current->budget->over)
		limit_hit(LIMIT_PARTS);
	current->budget->over = true;
	g_mime_stream_set_bounds(
	    current->stream, 0, g_mime_stream_tell(current->stream));
}

static void
count_part(GTypeInstance *object, gpointer class)
{
	(void)object;
	(void)class;
	if (!current)
		return;
	if (current->budget->parts > 0)
		current->budget->parts--;
	else
		stop();
}

/*
 * GMime's time for a field with parameters grows with the square of their
 * number.  The value is the text that it parses when the header is complete,
 * so cutting it here bounds that.
 */
static void
cut_value(const char *value)
{
	if (strnlen(value, MIME_MAX_FIELD + 1) <= MIME_MAX_FIELD)
		return;
	((char *)value)[MIME_MAX_FIELD] = 0;
	*current->malformed = true;
}

/* Octets of the field at s, its continuation lines included. */
static size_t
field_length(struct str s)
{
	size_t n = 0;

	do
		n += str_find(str_skip(s, n), '\n') + 1;
	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'));
	return n < s.n ? n : s.n;
}

bool
mime_has_bare_cr(struct str s)
{
	size_t i;

	while ((i = str_find(s, '\r')) < s.n) {
		s = str_skip(s, i + 1);
		if (!str_starts(s, STR("\n")))
			return true;
	}
	return false;
}

/* With its continuation lines; {NULL, 0} where it cannot be told. */
static struct str
field_at(gint64 offset)
{
	const GByteArray *a = current->octets;
	struct str s;

	if (!a || offset < 0 || offset >= a->len)
		return (struct str){ NULL, 0 };
	s = (struct str){ (const char *)a->data + offset,
		a->len - (size_t)offset };
	return str_head(s, field_length(s));
}

/* The value that GMime has ends at NUL: it is for the next parse. */
static void
look_at_field(gint64 offset)
{
	GByteArray *a = current->octets;
	struct str field = field_at(offset);
	size_t i;

	*current->malformed |= mime_has_bare_cr(field);
	while ((i = str_find(field, 0)) < field.n) {
		field = str_skip(field, i);
		a->data[field.p - (const char *)a->data] = '?';
		current->mended = true;
	}
}

static bool
is_of_content(const char *field)
{
	return g_ascii_strncasecmp(field, "Content-", 8) == 0;
}

static void
count_field(GMimeParser *parser, const char *name, const char *value,
    gint64 offset, gpointer data)
{
	size_t n = 0;

	(void)parser;
	(void)data;
	cut_value(value);
	look_at_field(offset);
	if (is_of_content(name))
		n = strnlen(value, MIME_MAX_FIELD);
	if (current->budget->fields > 0 && current->budget->octets >= n) {
		current->budget->fields--;
		current->budget->octets -= n;
	} else {
		stop();
	}
}

static bool
is_word(struct str s)
{
	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++)
		if (!g_ascii_isalnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

/*
 * A faulty parameter that hides nothing from anybody: of a text, all of plain
 * words, and behind it there is no other.  So small senders write, `text/html;
 * utf-8`.
 */
static bool
is_harmless(struct str field)
{
	struct str rest = str_skip(field, str_find(field, ':'));
	bool faulty = false;

	rest = str_trim(str_skip(rest, rest.n > 0));
	if (!str_eq_ascii(str_head(rest, 5), STR("text/")))
		return false;
	rest = str_skip(rest, str_find(rest, ';'));
	while (rest.n) {
		struct str piece = str_skip(rest, 1), value;

		piece = str_head(piece, str_find(piece, ';'));
		rest = str_skip(rest, 1 + piece.n);
		piece = str_trim(piece);
		value = str_skip(piece, str_find(piece, '='));
		if ((faulty && piece.n) ||
		    !is_word(str_head(piece, piece.n - value.n)) ||
		    (value.n && !is_word(str_skip(value, 1))))
			return false;
		faulty |= piece.n && value.n < 2;
	}
	return true;
}

static void
note_warning(
    gint64 offset, GMimeParserWarning code, const gchar *item, gpointer data)
{
	(void)data;
	if (!current)
		return;
	switch (code) {
	case GMIME_WARN_DUPLICATED_HEADER:
	case GMIME_WARN_DUPLICATED_PARAMETER:
	case GMIME_WARN_UNENCODED_8BIT_HEADER:
	case GMIME_WARN_INVALID_RFC2047_HEADER_VALUE:
	case GMIME_WARN_INVALID_ADDRESS_LIST:
	case GMIME_WARN_PART_WITHOUT_CONTENT:
		return;
	case GMIME_WARN_INVALID_CONTENT_TYPE:
	case GMIME_WARN_MALFORMED_MULTIPART:
	case GMIME_WARN_MALFORMED_MESSAGE:
	case GMIME_CRIT_INVALID_HEADER_NAME:
	case GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY:
	case GMIME_CRIT_NESTING_OVERFLOW:
	case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
		*current->malformed = true;
		return;
	case GMIME_WARN_INVALID_PARAMETER:
		*current->malformed |= !is_harmless(field_at(offset));
		return;
	case GMIME_WARN_TRUNCATED_MESSAGE:
		*current->malformed |= !current->may_be_cut;
		return;
	case GMIME_CRIT_CONFLICTING_HEADER:
		/* GMime says so of all; each message has some Received. */
		*current->malformed |= is_of_content(item);
		return;
	case GMIME_CRIT_CONFLICTING_PARAMETER:
		/* A name in two forms is common (RFC 6266 D): part_name. */
		if (g_ascii_strcasecmp(item, "filename") != 0)
			*current->malformed = true;
	}
}

/* ---- counted types ------------------------------------------------------ */

static GType
counted(GType parent, const char *name)
{
	GTypeQuery q;

	g_type_query(parent, &q);
	return g_type_register_static_simple(parent, name, (guint)q.class_size,
	    NULL, (guint)q.instance_size, count_part, 0);
}

/*
 * The rows of GMime's table that are replaced below are lost, once in a
 * process.
 */
static void
init_gmime(void)
{
#ifdef __SANITIZE_ADDRESS__
	__lsan_disable();
#endif
	g_mime_init();
#ifdef __SANITIZE_ADDRESS__
	__lsan_enable();
#endif
}

/*
 * Broken contents are no news for the log of a daemon; to libgsf they are
 * critical.
 */
static void
log_what_is_ours(const gchar *domain, GLogLevelFlags level,
    const gchar *message, gpointer data)
{
	if (domain && g_str_has_prefix(domain, "libgsf"))
		return;
	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		g_log_default_handler(domain, level, message, data);
}

void
mime_init(void)
{
	GType part, text, multipart, sealed, is_signed, partial;

	init_gmime();
	(void)g_log_set_default_handler(log_what_is_ours, NULL);
	part = counted(GMIME_TYPE_PART, "MiltPart");
	text = counted(GMIME_TYPE_TEXT_PART, "MiltTextPart");
	multipart = counted(GMIME_TYPE_MULTIPART, "MiltMultipart");
	sealed = counted(GMIME_TYPE_MULTIPART_ENCRYPTED, "MiltEncrypted");
	is_signed = counted(GMIME_TYPE_MULTIPART_SIGNED, "MiltSigned");
	partial = counted(GMIME_TYPE_MESSAGE_PARTIAL, "MiltPartial");
	g_mime_object_register_type("*", "*", part);
	g_mime_object_register_type("text", "*", text);
	g_mime_object_register_type("multipart", "*", multipart);
	g_mime_object_register_type("multipart", "encrypted", sealed);
	g_mime_object_register_type("multipart", "signed", is_signed);
	g_mime_object_register_type("message", "*", part);
	g_mime_object_register_type("message", "partial", partial);
	g_mime_object_register_type("message", "rfc822", part);
	g_mime_object_register_type("message", "rfc2822", part);
	g_mime_object_register_type("message", "global", part);
	g_mime_object_register_type("message", "news", part);
}

/* ---- parsing ------------------------------------------------------------- */

static GMimeObject *
parse_once(struct parse *here)
{
	GMimeParserOptions *options = g_mime_parser_options_new();
	GMimeParser *parser = g_mime_parser_new_with_stream(here->stream);
	GMimeObject *out;

	g_mime_parser_options_set_warning_callback(options, note_warning, NULL);
	g_mime_parser_set_header_regex(parser, "", count_field, NULL);
	current = here;
	mime_names_enter();
	out = g_mime_parser_construct_part(parser, options);
	mime_names_leave((size_t)g_mime_stream_length(here->stream));
	current = NULL;
	g_object_unref(parser);
	g_mime_parser_options_free(options);
	return out;
}

GMimeObject *
mime_parse(GMimeStream *stream, GByteArray *octets, struct mime_budget *budget,
    bool may_be_cut, bool *malformed)
{
	struct mime_budget before = *budget;
	struct parse here = { budget, stream, octets, false, may_be_cut,
		malformed };
	GMimeObject *out = parse_once(&here);

	if (!here.mended)
		return out;
	*malformed = true;
	if (out)
		g_object_unref(out);
	*budget = before;
	here.octets = NULL;
	g_mime_stream_set_bounds(stream, 0, -1);
	(void)g_mime_stream_reset(stream);
	return parse_once(&here);
}

const char *
mime_field(GMimeObject *o, const char *name)
{
	GMimeHeader *h = g_mime_header_list_get_header(
	    g_mime_object_get_header_list(o), name);

	return h ? g_mime_header_get_raw_value(h) : NULL;
}

bool
mime_is_message(GMimeObject *o)
{
	static const char *const kin[] = { "rfc822", "rfc2822", "global",
		"news" };
	GMimeContentType *type = g_mime_object_get_content_type(o);

	for (size_t i = 0; type && i < sizeof(kin) / sizeof(*kin); i++)
		if (g_mime_content_type_is_type(type, "message", kin[i]))
			return true;
	return false;
}
