/* milterc lint: diagnostics of policies, and of what their js rules call. */
#include <stdlib.h>

#include "compiler/command.h"
#include "compiler/lint.h"
#include "compiler/node_process.h"

struct reader {
	struct node_program node;
	bool looked, found;
};

static bool
has_js(const struct compilation *c)
{
	for (size_t i = 0; c->ir && i < c->ir->rules.n; i++)
		if (c->ir->rules.v[i]->js)
			return true;
	return false;
}

/* Once: there is no other one for the next policy. */
static bool
look(struct reader *r, const char *wanted)
{
	char why[512];

	if (r->looked)
		return r->found;
	r->looked = true;
	r->found = node_find(&r->node, wanted, why, sizeof(why));
	if (!r->found)
		fprintf(stderr,
		    "milterc: note: the functions of js rules are not "
		    "checked: %s\n",
		    why);
	return r->found;
}

static void
check_functions(
    struct compilation *c, const char *path, struct reader *r, const char *node)
{
	char why[512];

	if (!has_js(c) || !look(r, node))
		return;
	if (setjmp(c->no_memory)) {
		(void)command_no_memory();
		return;
	}
	c->arena.on_fail = &c->no_memory;
	if (!lint_functions(c, &r->node, why, sizeof(why)))
		fprintf(stderr,
		    "milterc: note: the functions of %s are not checked: %s\n",
		    path, why);
	c->arena.on_fail = NULL;
}

static int
lint_file(const char *path, const struct options *o, struct reader *r)
{
	struct compile_options opt = { .lint = true, .all = true };
	struct compilation c;
	int result = command_status(milt_compile(&c, path, &opt));

	if (result == EXIT_OK)
		check_functions(&c, path, r, o->node);
	command_show(&c, o);
	if (result == EXIT_OK && o->strict && c.diags.warnings)
		result = EXIT_POLICY;
	milt_compile_free(&c);
	return result;
}

int
command_lint(const struct options *o, int argc, char **argv)
{
	struct options opt = *o;
	struct reader reader = { 0 };
	int result = EXIT_OK;

	if (argc < 1)
		return EXIT_USAGE;
	if (o->json)
		opt.diagnostics = json_array();
	for (int i = 0; i < argc; i++)
		result =
		    command_worse(result, lint_file(argv[i], &opt, &reader));
	if (opt.diagnostics) {
		json_dumpf(opt.diagnostics, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(opt.diagnostics);
	}
	return result;
}
