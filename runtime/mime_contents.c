#include "runtime/mime_contents.h"

#include "runtime/base64.h"
#include "runtime/mime.h"
static GMimeStream *
stream_of(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);

	return content ? g_mime_data_wrapper_get_stream(content) : NULL;
}

long long
mime_encoded_size(GMimePart *part)
{
	GMimeStream *stream = stream_of(part);
	gint64 n = stream ? g_mime_stream_length(stream) : 0;

	return n > 0 ? n : 0;
}

/* The contents as sent; {NULL, 0} where they do not lie in memory. */
static struct str
encoded(GMimePart *part)
{
	GMimeStream *stream = stream_of(part);
	gint64 n = mime_encoded_size(part), begin;
	GByteArray *octets;

	if (!stream || !GMIME_IS_STREAM_MEM(stream))
		return (struct str){ NULL, 0 };
	octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	begin = stream->bound_start;
	if (!octets || n == 0 || begin < 0 || begin + n > octets->len)
		return (struct str){ NULL, 0 };
	return (struct str){ (const char *)octets->data + begin, (size_t)n };
}

static GMimeContentEncoding
encoding_of(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);

	return content ? g_mime_data_wrapper_get_encoding(content)
		       : GMIME_CONTENT_ENCODING_DEFAULT;
}

static bool
is_plain(GMimePart *part)
{
	switch (encoding_of(part)) {
	case GMIME_CONTENT_ENCODING_DEFAULT:
	case GMIME_CONTENT_ENCODING_7BIT:
	case GMIME_CONTENT_ENCODING_8BIT:
	case GMIME_CONTENT_ENCODING_BINARY:
		return true;
	case GMIME_CONTENT_ENCODING_BASE64:
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
	case GMIME_CONTENT_ENCODING_UUENCODE:
		break;
	}
	return false;
}

bool
mime_is_loose(GMimePart *part)
{
	return encoding_of(part) == GMIME_CONTENT_ENCODING_BASE64 &&
	       base64_is_loose(encoded(part));
}

/* RFC 2045 6.4: what nobody knows makes the contents opaque. */
static bool
has_unknown_encoding(GMimePart *part)
{
	const char *field =
	    mime_field(GMIME_OBJECT(part), "Content-Transfer-Encoding");
	struct str name = field ? str_trim(str_from(field)) : STR("");
	char z[32] = "";

	if (name.n >= sizeof(z))
		return true;
	memcpy(z, name.p, name.n);
	return name.n && g_mime_content_encoding_from_string(z) ==
			     GMIME_CONTENT_ENCODING_DEFAULT;
}

/* What stands around uuencode: left out, or shown by who does not know it. */
static bool
has_more_than_uuencode(struct str text)
{
	static const char last[] = "\nend";
	const char *end;

	text = str_trim(text);
	if (!text.n)
		return false;
	end = memmem(text.p, text.n, last, sizeof(last) - 1);
	return !str_starts(text, STR("begin ")) ||
	       (end && end + sizeof(last) - 1 < text.p + text.n);
}

bool
mime_is_ambiguous(GMimePart *part)
{
	GMimeContentEncoding encoding = encoding_of(part);

	return has_unknown_encoding(part) ||
	       (encoding == GMIME_CONTENT_ENCODING_BASE64 &&
		   base64_goes_on(encoded(part))) ||
	       (encoding == GMIME_CONTENT_ENCODING_UUENCODE &&
		   has_more_than_uuencode(encoded(part)));
}

/*
 * Without the blanks at the ends of lines, which are to be deleted (RFC 2045
 * 6.7, (3)): GMime does not.
 */
static GByteArray *
trim_lines(struct str text)
{
	GByteArray *out = g_byte_array_sized_new((guint)text.n);

	while (text.n) {
		size_t end = str_find(text, '\n'), n = end;

		n -= n && end < text.n && text.p[n - 1] == '\r';
		end = n;
		while (n && (text.p[n - 1] == ' ' || text.p[n - 1] == '\t'))
			n--;
		g_byte_array_append(out, (const guint8 *)text.p, (guint)n);
		text = str_skip(text, end);
		end = str_find(text, '\n');
		end += end < text.n;
		g_byte_array_append(out, (const guint8 *)text.p, (guint)end);
		text = str_skip(text, end);
	}
	return out;
}

static GByteArray *
decode_base64(struct str text)
{
	GByteArray *out = g_byte_array_new();

	/* Padding ends it; mime_is_ambiguous tells more. */
	text = str_head(text, str_find(text, '='));
	g_byte_array_set_size(out, (guint)text.n);
	out->len = (guint)base64_decode(text, out->data);
	return out;
}

/* By a filter, which knows the first and last line of uuencode, too. */
static GByteArray *
decode_filtered(GMimeContentEncoding encoding, struct str text)
{
	GMimeFilter *filter = g_mime_filter_basic_new(encoding, FALSE);
	GByteArray *out = g_byte_array_new();
	size_t n, room;
	char *p;

	g_mime_filter_filter(filter, (char *)text.p, text.n, 0, &p, &n, &room);
	if (n)
		g_byte_array_append(out, (const guint8 *)p, (guint)n);
	g_mime_filter_complete(filter, (char *)"", 0, 0, &p, &n, &room);
	if (n)
		g_byte_array_append(out, (const guint8 *)p, (guint)n);
	g_object_unref(filter);
	return out;
}

GByteArray *
mime_decode(GMimePart *part)
{
	GMimeContentEncoding encoding = encoding_of(part);
	struct str text = encoded(part);
	GByteArray *trimmed, *out;

	if (encoding == GMIME_CONTENT_ENCODING_BASE64)
		return decode_base64(text);
	if (encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
		return decode_filtered(encoding, text);
	trimmed = trim_lines(text);
	out = decode_filtered(encoding,
	    (struct str){ (const char *)trimmed->data, trimmed->len });
	g_byte_array_unref(trimmed);
	return out;
}

struct str
mime_contents(GMimePart *part, GByteArray **owned)
{
	struct str text = encoded(part);

	*owned = NULL;
	if (is_plain(part))
		return text.p ? text : STR("");
	*owned = mime_decode(part);
	return (*owned)->len
		   ? (struct str){ (const char *)(*owned)->data, (*owned)->len }
		   : STR("");
}
