#include "compiler/command.h"

int
command_no_memory(void)
{
	fputs("milterc: out of memory\n", stderr);
	return EXIT_SYSTEM;
}

void
command_show(struct compilation *c, const struct options *o)
{
	json_t *all;

	if (!o->diagnostics) {
		diags_print(&c->diags, stderr, diags_color(stderr));
		return;
	}
	all = diags_json(&c->diags);
	json_array_extend(o->diagnostics, all);
	json_decref(all);
}

int
command_status(enum milt_status st)
{
	switch (st) {
	case MILT_OK:
		return EXIT_OK;
	case MILT_INVALID:
	case MILT_OTHER_TABLES:
		return EXIT_POLICY;
	case MILT_NO_MEMORY:
		return command_no_memory();
	case MILT_QUESTION:
	case MILT_SYSTEM:
		break;
	}
	return EXIT_SYSTEM;
}

int
command_compile(
    struct compilation *c, const char *path, const struct options *o, bool lint)
{
	struct compile_options opt = { .lint = lint, .cost = o->cost };
	int result = command_status(milt_compile(c, path, &opt));

	command_show(c, o);
	if (result == EXIT_OK && o->strict && c->diags.warnings)
		result = EXIT_POLICY;
	return result;
}
