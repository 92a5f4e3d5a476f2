/* Messages of Outlook, in files that libgsf writes. */
#include <glib.h>
#include <gsf/gsf.h>

#include "tests/unit/facts_show.h"

static void
put(GsfOutfile *in, const char *name, struct str contents)
{
	GsfOutput *out = gsf_outfile_new_child(in, name, FALSE);

	gsf_output_write(out, contents.n, (const guint8 *)contents.p);
	gsf_output_close(out);
	g_object_unref(out);
}

static GsfOutfile *
folder(GsfOutfile *in, const char *name)
{
	return GSF_OUTFILE(gsf_outfile_new_child(in, name, TRUE));
}

static void
close_folder(GsfOutfile *out)
{
	gsf_output_close(GSF_OUTPUT(out));
	g_object_unref(out);
}

static void
put_utf16(GsfOutfile *in, const char *name, const char *text)
{
	gsize n;
	char *z = g_convert(text, -1, "UTF-16LE", "UTF-8", NULL, &n, NULL);

	put(in, name, (struct str){ z, n });
	g_free(z);
}

/* A file with a long name. */
static void
attach(GsfOutfile *message, int i, const char *name, struct str contents)
{
	char storage[40];
	GsfOutfile *a;

	snprintf(storage, sizeof(storage), "__attach_version1.0_#%08X", i);
	a = folder(message, storage);
	if (name)
		put_utf16(a, "__substg1.0_3707001F", name);
	put(a, "__substg1.0_3704001E", STR("SHORT~1.TXT"));
	put(a, "__substg1.0_37010102", contents);
	close_folder(a);
}

/* What `fill` puts into one, attached to a message. */
static void
give(void (*fill)(GsfOutfile *))
{
	GsfOutput *out = gsf_output_memory_new();
	GsfOutfile *root = gsf_outfile_msole_new(out);

	fill(root);
	close_folder(root);
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	header("Content-Type", "application/x; name=a.msg");
	CHECK(facts_body(
		  f, (struct str){ (const char *)gsf_output_memory_get_bytes(
				       GSF_OUTPUT_MEMORY(out)),
			 (size_t)gsf_output_size(out) }) == MILT_OK);
	g_object_unref(out);
}

static void
two_files(GsfOutfile *m)
{
	put(m, "__properties_version1.0", STR("x"));
	attach(m, 0, "h\xc3\xb6lle.js", STR("alert(1)"));
	attach(m, 1, NULL, STR("MZ"));
	attach(m, 2, "empty", STR(""));
}

/* A message in it, and one file in that. */
static void
a_message(GsfOutfile *m)
{
	GsfOutfile *a, *inner;

	put(m, "__properties_version1.0", STR("x"));
	a = folder(m, "__attach_version1.0_#00000000");
	inner = folder(a, "__substg1.0_3701000D");
	put(inner, "__properties_version1.0", STR("x"));
	attach(inner, 0, "in.exe", STR("MZ"));
	close_folder(inner);
	close_folder(a);
}

static void
deep(GsfOutfile *m)
{
	GsfOutfile *open[40];
	int n = 0;

	put(m, "__properties_version1.0", STR("x"));
	for (GsfOutfile *at = m; n < 40; at = open[n - 1]) {
		open[n] = folder(at, "__attach_version1.0_#00000000");
		open[n + 1] = folder(open[n], "__substg1.0_3701000D");
		n += 2;
	}
	while (n-- > 0)
		close_folder(open[n]);
}

static void
many(GsfOutfile *m)
{
	put(m, "__properties_version1.0", STR("x"));
	for (int i = 0; i < 40; i++)
		attach(m, i, "a", STR("x"));
}

static void
no_message(GsfOutfile *m)
{
	attach(m, 0, "a.js", STR("x"));
}

int
main(void)
{
	facts_init();
	f = facts_new(fake_reset());

	give(two_files);
	CHECK_STR(
	    show(ATTR_FILE_NAME), "a.msg|h\xc3\xb6lle.js|SHORT~1.TXT|empty");
	CHECK_STR(show(ATTR_FILE_DEPTH), "0|1|1|1");
	CHECK_STR(show(ATTR_FILE_SIZE), "4096|8|2|0");
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0|0|0|0");

	give(a_message);
	CHECK_STR(show(ATTR_FILE_NAME), "a.msg|in.exe");
	CHECK_STR(show(ATTR_FILE_TOO_DEEP), "0|0");

	give(deep);
	CHECK_STR(show(ATTR_FILE_NAME), "a.msg");
	CHECK_STR(show(ATTR_FILE_TOO_DEEP), "1");

	give(no_message);
	CHECK_STR(show(ATTR_FILE_NAME), "a.msg");

	fake_needs.options[OPTION_ARCHIVE_MEMBERS] = 30;
	give(many);
	CHECK_STR(show(ATTR_FILE_TOO_LARGE),
	    "1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0");
	fake_reset();
	fake_needs.options[OPTION_ARCHIVE_SIZE] = 5;
	give(two_files);
	CHECK_STR(show(ATTR_FILE_NAME), "a.msg|h\xc3\xb6lle.js");
	CHECK_STR(show(ATTR_FILE_SIZE), "4096|5");
	CHECK_STR(show(ATTR_FILE_TOO_LARGE), "1|1");
	fake_reset();
	fake_needs.options[OPTION_ARCHIVE_DEPTH] = 0;
	give(two_files);
	CHECK_STR(show(ATTR_FILE_NAME), "a.msg");
	CHECK_STR(show(ATTR_FILE_TOO_DEEP), "1");

	facts_free(f);
	TEST_DONE();
}
