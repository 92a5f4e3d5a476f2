/* Names that the directory of a zip and its members have: runtime/zip.h. */
#include <glib.h>

#include "runtime/archive.h"
#include "tests/unit/crc.h"
#include "tests/unit/test.h"

enum { PLAIN = 0, UTF8 = 0x800 };

/* A name as it is written, its flag, and an Info-ZIP Unicode path, if any. */
struct written {
	struct str name;
	uint32_t flags;
	struct str path;
};

/* APPNOTE 4.6.9 */
static void
put_path(GByteArray *out, const struct written *w)
{
	const uint8_t *name = (const uint8_t *)w->name.p;
	uint8_t head[9];

	if (!w->path.n)
		return;
	put_le(head, 0x7075, 2);
	put_le(head + 2, (uint32_t)w->path.n + 5, 2);
	head[4] = 1;
	put_le(head + 5, crc32_of(name, w->name.n), 4);
	g_byte_array_append(out, head, sizeof(head));
	g_byte_array_append(out, (const uint8_t *)w->path.p, (guint)w->path.n);
}

/* What the two headers of an empty member have in common; 4.3.7, 4.3.12. */
static void
put_header(GByteArray *out, const struct written *w, bool central)
{
	size_t extra = w->path.n ? w->path.n + 9 : 0;
	uint8_t head[46] = "PK\3\4\x14", *p = head + 4;

	if (central) {
		memcpy(head, "PK\1\2\x14\3\x14", 7);
		p += 2;
	}
	put_le(p + 2, w->flags, 2);
	put_le(p + 8, 0x21, 2);
	put_le(p + 22, (uint32_t)w->name.n, 2);
	put_le(p + 24, (uint32_t)extra, 2);
	g_byte_array_append(out, head, central ? 46 : 30);
	g_byte_array_append(out, (const uint8_t *)w->name.p, (guint)w->name.n);
	put_path(out, w);
}

static void
ignore(void *data, const struct archive_member *m)
{
	(void)data;
	(void)m;
}

/* Do readers see two names in a zip of a member with these? */
static bool
differ(const struct written *local, const struct written *central)
{
	uint8_t end[22] = "PK\5\6\0\0\0\0\1\0\1";
	struct archive_budget budget = { 10, 1 << 20 };
	GByteArray *zip = g_byte_array_new();
	struct archive_state state;
	struct str s;
	guint start;

	put_header(zip, local, false);
	start = zip->len;
	put_header(zip, central, true);
	put_le(end + 12, zip->len - start, 4);
	put_le(end + 16, start, 4);
	g_byte_array_append(zip, end, sizeof(end));
	s = (struct str){ (const char *)zip->data, zip->len };
	CHECK(archive_walk(s, &budget, ignore, NULL, &state));
	g_byte_array_unref(zip);
	return state.malformed;
}

#define UE "\xc3\xbc"        /* ü */
#define UE_APART "u\xcc\x88" /* as Macs write it */
#define UE_437 "\x81"

/* What the makers of zips write, the same in both places. */
static const struct written honest[] = {
	{ STR("a.txt"), PLAIN, STR("") },
	{ STR("dir\\a.txt"), PLAIN, STR("") },
	{ STR("dir/"), PLAIN, STR("") },
	{ STR(UE "/"), UTF8, STR("") },
	{ STR(UE ".txt"), UTF8, STR("") },
	{ STR(UE ".txt"), PLAIN, STR("") },
	{ STR(UE_APART ".txt"), UTF8, STR("") },
	{ STR(UE_APART ".txt"), PLAIN, STR("") },
	{ STR(UE_437 ".txt"), PLAIN, STR("") },
	{ STR(UE_437 ".txt"), PLAIN, STR(UE ".txt") },
	{ STR(UE_437 ".txt"), PLAIN, STR(UE_APART ".txt") },
	{ STR(UE ".txt"), UTF8, STR(UE ".txt") },
	{ STR("dir\\" UE_437 ".txt"), PLAIN, STR("") },
	{ STR(UE "\\" UE ".txt"), UTF8, STR("") },
	{ STR("\x83\\.txt"), PLAIN, STR("") },                  /* Shift JIS */
	{ STR("\xe1\x84\x92\xe1\x85\xa1.txt"), UTF8, STR("") }, /* jamo */
	{ STR("\xef\xa4\x80\xe2\x84\xa6.txt"), UTF8, STR("") }, /* one sign */
	{ STR("\xf0\x9f\x98\x80.txt"), UTF8, STR("") },
	/* its marks in another order than the canonical one */
	{ STR("\xd7\x91\xd6\xbc\xd6\xb8.txt"), UTF8, STR("") },
};

static const struct {
	struct written local, central;
} two_names[] = {
	{ { STR("good.txt"), PLAIN, STR("") },
	    { STR("evil.js"), PLAIN, STR("") } },
	{ { STR(UE ".txt"), UTF8, STR("") },
	    { STR(UE ".jse"), UTF8, STR("") } },
	{ { STR(UE ".txt"), PLAIN, STR("") },
	    { STR(UE ".jse"), PLAIN, STR("") } },
	{ { STR(UE_437 "u.txt"), PLAIN, STR("") },
	    { STR(UE_437 "u.jse"), PLAIN, STR("") } },
	{ { STR(UE_437 ".txt"), PLAIN, STR(UE ".txt") },
	    { STR(UE_437 ".txt"), PLAIN, STR(UE ".jse") } },
	{ { STR(UE_437 ".txt"), PLAIN, STR("") },
	    { STR(UE_437 ".txt"), PLAIN, STR(UE ".jse") } },
	{ { STR("a.txt"), PLAIN, STR("a.txt") },
	    { STR("a.txt"), PLAIN, STR("evil.js") } },
	{ { STR("evil.js"), PLAIN, STR("a.txt") },
	    { STR("evil.js"), PLAIN, STR("") } },
	{ { STR("evil.js"), PLAIN, STR("a.txt") },
	    { STR("evil.js"), PLAIN, STR("a.txt") } },
	{ { STR("evil.j\xcc\x81s"), UTF8, STR("") },
	    { STR("evil.js"), UTF8, STR("") } },
	{ { STR("a\xff.txt"), UTF8, STR("") },
	    { STR("a\xff.txt"), UTF8, STR("") } },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(honest) / sizeof(*honest); i++)
		CHECK(!differ(&honest[i], &honest[i]));
	/* The flag alone is no other name. */
	CHECK(!differ(&honest[4], &honest[5]));
	CHECK(!differ(&honest[5], &honest[4]));
	for (size_t i = 0; i < sizeof(two_names) / sizeof(*two_names); i++)
		CHECK(differ(&two_names[i].local, &two_names[i].central));
	TEST_DONE();
}
