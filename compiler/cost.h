/*
 * What a policy costs: how each rule is reached, what it takes at the worst,
 * and what each stage looks at whatever the facts.
 */
#ifndef COMPILER_COST_H
#define COMPILER_COST_H

#include "compiler/plan.h"

/* Each test counts once, loops as often as they are written. */
struct cost {
	unsigned tests, regexes, loops;
};

/* One test is one unit; a regex is so many. */
enum { COST_OF_REGEX = 10 };

struct stage_cost {
	unsigned entering, always, guards, look_ups;
	struct cost fixed;   /* of rules always looked at, of guards, and of
				regexes that are tried each time */
	unsigned long units; /* of all that: look-ups are one each */
	const struct ir_rule *first; /* always looked at; NULL: none */
	const struct ir_rule *tried; /* the first with such a regex, or NULL */
};

struct stage_cost cost_of_stage(const struct plan *, enum milt_stage);

struct compilation;

/* Stages that cost more than `option budget` are errors. */
void cost_check(struct compilation *);

/* `milterc explain --cost`. */
void cost_print(struct compilation *, FILE *);

#endif
