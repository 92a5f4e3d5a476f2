/*
 * Numbers between bounds: what a test, or a conjunction that has both bounds
 * of one value, lets through.
 */
#ifndef COMPILER_BOUNDS_H
#define COMPILER_BOUNDS_H

#include "compiler/ir.h"

struct bounds {
	int64_t first, last;              /* both included; or none between */
	const struct ir_node *low, *high; /* tests that say so, or NULL */
	uint32_t rules;                   /* that have the rarest of them */
};

/* Those of a test; all numbers where it is none of <, <=, > and >=. */
struct bounds bounds_of_test(const struct ir_node *);

/*
 * By node: of the conjunction that begins there, and is not a part of a longer
 * one only, the rarest two bounds; else NULL.  `rules`: by node, how many have
 * it.
 */
const struct bounds **bounds_of(const struct ir *, const uint32_t *rules);

#endif
