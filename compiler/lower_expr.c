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

/* ---- comparisons -------------------------------------------------------- */

static enum opcode
opcode_text(enum compare_op op, bool exactly)
{
	switch (op) {
	case OP_IS:
		return exactly ? OPC_IS_EXACT : OPC_IS;
	case OP_CONTAINS:
		return exactly ? OPC_CONTAINS_EXACT : OPC_CONTAINS;
	case OP_STARTS_WITH:
		return exactly ? OPC_STARTS_EXACT : OPC_STARTS;
	case OP_ENDS_WITH:
		return exactly ? OPC_ENDS_EXACT : OPC_ENDS;
	case OP_LIKE:
		return exactly ? OPC_LIKE_EXACT : OPC_LIKE;
	case OP_IN:
	case OP_UNDER:
	case OP_MATCHES:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		break;
	}
	return OPC_COUNT;
}

static enum opcode
opcode_number(enum compare_op op)
{
	switch (op) {
	case OP_IS:
		return OPC_EQ;
	case OP_LT:
		return OPC_LT;
	case OP_LE:
		return OPC_LE;
	case OP_GT:
		return OPC_GT;
	case OP_GE:
		return OPC_GE;
	case OP_IN:
	case OP_UNDER:
	case OP_CONTAINS:
	case OP_STARTS_WITH:
	case OP_ENDS_WITH:
	case OP_MATCHES:
	case OP_LIKE:
		break;
	}
	return OPC_COUNT;
}

/* OPC_COUNT: no such comparison of two attributes. */
static enum opcode
opcode_ref(enum compare_op op, bool exactly)
{
	if (exactly)
		return op == OP_IS ? OPC_IS_EXACT_REF : OPC_COUNT;
	switch (op) {
	case OP_IS:
	case OP_IN:
		return OPC_IS_REF;
	case OP_UNDER:
		return OPC_UNDER_REF;
	case OP_CONTAINS:
		return OPC_CONTAINS_REF;
	case OP_STARTS_WITH:
		return OPC_STARTS_REF;
	case OP_ENDS_WITH:
		return OPC_ENDS_REF;
	case OP_LT:
		return OPC_LT_REF;
	case OP_LE:
		return OPC_LE_REF;
	case OP_GT:
		return OPC_GT_REF;
	case OP_GE:
		return OPC_GE_REF;
	case OP_MATCHES:
	case OP_LIKE:
		break;
	}
	return OPC_COUNT;
}

static struct ir_node *
refuse_compare(struct lower *l, const struct ast_expr *e)
{
	lower_refuse(l, e->span, "this comparison cannot be compiled");
	return node_const(&l->nodes, false);
}

static bool
is_number(enum milt_type type)
{
	return type != TYPE_BOOLEAN && type_rows[type].key == KEY_NUMBER;
}

static struct ir_node *
compare_list(struct lower *l, const struct ast_expr *e, struct ir_node *t,
    const struct ast_value *right, enum milt_type type)
{
	if (e->op == OP_UNDER)
		type = TYPE_DOMAIN;
	else if (type == TYPE_IP)
		type = TYPE_NETWORK;
	t->op = e->op == OP_UNDER ? OPC_UNDER : OPC_IN;
	t->right_list = right->list ? lower_list(l, right->list)
				    : lower_set(l, type, right);
	return node_test(&l->nodes, t);
}

static struct ir_node *
compare_boolean(
    struct lower *l, struct ir_node *t, const struct ast_value *right)
{
	struct ir_node *yes, *there;

	t->op = OPC_YES;
	yes = node_test(&l->nodes, t);
	if (!str_eq_ascii(right->text, STR("no")))
		return yes;
	t->op = OPC_EXISTS;
	there = node_test(&l->nodes, t);
	return node_and(&l->nodes, there, node_not(&l->nodes, yes));
}

static struct ir_node *
compare_text(struct lower *l, const struct ast_expr *e, struct ir_node *t,
    const struct ast_value *right, enum milt_type type)
{
	t->op = opcode_text(e->op, e->exactly);
	if (e->exactly)
		t->right_text = right->text;
	else if (e->op == OP_IS)
		t->right_text = lower_key(l, type, right->text);
	else
		t->right_text = lower_text(l, right->text);
	return node_test(&l->nodes, t);
}

/* `t` has the left operand; the right one is a constant. */
static struct ir_node *
compare_constant(struct lower *l, const struct ast_expr *e, struct ir_node *t,
    const struct ast_value *right)
{
	enum milt_type type = ref_type(&t->left);

	switch (e->op) {
	case OP_IN:
	case OP_UNDER:
		return compare_list(l, e, t, right, type);
	case OP_MATCHES:
		if (right->kind != VALUE_REGEX)
			return refuse_compare(l, e);
		t->op = OPC_MATCH;
		t->right_regex =
		    lower_regex(l, right, attr_is_raw(t->left.attr));
		return node_test(&l->nodes, t);
	case OP_CONTAINS:
	case OP_STARTS_WITH:
	case OP_ENDS_WITH:
	case OP_LIKE:
		return compare_text(l, e, t, right, type);
	case OP_IS:
		if (e->exactly)
			return compare_text(l, e, t, right, type);
		if (type == TYPE_BOOLEAN)
			return compare_boolean(l, t, right);
		if (type == TYPE_IP || type == TYPE_NETWORK)
			return compare_list(l, e, t, right, type);
		if (!is_number(type))
			return compare_text(l, e, t, right, type);
		break;
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		break;
	}
	if (!is_number(type))
		return refuse_compare(l, e);
	t->op = opcode_number(e->op);
	t->right_number = lower_number(l, type, right);
	return node_test(&l->nodes, t);
}

