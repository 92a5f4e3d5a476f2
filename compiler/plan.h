/*
 * How each rule is reached (struct image_stage in runtime/image.h): where it
 * enters, and by what.
 */
#ifndef COMPILER_PLAN_H
#define COMPILER_PLAN_H

#include "compiler/intern.h"
#include "compiler/trigger.h"

struct plan_rule {
	enum milt_stage entry;
	bool always; /* looked at there whatever the facts; else by its trigger
			at that stage */
	/* Before the entry, at stages that know a part of the condition: the
	 * guard; else IMAGE_NONE. */
	uint32_t guard[STAGE_COUNT];
};

struct plan_guard {
	enum milt_stage stage;
	const struct ir_rule *rule; /* the first that has it: all conditions
				       are the same at that stage */
};

struct plan {
	const struct ir *ir;
	struct triggers triggers;
	struct plan_rule *rules;       /* by number; `otherwise` is the last */
	VEC(struct plan_guard) guards; /* by stage */
};

#endif
