#include "compiler/policy_text.h"

#include "compiler/compile.h"

/* Paths of the lists that are watched; false with no memory. */
static bool
watched_lists(const struct compilation *c, char **out)
{
	size_t n = 0;
	FILE *f = open_memstream(out, &n);

	if (!f)
		return false;
	for (size_t i = 0; i < c->watched.n; i++) {
		fwrite(c->watched.v[i].p, 1, c->watched.v[i].n, f);
		putc(0, f);
	}
	putc(0, f);
	return fclose(f) == 0;
}

static enum milt_status
compile(
    const char *path, FILE *diagnostics, bool strict, struct policy_text *out)
{
	struct compile_options options = { .lint = strict };
	struct compilation c;
	enum milt_status s = milt_compile(&c, path, &options);

	diags_print(&c.diags, diagnostics,
	    diagnostics == stderr && diags_color(diagnostics));
	if (s == MILT_OK && strict && c.diags.warnings)
		s = MILT_INVALID;
	if (s == MILT_OK && !watched_lists(&c, &out->watched))
		s = MILT_NO_MEMORY;
	if (s == MILT_NO_MEMORY)
		fprintf(diagnostics, "%s: error: not enough memory\n", path);
	if (s == MILT_OK) {
		out->image = c.image;
		out->size = c.image_size;
		c.image = NULL;
	}
	milt_compile_free(&c);
	return s;
}

enum milt_status
compile_policy(const char *path, FILE *diagnostics, struct policy_text *out)
{
	return compile(path, diagnostics, false, out);
}

enum milt_status
compile_policy_strict(
    const char *path, FILE *diagnostics, struct policy_text *out)
{
	return compile(path, diagnostics, true, out);
}
