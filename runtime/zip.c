#include "runtime/zip.h"

#include <zip.h>

/* How often a zip is looked for behind what stands in front of one. */
enum { MAX_STARTS = 16 };

GHashTable *
zip_names_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/*
 * In one form for both libraries: libarchive turns backslashes, and marks
 * folders with a slash at the end.  NULL where it is not ASCII, or where
 * libarchive could not convert it.
 */
static char *
same_form(struct str s)
{
	char *z;

	if (!s.p)
		return NULL;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] & 0x80)
			return NULL;
	z = g_strdelimit(g_strndup(s.p, s.n), "\\", '/');
	for (size_t n = strlen(z); n && z[n - 1] == '/'; n--)
		z[n - 1] = 0;
	return z;
}

void
zip_names_add(GHashTable *names, struct str name)
{
	char *z = same_form(name);

	if (z)
		(void)g_hash_table_add(names, z);
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
		const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);

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
zip_has_names(struct str s, GHashTable *names)
{
	zip_t *zip = find_zip(s);
	GHashTable *central;
	bool same;

	if (!zip)
		return false;
	central = central_names(zip);
	zip_discard(zip);
	same = has_all(central, names) && has_all(names, central);
	g_hash_table_unref(central);
	return same;
}
