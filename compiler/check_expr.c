#include "compiler/passes.h"

/* ---- operands and definitions ------------------------------------------ */

static void
set_type(struct ast_value *v)
{
	if (v->kind == VALUE_COUNT)
		v->type = TYPE_NUMBER;
	else if (v->attr != ATTR_NONE)
		v->type = attr_rows[v->attr].type;
}

struct ast_value *
check_operand(struct checker *k, struct ast_value *v)
{
	struct ast_value *use = v;

	while (!v->bad && v->let) {
		struct item_let *let = v->let;

		check_let(k, let);
		if (let->bad || !let->expr)
			return NULL;
		if (let->expr->kind != EXPR_VALUE) {
			struct diag *d = diag_at(k->diags, D_CONDITION_AS_VALUE,
			    use->span, "`%.*s` is a condition, not a value",
			    STR_ARG(source_words(k->c, use->span)));

			diag_label(
			    k->diags, d, let->item.name.span, "defined here");
			use->bad = true;
			return NULL;
		}
		v = let->expr->left;
	}
	if (v->bad)
		return NULL;
	set_type(v);
	use->type = v->type;
	return v;
}

/* A definition that is a bare value. */
static void
check_let_value(struct checker *k, struct item_let *let)
{
	struct ast_value *v = let->expr->left;

	if (v->let) {
		check_let(k, v->let);
		let->is_condition = v->let->is_condition;
		let->loops = v->let->loops;
		let->bad = v->bad || v->let->bad;
		return;
	}
	let->bad = v->bad;
	if (v->bad)
		return;
	if (v->list) {
		diag_at(k->diags, D_CONDITION_AS_VALUE, v->span,
		    "`%.*s` is a list, not a value", STR_ARG(v->text));
		let->bad = true;
		return;
	}
	set_type(v);
	let->is_condition = v->type == TYPE_BOOLEAN;
}

void
check_let(struct checker *k, struct item_let *let)
{
	if (let->state == 3)
		return;
	/* Cycles were cut by resolve, and chains are short. */
	let->state = 3;
	if (let->bad || !let->expr)
		return;
	if (let->expr->kind == EXPR_VALUE) {
		check_let_value(k, let);
		return;
	}
	let->is_condition = true;
	let->loops = check_condition(k, let->expr, 0);
}

/* ---- leaves ------------------------------------------------------------ */

static void
report_no_condition(
    struct checker *k, const struct ast_expr *e, const struct ast_value *v)
{
	struct str words = source_words(k->c, e->left->span);
	struct str what = v->list
			      ? arena_printf(k->arena, "a list of %.*s",
				    STR_ARG(type_rows[v->list->type].plural))
			  : v->attr != ATTR_NONE ? type_rows[v->type].phrase
						 : literal_words(v);
	struct diag *d = diag_at(k->diags, D_NO_CONDITION, e->left->span,
	    "`%.*s` is %.*s, not a condition", STR_ARG(words), STR_ARG(what));

	if (v->kind == VALUE_COUNT)
		diag_help(k->diags, d, "write: %.*s > 0", STR_ARG(words));
	else if (v->attr != ATTR_NONE)
		diag_help(k->diags, d,
		    "to ask whether it is there write: %.*s exists",
		    STR_ARG(words));
}

static void
check_value(struct checker *k, struct ast_expr *e)
{
	const struct ast_value *v = e->left;

	if (v->let && !v->bad) {
		check_let(k, v->let);
		if (v->let->bad || v->let->is_condition)
			return;
	}
	v = check_operand(k, e->left);
	if (v && v->type != TYPE_BOOLEAN)
		report_no_condition(k, e, v);
}

static void
check_exists(struct checker *k, struct ast_expr *e)
{
	const struct ast_value *v = check_operand(k, e->left);
	struct str words = source_words(k->c, e->left->span);

	if (!v)
		return;
	if (v->attr == ATTR_NONE) {
		diag_at(k->diags, D_NO_ATTRIBUTE, e->left->span,
		    v->list ? "`%.*s` is a list, not an attribute"
			    : "`%.*s` is a literal, not an attribute",
		    STR_ARG(words));
	} else if (v->kind == VALUE_COUNT) {
		struct diag *d =
		    diag_at(k->diags, D_ALWAYS_THERE, e->left->span,
			"`%.*s` is a number, and always there", STR_ARG(words));

		diag_help(k->diags, d, "write: %.*s %s", STR_ARG(words),
		    e->kind == EXPR_EXISTS ? "> 0" : "is 0");
	}
}

