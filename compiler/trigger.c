#include "compiler/trigger.h"

#include "runtime/scan_text.h"

/*
 * A list is taken apart, member by member, where that leaves few entries for
 * all rules that use it; otherwise it is asked as a whole, once for all.
 */
enum { LIST_SMALL = 16, LIST_ENTRIES = 1024 };
enum { MAX_TESTS = 1 << 17 };

/* How many values out of the same number hit by mistake or rightly, about. */
enum {
	COST_KEY = 2,
	COST_NUMBER = 4,
	COST_NETWORK = 6,
	COST_UNDER = 6,
	COST_BOUND = 32,
	COST_BOUNDS = 8,
	COST_TEXT = 8,
	COST_REGEX = 8,
	COST_LIST = 8,
	COST_CODE = 64
};

void
conjuncts_of(
    const struct ir *ir, struct ir_node *condition, struct conjuncts *c)
{
	if (!c->seen)
		c->seen = ARENA_ARRAY(ir->arena, ir->nodes.n + 1, uint32_t);
	c->walk++;
	c->list.n = 0;
	vec_push(ir->arena, &c->todo, condition);
	while (c->todo.n) {
		struct ir_node *n = c->todo.v[--c->todo.n];

		if (c->seen[n->number] == c->walk)
			continue;
		c->seen[n->number] = c->walk;
		if (n->kind != NODE_AND) {
			vec_push(ir->arena, &c->list, n);
			continue;
		}
		vec_push(ir->arena, &c->todo, n->b);
		vec_push(ir->arena, &c->todo, n->a);
	}
}

/* ---- tests ------------------------------------------------------------ */

static size_t
list_entries(const struct ir_list *l)
{
	return l->keys.n + l->numbers.n + l->ranges.n;
}

static bool
is_apart(const struct triggers *t, const struct ir_list *l)
{
	size_t n = list_entries(l);

	return n <= LIST_SMALL || n * t->list_rules[l->number] <= LIST_ENTRIES;
}

static bool
is_range(enum milt_type type)
{
	return type == TYPE_IP || type == TYPE_NETWORK;
}

static bool
is_text(enum milt_type type)
{
	return type == TYPE_TEXT || type == TYPE_DOMAIN || type == TYPE_ADDRESS;
}

static enum probe_kind
member_kind(const struct triggers *t, const struct ir_node *n)
{
	if (!is_apart(t, n->right_list))
		return PROBE_LIST;
	switch (n->right_list->type) {
	case TYPE_NETWORK:
		return PROBE_NETWORKS;
	case TYPE_NUMBER:
		return PROBE_NUMBERS;
	default:
		return PROBE_KEYS;
	}
}

/* PROBE_KINDS: it cannot be looked up. */
static enum probe_kind
test_kind(
    const struct triggers *t, const struct ir_node *n, enum milt_stage stage)
{
	enum milt_type type = attr_rows[n->left.attr].type;

	if (ref_stage(&n->left) > stage || type == TYPE_RECORD ||
	    (ref_scope(&n->left) == SCOPE_RECIPIENT && stage != STAGE_RCPT) ||
	    (n->left.from == REF_VALUE && attr_rows[n->left.attr].many))
		return PROBE_KINDS;
	switch ((int)n->op) {
	case OPC_IS:
		if (n->left.from == REF_COUNT)
			return PROBE_KINDS;
		return is_range(type)  ? PROBE_NETWORKS
		       : is_text(type) ? PROBE_KEYS
				       : PROBE_KINDS;
	case OPC_IS_EXACT:
		return PROBE_KEYS;
	case OPC_IN:
		return member_kind(t, n);
	case OPC_UNDER:
		return is_apart(t, n->right_list) ? PROBE_UNDER
						  : PROBE_UNDER_LIST;
	case OPC_EQ:
		return PROBE_NUMBERS;
	case OPC_LT:
	case OPC_LE:
	case OPC_GT:
	case OPC_GE:
		return PROBE_RANGES;
	case OPC_CONTAINS:
	case OPC_CONTAINS_EXACT:
	case OPC_STARTS:
	case OPC_STARTS_EXACT:
	case OPC_ENDS:
	case OPC_ENDS_EXACT:
	case OPC_LIKE:
	case OPC_LIKE_EXACT:
		return n->left.from != REF_COUNT &&
			       scan_text_usable(n->op, n->right_text)
			   ? PROBE_TEXTS
			   : PROBE_KINDS;
	case OPC_MATCH:
		return is_text(type) && n->left.from != REF_COUNT
			   ? PROBE_REGEXES
			   : PROBE_KINDS;
	}
	return PROBE_KINDS;
}

