/*
 * What the commands of milterc share: options, exit statuses, compiling a file
 * and showing its diagnostics.
 */
#ifndef COMPILER_COMMAND_H
#define COMPILER_COMMAND_H

#include <jansson.h>

#include "compiler/compile.h"

enum { EXIT_OK, EXIT_POLICY, EXIT_USAGE, EXIT_SYSTEM };

struct options {
	const char *output; /* -o */
	const char *after;  /* --after */
	const char *log;    /* --log: a line, or `-` */
	const char *node;   /* --node: which one; NULL: that in PATH */
	bool json, strict, check, verbose, cost, js;
	json_t *diagnostics; /* where they go as JSON; NULL: standard error */
};

/* Says that memory ran out. */
int command_no_memory(void);

/* The exit status for a result; says what nobody has said yet. */
int command_status(enum milt_status);

/* Diagnostics to standard error, or into o->diagnostics. */
void command_show(struct compilation *, const struct options *o);

/*
 * Compiles one file and shows its diagnostics; `c` is to be freed in any case.
 */
int command_compile(
    struct compilation *c, const char *path, const struct options *, bool lint);

/* The exit status of two commands in turn. */
static inline int
command_worse(int a, int b)
{
	return a > b ? a : b;
}

/* milterc explain, milterc lint, milterc test */
int command_explain(const struct options *, int argc, char **argv);
int command_lint(const struct options *, int argc, char **argv);
int command_test(const struct options *, int argc, char **argv);

#endif
