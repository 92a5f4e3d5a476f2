/*
 * A `node` that runs addon/lib/piped.mjs, which answers for the functions of js
 * rules: a JSON value a line on a socket pair, descriptor 3 of the process.
 * What functions print goes to standard error.
 */
#ifndef COMPILER_NODE_PROCESS_H
#define COMPILER_NODE_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct node_program {
	char node[PATH_MAX];
	char script[PATH_MAX];
};

/*
 * Finds `wanted`, a path, or a name in PATH (NULL: "node"), and the script: in
 * $MILT_ADDON, else beside where this program is installed or was built.
 * False with a sentence in `why`.
 */
bool node_find(
    struct node_program *, const char *wanted, char *why, size_t why_size);

struct node_process;

/* NULL: the system failed, errno says why. */
struct node_process *node_start(const struct node_program *);

/*
 * Sends a line (takes `value`) and receives one within `milliseconds`; the
 * caller owns it.  NULL with a sentence in `why`: dead, silent or talking
 * nonsense; then the process is of no use any more.
 */
json_t *node_ask(struct node_process *, json_t *value,
    unsigned long milliseconds, char *why, size_t why_size);

/* Ends the process.  NULL is one, too. */
void node_end(struct node_process *);

#endif
