#include "compiler/node.h"

/* What makes a node equal to another, without holes. */
struct node_key {
	uint64_t a, b, list, regex;
	long long number;
	uint32_t kind, op, loop, value;
	uint32_t attr, from, ref_loop, key_length;
	uint32_t attr2, from2, ref_loop2, key_length2;
};

enum milt_stage
ref_stage(const struct ir_ref *ref)
{
	const struct macro_row *row;

	if (ref->attr != ATTR_MACRO)
		return attr_rows[ref->attr].from;
	row = macro_by_name(ref->key);
	return row ? row->from : STAGE_DATA;
}

enum milt_scope
ref_scope(const struct ir_ref *ref)
{
	const struct macro_row *row;

	if (ref->attr != ATTR_MACRO)
		return attr_rows[ref->attr].scope;
	row = macro_by_name(ref->key);
	return row ? row->scope : SCOPE_MESSAGE;
}

bool
ref_equal(const struct ir_ref *a, const struct ir_ref *b)
{
	return a->attr == b->attr && a->from == b->from && a->loop == b->loop &&
	       str_eq(a->key, b->key);
}

static bool
is_field_of(struct str name, struct str collection)
{
	return str_starts(name, collection) && name.n > collection.n &&
	       name.p[collection.n] == '.';
}

enum milt_attr
collection_of(enum milt_attr attr)
{
	for (size_t i = 0; i < collection_row_count; i++) {
		enum milt_attr c = collection_rows[i].attr;

		if (attr_rows[attr].many && !attr_rows[attr].keyed &&
		    is_field_of(attr_rows[attr].name, attr_rows[c].name))
			return c;
	}
	return attr;
}

uint8_t
need_of_pair(uint8_t first, uint8_t second)
{
	if (first > second)
		return first;
	return second < UINT8_MAX ? second + 1 : UINT8_MAX;
}

void
node_maker_init(struct node_maker *nm, struct ir *ir)
{
	nm->ir = ir;
	intern_init(&nm->known, ir->arena);
}

/* ---- what follows from the operands --------------------------------- */

static enum milt_stage
lowest(unsigned stages)
{
	return (enum milt_stage)__builtin_ctz(stages);
}

static enum milt_stage
highest(unsigned stages)
{
	return (enum milt_stage)(31 - __builtin_clz(stages));
}

static void
add_ref(struct ir_node *n, const struct ir_ref *ref)
{
	unsigned stage = 1U << ref_stage(ref);

	n->recipient |= ref_scope(ref) == SCOPE_RECIPIENT;
	n->session &= ref_scope(ref) == SCOPE_SESSION;
	if (ref->from == REF_ELEMENT)
		n->free_loops |= 1U << ref->loop;
	if (stage > n->stages)
		n->stages = stage;
}

static void
add_operand(struct ir_node *n, const struct ir_node *operand)
{
	n->recipient |= operand->recipient;
	n->session &= operand->session;
	n->free_loops |= operand->free_loops;
	n->stages |= operand->stages;
}

/* Nothing of the body is known before the collection is. */
static void
add_collection(struct ir_node *n)
{
	unsigned from = 1U << ref_stage(&n->left);

	n->free_loops &= ~(1U << n->loop);
	n->stages = (n->stages & ~(from - 1)) | from;
	n->recipient |= ref_scope(&n->left) == SCOPE_RECIPIENT;
	n->session &= ref_scope(&n->left) == SCOPE_SESSION;
}

static void
fill_need(struct ir_node *n)
{
	n->need = n->need_best = 1;
	if (n->kind == NODE_NOT || n->kind == NODE_EACH) {
		n->need = n->a->need;
		n->need_best = n->a->need_best;
	}
	if (n->kind == NODE_AND || n->kind == NODE_OR) {
		uint8_t a = n->a->need_best, b = n->b->need_best;

		n->need = need_of_pair(n->a->need, n->b->need);
		n->need_best = a > b ? need_of_pair(a, b) : need_of_pair(b, a);
	}
}

static void
fill(struct ir_node *n)
{
	n->session = true;
	if (n->a)
		add_operand(n, n->a);
	if (n->b)
		add_operand(n, n->b);
	if (n->kind == NODE_TEST) {
		add_ref(n, &n->left);
		if (n->right_ref.attr != ATTR_NONE)
			add_ref(n, &n->right_ref);
	}
	if (n->kind == NODE_EACH)
		add_collection(n);
	if (n->kind == NODE_CONST)
		n->stages = 1U << STAGE_CONNECT;
	n->first = lowest(n->stages);
	n->last = highest(n->stages);
	fill_need(n);
}

