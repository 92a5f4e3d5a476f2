/*
 * Answers the js rules of a policy by their functions, which a `node` runs:
 * `milterc test --js`.  A function that gives no answer that the rule may have
 * makes the rule fail, as everywhere, and is noted.
 */
#ifndef COMPILER_JS_RUN_H
#define COMPILER_JS_RUN_H

#include "compiler/node_process.h"
#include "runtime/session.h"

struct js_failure {
	uint32_t rule;
	struct str why;
};

struct js_run {
	const struct node_program *program; /* borrowed */
	const struct milt_image *image;     /* borrowed */
	struct arena *arena;                /* borrowed; has the failures */
	VEC(struct js_failure) failures;    /* the caller may empty it */
	struct node_process *node;          /* owned; NULL: none runs */
	char broken[256]; /* why none can be started; empty: it can */
	json_t *wrong;    /* owned; functions that were not found */
	json_int_t id;    /* of the last question */
};

/* For struct transaction; `run` is a struct js_run. */
void js_run_answer(
    void *run, struct milt_session *, const struct milt_question *);

void js_run_end(struct js_run *);

/*
 * What is wrong with functions, and nothing of theirs is run: a list of rules'
 * indices and sentences, as lib/piped.mjs has them.  The caller owns it.  NULL
 * with a sentence in `why`.
 */
json_t *js_inspect(const struct node_program *, const struct milt_image *,
    char *why, size_t why_size);

#endif