static bool
can_be_malformed(enum milt_attr attr)
{
	return attr == ATTR_HEADER_FROM || attr == ATTR_HEADER_TO ||
	       attr == ATTR_HEADER_CC || attr == ATTR_HEADER_REPLY_TO ||
	       attr == ATTR_HEADER_SENDER || attr == ATTR_HEADER_DATE;
}

static void
check_malformed(struct checker *k, struct ast_expr *e)
{
	const struct ast_value *v = check_operand(k, e->left);

	if (!v || (v->kind != VALUE_COUNT && can_be_malformed(v->attr)))
		return;

	struct diag *d = diag_at(k->diags, D_MALFORMED, e->left->span,
	    "`%.*s` is never malformed",
	    STR_ARG(source_words(k->c, e->left->span)));

	diag_help(k->diags, d,
	    "`malformed` is for header.from, header.to, header.cc, "
	    "header.reply-to, header.sender and header.date");
}

/* ---- loops ------------------------------------------------------------- */

static bool
too_deep(struct checker *k, struct span span, unsigned loops)
{
	if (loops <= (unsigned)LIMIT_VALUE_LOOPS)
		return false;
	diag_at(k->diags, D_TOO_MANY_LOOPS, span,
	    "more than %u collections are walked inside each other",
	    (unsigned)LIMIT_VALUE_LOOPS);
	return true;
}

/* A comparison of many values walks them all. */
static unsigned
value_loops(const struct ast_value *v)
{
	while (v->let && !v->bad && v->let->expr &&
	       v->let->expr->kind == EXPR_VALUE)
		v = v->let->expr->left;
	return !v->bad && v->attr != ATTR_NONE && v->kind != VALUE_COUNT &&
	       !v->element && attr_rows[v->attr].many;
}

static unsigned
leaf_loops(const struct ast_expr *e, unsigned loops)
{
	if (e->left && e->left->let && !e->left->bad)
		loops += e->left->let->is_condition ? e->left->let->loops : 0;
	if (e->kind == EXPR_COMPARE || e->kind == EXPR_EXISTS ||
	    e->kind == EXPR_ABSENT)
		loops += value_loops(e->left);
	if (e->kind == EXPR_COMPARE)
		loops += value_loops(e->right);
	return loops;
}

static unsigned
check_leaf(struct checker *k, struct ast_expr *e, unsigned loops)
{
	size_t errors = k->diags->errors;

	switch (e->kind) {
	case EXPR_COMPARE:
		check_compare(k, e);
		break;
	case EXPR_EXISTS:
	case EXPR_ABSENT:
		check_exists(k, e);
		break;
	case EXPR_MALFORMED:
		check_malformed(k, e);
		break;
	case EXPR_VALUE:
		check_value(k, e);
		break;
	case EXPR_ANY:
	case EXPR_EVERY:
	case EXPR_NO:
		if (e->left->bad || too_deep(k, e->left->span, loops + 1))
			return loops;
		e->left->type = attr_rows[e->left->attr].type;
		return check_condition(k, e->a, loops + 1);
	case EXPR_STATE:
	case EXPR_LISTED:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
		return loops;
	}

	unsigned reached = leaf_loops(e, loops);

	if (k->diags->errors > errors)
		return loops;
	return too_deep(k, e->span, reached) ? loops : reached;
}

unsigned
check_condition(struct checker *k, struct ast_expr *e, unsigned loops)
{
	expr_vec leaves = condition_leaves(k->arena, e);
	unsigned most = loops;

	for (size_t i = 0; i < leaves.n; i++) {
		unsigned reached = check_leaf(k, leaves.v[i], loops);

		most = reached > most ? reached : most;
	}
	return most;
}