/* ---- one node for equal contents ------------------------------------ */

static struct str
key_of(struct node_maker *nm, const struct ir_node *n)
{
	struct node_key k = {
		.a = (uintptr_t)n->a,
		.b = (uintptr_t)n->b,
		.list = (uintptr_t)n->right_list,
		.regex = (uintptr_t)n->right_regex,
		.number = n->right_number,
		.kind = n->kind,
		.op = n->op,
		.loop = n->loop,
		.value = n->value,
		.attr = n->left.attr,
		.from = n->left.from,
		.ref_loop = n->left.loop,
		.key_length = (uint32_t)n->left.key.n,
		.attr2 = n->right_ref.attr,
		.from2 = n->right_ref.from,
		.ref_loop2 = n->right_ref.loop,
		.key_length2 = (uint32_t)n->right_ref.key.n,
	};
	const struct str parts[] = { { (const char *)&k, sizeof(k) },
		n->left.key, n->right_ref.key, n->right_text };
	size_t length = 0;
	char *p, *q;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		length += parts[i].n;
	p = q = arena_alloc(nm->ir->arena, length);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i].n)
			memcpy(q, parts[i].p, parts[i].n);
		q += parts[i].n;
	}
	return (struct str){ p, length };
}

static struct ir_node *
make(struct node_maker *nm, const struct ir_node *model)
{
	bool added;
	uint32_t number = intern_add(&nm->known, key_of(nm, model), &added);
	struct ir_node *n;

	if (!added)
		return nm->ir->nodes.v[number];
	n = ARENA_NEW(nm->ir->arena, struct ir_node);
	*n = *model;
	n->number = number;
	n->memo = n->each = -1;
	fill(n);
	vec_push(nm->ir->arena, &nm->ir->nodes, n);
	return n;
}

struct ir_node *
node_const(struct node_maker *nm, bool value)
{
	return make(nm,
	    &(struct ir_node){ .kind = NODE_CONST, .value = truth_of(value) });
}

struct ir_node *
node_not(struct node_maker *nm, struct ir_node *a)
{
	if (a->kind == NODE_CONST)
		return node_const(nm, a->value == FALSE_);
	if (a->kind == NODE_NOT)
		return a->a;
	return make(
	    nm, &(struct ir_node){ .kind = NODE_NOT, .a = a, .span = a->span });
}

/* AND and OR: `neutral` leaves the other operand, its opposite decides. */
static struct ir_node *
make_pair(struct node_maker *nm, enum node_kind kind, enum truth neutral,
    struct ir_node *a, struct ir_node *b)
{
	if (a == b || node_is(b, neutral))
		return a;
	if (node_is(a, neutral))
		return b;
	if (a->kind == NODE_CONST || b->kind == NODE_CONST)
		return node_const(nm, neutral == FALSE_);
	return make(nm,
	    &(struct ir_node){ .kind = kind, .a = a, .b = b, .span = a->span });
}

struct ir_node *
node_and(struct node_maker *nm, struct ir_node *a, struct ir_node *b)
{
	return make_pair(nm, NODE_AND, TRUE_, a, b);
}

struct ir_node *
node_or(struct node_maker *nm, struct ir_node *a, struct ir_node *b)
{
	return make_pair(nm, NODE_OR, FALSE_, a, b);
}

struct ir_node *
node_test(struct node_maker *nm, const struct ir_node *test)
{
	return make(nm, test);
}

struct ir_node *
node_each(struct node_maker *nm, struct ir_ref collection, unsigned loop,
    struct ir_node *body, struct span span)
{
	if (node_is(body, FALSE_))
		return body;
	if (node_is(body, TRUE_)) {
		collection.from = REF_COUNT;
		return make(nm, &(struct ir_node){ .kind = NODE_TEST,
				    .op = OPC_GT,
				    .left = collection,
				    .span = span });
	}
	return make(nm, &(struct ir_node){ .kind = NODE_EACH,
			    .a = body,
			    .left = collection,
			    .loop = loop,
			    .span = span });
}
