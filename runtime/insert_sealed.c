/* Parts that are signed or encrypted: any change would break them. */
#include "runtime/content.h"
#include "runtime/file_name.h"
#include "runtime/html.h"
#include "runtime/insert_state.h"
#include "runtime/mime_contents.h"
#include "runtime/normal.h"
#include "runtime/part_name.h"

bool
part_is(GMimeObject *o, const char *type, const char *subtype)
{
	GMimeContentType *t = g_mime_object_get_content_type(o);

	return t && g_mime_content_type_is_type(t, type, subtype);
}

/* RFC 1847, RFC 8551 3.1, RFC 3156. */
static bool
has_sealed_type(GMimeObject *o)
{
	return part_is(o, "multipart", "signed") ||
	       part_is(o, "multipart", "encrypted") ||
	       part_is(o, "application", "pkcs7-mime") ||
	       part_is(o, "application", "x-pkcs7-mime") ||
	       part_is(o, "application", "pgp-encrypted");
}

/* RFC 8551 3.2.1: where the type says nothing, the name does. */
static bool
has_sealed_name(struct arena *arena, GMimePart *part)
{
	static const struct str sealed[] = { STR("p7m"), STR("p7s"),
		STR("p7z") };
	struct part_name name;
	struct str text;

	if (!part_is(GMIME_OBJECT(part), "application", "octet-stream") ||
	    !content_has_type(GMIME_OBJECT(part)))
		return false;
	if (!part_name(arena, part, &name))
		return true;
	if (!name.text.p)
		return false;
	text = utf8_make_valid(arena, name.text);
	for (size_t i = 0; i < sizeof(sealed) / sizeof(*sealed); i++)
		if (str_eq_ascii(file_extension(text), sealed[i]))
			return true;
	return !text.p;
}

/* Does a line begin at i?  In HTML that is written so it may be shown so. */
static bool
begins_line(struct str s, size_t i, bool html)
{
	return i == 0 || s.p[i - 1] == '\n' || (html && s.p[i - 1] == '>');
}

/* RFC 9580 6.2: signed or encrypted text in a part that says nothing of it. */
static bool
is_armoured(struct str s, bool html)
{
	static const struct str kinds[] = { STR("MESSAGE-----"),
		STR("SIGNED MESSAGE-----") };
	static const char begin[] = "-----BEGIN PGP ";
	const char *at;

	for (size_t i = 0; i < s.n; i++) {
		at = memmem(s.p + i, s.n - i, begin, sizeof(begin) - 1);
		if (!at)
			break;
		i = (size_t)(at - s.p);
		if (!begins_line(s, i, html))
			continue;
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
			if (str_starts(
				str_skip(s, i + sizeof(begin) - 1), kinds[k]))
				return true;
	}
	return false;
}

static bool
holds_armour(struct arena *arena, GMimePart *part)
{
	GMimeObject *o = GMIME_OBJECT(part);
	bool is_html = part_is(o, "text", "html");
	GByteArray *octets;
	struct str s = mime_contents(part, &octets);
	struct html html;

	s = content_text(arena, s,
	    g_mime_object_get_content_type_parameter(o, "charset"), is_html);
	if (octets)
		g_byte_array_unref(octets);
	if (!s.p || is_armoured(s, is_html))
		return true;
	return is_html && (!html_read(arena, s, 0, &html) ||
			      is_armoured(html.text, false));
}

bool
part_is_plain(GMimeObject *o)
{
	return !content_has_type(o) || part_is(o, "text", "plain");
}

bool
part_is_sealed(struct arena *arena, GMimeObject *o)
{
	if (has_sealed_type(o))
		return true;
	if (!GMIME_IS_PART(o))
		return false;
	if (part_is_plain(o) || part_is(o, "text", "*"))
		return holds_armour(arena, GMIME_PART(o));
	return has_sealed_name(arena, GMIME_PART(o));
}
