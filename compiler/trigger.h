/*
 * Triggers: what must be true for a condition to have a value, as far as it
 * can be looked up (runtime/index.h).
 */
#ifndef COMPILER_TRIGGER_H
#define COMPILER_TRIGGER_H

#include "compiler/bounds.h"

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
	TRIGGER_BOTH,   /* one of the two */
	TRIGGER_TEST,   /* the test itself, by `kind` */
	TRIGGER_BOUNDS, /* two tests of its conjunction, as one */
	TRIGGER_CODE,   /* the node, evaluated for all rules that have it */
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
	const struct bounds **bounds;           /* by node: bounds_of() */
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

/* What is looked up. */
struct trigger_test {
	enum probe_kind kind;
	const struct ir_node *node; /* is false where nothing is found */
	const struct ir_ref *ref;   /* with whose values; NULL: PROBE_CODE */
	int64_t first, last;        /* PROBE_RANGES: between these */
};

/* Calls `found` for each test of the trigger of `n` at a stage. */
typedef void trigger_found(void *, const struct trigger_test *);
void trigger_each(const struct triggers *, const struct ir_node *n,
    enum trigger_goal, enum milt_stage, trigger_found *found, void *);

#endif
