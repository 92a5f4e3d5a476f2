#include "runtime/inspect.h"

#include <gsf/gsf.h>
#include <pthread.h>

/*
 * [MS-CFB] bounds neither; documents of Office are some ten storages, three
 * deep.
 */
enum { MAX_ENTRIES = 2000, MAX_DEPTH = 8, MAX_RECORDS = 4096 };

struct search {
	struct inspection *out;
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
look_at_sheets(GsfInput *in, struct inspection *out)
{
	guint8 head[4], sheet[6];

	for (int i = 0; i < MAX_RECORDS; i++) {
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

static void
look_at_stream(GsfInput *in, const char *name, struct inspection *out)
{
	if (is_name(name, "WordDocument"))
		look_at_word(in, out);
	else if (is_name(name, "Workbook") || is_name(name, "Book"))
		look_at_sheets(in, out);
	else if (is_name(name, "Current User"))
		look_at_slides(in, out);
}

static void
search(struct search *s, GsfInfile *storage, int depth)
{
	int n = gsf_infile_num_children(storage);

	for (int i = 0; i < n && s->entries < MAX_ENTRIES; i++) {
		const char *name = gsf_infile_name_by_index(storage, i);
		GsfInput *child = gsf_infile_child_by_index(storage, i);

		s->entries++;
		s->out->encrypted |= is_name(name, "EncryptedPackage");
		s->out->has_macros |=
		    is_name(name, "VBA") || is_name(name, "_VBA_PROJECT");
		if (!child)
			continue;
		if (GSF_IS_INFILE(child) &&
		    gsf_infile_num_children(GSF_INFILE(child)) >= 0) {
			if (depth < MAX_DEPTH)
				search(s, GSF_INFILE(child), depth + 1);
		} else {
			look_at_stream(child, name, s->out);
		}
		g_object_unref(child);
	}
}

static void
inspect_compound(struct str contents, struct inspection *out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct search s = { .out = out };
	GsfInput *in;
	GsfInfile *root;

	(void)pthread_once(&once, gsf_init);
	in = gsf_input_memory_new(
	    (const guint8 *)contents.p, (gsf_off_t)contents.n, FALSE);
	root = in ? gsf_infile_msole_new(in, NULL) : NULL;
	if (root) {
		search(&s, root, 0);
		g_object_unref(root);
	}
	if (in)
		g_object_unref(in);
}

/* ISO 32000-1 7.5.5: the trailer of an encrypted document has /Encrypt. */
static bool
is_encrypted_pdf(struct str s)
{
	static const char key[] = "/Encrypt";
	const char *at;

	while ((at = memmem(s.p, s.n, key, sizeof(key) - 1))) {
		s = str_skip(s, (size_t)(at - s.p) + sizeof(key) - 1);
		if (s.n && !g_ascii_isalpha(s.p[0]))
			return true;
	}
	return false;
}

struct inspection
inspect(struct str contents)
{
	struct inspection out = { false, false };
	struct str head = str_head(contents, 1024);

	if (str_starts(head, STR("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")))
		inspect_compound(contents, &out);
	else if (head.n && memmem(head.p, head.n, "%PDF-", 5))
		out.encrypted = is_encrypted_pdf(contents);
	return out;
}

bool
inspect_is_macro(struct str member)
{
	static const char *const ends[] = { "vbaproject.bin", "script-lb.xml",
		"script-lc.xml" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct str end = str_from(ends[i]);

		if (member.n >= end.n &&
		    str_eq_ascii(str_skip(member, member.n - end.n), end))
			return true;
	}
	return memmem(member.p, member.n, "/macrosheets/", 13) != NULL;
}
