/*
 * Lint: what is well-formed but surely not meant.  Each file has one concern;
 * pass_lint (lint.c) calls them.  Only for policies without errors.
 */
#ifndef COMPILER_LINT_H
#define COMPILER_LINT_H

#include "compiler/passes.h"

/* Lists, and sets in place: duplicate and overlapping entries, odd domains. */
void lint_lists(struct compilation *);

/* Rules: unreachable, constant, held, and what they do to mail. */
void lint_rules(struct compilation *);

/* Does it nothing but refuse?  Whatever its function answers, if it has one. */
static inline bool
lint_is_refusal(const struct ir_rule *r)
{
	unsigned refusals = 1U << ACTION_REJECT | 1U << ACTION_TEMPFAIL;

	return r->kinds && !(r->kinds & ~refusals);
}

/* One rule: does it refuse mail from <>? */
void lint_null_sender(struct compilation *, const struct ir_rule *);

/* Conditions as written: negations over values that may be missing. */
void lint_negations(struct compilation *);

/* js rules: how long they may take together. */
void lint_js(struct compilation *);

struct node_program;

/*
 * The functions of js rules, as Node.js reads them: not one of the passes, who
 * run no programs.  False with a sentence in `why`: they could not be read.
 */
bool lint_functions(struct compilation *, const struct node_program *,
    char *why, size_t why_size);

/* Regexes that a plain comparison would replace, or that may run long. */
void lint_regexes(struct compilation *);

#endif
