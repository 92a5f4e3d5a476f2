/* Macros of documents of XML, and in ActiveMime. */
#include "runtime/macros.h"

#include <gio/gio.h>

#include "runtime/inspect.h"
#include "tests/unit/compound.h"
#include "tests/unit/test.h"

#define PART(name, contents) macros_in_part(STR(name), STR(contents))
#define XML(contents) macros_in_xml(STR(contents))

static void
test_names(void)
{
	CHECK(PART("word/vbaProject.bin", ""));
	CHECK(PART("WORD/VBAPROJECT.BIN", ""));
	CHECK(PART("xl/macrosheets/sheet1.xml", ""));
	CHECK(PART("xl/MacroSheets/sheet1.xml", ""));
	CHECK(PART("Basic/Standard/script-lb.xml", ""));
	CHECK(!PART("word/document.xml", "vnd.ms-office.vbaProject"));
	CHECK(!PART("xl/worksheets/sheet1.xml", ""));
}

static void
test_types(void)
{
	CHECK(PART("[Content_Types].xml",
	    "<Override PartName='/word/foo.bin' ContentType="
	    "'application/vnd.ms-office.vbaProject'/>"));
	CHECK(PART(
	    "[content_types].XML", "'Application/VND.MS-Office.VBAProject'"));
	CHECK(PART(
	    "[Content_Types].xml", "application/vnd.ms-excel.macrosheet+xml"));
	CHECK(PART(
	    "[Content_Types].xml", "application/vnd.ms-excel.intlmacrosheet"));
	CHECK(!PART("[Content_Types].xml",
	    "application/vnd.ms-word.document.macroEnabled.main+xml"));
	CHECK(PART("word/_rels/document.xml.rels",
	    "Type='http://schemas.microsoft.com/office/2006/relationships/"
	    "vbaProject'"));
	CHECK(
	    PART("xl/_rels/workbook.xml.RELS", "/relationships/xlMacrosheet"));
	CHECK(PART(
	    "xl/_rels/workbook.xml.rels", "/relationships/xlIntlMacrosheet"));
	CHECK(!PART("word/_rels/document.xml.rels", "/relationships/styles"));
	CHECK(!PART("word/_rels/document.xml.rels", ""));
}

/* What XML lets one write otherwise. */
static void
test_written(void)
{
	static const char word[] = "relationships/vbaProject";
	char wide[2 * sizeof(word)], *p = wide;

	CHECK(PART("a.rels", "relationships/vba&#80;roject"));
	CHECK(PART("a.rels", "relationships/vba&#x00050;r&#x6f;jec&#116;"));
	CHECK(PART("a.rels", "&#x&#&#114;elationships/vbaproject"));
	CHECK(!PART("a.rels", "relationships/vba&#80roject"));
	CHECK(!PART("a.rels", "relationships/vba&#x;Project&#"));
	*p++ = (char)0xff;
	*p++ = (char)0xfe;
	for (size_t i = 0; word[i]; i++) {
		*p++ = word[i];
		*p++ = 0;
	}
	CHECK(macros_in_part(
	    STR("a.rels"), (struct str){ wide, (size_t)(p - wide) }));
	CHECK(macros_in_part(
	    STR("a.rels"), (struct str){ wide + 2, (size_t)(p - wide) - 2 }));
	CHECK(macros_in_part(STR("a.rels"),
		  (struct str){ wide + 1, (size_t)(p - wide) - 1 }) == false);
	memmove(wide + 1, wide + 2, sizeof(word) * 2 - 3);
	wide[0] = 0;
	CHECK(macros_in_part(
	    STR("a.rels"), (struct str){ wide, (size_t)(p - wide) - 2 }));
}

#define SPACE "xmlns:p='http://schemas.microsoft.com/office/2006/xmlPackage'"
#define VBA "<p:part p:contentType='application/vnd.ms-office.vbaProject'/>"

static void
test_flat(void)
{
	char *s;

	CHECK(XML("<?xml version='1.0'?>\n<p:package " SPACE ">" VBA));
	CHECK(XML("\xef\xbb\xbf <!-- <a> -- > -->\n<p:package " SPACE ">" VBA));
	CHECK(XML("<?x ? ><a>?><p:package a='>' " SPACE ">" VBA));
	CHECK(XML("<p:package xmlns:p='http://schemas.microsoft.com/office/"
		  "2006/xml&#80;ackage'>" VBA));
	CHECK(!XML("<p:package " SPACE "><p:part/>"));
	CHECK(!XML("<html>" SPACE VBA));
	CHECK(!XML("<html><p:package " SPACE ">" VBA));
	CHECK(!XML("x<p:package " SPACE ">" VBA));
	CHECK(!XML("<!-- <p:package " SPACE ">" VBA));
	CHECK(!XML("<"));
	CHECK(!XML("<?"));
	CHECK(!XML("\xff\xfe"));
	CHECK(!XML(""));
	s = g_strdup_printf("<!--%*s--><p:package " SPACE ">" VBA, 9000, "");
	CHECK(macros_in_xml(str_from(s)));
	g_free(s);
	CHECK(XML("<w:wordDocument xmlns:w="
		  "'http://schemas.microsoft.com/office/word/2003/wordml'>"
		  "<w:docSuppData><w:binData w:name='editdata.mso'>"));
	CHECK(!XML("<w:wordDocument xmlns:w="
		   "'http://schemas.microsoft.com/office/word/2003/wordml'>"
		   "<w:docOleData><w:binData w:name='oledata.mso'>"));
	CHECK(XML("<o:document xmlns:o="
		  "'urn:oasis:names:tc:opendocument:xmlns:office:1.0'>"
		  "<ooo:source-code>"));
}

/* ---- ActiveMime ---------------------------------------------------------- */

/* In `room`. */
static struct str
active(GBytes *inner)
{
	static char room[1 << 16] = "ActiveMime\0\0\x01\xf0\x04\0\0\0\xff\xff"
				    "\xff\xff\0\0\x07\xf0\0\0\0\0\x04";
	GZlibCompressor *z =
	    g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9);
	gsize in, n;

	CHECK(g_converter_convert(G_CONVERTER(z), g_bytes_get_data(inner, NULL),
		  g_bytes_get_size(inner), room + 0x32, sizeof(room) - 0x32,
		  G_CONVERTER_INPUT_AT_END, &in, &n,
		  NULL) == G_CONVERTER_FINISHED);
	g_object_unref(z);
	return (struct str){ room, 0x32 + n };
}

static void
test_active(void)
{
	GBytes *b;
	struct str s;

	gsf_init();
	b = compound(NULL, "_VBA_PROJECT", "x", 1);
	s = active(b);
	CHECK(inspect(s).has_macros);
	for (size_t n = 0; n < 0x3a; n++)
		CHECK(!inspect(str_head(s, n)).has_macros);
	g_bytes_unref(b);
	b = compound(NULL, "CONTENTS", "x", 1);
	CHECK(!inspect(active(b)).has_macros);
	g_bytes_unref(b);
}

int
main(void)
{
	test_names();
	test_types();
	test_written();
	test_flat();
	test_active();
	TEST_DONE();
}
