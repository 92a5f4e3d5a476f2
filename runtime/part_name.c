#include "runtime/part_name.h"

#include "runtime/facts_decode.h"
#include "runtime/file_name.h"
#include "runtime/mime_names.h"
#include "runtime/normal.h"

/* The names that were found, the one to be taken first. */
struct search {
	struct arena *arena;
	struct part_name *out;
	bool extended; /* it is as RFC 2231 has it */
	size_t octets; /* of the fields */
	bool no_memory;
};

/* ---- comments -------------------------------------------------------------
 */

/* What stands in front of the comments at the end. */
static struct str
before_comments(struct str s)
{
	size_t open, depth;

	for (s = str_trim(s); s.n && s.p[s.n - 1] == ')';
	     s = str_trim(str_head(s, open))) {
		open = s.n;
		depth = 0;
		do {
			open--;
			depth += s.p[open] == ')';
			depth -= s.p[open] == '(';
		} while (depth && open);
		if (depth || !open)
			break;
	}
	return s;
}

/* Does a value stand in a field without quotes, wherever else it stands? */
static bool
is_bare(struct str value, const char *field)
{
	struct str s = str_from(field);
	const char *at;

	while (s.n && (at = memmem(s.p, s.n, value.p, value.n))) {
		if (at == field || at[-1] != '"')
			return true;
		s = str_skip(s, (size_t)(at - s.p) + 1);
	}
	return false;
}

/*
 * GMime takes a comment behind a value without quotes (RFC 822 3.4.3) for a
 * part of it.  Where there are quotes and it cannot be told what they are
 * around, readers may see either.
 */
static struct str
without_comment(struct search *x, struct str value, const char *field)
{
	struct str s = before_comments(value);
	bool there;

	if (s.n == value.n || is_bare(value, field))
		return s;
	there = memmem(field, strlen(field), value.p, value.n) != NULL;
	if (there)
		return value;
	x->out->ambiguous |= strchr(field, '"') != NULL;
	return s;
}

/* ---- names ----------------------------------------------------------------
 */

/* To be freed; NULL where there is none. */
static char *
extension_of(struct str s)
{
	char *valid = g_utf8_make_valid(s.p, (gssize)s.n);
	struct str extension = file_extension(str_from(valid));
	char *out = extension.p ? g_strndup(extension.p, extension.n) : NULL;

	g_free(valid);
	return out;
}

static bool
same_extension(struct str a, struct str b)
{
	char *x = extension_of(a), *y = extension_of(b);
	bool same = g_ascii_strcasecmp(x ? x : "", y ? y : "") == 0;

	g_free(x);
	g_free(y);
	return same;
}

/*
 * Some readers end a value without quotes at a blank, as RFC 2045 5.1 has it,
 * and others do not.
 */
static bool
may_end_early(struct str value, const char *field)
{
	size_t n = 0;
	char *extension;

	while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t')
		n++;
	if (n == value.n || !is_bare(value, field))
		return false;
	extension = extension_of(str_head(value, n));
	g_free(extension);
	return extension && !same_extension(str_head(value, n), value);
}

/* Is the extension in an encoded word that could not be decoded? */
static bool
ends_in_word(struct str s)
{
	const char *at = s.n ? memmem(s.p, s.n, "=?", 2) : NULL;
	bool found = false;

	while (at) {
		s = str_skip(s, (size_t)(at - s.p) + 2);
		at = s.n ? memmem(s.p, s.n, "?=", 2) : NULL;
		found |= at != NULL;
	}
	return found && str_find(s, '.') == s.n;
}

static void
take_name(struct search *x, GMimeParam *p, const char *field)
{
	bool extended = g_mime_param_get_encoding_method(p) ==
			GMIME_PARAM_ENCODING_METHOD_RFC2231;
	struct str s = words_unmask(x->arena, g_mime_param_get_value(p));
	struct str *first = &x->out->text;

	if (!s.p) {
		x->no_memory = true;
		return;
	}
	s = without_comment(x, s, field);
	if (!s.n)
		return; /* Readers take the next one. */
	x->out->ambiguous |= may_end_early(s, field) || ends_in_word(s);
	if (first->p && !same_extension(*first, s))
		x->out->ambiguous = true;
	if (first->p && (x->extended || !extended))
		return;
	*first = s;
	x->extended = extended;
}

