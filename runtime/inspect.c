#include "runtime/inspect.h"

#include <gio/gio.h>
#include <gsf/gsf.h>
#include <pthread.h>

#include "runtime/macros.h"

/*
 * [MS-CFB] bounds neither; documents of Office are some ten storages, three
 * deep.
 */
enum { MAX_ENTRIES = 2000, MAX_DEPTH = 8 };

/*
 * What is unpacked of one compound file, of all in a presentation, and what
 * looking at one of these counts at least.
 */
enum { MAX_ACTIVE = 16 << 20, MAX_EMBEDDED = 64 << 20, LEAST = 4096 };

struct search {
	struct inspection *out;
	/* What may still be read: all streams together are no longer. */
	size_t octets, records;
	size_t embedded; /* octets that may still be looked at */
	size_t entries;
};

static bool
is_name(const char *name, const char *want)
{
	return name && g_ascii_strcasecmp(name, want) == 0;
}

static unsigned
u16(const guint8 *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static size_t
u32(const guint8 *p)
{
	return u16(p) | (size_t)u16(p + 2) << 16;
}

/* [MS-DOC] 2.5.2: fEncrypted. */
static void
look_at_word(GsfInput *in, struct inspection *out)
{
	guint8 b[12];

	if (gsf_input_read(in, sizeof(b), b))
		out->encrypted |= (b[11] & 1) != 0;
}

/* [MS-PPT] 2.3.2: headerToken. */
static void
look_at_slides(GsfInput *in, struct inspection *out)
{
	static const guint8 token[4] = { 0xdf, 0xc4, 0xd1, 0xf3 };
	guint8 b[16];

	if (gsf_input_read(in, sizeof(b), b))
		out->encrypted |= memcmp(b + 12, token, 4) == 0;
}

/* [MS-XLS]: FilePass (2.4.117), BoundSheet8 (2.4.28) of a macro sheet. */
static void
look_at_sheets(GsfInput *in, struct search *s)
{
	struct inspection *out = s->out;
	guint8 head[4], sheet[6];

	for (; s->records; s->records--) {
		unsigned type, size;

		if (!gsf_input_read(in, sizeof(head), head))
			return;
		type = u16(head);
		size = u16(head + 2);
		out->encrypted |= type == 0x2f;
		if (type == 0x0a || out->encrypted)
			return;
		if (type == 0x85 && size >= sizeof(sheet)) {
			if (!gsf_input_read(in, sizeof(sheet), sheet))
				return;
			out->has_macros |= sheet[5] == 1;
			size -= sizeof(sheet);
		}
		if (gsf_input_seek(in, size, G_SEEK_CUR))
			return;
	}
}

/* What a zlib stream holds, as far as it can be read; to be freed. */
static GByteArray *
inflated(struct str s, size_t most)
{
	GZlibDecompressor *z =
	    g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
	GByteArray *out = g_byte_array_new();
	GConverterResult r;

	do {
		guint8 block[16 << 10];
		gsize in = 0, n = 0;

		r = g_converter_convert(G_CONVERTER(z), s.p, s.n, block,
		    sizeof(block), G_CONVERTER_INPUT_AT_END, &in, &n, NULL);
		if (r == G_CONVERTER_ERROR)
			break;
		s = str_skip(s, in);
		g_byte_array_append(out, block, (guint)n);
	} while (r == G_CONVERTER_CONVERTED && out->len < most);
	g_object_unref(z);
	return out;
}

static struct str
octets_of(const GByteArray *a)
{
	return (struct str){ (const char *)a->data, a->len };
}

/* [MS-CFB] 2.6.1: an entry of a directory; sectors are made of them. */
enum { ENTRY = 128, ENTRY_TYPE = 66 };

static bool
is_entry(const char *entry, const char *name)
{
	size_t i = 0;

	do
		if (g_ascii_toupper(entry[2 * i]) != name[i] ||
		    entry[2 * i + 1])
			return false;
	while (name[i++]);
	return entry[ENTRY_TYPE] == 1 || entry[ENTRY_TYPE] == 2;
}

/*
 * By the entries that lie in a compound file, and not by its tree: Office looks
 * for a name, whatever else is there, how much of it, or is broken.
 */
static void
look_at_names(struct str s, struct inspection *out)
{
	for (; s.n >= ENTRY; s = str_skip(s, ENTRY)) {
		out->has_macros |=
		    is_entry(s.p, "VBA") || is_entry(s.p, "_VBA_PROJECT");
		out->encrypted |= is_entry(s.p, "ENCRYPTEDPACKAGE");
	}
}

/* A record of [MS-PPT] behind its type, with its version and instance. */
static void
look_at_embedded(struct str s, guint8 version, struct search *x)
{
	GByteArray *inner = NULL;
	guint8 length[4];

	if (s.n < 8)
		return;
	memcpy(length, s.p, 4);
	if (version) {
		inner = inflated(str_skip(s, 8), MIN(x->embedded, MAX_ACTIVE));
		s = octets_of(inner);
	} else {
		s = str_head(str_skip(s, 4), u32(length));
	}
	look_at_names(s, x->out);
	x->embedded -= MIN(x->embedded, MAX(s.n, LEAST));
	if (inner)
		g_byte_array_unref(inner);
}

/*
 * [MS-PPT] 2.10.34: what is embedded, VBA like all else, is a compound file in
 * a record, mostly compressed.  PowerPoint finds the record by its offset, so
 * it is looked for everywhere.
 */
static void
look_at_presentation(GsfInput *in, struct search *x)
{
	size_t n = (size_t)gsf_input_size(in);
	const char *p = NULL, *at;
	struct str rest;

	if (n <= x->octets)
		p = (const char *)gsf_input_read(in, n, NULL);
	if (!p)
		return;
	x->octets -= n;
	rest = (struct str){ p, n };
	while ((at = memmem(rest.p, rest.n, "\0\x11\x10", 3))) {
		guint8 version = at > p ? (guint8)at[-1] : 1;

		rest = str_skip(rest, (size_t)(at - rest.p) + 3);
		if (version != 0 && version != 0x10)
			continue;
		x->out->too_large |= !x->embedded;
		if (!x->embedded)
			return;
		look_at_embedded(rest, version, x);
	}
}

static void
look_at_stream(GsfInput *in, const char *name, struct search *s)
{
	if (is_name(name, "WordDocument"))
		look_at_word(in, s->out);
	else if (is_name(name, "Workbook") || is_name(name, "Book"))
		look_at_sheets(in, s);
	else if (is_name(name, "Current User"))
		look_at_slides(in, s->out);
	else if (is_name(name, "PowerPoint Document"))
		look_at_presentation(in, s);
}

/* The streams of the document itself, however many stand before them. */
static void
look_at_document(struct search *s, GsfInfile *root)
{
	static const char *const names[] = { "WordDocument", "Workbook", "Book",
		"Current User", "PowerPoint Document" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		GsfInput *in = gsf_infile_child_by_name(root, names[i]);

		if (in) {
			look_at_stream(in, names[i], s);
			g_object_unref(in);
		}
	}
}

/* Those of documents that are embedded in it. */
static void
search(struct search *s, GsfInfile *storage, int depth)
{
	int n = gsf_infile_num_children(storage);

	for (int i = 0; i < n && s->entries < MAX_ENTRIES; i++) {
		const char *name = gsf_infile_name_by_index(storage, i);
		GsfInput *child = gsf_infile_child_by_index(storage, i);

		s->entries++;
		if (!child)
			continue;
		if (GSF_IS_INFILE(child) &&
		    gsf_infile_num_children(GSF_INFILE(child)) >= 0) {
			if (depth < MAX_DEPTH)
				search(s, GSF_INFILE(child), depth + 1);
		} else if (depth > 0) {
			look_at_stream(child, name, s);
		}
		g_object_unref(child);
	}
}

static void
inspect_compound(struct str contents, struct inspection *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct search s = {
		.out = out,
		.octets = contents.n,
		.records = contents.n / 4,
		.embedded = MAX_EMBEDDED,
	};
	GsfInput *in;
	GsfInfile *root;

	(void)pthread_once(&once, gsf_init);
	look_at_names(contents, out);
	in = gsf_input_memory_new(
	    (const guint8 *)contents.p, (gsf_off_t)contents.n, FALSE);
	root = in ? gsf_infile_msole_new(in, NULL) : NULL;
	if (root) {
		look_at_document(&s, root);
		search(&s, root, 0);
		g_object_unref(root);
	}
	if (in)
		g_object_unref(in);
}

/*
 * A compound file as documents that are web pages or XML have it.  There is no
 * specification: a header says at 0x1e how long its second half is.
 */
static void
inspect_active(struct str contents, struct inspection *out)
{
	size_t from = 0x2e;
	GByteArray *inner;

	if (contents.n < from)
		return;
	from += u16((const guint8 *)contents.p + 0x1e);
	if (from > contents.n)
		return;
	inner = inflated(str_skip(contents, from), MAX_ACTIVE);
	inspect_compound(octets_of(inner), out);
	g_byte_array_unref(inner);
}

/* ISO 32000-1 7.2.2 */
static bool
is_pdf_blank(char c)
{
	return c == 0 || c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

/*
 * Behind a name that begins at i (7.3.5: # and two digits stand for any octet
 * of it), or 0 where it is another.
 */
static size_t
behind_name(struct str s, size_t i, struct str name)
{
	for (size_t k = 0; k < name.n; k++, i++) {
		char c = i < s.n ? s.p[i] : 0;

		if (c == '#' && i + 2 < s.n && g_ascii_isxdigit(s.p[i + 1]) &&
		    g_ascii_isxdigit(s.p[i + 2])) {
			c = (char)(g_ascii_xdigit_value(s.p[i + 1]) << 4 |
				   g_ascii_xdigit_value(s.p[i + 2]));
			i += 2;
		}
		if (c != name.p[k])
			return 0;
	}
	return i;
}

/* A dictionary, a reference to one, or a comment before them. */
static bool
begins_value(struct str s, bool blank)
{
	char c = s.n ? s.p[0] : 0;

	return c == '<' || c == '%' ||
	       (blank && (c == '+' || g_ascii_isdigit(c)));
}

/*
 * 7.5.5, 7.5.8.2: the trailer of an encrypted document, which is never
 * compressed, has the key /Encrypt.  What looks like one elsewhere counts too,
 * but not where words follow: that is somebody's text.
 */
static bool
is_encrypted_pdf(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t from;

		i += str_find(str_skip(s, i), '/');
		from = behind_name(s, i + 1, STR("Encrypt"));
		if (!from)
			continue;
		i = from;
		while (i < s.n && is_pdf_blank(s.p[i]))
			i++;
		if (begins_value(str_skip(s, i), i > from))
			return true;
		i--;
	}
	return false;
}

struct inspection
inspect(struct str contents)
{
	struct inspection out = { .encrypted = false };
	struct str head = str_head(contents, 1024);

	if (str_starts(head, STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")))
		inspect_compound(contents, &out);
	else if (str_starts(head, STR("ActiveMime")))
		inspect_active(contents, &out);
	else if (head.n && memmem(head.p, head.n, "%PDF-", 5))
		out.encrypted = is_encrypted_pdf(contents);
	else
		out.has_macros = macros_in_xml(contents);
	return out;
}

bool
inspect_is_encrypted(struct str member, struct str contents)
{
	static const char mark[] = "encryption-data";

	return str_eq_ascii(member, STR("META-INF/manifest.xml")) &&
	       memmem(contents.p, contents.n, mark, sizeof(mark) - 1) != NULL;
}
