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
	{ "iso-2022-jp", "euc-jp-ms" }, /* jis_to_euc */
	{ "csiso2022jp", "euc-jp-ms" },
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

/* `name` itself where there is no other. */
static const char *
iconv_name(const char *name)
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

/*
 * So many octets are skipped where there is no text.  Of a character that its
 * charset lacks all, so that what stands behind is read in step; but never an
 * octet of ASCII (WHATWG Encoding, the decoders of chapters 10 to 14).
 */
static size_t
no_text(const char *known, struct str rest)
{
	static const struct {
		const char *charset;
		unsigned char three; /* begins characters of three octets */
	} wide[] = { { "cp932", 0 }, { "euc-jp-ms", 0x8f }, { "cp949", 0 },
		{ "gb18030", 0 }, { "big5-hkscs", 0 } };
	unsigned char lead = (unsigned char)rest.p[0];

	if (g_ascii_strncasecmp(known, "utf-16", 6) == 0)
		return MIN(2, rest.n);
	if (g_ascii_strncasecmp(known, "utf-32", 6) == 0)
		return MIN(4, rest.n);
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
		size_t n = 1, most = lead == wide[i].three ? 3 : 2;

		if (g_ascii_strcasecmp(known, wide[i].charset) != 0)
			continue;
		if (lead <= 0x80 || lead == 0xa0 || lead >= 0xfd)
			return 1;
		while (n < most && n < rest.n && rest.p[n] & 0x80)
			n++;
		return n;
	}
	return 1;
}

/* ---- iso-2022-jp --------------------------------------------------------- */

static bool
is_jis(const char *name)
{
	return g_ascii_strcasecmp(name, "iso-2022-jp") == 0 ||
	       g_ascii_strcasecmp(name, "csiso2022jp") == 0;
}

/* What stands behind an escape: octets of a character, 0 for ASCII. */
static const struct jis {
	struct str escape;
	unsigned octets;
	guint8 shift; /* in EUC */
} jis[] = {
	{ STR("\33(B"), 0, 0 },
	{ STR("\33(J"), 0, 0 },
	{ STR("\33(I"), 1, 0x8e },
	{ STR("\33$@"), 2, 0 },
	{ STR("\33$B"), 2, 0 },
	{ STR("\33$(D"), 2, 0x8f },
};

static const struct jis *
jis_at(struct str s)
{
	for (size_t i = 0; i < sizeof(jis) / sizeof(*jis); i++)
		if (str_starts(s, jis[i].escape))
			return &jis[i];
	return NULL;
}

static void
put(GByteArray *out, unsigned c)
{
	guint8 octet = (guint8)c;

	g_byte_array_append(out, &octet, 1);
}

/*
 * The same text as EUC: there iconv knows what mailers write and readers read
 * beyond the standard (WHATWG Encoding 12.2.1), numbers in circles and narrow
 * katakana.  For what is none there is an octet that is none.
 */
static GByteArray *
jis_to_euc(struct str s)
{
	GByteArray *out = g_byte_array_sized_new((guint)s.n);
	const struct jis *set = &jis[0], *next;
	unsigned at = 0; /* in a character */

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == 27 && (next = jis_at(str_skip(s, i)))) {
			set = next;
			i += set->escape.n - 1;
			at = 0;
		} else if (c == 27 || c >= 128) {
			put(out, 255);
		} else if (c <= ' ' || c == 127 || !set->octets) {
			put(out, c);
			at = 0;
		} else {
			if (at == 0 && set->shift)
				put(out, set->shift);
			put(out, c | 128);
			at = (at + 1) % set->octets;
		}
	}
	return out;
}

/* ---- conversion ---------------------------------------------------------- */

static void
convert(GIConv cd, struct str octets, const char *known, GByteArray *out)
{
	gchar *in = (gchar *)octets.p, chunk[CHUNK];
	gsize left = octets.n;

	for (;;) {
		gchar *p = chunk;
		gsize room = sizeof(chunk), r;
		bool ended = left == 0, wrong;
		size_t skipped;

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
		skipped = no_text(known, (struct str){ in, left });
		in += skipped;
		left -= skipped;
	}
}

struct str
charset_decode(struct arena *a, struct str octets, const char *name)
{
	const char *marked = take_mark(&octets);
	GByteArray *text, *euc = NULL;
	struct str out;
	GIConv cd;

	name = marked ? marked : name;
	if (is_utf8(name))
		return utf8_make_valid(a, octets);
	cd = g_iconv_open("UTF-8", iconv_name(name));
	if (cd == (GIConv)-1)
		return utf8_make_valid(a, octets);
	if (is_jis(name)) {
		euc = jis_to_euc(octets);
		octets = (struct str){ (const char *)euc->data, euc->len };
	}
	text = g_byte_array_new();
	convert(cd, octets, iconv_name(name), text);
	(void)g_iconv_close(cd);
	if (euc)
		g_byte_array_unref(euc);
	out = arena_dup(a, (struct str){ (const char *)text->data, text->len });
	g_byte_array_unref(text);
	return out;
}

char *
charset_to_utf8(struct str octets, const char *name, size_t *n)
{
	GByteArray *euc = is_jis(name) ? jis_to_euc(octets) : NULL;
	const char *in = euc ? (const char *)euc->data : octets.p;
	size_t length = euc ? euc->len : octets.n;
	gsize written = 0;
	char *out = g_convert(length ? in : "", (gssize)length, "UTF-8",
	    iconv_name(name), NULL, &written, NULL);

	if (euc)
		g_byte_array_unref(euc);
	*n = written;
	return out;
}
