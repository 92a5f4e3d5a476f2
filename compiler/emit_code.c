/* Fragments: conditions as code. */
#include "compiler/emit.h"

#include "runtime/opcodes.h"

enum { MAX_CODE = 1 << 25, MAX_SKIP = UINT16_MAX };

void
emit_refuse(struct emitter *e, const char *what)
{
	if (!e->too_large)
		diag_at(&e->c->diags, D_CONDITION_TOO_LARGE, e->span,
		    "the policy needs more %s than an image can hold", what);
	e->too_large = true;
}

static uint32_t
add(struct emitter *e, enum opcode op, unsigned r, uint32_t a, uint32_t b)
{
	struct image_insn in = { (uint8_t)op, (uint8_t)r, (uint16_t)a, b };

	if (e->code.n >= MAX_CODE)
		emit_refuse(e, "instructions");
	if (a > UINT16_MAX)
		emit_refuse(e, "different attributes or loops");
	if (r >= IMAGE_REGISTERS)
		emit_refuse(e, "registers");
	if (!e->too_large)
		vec_push(e->arena, &e->code, in);
	return (uint32_t)e->code.n - 1;
}

/* Instructions behind `at`. */
static uint32_t
distance(const struct emitter *e, uint32_t at)
{
	return (uint32_t)e->code.n - at - 1;
}

static void node(struct emitter *, const struct ir_node *, unsigned r);

/* ---- tests ---------------------------------------------------------- */

static uint32_t
right_operand(struct emitter *e, const struct ir_node *n)
{
	switch (opcode_rows[n->op].b) {
	case OPERAND_TEXT:
		return emit_text(e, n->right_text);
	case OPERAND_NUM:
		return emit_number(e, n->right_number);
	case OPERAND_LIST:
		return emit_list(e, n->right_list);
	case OPERAND_REGEX:
		return n->right_regex->number;
	case OPERAND_REF2:
		return emit_ref(e, &n->right_ref);
	case OPERAND_NONE:
	case OPERAND_REG:
	case OPERAND_TRUTH:
	case OPERAND_SKIP:
	case OPERAND_NODE:
	case OPERAND_LOOP:
	case OPERAND_REF:
		break;
	}
	return 0;
}

static void
each(struct emitter *e, const struct ir_node *n, unsigned r)
{
	uint32_t at = add(e, OPC_EACH, r, (uint32_t)n->each, 0);

	node(e, n->a, r);
	if (!e->too_large)
		e->code.v[at].b = distance(e, at);
}

/* ---- chains
 * ------------------------------------------------------------------- */

static bool
has_memo(const struct emitter *e, const struct ir_node *n)
{
	return e->use_memo && n->memo >= 0;
}

/*
 * Puts the operands of a chain behind e->operands, in order.  Chains lean to
 * the left and may be long: no recursion.
 */
static void
flatten(struct emitter *e, const struct ir_node *root)
{
	VEC(const struct ir_node *) todo = { 0 };

	vec_push(e->arena, &todo, root);
	while (todo.n) {
		const struct ir_node *n = todo.v[--todo.n];

		if (n->kind != root->kind || (n != root && has_memo(e, n))) {
			vec_push(e->arena, &e->operands, n);
			continue;
		}
		vec_push(e->arena, &todo, n->b);
		vec_push(e->arena, &todo, n->a);
	}
}

static void
deepest_first(const struct ir_node **v, size_t n)
{
	size_t deepest = 0;
	const struct ir_node *swap = v[0];

	for (size_t i = 1; i < n; i++)
		if (v[i]->need_best > v[deepest]->need_best)
			deepest = i;
	v[0] = v[deepest];
	v[deepest] = swap;
}

/*
 * Jumps to the end of a chain are linked through their operand until the end
 * is known.
 */
static void
land(struct emitter *e, uint32_t link)
{
	while (link != IMAGE_NONE && !e->too_large) {
		uint32_t next = e->code.v[link].b;

		e->code.v[link].b = distance(e, link);
		link = next;
	}
}

static void
chain(struct emitter *e, const struct ir_node *n, unsigned r)
{
	enum opcode join = n->kind == NODE_AND ? OPC_AND : OPC_OR;
	enum opcode leave =
	    n->kind == NODE_AND ? OPC_JUMP_FALSE : OPC_JUMP_TRUE;
	size_t base = e->operands.n, end;
	uint32_t link = IMAGE_NONE;
	bool first = true, unknown = false;

	flatten(e, n);
	end = e->operands.n;
	if (e->deeper_first)
		deepest_first(e->operands.v + base, end - base);
	for (size_t i = base; i < end && !e->too_large; i++) {
		const struct ir_node *operand = e->operands.v[i];

		if (operand->first > e->stage) {
			unknown = true;
			continue;
		}
		if (first) {
			node(e, operand, r);
			first = false;
			continue;
		}
		link = add(e, leave, r, 0, link);
		node(e, operand, r + 1);
		add(e, join, r, r + 1, 0);
	}
	if (unknown) {
		add(e, OPC_CONST, r + 1, UNKNOWN_, 0);
		add(e, join, r, r + 1, 0);
	}
	land(e, link);
	e->operands.n = base;
}

/* ---- nodes
 * ---------------------------------------------------------------------- */

static void
plain(struct emitter *e, const struct ir_node *n, unsigned r)
{
	switch (n->kind) {
	case NODE_CONST:
		add(e, OPC_CONST, r, n->value, 0);
		return;
	case NODE_AND:
	case NODE_OR:
		chain(e, n, r);
		return;
	case NODE_NOT:
		node(e, n->a, r);
		add(e, OPC_NOT, r, 0, 0);
		return;
	case NODE_EACH:
		each(e, n, r);
		return;
	case NODE_TEST:
		add(e, n->op, r, emit_ref(e, &n->left), right_operand(e, n));
		return;
	}
}

static void
node(struct emitter *e, const struct ir_node *n, unsigned r)
{
	uint32_t at;

	if (e->too_large)
		return;
	if (n->first > e->stage) {
		add(e, OPC_CONST, r, UNKNOWN_, 0);
		return;
	}
	if (!has_memo(e, n)) {
		plain(e, n, r);
		return;
	}
	at = add(e, OPC_RECALL, r, 0, (uint32_t)n->memo);
	plain(e, n, r);
	add(e, OPC_KEEP, r, 0, (uint32_t)n->memo);
	if (e->too_large)
		return;
	if (distance(e, at) <= MAX_SKIP)
		e->code.v[at].a = (uint16_t)distance(e, at);
	else /* Too far to skip: evaluated again, from whatever r holds. */
		e->code.v[at] =
		    (struct image_insn){ OPC_CONST, (uint8_t)r, FALSE_, 0 };
}

uint32_t
emit_fragment(struct emitter *e, const struct ir_node *condition,
    enum milt_stage stage, bool use_memo)
{
	uint32_t at = (uint32_t)e->code.n;

	e->stage = stage;
	e->use_memo = use_memo;
	e->deeper_first = condition->need > IMAGE_REGISTERS;
	node(e, condition, 0);
	add(e, OPC_HALT, 0, 0, 0);
	return at;
}
