/* What readers may see otherwise than we do is malformed. */
#include <glib.h>

#include "tests/unit/facts_show.h"

static void
message(const char *type, const char *encoding, struct str body)
{
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	header("Content-Type", type);
	if (encoding)
		header("Content-Transfer-Encoding", encoding);
	CHECK(facts_body(f, body) == MILT_OK);
}

/* An image that libarchive does not take for one, and libmagic does. */
static void
test_images(void)
{
	static char iso[40000];

	memcpy(iso + 32768, "\1CD001", 6);
	iso[32774] = 1;
	message("application/x; name=x.iso", NULL,
	    (struct str){ iso, sizeof(iso) });
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1");
	message("application/x; name=x.bin", NULL, (struct str){ iso, 2048 });
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0");
}

/* RFC 2045 6.4: an encoding that is unknown makes the contents opaque. */
static void
test_encodings(void)
{
	static const struct {
		const char *encoding, *malformed;
	} rows[] = {
		{ "base64;", "1" },
		{ "\"base64\"", "1" },
		{ "(x) base64", "1" },
		{ "x-base64", "1" },
		{ "base64", "0" },
		{ " BASE64 ", "0" },
		{ "7bit", "0" },
		{ "x-uuencode", "1" },
		{ "", "0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message("application/x; name=a", rows[i].encoding, STR("TVo="));
		CHECK_STR(show(ATTR_FILE_MALFORMED), rows[i].malformed);
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), rows[i].malformed);
	}
	message("text/plain", "base64;", STR("TVo="));
	CHECK_STR(show(ATTR_FILE), "-");
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "1");
}

/* What stands around uuencode is shown by who does not know it. */
static void
test_around_uuencode(void)
{
	static const struct {
		struct str contents;
		const char *malformed;
	} rows[] = {
		{ STR(""), "0" },
		{ STR("begin 644 a\r\n#35J0\r\n`\r\nend\r\n"), "0" },
		{ STR("\r\nbegin 644 a\n#35J0\n`\nend \r\n\r\n"), "0" },
		{ STR("begin 644 a\r\n#35J0\r\n"), "0" },
		{ STR("lottery\r\n"), "1" },
		{ STR("lottery\r\nbegin 644 a\r\n#35J0\r\n`\r\nend\r\n"), "1" },
		{ STR("begin 644 a\r\n#35J0\r\n`\r\nend\r\nlottery\r\n"), "1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message("text/plain", "x-uuencode", rows[i].contents);
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), rows[i].malformed);
	}
}

