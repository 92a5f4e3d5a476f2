#include "runtime/zip.h"

#include <zip.h>

/* How often a zip is looked for behind what stands in front of one. */
enum { MAX_STARTS = 16 };

/* APPNOTE 4.3.16: the end of central directory record, and with a comment. */
enum { END = 22, MAX_END = END + 65535 };

GHashTable *
zip_names_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/*
 * libarchive composes what the maker says to be UTF-8, and Macs decompose it:
 * marks are left out.
 */
static void
append_unmarked(GString *out, gunichar c)
{
	gunichar parts[4];
	gsize n = g_unichar_fully_decompose(
	    c, FALSE, parts, sizeof(parts) / sizeof(*parts));

	for (gsize i = 0; i < n; i++)
		if (g_unichar_combining_class(parts[i]) == 0)
			g_string_append_unichar(out, parts[i]);
}

/*
 * In one form for both libraries: libarchive turns backslashes, and marks
 * folders with a slash at the end.  What is not UTF-8 both give as it is.
 */
static char *
same_form(struct str s)
{
	GString *out = g_string_sized_new(s.n);

	if (!g_utf8_validate(s.p, (gssize)s.n, NULL))
		g_string_append_len(out, s.p, (gssize)s.n);
	else
		for (const char *at = s.p; at < s.p + s.n;
		     at = g_utf8_next_char(at)) {
			if (*at & 0x80)
				append_unmarked(out, g_utf8_get_char(at));
			else
				g_string_append_c(out, *at);
		}
	g_strdelimit(out->str, "\\", '/');
	while (out->len && out->str[out->len - 1] == '/')
		g_string_truncate(out, out->len - 1);
	return g_string_free(out, FALSE);
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
	zip_t *zip = find_zip(s);
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
