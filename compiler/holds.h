/*
 * Which rules hold which: LANGUAGE.md, section 2, "When".
 */
#ifndef COMPILER_HOLDS_H
#define COMPILER_HOLDS_H

#include "compiler/ir.h"

/*
 * Of the verdict rules seen so far, for each verdict and each stage the first
 * that is known from that stage on.
 */
struct holders {
	const struct ir_rule *first[ACTION_COUNT][STAGE_COUNT];
};

/* Adds a rule, in file order.  One that can never match holds nothing. */
void holders_add(struct holders *, const struct ir_rule *);

/*
 * The first rule seen that gives another verdict than `verdict` and is known
 * only after `stage`, or NULL.
 */
const struct ir_rule *holders_after(
    const struct holders *, enum milt_action verdict, enum milt_stage stage);

/* Its condition is false whatever the facts. */
bool rule_is_dead(const struct ir_rule *);

#endif
