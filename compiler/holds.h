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
 * The first rule seen that can give another verdict than one of `kinds` and is
 * known only after `stage`, or NULL.
 */
const struct ir_rule *holders_after(
    const struct holders *, unsigned kinds, enum milt_stage stage);

/* Can `above`, where it is not known yet, hold a verdict of `r`? */
static inline bool
rule_holds(const struct ir_rule *above, const struct ir_rule *r)
{
	unsigned all = above->kinds | r->kinds;

	return above->kinds && r->kinds && (all & (all - 1));
}

/* Its condition is false whatever the facts. */
bool rule_is_dead(const struct ir_rule *);

#endif
