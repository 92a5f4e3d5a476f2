#include "compiler/holds.h"

bool
rule_is_dead(const struct ir_rule *r)
{
	return r->condition->kind == NODE_CONST &&
	       r->condition->value == FALSE_;
}

void
holders_add(struct holders *h, const struct ir_rule *r)
{
	if (rule_is_dead(r))
		return;
	for (int a = 0; a < ACTION_COUNT; a++)
		if (r->kinds >> a & 1 && !h->first[a][r->known])
			h->first[a][r->known] = r;
}

const struct ir_rule *
holders_after(const struct holders *h, unsigned kinds, enum milt_stage stage)
{
	const struct ir_rule *best = NULL;

	for (int a = 0; a < ACTION_COUNT; a++)
		for (int s = (int)stage + 1; s < STAGE_COUNT; s++) {
			const struct ir_rule *r = h->first[a][s];

			if (r && kinds & ~(1U << a) &&
			    (!best || r->number < best->number))
				best = r;
		}
	return best;
}
