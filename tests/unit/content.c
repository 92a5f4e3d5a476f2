/* Hostile contents: what is not looked at is said, and nothing grows. */
#include "tests/unit/facts_fake.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>

#include "tests/unit/quine.h"
#include "tests/unit/rar.h"
#include "tests/unit/test.h"

static struct facts *f;
static char shown[4096];

/* A message of one Content-Type field and a body. */
static void
give(const char *type, struct str body)
{
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	facts_header(f, STR("Content-Type"), str_from(type));
	facts_body(f, body);
}

static void
give_file(const char *name, struct str contents)
{
	char *type = g_strdup_printf("application/x; name=\"%s\"", name);

	give(type, contents);
	g_free(type);
}

/* The first values, with | between; the state where there are none. */
static struct str
show(enum milt_attr attr)
{
	struct fact_value v;
	enum fact_state st;
	size_t count = 0, n = 0;

	st = facts_count(f, attr, STR(""), &count);
	if (st == FACT_FAILED)
		return STR("!");
	for (size_t i = 0; i < count && i < 6; i++) {
		const char *bar = i ? "|" : "";

		if (facts_get(f, attr, STR(""), i, &v) != FACT_THERE)
			n += (size_t)snprintf(
			    shown + n, sizeof(shown) - n, "%s-", bar);
		else if (v.text.n)
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%.*s", bar, (int)str_head(v.text, 100).n,
			    v.text.p);
		else
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%lld", bar, v.number);
	}
	return (struct str){ shown, n };
}

static size_t
count(enum milt_attr attr)
{
	size_t n = 0;

	(void)facts_count(f, attr, STR(""), &n);
	return n;
}

static enum fact_state
state(enum milt_attr attr)
{
	size_t n;

	return facts_count(f, attr, STR(""), &n);
}

static struct str
repeated(GString *out, const char *text, size_t times)
{
	g_string_truncate(out, 0);
	for (size_t i = 0; i < times; i++)
		g_string_append(out, text);
	return (struct str){ out->str, out->len };
}

/* ---- MIME ---------------------------------------------------------------- */

static void
test_nested(GString *s)
{
	g_string_truncate(s, 0);
	for (int i = 0; i < 1000; i++)
		g_string_append_printf(s,
		    "--b%d\n"
		    "Content-Type: multipart/mixed; boundary=b%d\n\n",
		    i, i + 1);
	g_string_append(s, "--b1000\n\ndeep\n");
	give("multipart/mixed; boundary=b0", (struct str){ s->str, s->len });
	CHECK(count(ATTR_PART) == 1002);
	CHECK_STR(show(ATTR_BODY_TEXT), "deep\n");

	repeated(s, "Content-Type: message/rfc822\n\n", 1000);
	give("message/rfc822", (struct str){ s->str, s->len });
	CHECK(count(ATTR_FILE) == 6);
	CHECK_STR(show(ATTR_FILE_TOO_DEEP), "0|0|0|0|0|1");
	CHECK_STR(show(ATTR_FILE_DEPTH), "0|1|2|3|4|5");
}

static void
test_many(GString *s)
{
	give("multipart/mixed; boundary=b", repeated(s, "--b\n\nx\n", 100000));
	CHECK(state(ATTR_PART) == FACT_PARTIAL);
	CHECK(count(ATTR_PART) == 10527);
	CHECK(state(ATTR_FILE) == FACT_PARTIAL);
	CHECK(state(ATTR_BODY_TEXT) == FACT_PARTIAL);

	g_string_assign(s, "--b\n");
	for (int i = 0; i < 300000; i++)
		g_string_append(s, "a:\n");
	give("multipart/mixed; boundary=b", (struct str){ s->str, s->len });
	CHECK(state(ATTR_PART) == FACT_PARTIAL);

	g_string_assign(s, "--b\nContent-Type: a/b");
	for (int i = 0; i < 100000; i++)
		g_string_append_printf(s, ";p%d=x", i);
	g_string_append(s, "\n\nx");
	give("multipart/mixed; boundary=b", (struct str){ s->str, s->len });
	CHECK(count(ATTR_PART) == 2);
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "1");
}

