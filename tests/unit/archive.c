/* Archives of which libarchive alone would see less than others do. */
#include "runtime/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>

#include "tests/unit/test.h"

typedef int writer(struct archive *);

static char room[1 << 20];

static void
show_member(void *data, const struct archive_member *m)
{
	g_string_append_printf(data, "%.*s=%.*s%s%s ", STR_ARG(m->name),
	    (int)str_head(m->contents, 8).n, m->contents.p,
	    m->too_large ? " too-large" : "", m->malformed ? " malformed" : "");
}

/* Its members, and what is said of it. */
static struct str
walked(struct str s)
{
	static char text[1000];
	struct archive_budget budget = { 10, 1 << 20 };
	struct archive_state state;
	GString *out = g_string_new(NULL);

	if (!archive_walk(s, &budget, show_member, out, &state))
		g_string_append(out, "none");
	if (state.too_large)
		g_string_append(out, "too-large");
	if (state.malformed)
		g_string_append(out, "malformed");
	snprintf(text, sizeof(text), "%s", out->str);
	g_string_free(out, TRUE);
	return str_from(text);
}

/* In `room`: one member, of `zeros` NULs and what is behind them. */
static struct str
made(writer *format, writer *filter, const char *name, size_t zeros,
    struct str tail)
{
	static char block[1 << 16];
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	size_t used = 0;

	format(a);
	filter(a);
	archive_write_open_memory(a, room, sizeof(room), &used);
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, (la_int64_t)(zeros + tail.n));
	archive_entry_set_filetype(e, AE_IFREG);
	archive_write_header(a, e);
	for (size_t n; zeros; zeros -= n) {
		n = zeros < sizeof(block) ? zeros : sizeof(block);
		archive_write_data(a, block, n);
	}
	archive_write_data(a, tail.p, tail.n);
	archive_entry_free(e);
	archive_write_close(a);
	archive_write_free(a);
	return (struct str){ room, used };
}

static struct str
packed(writer *filter, size_t zeros, struct str tail)
{
	return made(archive_write_set_format_raw, filter, "x", zeros, tail);
}

static struct str
zipped(const char *name, struct str contents)
{
	return made(archive_write_set_format_zip, archive_write_add_filter_none,
	    name, 0, contents);
}

/* libarchive takes NULs for the end of a tar. */
static void
test_zeros(void)
{
	writer *const filters[] = { archive_write_add_filter_gzip,
		archive_write_add_filter_bzip2, archive_write_add_filter_xz };
	struct str s;

	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		s = packed(filters[i], 1024, STR("MZ"));
		CHECK_STR(walked(s), "= ");
		s = packed(filters[i], 2 << 20, STR("MZ"));
		CHECK_STR(walked(s), "= too-large too-large");
	}
	s = made(archive_write_set_format_ustar, filters[0], "a", 0, STR("b"));
	CHECK_STR(walked(s), "a=b ");
	s = packed(archive_write_add_filter_none, 1030, STR("MZ"));
	CHECK_STR(walked(s), "none");
	s = made(archive_write_set_format_ustar, archive_write_add_filter_none,
	    "a", 0, STR("b"));
	memmove(room + 1024, room, s.n);
	memset(room, 0, 1024);
	CHECK_STR(walked((struct str){ room, s.n + 1024 }), "a=b malformed");
}

