/* Parts that are signed or encrypted: any change would break them. */
#include "runtime/insert_state.h"
#include "runtime/mime.h"

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

/* Does a line begin at i, as a reader sees it? */
static bool
begins_line(struct str s, size_t i, bool html)
{
	return i == 0 || s.p[i - 1] == '\n' || (html && s.p[i - 1] == '>');
}

/* RFC 4880 7: signed or encrypted text in a part that says nothing of it. */
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

bool
part_is_sealed(GMimeObject *o)
{
	GByteArray *octets;
	struct str s;
	bool sealed;

	if (has_sealed_type(o))
		return true;
	if (!GMIME_IS_PART(o) || !part_is(o, "text", "*"))
		return false;
	s = mime_contents(GMIME_PART(o), &octets);
	sealed = is_armoured(s, part_is(o, "text", "html"));
	if (octets)
		g_byte_array_unref(octets);
	return sealed;
}