static void
test_garbage(GString *s)
{
	g_string_assign(s, "--b\nContent-Transfer-Encoding: base64\n"
			   "Content-Type: a/b; name=\"x\x01\x7f.exe\"\n\n");
	for (int i = 0; i < 5000; i++)
		g_string_append_c(s, (char)(i * 7919 >> 3));
	give("multipart/mixed; boundary=b", (struct str){ s->str, s->len });
	CHECK_STR(show(ATTR_FILE_NAME), "x\x01\x7f.exe");
	CHECK_STR(show(ATTR_FILE_EXTENSION), "exe");
	CHECK_STR(show(ATTR_FILE_SIZE), "218");
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "1");
	give("multipart/mixed; boundary=b",
	    STR("--b\nContent-Type: a/b; name=\"a\0b.exe\"\n\nx"));
	CHECK_STR(show(ATTR_FILE_NAME), "a?b.exe");
	CHECK_STR(show(ATTR_FILE_EXTENSION), "exe");
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "1");
	give("multipart/mixed; boundary=\"\"", STR("--\n\nx\n----\n"));
	CHECK_STR(show(ATTR_PART_TYPE), "multipart/mixed|text/plain");
	CHECK_STR(show(ATTR_MESSAGE_MALFORMED), "0");
	give("", STR("x"));
	CHECK_STR(show(ATTR_BODY_TEXT), "x");
}

static void
test_cut(GString *s)
{
	fake_needs.options[OPTION_SCAN_LIMIT] = 1024;
	give("text/plain", repeated(s, "abcdefg\n", 1000));
	CHECK_STR(show(ATTR_BODY_TRUNCATED), "1");
	CHECK(state(ATTR_BODY_TEXT) == FACT_PARTIAL);
	CHECK(state(ATTR_BODY_RAW) == FACT_PARTIAL);
	CHECK_STR(show(ATTR_BODY_SIZE), "8000");
	fake_reset();
}

/* ---- HTML ------------------------------------------------------------------
 */

static void
test_html(GString *s)
{
	give("text/html", repeated(s, "<b>", 100000));
	CHECK(state(ATTR_BODY_HTML) == FACT_THERE);
	give("text/html", repeated(s, "<a href=http://a.test/>x</a>", 12000));
	CHECK(state(ATTR_URL) == FACT_PARTIAL && count(ATTR_URL) == 10000);
	give("text/html", STR("a\0b<p>\xff</html>c"));
	CHECK_STR(show(ATTR_BODY_HTML), "ab\n\xef\xbf\xbd\x63");
	give("text/plain", repeated(s, "http://a.test/ ", 12000));
	CHECK(state(ATTR_URL) == FACT_PARTIAL && count(ATTR_URL) == 10000);
}

/* ---- URLs ------------------------------------------------------------------
 */

/* At every place around the end of a window, of which the second ends at 192.
 */
static void
test_urls(GString *s)
{
	static const char *const urls[] = { "http://a.test/x", "HTTPS://b.test",
		"ftp://c.test", "wWw.d.test" };
	static const char fill[] = "ww. :/ w\xc3\xa4.www,://.";
	size_t wrong = 0;

	for (size_t pad = 170; pad < 200; pad++)
		for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
			g_string_truncate(s, 0);
			while (s->len < pad)
				g_string_append(s, fill);
			g_string_truncate(s, pad);
			g_string_append_printf(s, " %s <%s>", urls[i], urls[i]);
			give("text/plain; charset=utf-8",
			    (struct str){ s->str, s->len });
			g_string_printf(s, "%s|%s", urls[i], urls[i]);
			wrong += !str_eq(
			    show(ATTR_URL), (struct str){ s->str, s->len });
		}
	CHECK(wrong == 0);
	give(
	    "text/plain", STR("xhttp://a.test wwww.b.test .www. foo://c.test"));
	CHECK(count(ATTR_URL) == 0);
}