/* Files that are encoded so, each of 3 octets and no text in front. */
static void
test_decoding(void)
{
	static const struct {
		const char *encoding;
		struct str contents;
		const char *size;
	} rows[] = {
		{ "x-uuencode", STR("begin 644 a.exe\r\n#35J0\r\n`\r\nend\r\n"),
		    "3" },
		{ "uuencode", STR("begin 644 a.exe\n#35J0\n`\nend\n"), "3" },
		{ "x-uue", STR("begin 644 a\n#35J0\n#35J0\n`\nend\n"), "6" },
		{ "quoted-printable", STR("M=5A\x90"), "3" },
		{ "quoted-printable", STR("M=\r\n=5A=\n=90"), "3" },
		{ "quoted-printable", STR("M= \r\n=5A=\t\n=90"), "3" },
		{ "quoted-printable", STR("M  \r\nZ\t\t"), "4" },
		{ "quoted-printable", STR("M=20 \r\nZ=09"), "6" },
		{ "quoted-printable", STR(""), "0" },
		{ "7bit", STR("MZ \r\n"), "5" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message("application/x; name=a", rows[i].encoding,
		    rows[i].contents);
		CHECK_STR(show(ATTR_FILE_SIZE), rows[i].size);
	}
	message("application/x; name=a", "x-uuencode",
	    STR("begin 644 a\n$4$L#!```\nend\n"));
	CHECK_STR(show(ATTR_FILE_SHA256),
	    "8dcc7e601606217f3b754766511182a9"
	    "16b17e9a26a94c9d887104eba92e9bb2"); /* PK 3 4 */
	message("text/plain", "quoted-printable",
	    STR("lot= \r\ntery http://ev=\t\nil.example/x"));
	CHECK_STR(show(ATTR_BODY_TEXT), "lottery http://evil.example/x");
	CHECK_STR(show(ATTR_URL_HOST), "evil.example");
}

/* RFC 2046 4.1.4: texts that nobody knows are plain. */
static void
test_texts(void)
{
	static const char *const types[] = { "text/plain", "text/calendar",
		"text/x-none", "text/plane; charset=utf-8", "text" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		message(types[i], NULL,
		    STR("http://evil.example/\nbegin 644 a.js\n#35J0\n`\n"
			"end\n"));
		CHECK_STR(show(ATTR_URL_HOST), "evil.example");
		CHECK_STR(show(ATTR_FILE_NAME), "a.js");
		CHECK_STR(show(ATTR_BODY_HTML), "-");
	}
	message("text/calendar; name=a.ics", NULL, STR("lottery"));
	CHECK_STR(show(ATTR_BODY_TEXT), "lottery");
	CHECK_STR(show(ATTR_FILE_NAME), "a.ics");
	message("text/calendar", NULL, STR("lottery"));
	header("Content-Disposition", "attachment");
	CHECK_STR(show(ATTR_BODY_TEXT), "-");
}

/* HTML names its charset where the message does not. */
static void
test_html_charset(void)
{
	static const struct {
		const char *type, *body, *text;
	} rows[] = {
		{ "text/html", "<meta charset=iso-2022-jp>lot\33(Btery",
		    "lottery" },
		{ "text/html; charset=us-ascii",
		    "<meta charset=iso-8859-1>\xc3\xa4", "\xc3\xa4" },
		{ "text/html", "<meta charset=windows-1252>\x93x\x94",
		    "\xe2\x80\x9cx\xe2\x80\x9d" },
		{ "text/html", "<meta charset=x-none>\xc3\xa4", "\xc3\xa4" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message(rows[i].type, NULL, str_from(rows[i].body));
		CHECK_STR(show(ATTR_BODY_HTML), rows[i].text);
	}
	message("application/x; name=a.html", NULL,
	    STR("<meta charset=iso-2022-jp>lot\33(Btery"));
	CHECK_STR(show(ATTR_FILE_TEXT), "lottery");
}

static void
test_base64(void)
{
	static const struct {
		struct str contents;
		const char *size, *file, *message;
	} rows[] = {
		{ STR("TVqQ\nAAM="), "5", "0", "0" },
		{ STR("TVqQAAM\n\n"), "5", "0", "0" },
		{ STR("TVqQAA"), "4", "0", "0" },
		{ STR("TVqQA"), "3", "0", "0" },
		{ STR("TVqQ\nAAM=\n==\n"), "5", "0", "0" },
		{ STR("AA==\nTVqQ\n"), "1", "1", "1" },
		{ STR("=\nTVqQ\n"), "0", "1", "1" },
		{ STR("TVo=\nkAAD\n"), "2", "1", "1" },
		{ STR("TVqQ!AAM="), "5", "1", "0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message("application/x; name=a", "base64", rows[i].contents);
		CHECK_STR(show(ATTR_FILE_SIZE), rows[i].size);
		CHECK_STR(show(ATTR_FILE_MALFORMED), rows[i].file);
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), rows[i].message);
	}
	message("text/plain", "base64", STR("bG90dGVyeQ"));
	CHECK_STR(show(ATTR_BODY_TEXT), "lottery");
}

/* RFC 2047 words whose base64 has no padding. */
static void
test_words(void)
{
	message("text/plain", NULL, STR("x"));
	header("Subject", "=?utf-8?b?bG90dGVyeQ?= =?utf-8?b?ISE?=");
	header("From", "=?utf-8?b?VGhlIERpcmVjdG9yIQ?= <a@b.test>");
	CHECK_STR(show(ATTR_HEADER_SUBJECT), "lottery!!");
	CHECK_STR(show(ATTR_HEADER_FROM_NAME), "The Director!");
}

/* A reader that takes other lines for delimiters sees parts in it. */
static void
test_no_parts(void)
{
	static const struct {
		const char *type;
		struct str body;
		const char *malformed;
	} rows[] = {
		{ "multipart/mixed; boundary=B", STR("--BB\n\nx\n--B--\n"),
		    "1" },
		{ "multipart/mixed; boundary=C", STR("--B\n\nx\n--B--\n"),
		    "1" },
		{ "multipart/mixed; boundary=B", STR("--B\n\nx\n--B--\n"),
		    "0" },
		{ "multipart/mixed; boundary=B",
		    STR("--B\nContent-Type: multipart/mixed; boundary=C\n\n"
			"--CC\n\nx\n--C--\n--B--\n"),
		    "1" },
		/* As they return them: the header alone, or cut. */
		{ "message/rfc822",
		    STR("Content-Type: multipart/mixed; boundary=C\n\n"), "0" },
		{ "message/rfc822",
		    STR("Content-Type: multipart/mixed; boundary=C\n\n"
			"--C\n\nx\n"),
		    "0" },
		{ "multipart/mixed; boundary=C", STR("--C\n\nx\n"), "1" },
		{ "message/rfc822", STR("Received: a\nReceived: b\n\nx"), "0" },
		{ "message/rfc822",
		    STR("Content-Type: a/b\nContent-Type: a/c\n\nx"), "1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message(rows[i].type, NULL, rows[i].body);
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), rows[i].malformed);
	}
}