static uint32_t
kind_cost(enum probe_kind kind)
{
	switch (kind) {
	case PROBE_KEYS:
		return COST_KEY;
	case PROBE_UNDER:
		return COST_UNDER;
	case PROBE_NETWORKS:
		return COST_NETWORK;
	case PROBE_NUMBERS:
		return COST_NUMBER;
	case PROBE_RANGES:
		return COST_BOUND;
	case PROBE_REGEXES:
		return COST_REGEX;
	case PROBE_TEXTS:
		return COST_TEXT;
	case PROBE_LIST:
	case PROBE_UNDER_LIST:
		return COST_LIST;
	case PROBE_CODE:
	case PROBE_KINDS:
		break;
	}
	return COST_CODE;
}

/* ---- nodes ------------------------------------------------------------ */

static uint32_t
add(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static uint32_t
times(uint32_t cost, uint32_t rules)
{
	uint64_t product = (uint64_t)cost * (rules ? rules : 1);

	return product > UINT32_MAX ? UINT32_MAX : (uint32_t)product;
}

static uint8_t
ref_loops(const struct ir_ref *ref)
{
	return ref->from == REF_ELEMENT ? (uint8_t)(1u << ref->loop) : 0;
}

static struct trigger
test_trigger(
    const struct triggers *t, const struct ir_node *n, enum milt_stage stage)
{
	enum probe_kind kind = test_kind(t, n, stage);

	if (kind == PROBE_KINDS)
		return (struct trigger){ .way = TRIGGER_NONE };
	return (struct trigger){ .way = TRIGGER_TEST,
		.kind = (uint8_t)kind,
		.loops = ref_loops(&n->left),
		.tests = 1,
		.cost = times(kind_cost(kind), t->rules[n->number]) };
}

/* Both bounds of a value let fewer rules through than one. */
static struct trigger
bounds_trigger(const struct triggers *t, const struct ir_node *n,
    enum milt_stage stage, struct trigger best)
{
	const struct bounds *b = t->bounds[n->number];
	uint32_t cost;

	if (!b || test_kind(t, b->low, stage) == PROBE_KINDS)
		return best;
	cost = times(COST_BOUNDS, b->rules);
	if (best.way != TRIGGER_NONE && best.cost <= cost)
		return best;
	return (struct trigger){ .way = TRIGGER_BOUNDS,
		.kind = PROBE_RANGES,
		.loops = ref_loops(&b->low->left),
		.tests = 1,
		.cost = cost };
}

static struct trigger
through(struct trigger from, enum trigger_way way)
{
	from.way = way;
	return from;
}

static struct trigger
pair_trigger(const struct ir_node *n, struct trigger a, struct trigger b)
{
	if (n->kind == NODE_AND) {
		if (a.way == TRIGGER_NONE && b.way == TRIGGER_NONE)
			return a;
		if (b.way == TRIGGER_NONE ||
		    (a.way != TRIGGER_NONE && a.cost <= b.cost))
			return through(a, TRIGGER_A);
		return through(b, TRIGGER_B);
	}
	if (a.way == TRIGGER_NONE || b.way == TRIGGER_NONE ||
	    a.tests + b.tests > MAX_TESTS)
		return (struct trigger){ .way = TRIGGER_NONE };
	return (struct trigger){ .way = TRIGGER_BOTH,
		.loops = a.loops & b.loops,
		.tests = a.tests + b.tests,
		.cost = add(a.cost, b.cost) };
}

/*
 * Where the collection cannot be had, the loop is an error: the tests of its
 * elements know that, others do not.
 */
static struct trigger
each_trigger(
    const struct ir_node *n, struct trigger body, enum milt_stage stage)
{
	if (body.way == TRIGGER_NONE || ref_stage(&n->left) > stage ||
	    !(body.loops >> n->loop & 1))
		return (struct trigger){ .way = TRIGGER_NONE };
	return through(body, TRIGGER_A);
}

/* What several rules have is looked at once for all of them. */
static struct trigger
code_trigger(const struct triggers *t, const struct ir_node *n,
    enum milt_stage stage, struct trigger best)
{
	uint32_t cost = times(COST_CODE, t->rules[n->number]);

	if (t->rules[n->number] < 2 || n->free_loops || n->last > stage ||
	    (n->recipient && stage != STAGE_RCPT) ||
	    (best.way != TRIGGER_NONE && best.cost <= cost))
		return best;
	return (
	    struct trigger){ .way = TRIGGER_CODE, .tests = 1, .cost = cost };
}

static struct trigger
node_trigger(const struct triggers *t, const struct ir_node *n,
    enum trigger_goal goal, enum milt_stage stage)
{
	const struct trigger *at = t->at[goal][stage];
	struct trigger best;

	if (goal == GOAL_TRUE && n->first > stage)
		return (struct trigger){ .way = TRIGGER_NEVER };
	switch (n->kind) {
	case NODE_CONST:
		return (struct trigger){
			.way = n->value == FALSE_ ? TRIGGER_NEVER : TRIGGER_NONE
		};
	case NODE_AND:
	case NODE_OR:
		best = pair_trigger(n, at[n->a->number], at[n->b->number]);
		return bounds_trigger(t, n, stage, best);
	case NODE_NOT:
		return (struct trigger){ .way = TRIGGER_NONE };
	case NODE_TEST:
		return test_trigger(t, n, stage);
	case NODE_EACH:
		return each_trigger(n, at[n->a->number], stage);
	}
	return (struct trigger){ .way = TRIGGER_NONE };
}

static void
count_rules(struct triggers *t)
{
	const struct ir *ir = t->ir;
	struct conjuncts c = { 0 };

	for (size_t i = 0; i < ir->rules.n; i++) {
		conjuncts_of(ir, ir->rules.v[i]->condition, &c);
		for (size_t k = 0; k < c.list.n; k++)
			t->rules[c.list.v[k]->number]++;
	}
	for (size_t i = 0; i < ir->nodes.n; i++) {
		const struct ir_node *n = ir->nodes.v[i];
		uint32_t rules = t->rules[i] ? t->rules[i] : 1;

		if (n->kind == NODE_TEST && n->right_list)
			t->list_rules[n->right_list->number] =
			    add(t->list_rules[n->right_list->number], rules);
	}
}

/* Operands are made before what they are operands of. */
static void
fill(struct triggers *t, enum trigger_goal goal, enum milt_stage stage)
{
	const struct ir *ir = t->ir;
	struct trigger *at =
	    ARENA_ARRAY(t->arena, ir->nodes.n + 1, struct trigger);

	t->at[goal][stage] = at;
	for (size_t i = 0; i < ir->nodes.n; i++) {
		const struct ir_node *n = ir->nodes.v[i];

		at[i] =
		    code_trigger(t, n, stage, node_trigger(t, n, goal, stage));
	}
}

struct triggers
triggers_of(const struct ir *ir)
{
	struct triggers t = { .ir = ir, .arena = ir->arena };
	size_t nodes = ir->nodes.n + 1;

	t.rules = ARENA_ARRAY(t.arena, nodes, uint32_t);
	t.list_rules = ARENA_ARRAY(t.arena, ir->lists.n + 1, uint32_t);
	count_rules(&t);
	t.bounds = bounds_of(ir, t.rules);
	for (int s = 0; s < STAGE_COUNT; s++) {
		fill(&t, GOAL_OPEN, (enum milt_stage)s);
		fill(&t, GOAL_TRUE, (enum milt_stage)s);
	}
	return t;
}

static struct trigger_test
test_of(
    const struct triggers *t, const struct trigger *at, const struct ir_node *n)
{
	const struct bounds *b = t->bounds[n->number];
	struct bounds one;

	if (at->way == TRIGGER_CODE)
		return (struct trigger_test){ .kind = PROBE_CODE, .node = n };
	if (at->way == TRIGGER_BOUNDS)
		return (struct trigger_test){ PROBE_RANGES, n, &b->low->left,
			b->first, b->last };
	one = bounds_of_test(n);
	return (struct trigger_test){ (enum probe_kind)at->kind, n, &n->left,
		one.first, one.last };
}

void
trigger_each(const struct triggers *t, const struct ir_node *root,
    enum trigger_goal goal, enum milt_stage stage, trigger_found *found,
    void *data)
{
	VEC(const struct ir_node *) todo = { 0 };

	vec_push(t->arena, &todo, root);
	while (todo.n) {
		const struct ir_node *n = todo.v[--todo.n];
		const struct trigger *at = &t->at[goal][stage][n->number];
		struct trigger_test test;

		switch ((enum trigger_way)at->way) {
		case TRIGGER_NONE:
		case TRIGGER_NEVER:
			break;
		case TRIGGER_TEST:
		case TRIGGER_BOUNDS:
		case TRIGGER_CODE:
			test = test_of(t, at, n);
			found(data, &test);
			break;
		case TRIGGER_BOTH:
			vec_push(t->arena, &todo, n->b);
			vec_push(t->arena, &todo, n->a);
			break;
		case TRIGGER_A:
			vec_push(t->arena, &todo, n->a);
			break;
		case TRIGGER_B:
			vec_push(t->arena, &todo, n->b);
			break;
		}
	}
}
