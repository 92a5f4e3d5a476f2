#include "runtime/file_name.h"

#include <glib.h>

/* What Windows and readers drop at the end of a name, or do not see. */
static bool
hides(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	return c == '.' || g_unichar_isspace(c) || type == G_UNICODE_CONTROL ||
	       type == G_UNICODE_FORMAT;
}

static struct str
base_name(struct str s)
{
	while (s.n && (s.p[s.n - 1] == '/' || s.p[s.n - 1] == '\\'))
		s.n--;
	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == '/' || s.p[i] == '\\')
			return str_skip(s, i + 1);
	return s;
}

static struct str
without_tail(struct str s)
{
	while (s.n) {
		const char *last = g_utf8_find_prev_char(s.p, s.p + s.n);

		if (!last || !hides(g_utf8_get_char(last)))
			break;
		s.n = (size_t)(last - s.p);
	}
	return s;
}

struct str
file_extensions(struct str name)
{
	struct str s = without_tail(base_name(name));
	size_t dot = str_find(s, '.');

	return dot < s.n ? str_skip(s, dot + 1) : (struct str){ NULL, 0 };
}

struct str
file_extension(struct str name)
{
	struct str s = file_extensions(name);

	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == '.')
			return str_skip(s, i + 1);
	return s;
}

struct str
file_stem(struct str name)
{
	struct str end = file_extension(name);

	return end.p ? str_head(name, (size_t)(end.p - name.p) - 1) : end;
}
