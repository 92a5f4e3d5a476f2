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
	if (r->verdict == ACTION_NONE || rule_is_dead(r))
		return;
	if (!h->first[r->verdict][r->known])
		h->first[r->verdict][r->known] = r;
}

const struct ir_rule *
holders_after(
    const struct holders *h, enum milt_action verdict, enum milt_stage stage)
{
	const struct ir_rule *best = NULL;

	for (int a = 0; a < ACTION_COUNT; a++)
		for (int s = (int)stage + 1; s < STAGE_COUNT; s++) {
			const struct ir_rule *r = h->first[a][s];

			if (r && a != (int)verdict &&
			    (!best || r->number < best->number))
				best = r;
		}
	return best;
}
