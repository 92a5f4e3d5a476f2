#include "runtime/iso.h"

#include <archive.h>
#include <archive_entry.h>

#include "runtime/zip.h"

/* ECMA-119, 8: descriptors begin at the 16th sector. */
enum { SECTOR = 2048, FIRST = 16, LAST = 64, ESCAPES = 88 };

struct trees {
	bool joliet, udf;
};

/* ECMA-119, 8.5: a descriptor of UCS-2; ECMA-167, 3/9.1. */
static struct trees
find_trees(struct str s)
{
	struct trees out = { false, false };

	for (size_t i = FIRST; i < LAST && (i + 1) * SECTOR <= s.n; i++) {
		struct str at = str_skip(s, i * SECTOR);

		out.joliet |= str_starts(at, STR("\2CD001")) &&
			      str_starts(str_skip(at, ESCAPES), STR("%/"));
		out.udf |= str_starts(str_skip(at, 1), STR("NSR0"));
	}
	return out;
}

static struct archive *
joliet_reader(struct str s)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	if (archive_read_support_format_iso9660(a) == ARCHIVE_OK &&
	    archive_read_set_options(a, "iso9660:!rockridge") == ARCHIVE_OK &&
	    archive_read_open_memory(a, s.p, s.n) == ARCHIVE_OK)
		return a;
	(void)archive_read_free(a);
	return NULL;
}

/* No more than `limit` and one, as they are read. */
static GHashTable *
joliet_names(struct archive *a, guint limit)
{
	GHashTable *out = zip_names_new();
	struct archive_entry *e;

	while (g_hash_table_size(out) <= limit) {
		int r = archive_read_next_header(a, &e);

		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			break;
		zip_names_add(out, str_from(archive_entry_pathname(e)));
	}
	return out;
}

bool
iso_has_names(struct str s, GHashTable *names)
{
	struct trees trees = find_trees(s);
	struct archive *a;
	GHashTable *others;
	bool same;

	if (trees.udf || !trees.joliet)
		return !trees.udf;
	a = joliet_reader(s);
	if (!a)
		return false;
	others = joliet_names(a, g_hash_table_size(names));
	(void)archive_read_free(a);
	same = zip_names_equal(names, others);
	g_hash_table_unref(others);
	return same;
}
