/* Comparisons: from the syntax tree to tests and loops. */
#include "compiler/lower.h"
#include "compiler/passes.h"

/* ---- which instruction ---------------------------------------------- */

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
			return lower_refuse_compare(l, e);
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
		return lower_refuse_compare(l, e);
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
		return lower_refuse_compare(l, e);
	if (t->op == OPC_IS_REF && t->left.attr == ATTR_HELO) {
		/* Keys are those of the left type: a domain's, not a text's. */
		struct ir_ref swap = t->left;

		t->left = right;
		right = swap;
	}
	t->right_ref = right;
	return node_test(&l->nodes, t);
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
	if (!lower_open_loop(l, right->span, &ref))
		return node_const(&l->nodes, false);
	n = compare_refs(l, e, t, ref);
	return lower_close_loop(l, e->span, &ref, n);
}

struct ir_node *
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
		return lower_refuse_compare(l, e);
	t.left = lower_ref(l, left);
	if (!value_is_many(left))
		return compare_right(l, e, &t, right);
	if (!lower_open_loop(l, left->span, &t.left))
		return node_const(&l->nodes, false);
	{
		struct ir_ref ref = t.left;

		n = compare_right(l, e, &t, right);
		return lower_close_loop(l, e->span, &ref, n);
	}
}
