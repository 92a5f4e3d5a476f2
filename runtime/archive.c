#include "runtime/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <pthread.h>

#include "runtime/iso.h"
#include "runtime/zip.h"

enum {
	BLOCK = 64 << 10,
	TAR_BLOCK = 512,
	SLACK = 16 << 20,   /* headers and padding */
	ZIP_END = 16 << 10, /* as libarchive has it */
};

/* libarchive converts names to the locale's charset. */
static locale_t utf8;

static void
make_locale(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/*
 * Is there the end of a directory where libarchive looks for one?  It looks
 * octet by octet, in every file.
 */
static bool
may_end_as_zip(struct str s)
{
	size_t n = s.n < ZIP_END ? s.n : ZIP_END;

	return memmem(s.p + s.n - n, n, "PK\5\6", 4) != NULL;
}

static struct archive *
reader(struct str s, bool raw_alone)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	/* What is compressed and none of those below. */
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_lzma(a);
	(void)archive_read_support_filter_lzip(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_zstd(a);
	if (raw_alone)
		return a;
	(void)archive_read_support_format_zip_streamable(a);
	if (may_end_as_zip(s))
		(void)archive_read_support_format_zip_seekable(a);
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_format_7zip(a);
	(void)archive_read_support_format_rar(a);
	(void)archive_read_support_format_rar5(a);
	(void)archive_read_support_format_cab(a);
	(void)archive_read_support_format_lha(a);
	(void)archive_read_support_format_iso9660(a);
	(void)archive_read_support_format_cpio(a);
	(void)archive_read_support_format_ar(a);
	return a;
}

static bool
has_format(struct archive *a, int format)
{
	return (archive_format(a) & ARCHIVE_FORMAT_BASE_MASK) == format;
}

/* What is called a folder may hold octets, but not where its list does. */
static bool
is_folder(struct archive *a, struct archive_entry *e)
{
	return archive_entry_filetype(e) == AE_IFDIR &&
	       (archive_entry_size(e) == 0 ||
		   has_format(a, ARCHIVE_FORMAT_ISO9660));
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

/* A walk through one archive. */
struct run {
	struct archive_budget *budget;
	archive_each *each;
	void *data; /* of `each` */
	struct archive_state *state;
	bool empty; /* it has no member, or is to be read as if it had none */
	bool ended; /* it was read to its end */
	bool tar;   /* its format */
	bool zip;
	GHashTable *names; /* folders too */
};

/* libarchive's for what has none. */
static struct str
kept_name(struct archive_entry *e)
{
	struct str s = str_from(archive_entry_pathname(e));

	return str_eq(s, STR("data")) ? (struct str){ NULL, 0 } : s;
}

static void
one_member(struct run *run, struct archive *a, struct archive_entry *e)
{
	GByteArray *contents = g_byte_array_new();
	struct archive_member m = { .packed = archive_format(a) ==
					      ARCHIVE_FORMAT_RAW };
	struct archive_state *state = run->state;

	m.name = m.packed ? kept_name(e) : str_from(archive_entry_pathname(e));
	if (archive_entry_is_encrypted(e))
		m.encrypted = true;
	else
		unpack(a, run->budget, contents, &m);
	m.contents =
	    (struct str){ (const char *)contents->data, contents->len };
	state->encrypted |= m.encrypted;
	state->too_large |= m.too_large;
	state->malformed |= m.malformed;
	run->each(run->data, &m);
	g_byte_array_unref(contents);
}

/* Once its first header is read. */
static bool
is_archive(struct archive *a)
{
	if (archive_format(a) == ARCHIVE_FORMAT_RAW)
		return archive_filter_count(a) > 1;
	return archive_format(a) != 0;
}

/* Of the formats that say twice what is in them. */
static bool
is_twofold(struct archive *a)
{
	return has_format(a, ARCHIVE_FORMAT_ZIP) ||
	       has_format(a, ARCHIVE_FORMAT_ISO9660);
}

/* Once all of it is read. */
static bool
says_other_names(struct archive *a, struct str s, GHashTable *names)
{
	if (has_format(a, ARCHIVE_FORMAT_ZIP))
		return !zip_has_names(s, names);
	return has_format(a, ARCHIVE_FORMAT_ISO9660) &&
	       !iso_has_names(s, names);
}

/* False where it turns out to be no archive. */
static bool
walk(struct run *run, struct archive *a)
{
	struct archive_budget *budget = run->budget;
	struct archive_state *state = run->state;
	size_t limit = budget->octets + SLACK;
	struct archive_entry *e;
	bool first = true;
	int r;

	while (!state->too_large) {
		r = archive_read_next_header(a, &e);
		if (first && !is_archive(a))
			return false;
		run->ended = r == ARCHIVE_EOF;
		/* What is in it is compared, so first unpack all. */
		run->empty =
		    first && (run->ended || (is_twofold(a) &&
						archive_filter_count(a) > 1));
		run->tar = has_format(a, ARCHIVE_FORMAT_TAR);
		run->zip = has_format(a, ARCHIVE_FORMAT_ZIP);
		first = false;
		if (run->ended || run->empty)
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
		zip_names_add(run->names, str_from(archive_entry_pathname(e)));
		if (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
			if (!is_folder(a, e))
				one_member(run, a, e);
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
open_and_walk(struct run *run, struct archive *a, struct str s)
{
	if (archive_read_open_memory(a, s.p, s.n) != ARCHIVE_OK)
		return false;
	/*
	 * Layers that are not seen here have no bound, so there is one at most
	 * (beside the one that stands for the octets themselves).
	 */
	if (archive_filter_count(a) > 2) {
		run->state->too_deep = true;
		return true;
	}
	return walk(run, a);
}

static bool
walk_as(struct run *run, struct str s, bool raw_alone)
{
	struct archive *a = reader(s, raw_alone);
	bool ok;

	run->empty = run->ended = false;
	if (!a)
		return false;
	run->names = zip_names_new();
	ok = open_and_walk(run, a, s);
	if (ok && run->ended && says_other_names(a, s, run->names))
		run->state->malformed = true;
	g_hash_table_unref(run->names);
	(void)archive_read_free(a);
	return ok;
}

static struct str
skip_zeros(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == 0)
		n++;
	return str_skip(s, n - n % TAR_BLOCK);
}

/*
 * Nobody sends an archive of nothing: there libarchive sees less than others
 * do.  Contents that are compressed need be no archive at all, and what begins
 * with NULs, which end a tar, need be none either.
 */
static bool
walk_any(struct run *run, struct str s)
{
	bool tar;

	if (!walk_as(run, s, false))
		return false;
	tar = run->tar;
	if (!run->empty || walk_as(run, s, true))
		return true;
	if (tar && !walk_as(run, skip_zeros(s), false))
		return false;
	run->state->malformed = true;
	return true;
}

/* WinRAR looks for its mark so far (MAXSFXSIZE of unrar), whatever it is in. */
enum { RAR_FIRST = 4 << 20 };

/* A RAR, of version 4 or 5, behind something else; p NULL where there is none.
 */
static struct str
inner_rar(struct str s)
{
	const struct str mark = STR("Rar!\x1a\x07");
	struct str some = str_head(s, RAR_FIRST);

	for (size_t at = 0; at < some.n; at++) {
		at += str_find_text(str_skip(some, at), mark, 4);
		if (at < some.n && at + mark.n < s.n &&
		    (unsigned char)s.p[at + mark.n] <= 1)
			return at ? str_skip(s, at) : (struct str){ NULL, 0 };
	}
	return (struct str){ NULL, 0 };
}

bool
archive_has_rar(struct str s)
{
	return inner_rar(s).p != NULL;
}

bool
archive_walk(struct str s, struct archive_budget *budget, archive_each *each,
    void *data, struct archive_state *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct run run = { budget, each, data, .state = out };
	locale_t before = (locale_t)0;
	bool ok;

	*out = (struct archive_state){ .encrypted = false };
	if (!s.n)
		return false;
	(void)pthread_once(&once, make_locale);
	if (utf8)
		before = uselocale(utf8);
	ok = walk_any(&run, s);
	if (!ok && archive_has_rar(s))
		ok = walk_any(&run, inner_rar(s));
	/* Called .zip, it would be read from its end. */
	if (ok && !run.zip && zip_ends(s))
		out->malformed = true;
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
