/* Syntax errors in the author's words. */
#ifndef DSL_SYNTAX_H
#define DSL_SYNTAX_H

#include "dsl/parse.h"

/* The tokens before, newest first. */
struct trail {
	struct token last[3];
};

/*
 * The grammar refuses `t`: says what was found and what can stand there.
 * `open`: the parenthesis around it, or NULL.
 */
void report_syntax(struct parser *, const struct trail *, struct token t,
    const struct span *open);

#endif
