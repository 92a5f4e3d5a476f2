/* Which nodes are kept once they are known, and the numbers of loops. */
#include "compiler/emit.h"

struct users {
	uint32_t *count; /* by node number: places that need it */
	bool *wanted;    /* loops whose element a text may name */
};

/* Each rule and each node in use counts once for each of its operands. */
static void
count_uses(struct emitter *e, struct users *u, const bool *used)
{
	struct ir *ir = e->ir;

	for (size_t i = 0; i < ir->nodes.n; i++) {
		struct ir_node *n = ir->nodes.v[i];

		if (!used[i])
			continue;
		if (n->a)
			u->count[n->a->number]++;
		if (n->b)
			u->count[n->b->number]++;
	}
	for (size_t i = 0; i < ir->rules.n; i++)
		u->count[ir->rules.v[i]->condition->number]++;
}

static void
want_template(struct users *u, const struct ir_template *t)
{
	for (size_t i = 0; t && i < t->pieces.n; i++) {
		const struct ir_piece *p = &t->pieces.v[i];

		for (size_t k = 0; k < p->candidates.n; k++)
			if (p->candidates.v[k].each)
				u->wanted[p->candidates.v[k].each->number] =
				    true;
	}
}

static void
find_wanted(struct emitter *e, struct users *u)
{
	for (size_t i = 0; i < e->ir->rules.n; i++) {
		struct ir_rule *r = e->ir->rules.v[i];

		for (size_t k = 0; k < r->actions.n; k++) {
			struct ir_action *a = r->actions.v[k];

			for (size_t j = 0; j < a->texts.n; j++)
				want_template(u, a->texts.v[j]);
			want_template(u, a->name);
			want_template(u, a->address);
		}
	}
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

/*
 * A loop whose element is wanted has a record of its own, where the element is
 * remembered; others over the same collection share one.
 */
static void
number_loop(struct emitter *e, struct ir_node *n, bool wanted)
{
	struct {
		struct image_loop loop;
		uint32_t own;
	} key = { .own = wanted ? n->number : IMAGE_NONE };
	bool added;

	key.loop.attr = (uint16_t)n->left.attr;
	key.loop.depth = (uint8_t)n->loop;
	key.loop.key = attr_rows[n->left.attr].keyed ? emit_text(e, n->left.key)
						     : IMAGE_NONE;
	n->each = (int)intern_add(
	    &e->loops, (struct str){ (char *)&key, sizeof(key) }, &added);
	if (added)
		vec_push(e->arena, &e->loop_records, key.loop);
}

void
emit_memo(struct emitter *e)
{
	struct ir *ir = e->ir;
	bool *used = reachable_nodes(ir);
	struct users u = {
		.count = ARENA_ARRAY(e->arena, ir->nodes.n + 1, uint32_t),
		.wanted = ARENA_ARRAY(e->arena, ir->nodes.n + 1, bool),
	};
	uint32_t next = 0;

	count_uses(e, &u, used);
	find_wanted(e, &u);
	for (size_t i = 0; i < ir->nodes.n; i++)
		if (used[i] && ir->nodes.v[i]->kind == NODE_EACH)
			number_loop(e, ir->nodes.v[i], u.wanted[i]);
	for (int class = 0; class < MEMO_CLASSES; class ++)
		for (size_t i = 0; i < ir->nodes.n; i++) {
			struct ir_node *n = ir->nodes.v[i];

			if (!used[i] || (int)class_of(n) != class ||
			    !deserves_memo(n, u.count[i]))
				continue;
			n->memo = (int)next++;
			e->memo[class]++;
		}
}
