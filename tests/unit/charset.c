/* Charsets, and what is no text in them. */
#include "tests/unit/test.h"

#include <gmime/gmime.h>
#include <malloc.h>

#include "runtime/charset.h"
#include "runtime/facts.h"
#include "runtime/mime_names.h"

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *name;
	struct str octets;
	const char *text;
} rows[] = {
	{ NULL, STR("a\xc3\xa4\xff"), "a\xc3\xa4" BAD },
	{ "utf-8", STR("\xef\xbb\xbfx"), "x" },
	{ "US-ASCII", STR("\xc3\xa4"), "\xc3\xa4" },
	{ "", STR("\xc3\xa4"), "\xc3\xa4" },
	{ "x-none", STR("\xc3\xa4\xff"), "\xc3\xa4" BAD },
	{ "iso-8859-15", STR("\xa4"), "\xe2\x82\xac" },
	/* as readers have it */
	{ "ISO-8859-1", STR("\x93x\x94"), "\xe2\x80\x9cx\xe2\x80\x9d" },
	{ "latin1", STR("\xe4"), "\xc3\xa4" },
	{ "shift_jis", STR("\x93\xfa\x96\x7b\x87\x40"),
	    "\xe6\x97\xa5\xe6\x9c\xac\xe2\x91\xa0" },
	{ "euc-kr", STR("\xb0\xa1\x8c\x63"), "\xea\xb0\x80\xeb\x98\xa0" },
	{ "gb2312", STR("\x81\x40"), "\xe4\xb8\x82" },
	/* no text, and an end within a character */
	{ "shift_jis", STR("abc \xff\xff def"), "abc " BAD BAD " def" },
	{ "shift_jis", STR("a\x93"), "a" BAD },
	/* characters that are not there: what follows is in step */
	{ "shift_jis", STR("\x85\x9f\x93\xfa\x85@"),
	    BAD "\xe6\x97\xa5" BAD "@" },
	{ "shift_jis", STR("\xa0\x93\xfa"), BAD "\xe6\x97\xa5" },
	{ "euc-jp", STR("\xa9\xa1\xc6\xfc\x8f\xa1\xa1\xc6\xfc\x8f\xa1x"),
	    BAD "\xe6\x97\xa5" BAD "\xe6\x97\xa5" BAD "x" },
	{ "euc-kr", STR("\xc9\xa1\xb0\xa1\xff\xb0\xa1"),
	    BAD "\xea\xb0\x80" BAD "\xea\xb0\x80" },
	{ "big5", STR("\x81\xa1\xa4\xa4"), BAD "\xe4\xb8\xad" },
	{ "gbk", STR("\xff\xd6\xd0"), BAD "\xe4\xb8\xad" },
	{ "utf-16le",
	    STR("a\0\0\xd8"
		"b\0"),
	    "a" BAD "b" },
	{ "utf-16le", STR("a\0b"), "a" BAD },
	/* byte order marks, and none */
	{ NULL,
	    STR("\xff\xfe"
		"a\0"),
	    "a" },
	{ NULL, STR("\xfe\xff\0a"), "a" },
	{ "utf-16", STR("\xfe\xff\0a"), "a" },
	{ "iso-8859-1", STR("\xef\xbb\xbf\xc3\xa4"), "\xc3\xa4" },
	{ "iso-2022-jp", STR("lot\33(Btery \33$BF|\33(B"),
	    "lottery \xe6\x97\xa5" },
	{ "ISO-2022-JP", STR("\33$B-!F|K\\\33(IC=D\33(Jx\33$(D0!\33(B y"),
	    "\u2460\u65e5\u672c\uff83\uff7d\uff84x\u4e02 y" },
	{ "csISO2022JP", STR("\33$@F|\nK\\\33(B"), "\u65e5\n\u672c" },
	{ "iso-2022-jp", STR("a\33$BF|)!\33(B\33x\344b"),
	    "a\u65e5" BAD BAD "x" BAD "b" },
	{ "iso-2022-jp", STR("\33$BF"), BAD },
	{ "utf-7", STR("lot+AHQ-ery"), "lottery" },
	{ "utf-8", STR(""), "" },
	{ "shift_jis", STR(""), "" },
};

/* More than fits into the converter's room, with a bad octet in it. */
static void
test_long(struct arena *a)
{
	static char text[100000];
	struct str s = { text, sizeof(text) };

	memset(text, 0xe4, sizeof(text));
	s = charset_decode(a, s, "iso-8859-2");
	CHECK(s.n == 200000);
	memset(text, 'x', sizeof(text));
	text[50000] = (char)0xff;
	s = charset_decode(a, (struct str){ text, sizeof(text) }, "shift_jis");
	CHECK(s.n == 100002);
	CHECK(memcmp(s.p + 49999, "x" BAD "x", 5) == 0);
}

/*
 * Names that nobody knows, of some 80 octets each in GMime's table: two
 * millions are many times what it may hold.
 */
static void
test_names(void)
{
	size_t before = mallinfo2().uordblks;
	char name[32];

	for (int i = 0; i < 2000000; i++) {
		snprintf(name, sizeof(name), "x-%029d", i);
		mime_names_enter();
		(void)g_mime_charset_iconv_name(name);
		mime_names_leave(sizeof(name));
	}
	CHECK(mallinfo2().uordblks < before + (64 << 20));
	mime_names_enter();
	CHECK_STR(str_from(g_mime_charset_iconv_name("euc-kr")), "euc-kr");
	mime_names_leave(0);
}

int
main(void)
{
	struct arena a;

	facts_init();
	arena_init(&a, 0, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_STR(charset_decode(&a, rows[i].octets, rows[i].name),
		    rows[i].text);
	test_long(&a);
	test_names();
	arena_free(&a);
	TEST_DONE();
}