/* ---- archives
 * ---------------------------------------------------------------- */

static char block[4 << 20];

/* An archive with one member, in `block`. */
static struct str
archive(int (*format)(struct archive *), const char *name, const char *contents,
    size_t n, size_t times)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	size_t used = 0;

	format(a);
	archive_write_open_memory(a, block, sizeof(block), &used);
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, (la_int64_t)(n * times));
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_write_header(a, e);
	for (size_t i = 0; i < times; i++)
		archive_write_data(a, contents, n);
	archive_entry_free(e);
	archive_write_close(a);
	archive_write_free(a);
	return (struct str){ block, used };
}

static void
test_bombs(void)
{
	static char zeros[1 << 20];
	struct str s;
	char *copy;

	s = archive(
	    archive_write_set_format_zip, "zeros", zeros, sizeof(zeros), 300);
	CHECK(s.n > 0 && s.n < 1 << 20);
	give_file("x.zip", s);
	CHECK_STR(show(ATTR_FILE_TOO_LARGE), "1|1");
	CHECK_STR(show(ATTR_FILE_DEPTH), "0|1");
	CHECK(state(ATTR_FILE_SHA256) == FACT_THERE);
	CHECK(count(ATTR_FILE) == 2);

	/* Each holds the one before, as the zips that hold themselves. */
	s = archive(archive_write_set_format_zip, "x.exe", "MZ", 2, 1);
	for (int i = 0; i < 60; i++) {
		copy = g_memdup2(s.p, s.n);
		s = archive(
		    archive_write_set_format_zip, "x.zip", copy, s.n, 1);
		g_free(copy);
	}
	give_file("x.zip", s);
	CHECK_STR(show(ATTR_FILE_TOO_DEEP), "0|0|0|0|0|1");
	CHECK(count(ATTR_FILE) == 6);
}

/* A zip that is its own member, to whatever depth is asked for. */
static void
test_quine(void)
{
	static uint8_t octets[QUINE_ROOM];
	struct str s = { (const char *)octets, quine_make(octets) };
	struct fact_value first, other;
	bool same = true;

	CHECK(s.n == 610);
	give_file("quine.zip", s);
	CHECK(count(ATTR_FILE) == 6);
	CHECK_STR(show(ATTR_FILE_DEPTH), "0|1|2|3|4|5");
	CHECK_STR(show(ATTR_FILE_TOO_DEEP), "0|0|0|0|0|1");
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0|0|0|0|0|0");
	CHECK_STR(show(ATTR_FILE_SIZE), "610|610|610|610|610|610");
	CHECK(facts_get(f, ATTR_FILE_SHA256, STR(""), 0, &first) == FACT_THERE);
	for (size_t i = 1; i < 6; i++)
		same = same &&
		       facts_get(f, ATTR_FILE_SHA256, STR(""), i, &other) ==
			   FACT_THERE &&
		       str_eq(first.text, other.text);
	CHECK(same);
	fake_needs.options[OPTION_ARCHIVE_DEPTH] = 20;
	give_file("quine.zip", s);
	CHECK(count(ATTR_FILE) == 21);
	fake_needs.options[OPTION_ARCHIVE_MEMBERS] = 3;
	give_file("quine.zip", s);
	CHECK(count(ATTR_FILE) == 4);
	CHECK_STR(show(ATTR_FILE_TOO_LARGE), "0|0|0|1");
	fake_reset();
}

