/* Conditions: from the syntax tree to nodes. */
#include "compiler/lower.h"

#include "compiler/passes.h"

/*
 * Calls inside each other: definitions inside definitions add up beyond what
 * the parser allows in one condition.
 */
enum { MAX_NESTING = 4000 };

typedef VEC(const struct ast_expr *) expr_list;

void
lower_refuse(struct lower *l, struct span span, const char *fmt, ...)
{
	va_list ap;
	struct str text;

	va_start(ap, fmt);
	text = arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
	diag_at(
	    &l->c->diags, D_CONDITION_TOO_LARGE, span, "%.*s", STR_ARG(text));
}

struct ir_node *
lower_refuse_compare(struct lower *l, const struct ast_expr *e)
{
	lower_refuse(l, e->span, "this comparison cannot be compiled");
	return node_const(&l->nodes, false);
}

/* ---- loops ---------------------------------------------------------- */

static struct ir_ref
collection_ref(const struct ir_ref *field)
{
	return (struct ir_ref){ .attr = collection_of(field->attr),
		.key = field->key };
}

/*
 * Opens the loop over the values of `ref`, which becomes that of an element.
 * False where there are too many.
 */
bool
lower_open_loop(struct lower *l, struct span span, struct ir_ref *ref)
{
	if (l->depth >= (unsigned)LIMIT_VALUE_LOOPS) {
		lower_refuse(l, span,
		    "more than %d collections inside each other",
		    (int)LIMIT_VALUE_LOOPS);
		return false;
	}
	ref->from = REF_ELEMENT;
	ref->loop = l->depth++;
	return true;
}

struct ir_node *
lower_close_loop(struct lower *l, struct span span, const struct ir_ref *ref,
    struct ir_node *body)
{
	l->depth--;
	return node_each(&l->nodes, collection_ref(ref), l->depth, body, span);
}

/* Is there an element for which it holds? */
static struct ir_node *
lower_any(struct lower *l, struct ir_node *t)
{
	struct ir_ref ref = t->left;
	struct ir_node *n;

	if (!lower_open_loop(l, t->span, &ref))
		return node_const(&l->nodes, false);
	t->left = ref;
	n = node_test(&l->nodes, t);
	return lower_close_loop(l, t->span, &ref, n);
}

/* ---- other tests ---------------------------------------------------- */

static struct ir_node *
lower_exists(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = value_behind(e->left);
	struct ir_node t = {
		.kind = NODE_TEST, .op = OPC_EXISTS, .span = e->span
	};

	if (!value_is_attr(v))
		return node_const(&l->nodes, true);
	t.left = lower_ref(l, v);
	if (t.left.from == REF_COUNT)
		return node_const(&l->nodes, true);
	if (!value_is_many(v))
		return node_test(&l->nodes, &t);
	if (collection_of(t.left.attr) == t.left.attr) {
		t.op = OPC_GT;
		t.left.from = REF_COUNT;
		return node_test(&l->nodes, &t);
	}
	/* A field: an element that has it. */
	return lower_any(l, &t);
}

static struct ir_node *
lower_malformed(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = value_behind(e->left);
	struct ir_node t = {
		.kind = NODE_TEST, .op = OPC_MALFORMED, .span = e->span
	};

	if (!value_is_attr(v))
		return lower_refuse_compare(l, e);
	t.left = lower_ref(l, v);
	return node_test(&l->nodes, &t);
}

static struct ir_node *
lower_let(struct lower *l, struct item_let *let)
{
	struct {
		uintptr_t let;
		uint64_t depth;
	} key = { (uintptr_t)let, l->depth };
	struct str bytes = { (const char *)&key, sizeof(key) };
	uint32_t number = intern_find(&l->lets, bytes);
	unsigned base = l->base;
	struct ir_node *n;
	bool added;

	if (number != UINT32_MAX)
		return l->let_nodes.v[number];
	l->base = l->depth;
	n = lower_expr(l, let->expr);
	l->base = base;
	intern_add(&l->lets, bytes, &added);
	vec_push(l->arena, &l->let_nodes, n);
	return n;
}