static void
take_names(
    struct search *x, GMimeParamList *list, const char *key, const char *field)
{
	int n = list ? g_mime_param_list_length(list) : 0;

	for (int i = 0; i < n; i++) {
		GMimeParam *p = g_mime_param_list_get_parameter_at(list, i);

		if (g_ascii_strcasecmp(g_mime_param_get_name(p), key) == 0)
			take_name(x, p, field);
	}
}

/* ---- fields -------------------------------------------------------------
 */

/* In one line (RFC 5322 2.2.3). */
static char *
unfolded(const char *field)
{
	GString *out = g_string_new(NULL);

	for (; *field; field++)
		if (*field != '\r' && *field != '\n')
			g_string_append_c(out, *field);
	return g_string_free(out, FALSE);
}

static bool
has_two_quotes(const char *value)
{
	size_t n = strcspn(value, ";");
	const char *first = memchr(value, '\'', n);

	return first &&
	       memchr(first + 1, '\'', n - (size_t)(first + 1 - value));
}

/*
 * What GMime reads nothing of: values of RFC 2231 without their charset and
 * language become plain ones, NUL becomes a ?.
 */
static void
mend_extended(struct search *x, char *field)
{
	char *at;

	if (!strstr(field, "*="))
		return;
	for (at = field; (at = strstr(at, "%00")); at += 3) {
		memcpy(at, "%3F", 3);
		x->out->ambiguous = true;
	}
	for (at = field + 1; *field && (at = strstr(at, "*=")); at++)
		if (g_ascii_isalpha(at[-1]) && !has_two_quotes(at)) {
			memmove(at, at + 1, strlen(at));
			x->out->ambiguous = true;
		}
}

/*
 * The field once more with its encoded words as we read them; NULL where it has
 * no parameter.
 */
static char *
read_field(struct search *x, GMimePart *part, const char *name)
{
	const char *field = mime_field(GMIME_OBJECT(part), name);
	char *line, *out;

	if (!field || !strchr(field, ';'))
		return NULL;
	x->octets += strlen(field);
	if (strlen(field) >= MIME_MAX_FIELD)
		x->out->ambiguous = true;
	line = unfolded(field);
	mend_extended(x, line);
	out = words_mask(str_from(line));
	g_free(line);
	return out;
}

static void
take_disposition(struct search *x, GMimePart *part)
{
	char *field = read_field(x, part, "Content-Disposition");
	GMimeContentDisposition *d;

	if (!field)
		return;
	d = g_mime_content_disposition_parse(NULL, field);
	take_names(
	    x, g_mime_content_disposition_get_parameters(d), "filename", field);
	g_object_unref(d);
	g_free(field);
}

static void
take_type(struct search *x, GMimePart *part)
{
	char *field = read_field(x, part, "Content-Type");
	GMimeContentType *type;

	if (!field)
		return;
	type = g_mime_content_type_parse(NULL, field);
	/* Where there is a disposition its name goes first, whatever form. */
	x->extended |= x->out->text.p != NULL;
	take_names(x, g_mime_content_type_get_parameters(type), "name", field);
	g_object_unref(type);
	g_free(field);
}

/* Where there is no other name, Thunderbird takes these for one. */
static void
take_field(struct search *x, GMimePart *part, const char *name)
{
	const char *field = mime_field(GMIME_OBJECT(part), name);
	struct str text;
	char *line;

	if (x->out->text.p || !field)
		return;
	line = unfolded(field);
	text = arena_dup(x->arena, str_trim(str_from(line)));
	if (text.p)
		text = utf8_make_valid(x->arena, text);
	if (text.p)
		text = decode_words(x->arena, text);
	x->no_memory |= !text.p;
	x->out->text = text;
	x->out->ambiguous |= ends_in_word(text);
	g_free(line);
}

bool
part_name(struct arena *a, GMimePart *part, struct part_name *out)
{
	struct search x = { .arena = a, .out = out };

	*out = (struct part_name){ .text = { NULL, 0 } };
	mime_names_enter();
	take_disposition(&x, part);
	take_type(&x, part);
	mime_names_leave(x.octets);
	take_field(&x, part, "Content-Name");
	take_field(&x, part, "X-Sun-Data-Name");
	return !x.no_memory;
}