/* What GMime does not understand may hide a boundary, a charset or a name. */
static void
test_parameters(void)
{
	static const struct {
		const char *type, *malformed;
	} rows[] = {
		{ "text/html; charset=utf-8;;", "0" },
		{ "text/html; charset=", "0" },
		{ "TEXT/html; utf-8", "0" },
		{ "text/plain; charset=utf-8 ; ; format=flowed", "0" },
		{ "text/html;\n charset=utf-8;\n x", "0" },
		{ "text/html; utf-8; name=evil.js", "1" },
		{ "text/html; x; charset=utf-7", "1" },
		{ "text/html; name:evil.js", "1" },
		{ "text/html; utf-8 name=evil.js", "1" },
		{ "text/html; \"utf-8\"", "1" },
		{ "text/html; utf-8 (name=evil.js)", "1" },
		{ "application/x; x", "1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message(rows[i].type, NULL, STR("x\n"));
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), rows[i].malformed);
	}
}

static void
test_names(void)
{
	static const struct {
		const char *type, *disposition, *name, *malformed;
	} rows[] = {
		{ "a/b", "filename=a.txt; filename*=utf-8''evil.js", "evil.js",
		    "1" },
		{ "a/b", "filename*=utf-8''evil.js; filename=a.txt", "evil.js",
		    "1" },
		{ "a/b", "filename=b.pdf; filename*=utf-8''%c3%a4.pdf",
		    "\xc3\xa4.pdf", "0" },
		{ "a/b", "filename=b.js; filename*0=c; filename*1=.JS", "c.JS",
		    "0" },
		{ "a/b; name=evil.js", "filename=a.txt", "a.txt", "1" },
		{ "a/b; name*=utf-8''evil.js", "filename=a.txt", "a.txt", "1" },
		{ "a/b; name=other.txt", "filename=a.txt", "a.txt", "0" },
		{ "a/b; name=other", "filename=a.txt", "a.txt", "1" },
		{ "a/b; name=evil.js", "", "evil.js", "0" },
		{ "a/b; name=evil.js", "filename=\"\"", "evil.js", "0" },
		{ "a/b; name=\"\"", "filename=a.txt", "a.txt", "0" },
		{ "a/b; name=\"\"", "", "-", "0" },
		{ "a/b", "filename=evil.js (c)", "evil.js", "0" },
		{ "a/b", "filename=evil.js(c (d)) (e) ; x=\"y\"", "evil.js",
		    "0" },
		{ "a/b", "filename=\"a.js (c)\"", "a.js (c)", "0" },
		{ "a/b", "filename=\"a\\.js (c)\"", "a.js", "1" },
		{ "a/b", "filename=\"(c)\"", "(c)", "0" },
		{ "a/b", "filename=a)", "a)", "0" },
		{ "a/b", "filename=\"=?utf-8?b?ZXZpbC5qcw?=\"", "evil.js",
		    "0" },
		{ "a/b", "filename=\"=?utf-8?b?ZXZp?= =?utf-8?b?bC5qcw==?=\"",
		    "evil.js", "0" },
		{ "a/b; name==?utf-8?b?ZXZpbC5qcw?=", "", "evil.js", "0" },
		{ "a/b", "filename=\"=?x-none?q?evil=2Ejs?=.js\"",
		    "=?x-none?q?evil=2Ejs?=.js", "0" },
		{ "a/b", "filename=\"the report\r\n of 2026.pdf\"",
		    "the report of 2026.pdf", "0" },
		{ "a/b", "filename=\"a.\r\n exe\"", "a. exe", "0" },
		{ "a/b; name=\"a\n b.pdf\"", "", "a b.pdf", "0" },
		{ "a/b", "filename*=utf-8''a.txt%00.exe", "a.txt?.exe", "1" },
		{ "a/b", "filename*0*=utf-8''a.txt; filename*1*=%00.exe",
		    "a.txt?.exe", "1" },
		{ "a/b", "filename=a%00.txt", "a%00.txt", "0" },
		{ "a/b", "filename*=utf-8'a.exe", "utf-8'a.exe", "1" },
		{ "a/b", "filename*=a.exe", "a.exe", "1" },
		{ "a/b; name*=a.exe", "", "a.exe", "1" },
		{ "a/b", "filename*=''a.exe", "a.exe", "0" },
		/* a blank ends a value, or does not */
		{ "a/b", "filename=evil.js .txt", "evil.js .txt", "1" },
		{ "a/b", "filename=evil.js\t.txt; x=\"evil.js\t.txt\"",
		    "evil.js\t.txt", "1" },
		{ "a/b; name=evil.js a.txt", "", "evil.js a.txt", "1" },
		{ "a/b", "filename=\"evil.js .txt\"", "evil.js .txt", "0" },
		{ "a/b", "filename=Mr. Smith's a.pdf", "Mr. Smith's a.pdf",
		    "0" },
		{ "a/b", "x=\"a.js (c)\"; filename=a.js (c)", "a.js", "0" },
		{ "a/b", "filename=\"=?x-none?q?evil=2Ejs?=\"",
		    "=?x-none?q?evil=2Ejs?=", "1" },
		{ "a/b", "filename*=''%3D%3Futf-8%3Fq%3Fa%2E%3F%3D",
		    "=?utf-8?q?a.?=", "1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *z =
		    g_strdup_printf("attachment; %s", rows[i].disposition);

		message(rows[i].type, NULL, STR("x"));
		header("Content-Disposition", z);
		g_free(z);
		CHECK_STR(show(ATTR_FILE_NAME), rows[i].name);
		CHECK_STR(show(ATTR_PART_NAME), rows[i].name);
		CHECK_STR(show(ATTR_FILE_MALFORMED), rows[i].malformed);
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "0");
	}
}

