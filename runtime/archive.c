#include "runtime/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <pthread.h>

enum {
	BLOCK = 64 << 10,
	SLACK = 16 << 20, /* headers and padding */
};

/* libarchive converts names to the locale's charset. */
static locale_t utf8;

static void
make_locale(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static struct archive *
reader(void)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_lzma(a);
	(void)archive_read_support_filter_lzip(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_format_zip(a);
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_format_7zip(a);
	(void)archive_read_support_format_rar(a);
	(void)archive_read_support_format_rar5(a);
	(void)archive_read_support_format_cab(a);
	(void)archive_read_support_format_lha(a);
	(void)archive_read_support_format_iso9660(a);
	(void)archive_read_support_format_cpio(a);
	(void)archive_read_support_format_ar(a);
	/* What is compressed and none of these. */
	(void)archive_read_support_format_raw(a);
	return a;
}

static bool
is_folder(struct archive_entry *e)
{
	return archive_entry_filetype(e) == AE_IFDIR &&
	       archive_entry_size(e) == 0;
}

/* Into `out`, as far as the budget goes. */
static void
unpack(struct archive *a, struct archive_budget *budget, GByteArray *out,
    struct archive_member *m)
{
	guint8 block[BLOCK];
	la_ssize_t n;

	while ((n = archive_read_data(a, block, sizeof(block))) > 0) {
		if ((size_t)n > budget->octets) {
			m->too_large = true;
			return;
		}
		budget->octets -= (size_t)n;
		g_byte_array_append(out, block, (guint)n);
	}
	m->malformed = n < 0 && n != ARCHIVE_WARN;
}

static void
one_member(struct archive *a, struct archive_entry *e,
    struct archive_budget *budget, archive_each *each, void *data,
    struct archive_state *state)
{
	GByteArray *contents = g_byte_array_new();
	struct archive_member m = { .name = { NULL, 0 } };

	if (archive_format(a) != ARCHIVE_FORMAT_RAW)
		m.name = str_from(archive_entry_pathname(e));
	if (archive_entry_is_encrypted(e))
		m.encrypted = true;
	else
		unpack(a, budget, contents, &m);
	m.contents =
	    (struct str){ (const char *)contents->data, contents->len };
	state->encrypted |= m.encrypted;
	state->too_large |= m.too_large;
	state->malformed |= m.malformed;
	each(data, &m);
	g_byte_array_unref(contents);
}

/* False where it turns out to be no archive. */
static bool
walk(struct archive *a, struct archive_budget *budget, archive_each *each,
    void *data, struct archive_state *state)
{
	size_t limit = budget->octets + SLACK;
	struct archive_entry *e;
	bool first = true;
	int r;

	while (!state->too_large) {
		r = archive_read_next_header(a, &e);
		if (first && archive_format(a) == ARCHIVE_FORMAT_RAW &&
		    archive_filter_count(a) < 2)
			return false;
		if (first && archive_format(a) == 0)
			return false;
		first = false;
		if (r == ARCHIVE_EOF)
			break;
		if (archive_read_has_encrypted_entries(a) == 1)
			state->encrypted = true;
		if (r == ARCHIVE_FATAL) {
			state->malformed |= !state->encrypted;
			break;
		}
		if (budget->members == 0) {
			state->too_large = state->too_many = true;
			break;
		}
		budget->members--;
		if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
			if (!is_folder(e))
				one_member(a, e, budget, each, data, state);
		} else {
			state->malformed = true;
		}
		/* What libarchive reads without giving it to us. */
		if (archive_filter_count(a) > 1 &&
		    archive_filter_bytes(a, 0) > (la_int64_t)limit)
			state->too_large = true;
	}
	return true;
}

static bool
open_and_walk(struct archive *a, struct str s, struct archive_budget *budget,
    archive_each *each, void *data, struct archive_state *out)
{
	if (archive_read_open_memory(a, s.p, s.n) != ARCHIVE_OK)
		return false;
	/*
	 * Layers that are not seen here have no bound, so there is one at most
	 * (beside the one that stands for the octets themselves).
	 */
	if (archive_filter_count(a) > 2) {
		out->too_deep = true;
		return true;
	}
	return walk(a, budget, each, data, out);
}

bool
archive_walk(struct str s, struct archive_budget *budget, archive_each *each,
    void *data, struct archive_state *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct archive *a = s.n ? reader() : NULL;
	locale_t before = (locale_t)0;
	bool ok;

	*out = (struct archive_state){ .encrypted = false };
	if (!a)
		return false;
	(void)pthread_once(&once, make_locale);
	if (utf8)
		before = uselocale(utf8);
	ok = open_and_walk(a, s, budget, each, data, out);
	(void)archive_read_free(a);
	if (utf8)
		(void)uselocale(before);
	return ok;
}

static void
ignore(void *data, const struct archive_member *m)
{
	(void)data;
	(void)m;
}

bool
archive_is(struct str s)
{
	struct archive_budget nothing = { 0, 0 };
	struct archive_state state;

	return archive_walk(s, &nothing, ignore, NULL, &state);
}
