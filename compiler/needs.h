/*
 * What a policy asks of the MTA: for the image and for `milterc explain`.
 */
#ifndef COMPILER_NEEDS_H
#define COMPILER_NEEDS_H

#include "compiler/ir.h"

struct needs_macro {
	enum milt_stage stage;
	struct str name; /* with braces if longer than one letter */
};

struct needs {
	uint32_t flags;   /* NEED_ of runtime/image.h */
	uint32_t actions; /* SMFIF_ */
	uint32_t answers; /* bit s: see struct image_needs */
	unsigned info;    /* bit s: something about a rule is new at stage s */
	bool recipient_effects;
	VEC(struct needs_macro) macros; /* by stage, then as first used */
};

struct needs needs_of(struct ir *);

/* The stages at which a rule's condition has code. */
static inline unsigned
rule_fragments(const struct ir_rule *r)
{
	return r->condition->stages;
}

/* By node number: does a rule's condition or a `where` need it? */
bool *reachable_nodes(struct ir *);

#endif
