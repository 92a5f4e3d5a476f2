/* Compound files ([MS-CFB]). */
#ifndef TESTS_UNIT_COMPOUND_H
#define TESTS_UNIT_COMPOUND_H

#include <gsf/gsf.h>

/*
 * With one stream, in one storage if that is not NULL.  To be unreffed.
 */
static inline GBytes *
compound(const char *storage, const char *stream, const void *p, size_t n)
{
	GsfOutput *out = gsf_output_memory_new(), *child;
	GsfOutfile *root = gsf_outfile_msole_new(out), *folder = NULL;
	GBytes *bytes;

	if (storage)
		folder =
		    GSF_OUTFILE(gsf_outfile_new_child(root, storage, TRUE));
	child = gsf_outfile_new_child(folder ? folder : root, stream, FALSE);
	gsf_output_write(child, n, p);
	gsf_output_close(child);
	g_object_unref(child);
	if (folder) {
		gsf_output_close(GSF_OUTPUT(folder));
		g_object_unref(folder);
	}
	gsf_output_close(GSF_OUTPUT(root));
	g_object_unref(root);
	bytes = g_bytes_new(gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(out)),
	    (gsize)gsf_output_size(out));
	g_object_unref(out);
	return bytes;
}

#endif