static struct ir_node *
compare_refs(struct lower *l, const struct ast_expr *e, struct ir_node *t,
    struct ir_ref right)
{
	t->op = opcode_ref(e->op, e->exactly);
	if (t->op == OPC_COUNT)
		return refuse_compare(l, e);
	if (t->op == OPC_IS_REF && t->left.attr == ATTR_HELO) {
		/* Keys are those of the left type: a domain's, not a text's. */
		struct ir_ref swap = t->left;

		t->left = right;
		right = swap;
	}
	t->right_ref = right;
	return node_test(&l->nodes, t);
}

/* ---- loops ----------------------------------------------------------------
 */

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
static bool
open_loop(struct lower *l, struct span span, struct ir_ref *ref)
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

static struct ir_node *
close_loop(struct lower *l, struct span span, const struct ir_ref *ref,
    struct ir_node *body)
{
	l->depth--;
	return node_each(&l->nodes, collection_ref(ref), l->depth, body, span);
}

static struct ir_node *
compare_right(struct lower *l, const struct ast_expr *e, struct ir_node *t,
    const struct ast_value *right)
{
	struct ir_node *n;
	struct ir_ref ref;

	if (!value_is_attr(right))
		return compare_constant(l, e, t, right);
	ref = lower_ref(l, right);
	if (!value_is_many(right))
		return compare_refs(l, e, t, ref);
	if (!open_loop(l, right->span, &ref))
		return node_const(&l->nodes, false);
	n = compare_refs(l, e, t, ref);
	return close_loop(l, e->span, &ref, n);
}

static struct ir_node *
lower_compare(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *left = value_behind(e->left);
	const struct ast_value *right = value_behind(e->right);
	struct ir_node t = { .kind = NODE_TEST, .span = e->span };
	struct ir_node *n;

	if (!value_is_attr(left) && e->op == OP_IS && value_is_attr(right)) {
		const struct ast_value *swap = left;

		left = right;
		right = swap;
	}
	if (!value_is_attr(left))
		return refuse_compare(l, e);
	t.left = lower_ref(l, left);
	if (!value_is_many(left))
		return compare_right(l, e, &t, right);
	if (!open_loop(l, left->span, &t.left))
		return node_const(&l->nodes, false);
	{
		struct ir_ref ref = t.left;

		n = compare_right(l, e, &t, right);
		return close_loop(l, e->span, &ref, n);
	}
}

/* ---- other tests ----------------------------------------------------------
 */

static struct ir_node *
lower_exists(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = value_behind(e->left);
	struct ir_node t = {
		.kind = NODE_TEST, .op = OPC_EXISTS, .span = e->span
	};
	struct ir_ref ref;
	struct ir_node *n;

	if (!value_is_attr(v))
		return node_const(&l->nodes, true);
	t.left = ref = lower_ref(l, v);
	if (ref.from == REF_COUNT)
		return node_const(&l->nodes, true);
	if (!value_is_many(v))
		return node_test(&l->nodes, &t);
	if (collection_of(ref.attr) == ref.attr) {
		t.op = OPC_GT;
		t.left.from = REF_COUNT;
		return node_test(&l->nodes, &t);
	}
	/* A field: an element that has it. */
	if (!open_loop(l, e->span, &ref))
		return node_const(&l->nodes, false);
	t.left = ref;
	n = node_test(&l->nodes, &t);
	return close_loop(l, e->span, &ref, n);
}

static struct ir_node *
lower_malformed(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = value_behind(e->left);
	struct ir_node t = {
		.kind = NODE_TEST, .op = OPC_MALFORMED, .span = e->span
	};

	if (!value_is_attr(v))
		return refuse_compare(l, e);
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
	struct ir_ref ref;
	struct ir_node *n;

	if (v->let &&
	    (v->let->is_condition || v->let->expr->kind != EXPR_VALUE))
		return lower_let(l, v->let);
	v = value_behind(v);
	if (!value_is_attr(v))
		return refuse_compare(l, e);
	t.left = ref = lower_ref(l, v);
	if (!value_is_many(v))
		return node_test(&l->nodes, &t);
	if (!open_loop(l, e->span, &ref))
		return node_const(&l->nodes, false);
	t.left = ref;
	n = node_test(&l->nodes, &t);
	return close_loop(l, e->span, &ref, n);
}

static struct ir_node *
lower_block(struct lower *l, const struct ast_expr *e)
{
	const struct ast_value *v = value_behind(e->left);
	struct ir_ref ref;
	struct ir_node *n;

	if (!value_is_attr(v))
		return refuse_compare(l, e);
	ref = lower_ref(l, v);
	if (!open_loop(l, v->span, &ref))
		return node_const(&l->nodes, false);
	n = lower_expr(l, e->a);
	if (e->kind == EXPR_EVERY)
		n = node_not(&l->nodes, n);
	n = close_loop(l, e->span, &ref, n);
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
		return refuse_compare(l, e);
	}
	return refuse_compare(l, e);
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
