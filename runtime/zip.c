#include "runtime/zip.h"

#include <zip.h>

#include "runtime/file_name.h"

/* How often a zip is looked for behind what stands in front of one. */
enum { MAX_STARTS = 16 };

/* APPNOTE 4.3.16: the end of central directory record, and with a comment. */
enum { END = 22, MAX_END = END + 65535 };

/* Offsets in a header of 4.3.12, and in a field of 4.6.9. */
enum { NAME_LENGTH = 28, EXTRA_LENGTH = 30, NAME = 46, PATH = 5 };
enum { UNICODE_PATH = 0x7075 };

GHashTable *
zip_names_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/*
 * In one form for both libraries: libarchive turns backslashes, marks folders
 * with a slash at the end, and composes what the maker says to be UTF-8, which
 * Macs decompose.  What is not UTF-8 both give as it is.
 */
static char *
same_form(struct str s)
{
	char *out = g_utf8_normalize(s.p, (gssize)s.n, G_NORMALIZE_NFD);
	size_t n;

	if (!out)
		out = g_strndup(s.p, s.n);
	g_strdelimit(out, "\\", '/');
	for (n = strlen(out); n && out[n - 1] == '/'; n--)
		out[n - 1] = 0;
	return out;
}

void
zip_names_add(GHashTable *names, struct str name)
{
	if (name.p)
		(void)g_hash_table_add(names, same_form(name));
}

/* NULL where libzip finds none. */
static zip_t *
open_zip(struct str s)
{
	zip_source_t *source = zip_source_buffer_create(s.p, s.n, 0, NULL);
	zip_t *out;

	if (!source)
		return NULL;
	out = zip_open_from_source(source, ZIP_RDONLY, NULL);
	if (!out)
		zip_source_free(source);
	return out;
}

/*
 * The same, where something may stand in front: offsets in a zip may count
 * from its own start, which is at a local header.
 */
static zip_t *
find_zip(struct str s)
{
	zip_t *out = open_zip(s);

	for (int i = 0; !out && i < MAX_STARTS; i++) {
		const char *at = memmem(s.p, s.n, "PK\3\4", 4);

		if (!at)
			break;
		s = str_skip(s, (size_t)(at - s.p));
		out = open_zip(s);
		s = str_skip(s, 4);
	}
	return out;
}

static GHashTable *
central_names(zip_t *zip)
{
	GHashTable *out = zip_names_new();
	zip_int64_t n = zip_get_num_entries(zip, 0);

	for (zip_int64_t i = 0; i < n; i++) {
		const char *name =
		    zip_get_name(zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);

		if (name)
			zip_names_add(out, str_from(name));
	}
	return out;
}

static unsigned
u16(const char *p)
{
	return (guint8)p[0] | (unsigned)(guint8)p[1] << 8;
}

/* The rest of `s`, from its n-th octet on, and no more than `most` of it. */
static struct str
slice(struct str s, size_t n, size_t most)
{
	return str_head(str_skip(s, MIN(n, s.n)), most);
}

static bool
same_extension(struct str a, struct str b)
{
	char *x = g_utf8_make_valid(a.p, (gssize)a.n);
	char *y = g_utf8_make_valid(b.p, (gssize)b.n);
	bool same = str_eq_ascii(
	    file_extension(str_from(x)), file_extension(str_from(y)));

	g_free(x);
	g_free(y);
	return same;
}

/*
 * Of a header of the central directory (APPNOTE 4.3.12): is there a Unicode
 * path (4.6.9) that ends otherwise than the name, which Windows takes?
 */
static bool
has_other_path(struct str name, struct str extra)
{
	while (extra.n >= 4) {
		struct str field = slice(extra, 4, u16(extra.p + 2));

		if (u16(extra.p) == UNICODE_PATH && field.n > PATH &&
		    !same_extension(name, str_skip(field, PATH)))
			return true;
		extra = str_skip(extra, 4 + field.n);
	}
	return false;
}

/* Honest headers do not overlap, so all of them together are no longer. */
static bool
has_other_paths(struct str s)
{
	size_t left = s.n;
	const char *at;

	while (s.n && (at = memmem(s.p, s.n, "PK\1\2", 4))) {
		struct str name, extra;

		s = str_skip(s, (size_t)(at - s.p));
		if (s.n < NAME)
			break;
		name = slice(s, NAME, u16(s.p + NAME_LENGTH));
		extra = slice(s, NAME + name.n, u16(s.p + EXTRA_LENGTH));
		if (extra.n > left || has_other_path(name, extra))
			return true;
		left -= extra.n;
		s = str_skip(s, 4);
	}
	return false;
}

static bool
has_all(GHashTable *set, GHashTable *names)
{
	GHashTableIter i;
	gpointer name;

	g_hash_table_iter_init(&i, names);
	while (g_hash_table_iter_next(&i, &name, NULL))
		if (!g_hash_table_contains(set, name))
			return false;
	return true;
}

bool
zip_names_equal(GHashTable *a, GHashTable *b)
{
	return has_all(a, b) && has_all(b, a);
}

bool
zip_has_names(struct str s, GHashTable *names)
{
	zip_t *zip = has_other_paths(s) ? NULL : find_zip(s);
	GHashTable *central;
	bool same;

	if (!zip)
		return false;
	central = central_names(zip);
	zip_discard(zip);
	same = zip_names_equal(central, names);
	g_hash_table_unref(central);
	return same;
}

bool
zip_ends(struct str s)
{
	const char *at;

	if (s.n > MAX_END)
		s = str_skip(s, s.n - MAX_END);
	while (s.n && (at = memmem(s.p, s.n, "PK\5\6", 4))) {
		const guint8 *end = (const guint8 *)at;

		s = str_skip(s, (size_t)(at - s.p));
		if (s.n >= END && (end[10] | end[11]) != 0 &&
		    (end[20] | (size_t)end[21] << 8) == s.n - END)
			return true;
		s = str_skip(s, 4);
	}
	return false;
}
