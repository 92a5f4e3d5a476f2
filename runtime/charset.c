#include "runtime/charset.h"

#include <errno.h>
#include <glib.h>

#include "runtime/normal.h"

#define REPLACEMENT "\xef\xbf\xbd"

enum { CHUNK = 16384 };

/* What iconv does not know, and what stands for a larger one. */
static const struct {
	const char *name, *known;
} names[] = {
	{ "iso-8859-1", "windows-1252" },
	{ "iso8859-1", "windows-1252" },
	{ "iso_8859-1", "windows-1252" },
	{ "iso8859_1", "windows-1252" },
	{ "latin1", "windows-1252" },
	{ "latin-1", "windows-1252" },
	{ "windows-cp1252", "windows-1252" },
	{ "windows-cp1251", "windows-1251" },
	{ "iso-8859-8-i", "iso-8859-8" },
	{ "x-mac-roman", "macintosh" },
	{ "unicode-1-1-utf-7", "utf-7" },
	{ "iso-8859-9", "windows-1254" },
	{ "latin5", "windows-1254" },
	{ "iso-8859-11", "cp874" },
	{ "tis-620", "cp874" },
	{ "shift_jis", "cp932" },
	{ "shift-jis", "cp932" },
	{ "sjis", "cp932" },
	{ "x-sjis", "cp932" },
	{ "ms_kanji", "cp932" },
	{ "euc-jp", "euc-jp-ms" },
	{ "x-euc-jp", "euc-jp-ms" },
	{ "euc-kr", "cp949" },
	{ "ks_c_5601-1987", "cp949" },
	{ "ks_c_5601", "cp949" },
	{ "ksc5601", "cp949" },
	{ "ksc-5601-1987", "cp949" },
	{ "windows-949", "cp949" },
	{ "korean", "cp949" },
	{ "gb2312", "gb18030" },
	{ "gb-2312", "gb18030" },
	{ "gb_2312-80", "gb18030" },
	{ "gbk", "gb18030" },
	{ "x-gbk", "gb18030" },
	{ "big5", "big5-hkscs" },
	{ "cn-big5", "big5-hkscs" },
	{ "x-x-big5", "big5-hkscs" },
};

const char *
charset_iconv_name(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (g_ascii_strcasecmp(name, names[i].name) == 0)
			return names[i].known;
	return name;
}

static bool
is_utf8(const char *name)
{
	return !name || !*name || g_ascii_strcasecmp(name, "utf-8") == 0 ||
	       g_ascii_strcasecmp(name, "us-ascii") == 0;
}

/* The charset of a byte order mark (RFC 3629 6, RFC 2781 3.2); skips it. */
static const char *
take_mark(struct str *octets)
{
	static const struct {
		struct str mark;
		const char *name;
	} marks[] = {
		{ STR("\xef\xbb\xbf"), "utf-8" },
		{ STR("\xff\xfe"), "utf-16le" },
		{ STR("\xfe\xff"), "utf-16be" },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (str_starts(*octets, marks[i].mark)) {
			*octets = str_skip(*octets, marks[i].mark.n);
			return marks[i].name;
		}
	return NULL;
}

/* Octets of the smallest unit: so many are skipped where there is no text. */
static size_t
unit_of(const char *name)
{
	if (g_ascii_strncasecmp(name, "utf-16", 6) == 0)
		return 2;
	return g_ascii_strncasecmp(name, "utf-32", 6) == 0 ? 4 : 1;
}

static void
convert(GIConv cd, struct str octets, size_t unit, GByteArray *out)
{
	gchar *in = (gchar *)octets.p, chunk[CHUNK];
	gsize left = octets.n;

	for (;;) {
		gchar *p = chunk;
		gsize room = sizeof(chunk), r;
		bool ended = left == 0, wrong;

		/* At the end what the state of the charset holds back. */
		r = ended ? g_iconv(cd, NULL, NULL, &p, &room)
			  : g_iconv(cd, &in, &left, &p, &room);
		wrong = r == (gsize)-1 && errno != E2BIG;
		g_byte_array_append(
		    out, (const guint8 *)chunk, (guint)(p - chunk));
		if (ended && (wrong || r != (gsize)-1))
			return;
		if (!wrong)
			continue;
		g_byte_array_append(out, (const guint8 *)REPLACEMENT, 3);
		unit = MIN(unit, left);
		in += unit;
		left -= unit;
	}
}

struct str
charset_decode(struct arena *a, struct str octets, const char *name)
{
	const char *marked = take_mark(&octets);
	GByteArray *text;
	struct str out;
	GIConv cd;

	name = marked ? marked : name;
	if (is_utf8(name))
		return utf8_make_valid(a, octets);
	cd = g_iconv_open("UTF-8", charset_iconv_name(name));
	if (cd == (GIConv)-1)
		return utf8_make_valid(a, octets);
	text = g_byte_array_new();
	convert(cd, octets, unit_of(name), text);
	(void)g_iconv_close(cd);
	out = arena_dup(a, (struct str){ (const char *)text->data, text->len });
	g_byte_array_unref(text);
	return out;
}
