/*
 * Triggers: what must be true for a condition to have a value, as far as it
 * can be looked up (runtime/index.h).
 */
#ifndef COMPILER_TRIGGER_H
#define COMPILER_TRIGGER_H

#include "compiler/ir.h"

/* The value.  Where all facts are known the two are the same. */
enum trigger_goal {
	GOAL_OPEN, /* anything but false */
	GOAL_TRUE, /* true, or a failure: not false and not unknown */
	GOALS
};

enum trigger_way {
	TRIGGER_NONE,  /* the condition must be looked at */
	TRIGGER_NEVER, /* it does not have the value */
	TRIGGER_A,     /* that of node `a` */
	TRIGGER_B,
	TRIGGER_BOTH, /* one of the two */
	TRIGGER_TEST, /* the test itself, by `kind` */
	TRIGGER_CODE, /* the node, evaluated for all rules that have it */
};

struct trigger {
	uint8_t way;    /* enum trigger_way */
	uint8_t kind;   /* TRIGGER_TEST: enum probe_kind */
	uint8_t loops;  /* bit d: all tests are of the element of loop d */
	uint32_t tests; /* at most that many */
	uint32_t cost;  /* what is chosen by: the less, the fewer false hits */
};

struct triggers {
	const struct ir *ir;
	struct arena *arena;
	uint32_t *rules;      /* by node: rules of which it is a conjunct */
	uint32_t *list_rules; /* by list: rules that use it, about */
	struct trigger *at[GOALS][STAGE_COUNT]; /* by node */
};

/* The conjuncts of a condition, each once. */
struct conjuncts {
	VEC(struct ir_node *) list;
	VEC(struct ir_node *) todo;
	uint32_t *seen; /* by node; made on first use */
	uint32_t walk;
};
void conjuncts_of(
    const struct ir *, struct ir_node *condition, struct conjuncts *);

struct triggers triggers_of(const struct ir *);

/* Calls `test` for each test of the trigger of `n` at a stage. */
typedef void trigger_test(void *, const struct ir_node *, enum probe_kind);
void trigger_each(const struct triggers *, const struct ir_node *n,
    enum trigger_goal, enum milt_stage, trigger_test *test, void *);

#endif
