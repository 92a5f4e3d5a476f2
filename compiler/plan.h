/*
 * How each rule is reached (struct image_stage in runtime/image.h): where it
 * enters, and by what.
 */
#ifndef COMPILER_PLAN_H
#define COMPILER_PLAN_H

#include "compiler/intern.h"
#include "compiler/trigger.h"

/* A test that has the rule looked at where it is true. */
struct plan_way {
	enum milt_stage stage; /* up to the entry */
	struct trigger_test test;
};

struct plan_rule {
	enum milt_stage entry;
	bool always; /* looked at there whatever the facts */
	/* Each test once, at the first stage that can tell; by stage. */
	VEC(struct plan_way) ways;
	/* Before the entry, at stages that can tell the condition false: the
	 * guard; else IMAGE_NONE. */
	uint32_t guard[STAGE_COUNT];
};

/* Has the rule perhaps been looked at by the end of the stage? */
static inline bool
plan_reaches(const struct plan_rule *r, enum milt_stage stage)
{
	return r->entry <= stage || (r->ways.n && r->ways.v[0].stage <= stage);
}

struct plan_guard {
	enum milt_stage stage;
	const struct ir_rule *rule; /* the first that has it: all conditions
				       are false together at that stage */
};

struct plan {
	const struct ir *ir;
	struct triggers triggers;
	struct plan_rule *rules;       /* by number; `otherwise` is the last */
	VEC(struct plan_guard) guards; /* by stage */
};

#endif