static void
test_nothing(void)
{
	struct str s;

	CHECK_STR(walked(STR("Rar!\x1a\x07\x01\0garbagegarbage")), "malformed");
	CHECK_STR(walked(STR("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
	    "malformed");
	s = zipped("evil.js", STR("x=1"));
	room[s.n - 2] = 22;
	memcpy(room + s.n, "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
	CHECK_STR(walked((struct str){ room, s.n + 22 }), "malformed");
	CHECK_STR(walked(zipped("folder/", STR(""))), "");
	CHECK_STR(walked(STR("hello")), "none");
}

/* Other readers take the names of the central directory, at the end. */
static void
test_zip_names(void)
{
	struct str s = zipped("evil.js", STR("x=1"));
	char *copy = g_memdup2(s.p, s.n), *at;

	CHECK_STR(walked(s), "evil.js=x=1 ");
	at = memmem(copy, s.n, "PK\1\2", 4);
	memcpy(at + 46, "good.tx", 7);
	CHECK_STR(walked((struct str){ copy, s.n }), "evil.js=x=1 malformed");
	memcpy(at + 46, "evil.js", 7);
	memcpy(room, "in front", 8);
	memcpy(room + 8, copy, s.n);
	CHECK_STR(walked((struct str){ room, s.n + 8 }), "evil.js=x=1 ");
	g_free(copy);
	CHECK_STR(walked(zipped("\xc3\xa4.js", STR(""))), "\xc3\xa4.js= ");
	CHECK_STR(walked(zipped("dir\\x.js", STR(""))), "dir/x.js= ");
}

/* Windows takes the names of Joliet, and UDF before all. */
static void
test_iso_names(void)
{
	static const char *const honest[] = { "A File.TXT", "a/b/c.tar.gz",
		"1/2/3/4/5/6/a.txt", "no-extension" };
	struct str s = made(archive_write_set_format_iso9660,
	    archive_write_add_filter_none, "good.txt", 0, STR("x=1"));
	char *copy = g_memdup2(s.p, s.n), *at;

	CHECK_STR(walked(s), "good.txt=x=1 ");
	for (size_t i = 0; i < sizeof(honest) / sizeof(*honest); i++) {
		struct str all = walked(made(archive_write_set_format_iso9660,
		    archive_write_add_filter_none, honest[i], 0, STR("x")));

		CHECK(str_starts(all, str_from(honest[i])));
		CHECK(!str_ends(all, STR("malformed")));
	}
	at = memmem(copy, s.n, "\0g\0o\0o\0d\0.\0t\0x\0t", 16);
	CHECK(at != NULL);
	memcpy(at, "\0e\0v\0i\0l\0.\0j\0s\0e", 16);
	CHECK_STR(walked((struct str){ copy, s.n }), "good.txt=x=1 malformed");
	s = packed(archive_write_add_filter_gzip, 0, (struct str){ copy, s.n });
	CHECK(str_starts(walked(s), STR("=")));
	g_free(copy);
	s = made(archive_write_set_format_iso9660,
	    archive_write_add_filter_none, "good.txt", 0, STR("x=1"));
	memcpy(room + 19 * 2048, "\0NSR02", 6);
	CHECK_STR(walked(s), "good.txt=x=1 malformed");
}

static struct str
joined(struct str a, struct str b)
{
	static char both[1 << 20];

	memcpy(both, a.p, a.n);
	memcpy(both + a.n, b.p, b.n);
	return (struct str){ both, a.n + b.n };
}

/* What is called .zip is read from its end, whatever stands in front. */
static void
test_zip_behind(void)
{
	writer *const none = archive_write_add_filter_none;
	struct str s = zipped("evil.js", STR("x=1"));
	char *copy = g_malloc(s.n + 1);
	struct str zip = { copy, s.n };

	memcpy(copy, s.p, s.n);
	copy[s.n] = '!';
	s = packed(archive_write_add_filter_gzip, 0, STR("x"));
	CHECK_STR(walked(joined(s, zip)), "=x malformed");
	CHECK_STR(walked(joined(STR("in front"), zip)), "evil.js=x=1 ");
	s = made(archive_write_set_format_ustar, none, "a", 0, STR("b"));
	CHECK_STR(walked(joined(s, zip)), "a=b malformed");
	s = made(archive_write_set_format_ustar, none, "a.zip", 0, zip);
	CHECK(!str_ends(walked(s), STR("malformed")));
	copy[zip.n - 2] = 1; /* a comment, which is not there at first */
	s = made(archive_write_set_format_ustar, none, "a", 0, STR("b"));
	CHECK_STR(walked(joined(s, zip)), "a=b ");
	zip.n++;
	CHECK_STR(walked(joined(s, zip)), "a=b malformed");
	g_free(copy);
}

/* Unpacked without its end, the same could not be seen. */
static void
test_packed_zip(void)
{
	struct str s = zipped("evil.js", STR("x=1"));
	char *copy = g_memdup2(s.p, s.n);

	s = packed(archive_write_add_filter_gzip, 0, (struct str){ copy, s.n });
	CHECK(str_starts(walked(s), STR("=PK\3\4")));
	g_free(copy);
}

int
main(void)
{
	test_zeros();
	test_nothing();
	test_zip_names();
	test_iso_names();
	test_packed_zip();
	test_zip_behind();
	TEST_DONE();
}