/* The third part of a receipt: the header alone, often with a name. */
static void
test_header_alone(void)
{
	static const struct {
		const char *type;
		struct str contents;
	} rows[] = {
		{ "text/rfc822-headers; name=MDNPart3.txt",
		    STR("From: a@b.test\r\nSubject: x\r\n") },
		{ "text/rfc822-headers; name=header",
		    STR("Received: from a by b\r\n"
			"Content-Type: multipart/mixed; boundary=B\r\n") },
		{ "message/rfc822; name=a.eml", STR("From: a@b.test") },
		{ "application/octet-stream; name=a.eml",
		    STR("From: a@b.test\r\n"
			"Content-Type: multipart/mixed; boundary=B\r\n\r\n"
			"--B\r\n\r\nx\r\n") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message(rows[i].type, NULL, rows[i].contents);
		CHECK_STR(str_head(show(ATTR_FILE_KIND), 7), "message");
		CHECK_STR(str_head(show(ATTR_FILE_MALFORMED), 1), "0");
	}
	message("text/rfc822-headers; name=header", NULL,
	    STR("From: a@b.test\r\nlottery\r\n"));
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1");
}

/* Where Thunderbird sees the end of a line and we do not. */
static void
test_bare_cr(void)
{
	static const struct {
		struct str body;
		const char *malformed;
	} rows[] = {
		{ STR("--b\r\n\r\nx\r--b\r\ry\r\n--b--\r\n"), "1" },
		{ STR("--b\r\nX: y\rZ: x\r\n\r\nx\r\n--b--\r\n"), "1" },
		{ STR("--b\r\nX: y\r\r\nZ: x\r\n\r\nx\r\n--b--\r\n"), "1" },
		{ STR("--b\r\nX: y\r\n z\r\n\r\nx\r\n--b--\r\n"), "0" },
		{ STR("--b\r\n\r\nx\ry\r\r\n--b--\r\n"), "0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		message("multipart/mixed; boundary=b", NULL, rows[i].body);
		CHECK_STR(show(ATTR_MESSAGE_MALFORMED), rows[i].malformed);
	}
	message("text/plain", NULL, STR("a\r--b\r\n"));
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "0");
	message("text/plain", NULL, STR("x"));
	header("X", "a\rContent-Disposition: attachment; filename=evil.js");
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "1");
	message("text/plain", NULL, STR("x\rbegin 644 a.exe\r#35J0\r`\rend\r"));
	CHECK_STR(show(ATTR_FILE_NAME), "a.exe");
	CHECK_STR(show(ATTR_FILE_SIZE), "3");
}

