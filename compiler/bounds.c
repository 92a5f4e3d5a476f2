#include "compiler/bounds.h"

#include "compiler/trigger.h"

/* Of so many values of a conjunction the bounds are looked for. */
enum { VALUES = 8 };

struct finder {
	const struct ir *ir;
	const uint32_t *rules;
	struct conjuncts conjuncts;
	struct bounds values[VALUES]; /* of the present conjunction */
	size_t count;
};

static const struct bounds all_numbers = {
	.first = INT64_MIN, .last = INT64_MAX, .rules = UINT32_MAX
};

static struct bounds
below(const struct ir_node *n, int64_t last)
{
	struct bounds b = all_numbers;

	b.last = last;
	b.high = n;
	return b;
}

static struct bounds
above(const struct ir_node *n, int64_t first)
{
	struct bounds b = all_numbers;

	b.first = first;
	b.low = n;
	return b;
}

struct bounds
bounds_of_test(const struct ir_node *n)
{
	static const struct bounds nothing = { .first = INT64_MAX,
		.last = INT64_MIN };
	int64_t bound = n->right_number;

	switch ((int)n->op) {
	case OPC_LT:
		return bound == INT64_MIN ? nothing : below(n, bound - 1);
	case OPC_LE:
		return below(n, bound);
	case OPC_GT:
		return bound == INT64_MAX ? nothing : above(n, bound + 1);
	case OPC_GE:
		return above(n, bound);
	}
	return all_numbers;
}

static bool
same_ref(const struct ir_ref *a, const struct ir_ref *b)
{
	return a->attr == b->attr && a->from == b->from && a->loop == b->loop &&
	       str_eq(a->key, b->key);
}

/* Where the value's bounds are kept, or NULL. */
static struct bounds *
value_of(struct finder *f, const struct ir_ref *ref)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct bounds *b = &f->values[i];

		if (same_ref(&(b->low ? b->low : b->high)->left, ref))
			return &f->values[i];
	}
	if (f->count == VALUES)
		return NULL;
	f->values[f->count] = all_numbers;
	return &f->values[f->count++];
}

static void
add_test(struct finder *f, const struct ir_node *n)
{
	struct bounds test = bounds_of_test(n), *b;

	/* The first value of a collection is no value to look up. */
	if ((n->left.from == REF_VALUE && attr_rows[n->left.attr].many) ||
	    (!test.low && !test.high))
		return;
	b = value_of(f, &n->left);
	if (!b)
		return;
	if (test.low && (!b->low || test.first > b->first)) {
		b->first = test.first;
		b->low = n;
	}
	if (test.high && (!b->high || test.last < b->last)) {
		b->last = test.last;
		b->high = n;
	}
	if (f->rules[n->number] < b->rules)
		b->rules = f->rules[n->number];
}

static const struct bounds *
find(struct finder *f, struct ir_node *conjunction)
{
	const struct bounds *best = NULL;
	struct bounds *out;

	f->count = 0;
	conjuncts_of(f->ir, conjunction, &f->conjuncts);
	for (size_t i = 0; i < f->conjuncts.list.n; i++)
		if (f->conjuncts.list.v[i]->kind == NODE_TEST)
			add_test(f, f->conjuncts.list.v[i]);
	for (size_t i = 0; i < f->count; i++) {
		const struct bounds *b = &f->values[i];

		if (b->low && b->high && (!best || b->rules < best->rules))
			best = b;
	}
	if (!best)
		return NULL;
	out = ARENA_NEW(f->ir->arena, struct bounds);
	*out = *best;
	return out;
}

static void
add_root(
    struct finder *f, struct ir_node *n, bool *seen, const struct bounds **out)
{
	if (!n || n->kind != NODE_AND || seen[n->number])
		return;
	seen[n->number] = true;
	out[n->number] = find(f, n);
}

const struct bounds **
bounds_of(const struct ir *ir, const uint32_t *rules)
{
	size_t nodes = ir->nodes.n + 1;
	struct finder f = { .ir = ir, .rules = rules };
	const struct bounds **out =
	    ARENA_ARRAY(ir->arena, nodes, const struct bounds *);
	bool *seen = ARENA_ARRAY(ir->arena, nodes, bool);

	for (size_t i = 0; i < ir->rules.n; i++)
		add_root(&f, ir->rules.v[i]->condition, seen, out);
	for (size_t i = 0; i < ir->nodes.n; i++) {
		const struct ir_node *n = ir->nodes.v[i];

		if (n->kind == NODE_AND)
			continue;
		add_root(&f, n->a, seen, out);
		add_root(&f, n->b, seen, out);
	}
	return out;
}