static void
test_rar(void)
{
	static struct str (*const make[])(
	    uint8_t *, struct str, struct str) = { rar4_plain, rar5_make };
	static uint8_t octets[1024];
	struct fact_value size;
	struct str s;

	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		s = make[i](octets, STR("dir/x.exe"), STR("MZ abc"));
		give_file("x.rar", s);
		CHECK_STR(show(ATTR_FILE_NAME), "x.rar|dir/x.exe");
		CHECK_STR(show(ATTR_FILE_KIND), "archive|text");
		CHECK_STR(show(ATTR_FILE_MALFORMED), "0|0");
		CHECK(facts_get(f, ATTR_FILE_SIZE, STR(""), 1, &size) ==
			  FACT_THERE &&
		      size.number == 6);
		s = str_head(s, s.n - 12);
		give_file("x.rar", s);
		CHECK_STR(show(ATTR_FILE_NAME), "x.rar|dir/x.exe");
		CHECK_STR(show(ATTR_FILE_MALFORMED), "1|1");
	}
	s = rar4_encrypted(octets, STR("x.exe"), STR("MZ abc"));
	give_file("x.rar", s);
	CHECK_STR(show(ATTR_FILE_ENCRYPTED), "1|1");
	CHECK_STR(show(ATTR_FILE_EXTENSION), "rar|exe");
}

/* WinRAR opens it behind anything. */
static void
test_inner_rar(void)
{
	static uint8_t octets[1024] = "GIF89a Rar!\x1a\x07 ";
	static uint8_t packed[1024] = /* of one octet */
	    "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\1\0\xfe\xff"
	    "x\x83\x16\xdc\x8c\1\0\0\0";
	struct str s = rar5_make(octets + 14, STR("x.exe"), STR("MZ"));

	memcpy(packed + 24, s.p, s.n);
	s = (struct str){ (const char *)octets, s.n + 14 };
	give_file("x.gif", s);
	CHECK_STR(show(ATTR_FILE_NAME), "x.gif|x.exe");
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0|0");
	s = (struct str){ (const char *)packed, s.n + 10 };
	give_file("x.rar", s);
	CHECK_STR(show(ATTR_FILE_NAME), "x.rar|x");
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1|0");
	give_file("x.gz", s);
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0|0");
	s = rar5_make(octets, STR("x.exe"), STR("Rar!\x1a\x07\x01"));
	give_file("x.rar", s);
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0|0");
}

static void
test_names(void)
{
	struct str s;

	s = archive(
	    archive_write_set_format_pax, "/etc/../x\x01\n.exe ", "x", 1, 1);
	give_file("x.tar", s);
	CHECK_STR(show(ATTR_FILE_NAME), "x.tar|/etc/../x\x01\n.exe ");
	CHECK_STR(show(ATTR_FILE_EXTENSION), "tar|exe");
	s = archive(archive_write_set_format_ustar, "\xff\xfe.exe", "x", 1, 1);
	give_file("x.tar", s);
	CHECK_STR(show(ATTR_FILE_EXTENSION), "tar|exe");
	s = archive(archive_write_set_format_7zip, "a.exe/", "x", 1, 1);
	give_file("x.7z", s);
	CHECK_STR(show(ATTR_FILE_EXTENSION), "7z|exe");
}

/* Each archive with one octet changed, or cut. */
static void
test_mutated(void)
{
	int (*const formats[])(struct archive *) = {
		archive_write_set_format_zip, archive_write_set_format_7zip,
		archive_write_set_format_pax, archive_write_set_format_iso9660
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct str s = archive(formats[i], "x.exe", "hello", 5, 3);
		char *copy = g_memdup2(s.p, s.n);
		size_t step = s.n / 150 + 1;

		for (size_t at = 0; at < s.n; at += step) {
			copy[at] = (char)(copy[at] ^ 0x55);
			give_file("x", (struct str){ copy, s.n });
			ok = ok && count(ATTR_FILE) >= 1;
			copy[at] = (char)(copy[at] ^ 0x55);
			give_file("x", (struct str){ copy, at });
			ok = ok && count(ATTR_FILE) >= 1;
		}
		g_free(copy);
	}
	CHECK(ok);
}

int
main(void)
{
	GString *s = g_string_new(NULL);

	f = facts_new(fake_reset());
	CHECK(f != NULL);
	test_nested(s);
	test_many(s);
	test_garbage(s);
	test_cut(s);
	test_html(s);
	test_urls(s);
	test_bombs();
	test_quine();
	test_rar();
	test_inner_rar();
	test_names();
	test_mutated();
	facts_free(f);
	g_string_free(s, TRUE);
	TEST_DONE();
}