/* A value alone: a definition, or a boolean attribute. */
static struct ir_node *
lower_alone(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = e->left;
	struct ir_node t = {
		.kind = NODE_TEST, .op = OPC_YES, .span = e->span
	};

	if (v->let &&
	    (v->let->is_condition || v->let->expr->kind != EXPR_VALUE))
		return lower_let(l, v->let);
	v = value_behind(v);
	if (!value_is_attr(v))
		return lower_refuse_compare(l, e);
	t.left = lower_ref(l, v);
	if (!value_is_many(v))
		return node_test(&l->nodes, &t);
	return lower_any(l, &t);
}

static struct ir_node *
lower_block(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = value_behind(e->left);
	struct ir_ref ref;
	struct ir_node *n;

	if (!value_is_attr(v))
		return lower_refuse_compare(l, e);
	ref = lower_ref(l, v);
	if (!lower_open_loop(l, v->span, &ref))
		return node_const(&l->nodes, false);
	n = lower_expr(l, e->a);
	if (e->kind == EXPR_EVERY)
		n = node_not(&l->nodes, n);
	n = lower_close_loop(l, e->span, &ref, n);
	return e->kind == EXPR_ANY ? n : node_not(&l->nodes, n);
}

/*
 * `a or b or c` leans to the left and may be as long as the file: its operands
 * are collected first, so that only real nesting nests calls.
 */
static struct ir_node *
lower_chain(struct lower *l, const struct ast_expr *e)
{
	enum expr_kind kind = e->kind;
	expr_list operands = { 0 };
	struct ir_node *n;

	for (; e->kind == kind; e = e->a)
		vec_push(l->arena, &operands, e->b);
	n = lower_expr(l, e);
	while (operands.n) {
		struct ir_node *b = lower_expr(l, operands.v[--operands.n]);

		n = kind == EXPR_AND ? node_and(&l->nodes, n, b)
				     : node_or(&l->nodes, n, b);
	}
	return n;
}

static struct ir_node *
lower_kind(struct lower *l, const struct ast_expr *e)
{
	struct ir_node *n;

	switch (e->kind) {
	case EXPR_AND:
	case EXPR_OR:
		return lower_chain(l, e);
	case EXPR_NOT:
		return node_not(&l->nodes, lower_expr(l, e->a));
	case EXPR_COMPARE:
		n = lower_compare(l, e);
		return e->negated ? node_not(&l->nodes, n) : n;
	case EXPR_EXISTS:
		return lower_exists(l, e);
	case EXPR_ABSENT:
		return node_not(&l->nodes, lower_exists(l, e));
	case EXPR_MALFORMED:
		return lower_malformed(l, e);
	case EXPR_VALUE:
		return lower_alone(l, e);
	case EXPR_ANY:
	case EXPR_EVERY:
	case EXPR_NO:
		return lower_block(l, e);
	case EXPR_STATE:
	case EXPR_LISTED:
		return lower_refuse_compare(l, e);
	}
	return lower_refuse_compare(l, e);
}

struct ir_node *
lower_expr(struct lower *l, const struct ast_expr *e)
{
	struct ir_node *n;

	if (l->nesting >= MAX_NESTING) {
		lower_refuse(l, e->span,
		    "definitions are nested more than %d deep", MAX_NESTING);
		return node_const(&l->nodes, false);
	}
	l->nesting++;
	n = lower_kind(l, e);
	l->nesting--;
	return n;
}

struct ir_node *
lower_where(struct lower *l, const struct ast_expr *e)
{
	struct ir_node *n;

	l->depth = 1;
	l->base = 0;
	n = lower_expr(l, e);
	l->depth = 0;
	return n;
}
