/* Files: what is in them, what they are called and what they are. */
#include <glib.h>

#include "tests/unit/crc.h"
#include "tests/unit/facts_show.h"

/* ---- names of what is compressed ----------------------------------------- */

/* RFC 1952, with a stored block of RFC 1951; `name` may be NULL. */
static struct str
gzipped(const char *name, struct str s)
{
	static uint8_t out[512];
	uint8_t *p = out;

	memcpy(p, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	p[3] = name ? 8 : 0;
	p += 10;
	if (name)
		p = (uint8_t *)stpcpy((char *)p, name) + 1;
	*p++ = 1;
	p = put_le(p, (uint32_t)s.n, 2);
	p = put_le(p, ~(uint32_t)s.n, 2);
	memcpy(p, s.p, s.n);
	p += s.n;
	p = put_le(p, crc32_of((const uint8_t *)s.p, s.n), 4);
	p = put_le(p, (uint32_t)s.n, 4);
	return (struct str){ (const char *)out, (size_t)(p - out) };
}

/* Names and what is malformed of it. */
static struct str
named(const char *file, const char *kept)
{
	static char out[512];
	struct str s;

	give_file(file, gzipped(kept, STR("x=1")));
	s = show(ATTR_FILE_NAME);
	snprintf(out, sizeof(out), "%.*s ", STR_ARG(s));
	s = show(ATTR_FILE_MALFORMED);
	strncat(out, s.p, s.n);
	return str_from(out);
}

static void
test_packed_names(void)
{
	CHECK_STR(named("invoice.gz", "evil.js"), "invoice.gz|evil.js 0|0");
	CHECK_STR(named("evil.js.gz", NULL), "evil.js.gz|evil.js 0|0");
	CHECK_STR(named("a.tar.gz . ", NULL), "a.tar.gz . |a.tar 0|0");
	CHECK_STR(named("evil", NULL), "evil|- 0|0");
	CHECK_STR(named(".gz", NULL), ".gz| 0|0");
	/* gzip -c; a program's own name for it */
	CHECK_STR(named("evil.js.gz", "tmp1"), "evil.js.gz|evil.js 0|0");
	CHECK_STR(named("evil.js.gz", "data"), "evil.js.gz|evil.js 0|0");
	CHECK_STR(named("invoice.gz", "tmp1"), "invoice.gz|tmp1 0|0");
	CHECK_STR(named("a.xml.gz", "b.XML"), "a.xml.gz|b.XML 0|0");
	CHECK_STR(named("evil.js.gz", "a.txt"), "evil.js.gz|a.txt 0|1");
	CHECK_STR(named("a.txt.gz", "evil.js"), "a.txt.gz|evil.js 0|1");
	CHECK_STR(named("a.gz", "\xfc.js"), "a.gz|\xef\xbf\xbd.js 0|0");
	CHECK_STR(show(ATTR_FILE_EXTENSION), "gz|js");
}

/* No file of Windows can be called so: readers drop controls. */
static void
test_controls(void)
{
	give_file("evil.j\1s", STR("x=1"));
	CHECK_STR(show(ATTR_FILE_NAME), "evil.j\1s");
	CHECK_STR(show(ATTR_FILE_EXTENSION), "js");
	give_file("evil.txt.\tj\x7fs", STR("x=1"));
	CHECK_STR(show(ATTR_FILE_EXTENSION), "js");
	CHECK_STR(show(ATTR_FILE_EXTENSIONS), "txt.js");
}

/* ---- archives that are not opened ---------------------------------------- */

/* What is said of octets at an offset (of the end) among NULs. */
static struct str
said(long offset, struct str octets)
{
	static char file[1 << 20], out[64];
	size_t n = offset < 0 ? sizeof(file) : 70000;
	struct str s;

	memset(file, 0, n);
	memset(file + 3000, 0xfe, 3); /* no text, which ends in NULs */
	memcpy(file + (offset < 0 ? (long)n + offset : offset), octets.p,
	    octets.n);
	give_file("x", (struct str){ file, n });
	s = show(ATTR_FILE_KIND);
	snprintf(out, sizeof(out), "%.*s ", STR_ARG(s));
	s = show(ATTR_FILE_MALFORMED);
	strncat(out, s.p, s.n);
	return str_from(out);
}

static void
test_closed(void)
{
	static const struct {
		long offset;
		struct str octets;
	} closed[] = {
		{ 0, STR("MSWIM\0\0\0\xd0\0\0\0\0\x0d\x01\0") },
		{ 0, STR("ZOO 2.10 Archive.\x1a\0\0\xdc\xa7\xc4\xfd") },
		{ 0, STR("\x60\xea\x2b\0\x22\x0b\x01\x02\x10\0\x02") },
		{ 0, STR("xar!\0\x1c\0\x01") },
		{ 0, STR("SIT!\0\x01\0\0\0\0rLau") },
		{ 0, STR("SZDD\x88\xf0\x27\x33") },
		{ 0, STR("ITSF\3\0\0\0\x60\0\0\0\1\0\0\0") },
		{ 0, STR("conectix\0\0\0\2") },
		{ 0, STR("QFI\xfb\0\0\0\2") },
		{ 0, STR("ALZ\1") },
		{ 0, STR("hsqs") },
		{ 0, STR("vhdxfile") },
		{ 0, STR("KDMV\1\0\0\0") },
		{ -512, STR("koly\0\0\0\4") },
		{ -512, STR("conectix\0\0\0\2") },
		{ 3, STR("NTFS    ") },
		{ 54, STR("FAT12   ") },
		{ 0x8001, STR("BEA01") },
	};

	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++)
		CHECK_STR(
		    said(closed[i].offset, closed[i].octets), "archive 1");
	CHECK_STR(said(0, STR("\xfe\1\2")), "other 0");
	CHECK_STR(said(-511, STR("koly")), "other 0");
	give_file("x", STR("\xfe\1\2"));
	CHECK_STR(show(ATTR_FILE_KIND), "other");
}

/* ---- web archives -------------------------------------------------------- */

static void
test_web_archive(void)
{
	struct str s =
	    STR("MIME-Version: 1.0\r\n"
		"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
		"Content-Location: file:///C:/x/editdata.mso\r\n"
		"Content-Type: application/x-mso\r\n\r\nx\r\n--b--\r\n");

	give_file("x.doc", s);
	CHECK_STR(show(ATTR_FILE_KIND), "message|other");
	CHECK_STR(show(ATTR_FILE_TYPE), "application/x|application/x-mso");
	give_file("x.doc", STR("Mime-Versions: 1.0\r\n\r\nx\r\n"));
	CHECK_STR(show(ATTR_FILE_KIND), "text");
	fake_needs.flags &= ~(uint32_t)(NEED_KINDS | NEED_FILE_TEXTS);
	give_file("x.doc", s);
	CHECK_STR(show(ATTR_FILE_TYPE), "application/x|application/x-mso");
	fake_reset();
}

int
main(void)
{
	start();
	test_packed_names();
	test_controls();
	test_closed();
	test_web_archive();
	facts_free(f);
	TEST_DONE();
}
