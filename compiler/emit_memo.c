/* Which nodes are kept once they are known, and the numbers of loops. */
#include "compiler/emit.h"

/*
 * By node number: places that need it.  Each rule and each node in use counts
 * once for each of its operands.
 */
static void
count_uses(struct emitter *e, uint32_t *count, const bool *used)
{
	struct ir *ir = e->ir;

	for (size_t i = 0; i < ir->nodes.n; i++) {
		struct ir_node *n = ir->nodes.v[i];

		if (!used[i])
			continue;
		if (n->a)
			count[n->a->number]++;
		if (n->b)
			count[n->b->number]++;
	}
	for (size_t i = 0; i < ir->rules.n; i++)
		count[ir->rules.v[i]->condition->number]++;
}

/* Is it worth a slot?  An element's test is not: it differs each time. */
static bool
deserves_memo(const struct ir_node *n, uint32_t uses)
{
	if (n->free_loops)
		return false;
	switch (n->kind) {
	case NODE_CONST:
	case NODE_NOT:
		return false;
	case NODE_AND:
	case NODE_OR:
		return uses > 1;
	case NODE_EACH:
		return true;
	case NODE_TEST:
		return n->op == OPC_MATCH ||
		       (uses > 1 && n->op != OPC_EXISTS && n->op != OPC_YES);
	}
	return false;
}

static enum memo_class
class_of(const struct ir_node *n)
{
	if (n->recipient)
		return MEMO_RECIPIENT;
	if (!n->session || n->last > STAGE_HELO)
		return MEMO_MESSAGE;
	return n->last == STAGE_CONNECT ? MEMO_CONNECT : MEMO_HELO;
}

static void
number_loop(struct emitter *e, struct ir_node *n)
{
	struct image_loop loop = { .attr = 0 };
	bool added;

	loop.attr = (uint16_t)n->left.attr;
	loop.depth = (uint8_t)n->loop;
	loop.key = attr_rows[n->left.attr].keyed ? emit_text(e, n->left.key)
						 : IMAGE_NONE;
	n->each = (int)intern_add(
	    &e->loops, (struct str){ (char *)&loop, sizeof(loop) }, &added);
	if (added)
		vec_push(e->arena, &e->loop_records, loop);
}

void
emit_memo(struct emitter *e)
{
	struct ir *ir = e->ir;
	bool *used = reachable_nodes(ir);
	uint32_t *count = ARENA_ARRAY(e->arena, ir->nodes.n + 1, uint32_t);
	uint32_t next = 0;

	count_uses(e, count, used);
	for (size_t i = 0; i < ir->nodes.n; i++)
		if (used[i] && ir->nodes.v[i]->kind == NODE_EACH)
			number_loop(e, ir->nodes.v[i]);
	for (int class = 0; class < MEMO_CLASSES; class ++)
		for (size_t i = 0; i < ir->nodes.n; i++) {
			struct ir_node *n = ir->nodes.v[i];

			if (!used[i] || (int)class_of(n) != class ||
			    !deserves_memo(n, count[i]))
				continue;
			n->memo = (int)next++;
			e->memo[class]++;
		}
}