/* Files in a text that are not decoded. */
static void
test_other_files(void)
{
	message("text/plain", NULL,
	    STR("x\r\n=ybegin line=128 size=3 name=a evil.js \r\nabc"));
	CHECK_STR(show(ATTR_FILE_NAME), "a evil.js");
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1");
	message("text", NULL,
	    STR("(This file must be converted with BinHex 4.0)\n\n:#:\n"));
	CHECK_STR(show(ATTR_FILE_NAME), "-");
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1");
	message("text/plain", NULL,
	    STR("x =ybegin name=a.js\n> (This file must be converted with "
		"BinHex 4.0)\n"));
	CHECK_STR(show(ATTR_FILE_MALFORMED), "-");
}

/* Thunderbird takes other fields, too, where there is no name. */
static void
test_name_fields(void)
{
	message("text/plain", NULL, STR("x"));
	header("Content-Name", " =?utf-8?q?evil=2Ejs?= ");
	CHECK_STR(show(ATTR_FILE_NAME), "evil.js");
	message("a/b; name=a.txt", NULL, STR("x"));
	header("Content-Name", "evil.js");
	CHECK_STR(show(ATTR_FILE_NAME), "a.txt");
	message("multipart/mixed; boundary=b", NULL,
	    STR("--b\nX-Sun-Data-Name: evil.js\n\nx\n--b--\n"));
	CHECK_STR(show(ATTR_FILE_NAME), "evil.js");
}

/* Its extension is lost where the field is cut. */
static void
test_long_name(void)
{
	char *name = g_strnfill(5000, 'a');
	char *type = g_strdup_printf("a/b; name=\"%s.js\"", name);

	message(type, NULL, STR("x"));
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1");
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "1");
	g_free(type);
	g_free(name);
}

int
main(void)
{
	start();
	test_images();
	test_encodings();
	test_around_uuencode();
	test_decoding();
	test_texts();
	test_html_charset();
	test_base64();
	test_words();
	test_no_parts();
	test_parameters();
	test_names();
	test_name_fields();
	test_other_files();
	test_header_alone();
	test_bare_cr();
	test_long_name();
	facts_free(f);
	TEST_DONE();
}
