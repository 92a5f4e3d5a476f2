/* Labels in letters of several scripts: Unicode TR 39, section 5.2. */
#include <glib.h>
#include <idn2.h>

#include "runtime/normal.h"

enum {
	LATIN = 1,
	HAN = 2,
	KANA = 4, /* hiragana and katakana */
	HANGUL = 8,
	BOPOMOFO = 16,
	OTHER = 32,
};

/* Scripts that are written together. */
static const unsigned together[] = {
	LATIN | HAN | KANA,
	LATIN | HAN | HANGUL,
	LATIN | HAN | BOPOMOFO,
};

static unsigned
class_of(GUnicodeScript script)
{
	if (script == G_UNICODE_SCRIPT_LATIN)
		return LATIN;
	if (script == G_UNICODE_SCRIPT_HAN)
		return HAN;
	if (script == G_UNICODE_SCRIPT_HIRAGANA ||
	    script == G_UNICODE_SCRIPT_KATAKANA)
		return KANA;
	if (script == G_UNICODE_SCRIPT_HANGUL)
		return HANGUL;
	return script == G_UNICODE_SCRIPT_BOPOMOFO ? BOPOMOFO : OTHER;
}

static bool
is_mixed(const char *label)
{
	GUnicodeScript other = G_UNICODE_SCRIPT_COMMON;
	unsigned seen = 0;

	for (const char *p = label; *p; p = g_utf8_next_char(p)) {
		GUnicodeScript s = g_unichar_get_script(g_utf8_get_char(p));

		if (s == G_UNICODE_SCRIPT_COMMON ||
		    s == G_UNICODE_SCRIPT_INHERITED ||
		    s == G_UNICODE_SCRIPT_UNKNOWN)
			continue;
		if (class_of(s) == OTHER) {
			if (seen & OTHER && s != other)
				return true;
			other = s;
		}
		seen |= class_of(s);
	}
	if ((seen & (seen - 1)) == 0)
		return false;
	for (size_t i = 0; i < sizeof(together) / sizeof(*together); i++)
		if ((seen & ~together[i]) == 0)
			return false;
	return true;
}

struct str
domain_mixed_label(struct arena *a, struct str normal)
{
	while (normal.n) {
		struct str label = str_head(normal, str_find(normal, '.'));
		struct str z = arena_dup(a, label), out = { NULL, 0 };
		char *u = NULL;

		if (z.p && str_starts(label, STR("xn--")) &&
		    !memchr(label.p, 0, label.n) &&
		    idn2_to_unicode_8z8z(z.p, &u, 0) == IDN2_OK &&
		    g_utf8_validate(u, -1, NULL) && is_mixed(u))
			out = arena_dup(a, str_from(u));
		idn2_free(u);
		if (out.p)
			return out;
		normal =
		    str_skip(normal, label.n + (label.n < normal.n ? 1 : 0));
	}
	return STR("");
}
