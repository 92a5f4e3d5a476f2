/* Documents in compound files: macros, and what cannot be read. */
#include <gio/gio.h>

#include "tests/unit/compound.h"
#include "tests/unit/facts_show.h"

/* What encrypted and has-macros say of it, as in "01". */
static struct str
document(const char *storage, const char *stream, struct str contents)
{
	GBytes *b = compound(storage, stream, contents.p, contents.n);
	struct str s = { g_bytes_get_data(b, NULL), g_bytes_get_size(b) };
	static char out[3];

	give_file("x.doc", s);
	out[0] = show(ATTR_FILE_ENCRYPTED).p[0];
	out[1] = show(ATTR_FILE_HAS_MACROS).p[0];
	for (size_t at = 0; at < s.n; at += 61) { /* and changed */
		char *copy = g_memdup2(s.p, s.n);

		copy[at] = (char)(copy[at] ^ 0xff);
		give_file("x.doc", (struct str){ copy, s.n });
		(void)show(ATTR_FILE);
		g_free(copy);
	}
	g_bytes_unref(b);
	return str_from(out);
}

/* What zlib makes of a compound file with VBA, in a record of [MS-PPT]. */
static GString *
presentation(bool packed)
{
	static const char text[] = "\x0f\0\xe8\x03\x08\0\0\0aaaaaaaa";
	GBytes *b = compound("VBA", "dir", "x", 1);
	gsize n = g_bytes_get_size(b), in, m = 0;
	guint8 *out = g_malloc(n + 64);
	GZlibCompressor *z =
	    g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9);
	GString *s = g_string_new_len(text, sizeof(text) - 1);

	(void)g_converter_convert(G_CONVERTER(z), g_bytes_get_data(b, NULL), n,
	    out, n + 64, G_CONVERTER_INPUT_AT_END, &in, &m, NULL);
	g_string_append_len(s, packed ? "\x10\0\x11\x10" : "\0\0\x11\x10", 4);
	in = packed ? m + 4 : n;
	for (int i = 0; i < 4; i++)
		g_string_append_c(s, (char)(in >> (8 * i) & 0xff));
	if (packed)
		g_string_append_len(s, "zzzz", 4); /* of its octets */
	g_string_append_len(s,
	    packed ? (const char *)out : g_bytes_get_data(b, NULL),
	    (gssize)(packed ? m : n));
	g_object_unref(z);
	g_free(out);
	g_bytes_unref(b);
	return s;
}

static void
test_presentations(void)
{
	for (int packed = 0; packed < 2; packed++) {
		GString *s = presentation(packed);
		struct str all = { s->str, s->len };

		CHECK_STR(document(NULL, "PowerPoint Document", all), "01");
		CHECK_STR(document(NULL, "Other", all), "00");
		g_string_free(s, TRUE);
	}
}

/* Records without end, or that are longer than they may be. */
static void
test_too_many_records(void)
{
	GString *s = g_string_new(NULL);

	for (int i = 0; i < 17000; i++)
		g_string_append_len(s, "\x10\0\x11\x10\0\0\0\0\0\0\0\0", 12);
	for (int i = 0; i < 2; i++) {
		GBytes *b = compound(
		    NULL, "PowerPoint Document", s->str, i ? 1200 : s->len);

		give_file("x.ppt", (struct str){ g_bytes_get_data(b, NULL),
				       g_bytes_get_size(b) });
		CHECK_STR(show(ATTR_FILE_TOO_LARGE), i ? "0" : "1");
		g_bytes_unref(b);
	}
	g_string_free(s, TRUE);
}

/* What Office finds by its name is found behind any number of others. */
static void
test_many_streams(void)
{
	static const char macro[] = "\x85\0\x08\0\0\0\0\0\0\x01\x01"
				    "a\x0a\0\0\0";
	GString *sheets = g_string_new(NULL);
	GsfOutput *out = gsf_output_memory_new();
	GsfOutfile *root = gsf_outfile_msole_new(out);

	for (int i = 0; i < 5000; i++)
		g_string_append_len(sheets, "\x1e\x04\0\0", 4);
	g_string_append_len(sheets, macro, sizeof(macro) - 1);
	for (int i = 0; i < 2500; i++) {
		char *name = g_strdup_printf("%04d", i);
		GsfOutput *child;

		child = gsf_outfile_new_child(
		    root, i < 2499 ? name : "Workbook", FALSE);
		if (i == 2499)
			gsf_output_write(
			    child, sheets->len, (const guint8 *)sheets->str);
		gsf_output_close(child);
		g_object_unref(child);
		g_free(name);
	}
	gsf_output_close(GSF_OUTPUT(root));
	g_object_unref(root);
	give_file(
	    "x.xls", (struct str){ (const char *)gsf_output_memory_get_bytes(
				       GSF_OUTPUT_MEMORY(out)),
			 (size_t)gsf_output_size(out) });
	CHECK_STR(show(ATTR_FILE_HAS_MACROS), "1");
	g_object_unref(out);
	g_string_free(sheets, TRUE);
}

/* The tree of a directory is broken, and Office finds the name. */
static void
test_broken_tree(void)
{
	GBytes *b = compound("Macros", "_VBA_PROJECT", "x", 1);
	struct str s = { g_bytes_get_data(b, NULL), g_bytes_get_size(b) };
	char *copy = g_memdup2(s.p, s.n);
	char *entry = memmem(copy, s.n, "R\0o\0o\0t\0", 8);

	entry[66] = 7; /* its type */
	give_file("x.doc", (struct str){ copy, s.n });
	CHECK_STR(show(ATTR_FILE_HAS_MACROS), "1");
	g_free(copy);
	g_bytes_unref(b);
}

static void
test_documents(void)
{
	static const char bof[] = "\x09\x08\x04\0\0\0\0\0";
	static const char pass[] = "\x09\x08\x04\0\0\0\0\0\x2f\0\x02\0\0\0";
	static const char macro[] = "\x85\0\x08\0\0\0\0\0\0\x01\x01"
				    "a\x0a\0\0\0";
	static const char slides[] = "\x14\0\0\0\0\0\0\0\0\0\0\0"
				     "\xdf\xc4\xd1\xf3";

	CHECK_STR(document(NULL, "WordDocument", STR("\xec\xa5\xc1\0abcdefgh")),
	    "00");
	CHECK_STR(document(NULL, "WordDocument",
		      STR("\xec\xa5\xc1\0abcdef\x00\x01zzzz")),
	    "10");
	CHECK_STR(document("Macros", "_VBA_PROJECT", STR("x")), "01");
	CHECK_STR(document(NULL, "EncryptedPackage", STR("x")), "10");
	CHECK_STR(
	    document(NULL, "Workbook", (struct str){ bof, sizeof(bof) - 1 }),
	    "00");
	CHECK_STR(
	    document(NULL, "Workbook", (struct str){ pass, sizeof(pass) - 1 }),
	    "10");
	CHECK_STR(document(NULL, "Workbook",
		      (struct str){ macro, sizeof(macro) - 1 }),
	    "01");
	CHECK_STR(document(NULL, "Current User",
		      (struct str){ slides, sizeof(slides) - 1 }),
	    "10");
}

int
main(void)
{
	start();
	CHECK(f != NULL);
	gsf_init();
	test_documents();
	test_presentations();
	test_too_many_records();
	test_many_streams();
	test_broken_tree();
	facts_free(f);
	TEST_DONE();
}
