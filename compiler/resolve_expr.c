#include "compiler/passes.h"

static void
resolve_block(struct resolver *r, struct ast_expr *e, const struct block *b)
{
	struct ast_value *v = e->left;
	const struct collection_row *row =
	    v->kind == VALUE_NAME ? collection_find(v->text) : NULL;

	if (row) {
		struct block inner = { b, row->attr, b ? b->loop + 1 : 0 };

		v->attr = row->attr;
		resolve_condition(r, e->a, &inner);
		return;
	}
	v->bad = true; /* and its block means nothing */
	if (reserved_find(v->text, false).n > 0) {
		report_reserved(r->diags, v->span, v->text);
		r->reserved_seen = true;
		return;
	}

	struct diag *d = diag_at(r->diags, D_NO_COLLECTION, v->span,
	    "`%.*s` is no collection", STR_ARG(source_words(r->c, v->span)));
	names_vec names = { 0 };

	for (size_t i = 0; i < collection_row_count; i++)
		vec_push(r->arena, &names, collection_rows[i].plural);
	if (v->kind == VALUE_KEYED && str_eq(v->text, STR("header")))
		diag_help(r->diags, d,
		    "write: any header { name is \"%.*s\" and ... }",
		    STR_ARG(v->key));
	else
		help_nearest(r->diags, d, v->text, &names);
}

/* `NAME exceeded`, `X listed in "zone"`: nothing of it is looked at. */
static void
refuse_form(struct resolver *r, struct ast_expr *e)
{
	if (e->kind == EXPR_STATE && e->left) {
		struct ast_item *item = name_find(&r->values, e->left->text);

		if (item && item->kind == ITEM_RESERVED)
			return; /* reported where it is declared */
	}

	struct span span =
	    e->op_span.end > e->op_span.begin ? e->op_span : e->span;

	diag_at(r->diags, D_RESERVED_FORM, span,
	    "`%.*s` is not available in this version",
	    STR_ARG(source_words(r->c, span)));
	r->reserved_seen = true;
}

static void
resolve_leaf(struct resolver *r, struct ast_expr *e, const struct block *b)
{
	switch (e->kind) {
	case EXPR_COMPARE:
		resolve_left(r, e->left, b);
		resolve_right(
		    r, e->right, b, e->op == OP_IN || e->op == OP_UNDER);
		break;
	case EXPR_EXISTS:
	case EXPR_ABSENT:
	case EXPR_MALFORMED:
	case EXPR_VALUE:
		resolve_left(r, e->left, b);
		break;
	case EXPR_ANY:
	case EXPR_EVERY:
	case EXPR_NO:
		resolve_block(r, e, b);
		break;
	case EXPR_STATE:
	case EXPR_LISTED:
		refuse_form(r, e);
		break;
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
		break;
	}
}

expr_vec
condition_leaves(struct arena *arena, struct ast_expr *e)
{
	expr_vec leaves = { 0 }, stack = { 0 };

	vec_push(arena, &stack, e);
	while (stack.n > 0) {
		e = stack.v[--stack.n];
		if (!e)
			continue;
		if (e->kind == EXPR_AND || e->kind == EXPR_OR) {
			vec_push(arena, &stack, e->b);
			vec_push(arena, &stack, e->a);
		} else if (e->kind == EXPR_NOT) {
			vec_push(arena, &stack, e->a);
		} else {
			vec_push(arena, &leaves, e);
		}
	}
	return leaves;
}

void
resolve_condition(struct resolver *r, struct ast_expr *e, const struct block *b)
{
	expr_vec leaves = condition_leaves(r->arena, e);

	for (size_t i = 0; i < leaves.n; i++)
		resolve_leaf(r, leaves.v[i], b);
}

void
captures_of(struct resolver *r, struct ast_expr *e, struct capture_scope *out)
{
	expr_vec todo = condition_leaves(r->arena, e);

	for (size_t i = 0; i < todo.n; i++) {
		expr_vec more = { 0 };
		const struct ast_expr *x = todo.v[i];

		if (x->kind == EXPR_COMPARE && x->right->kind == VALUE_REGEX)
			vec_push(r->arena, &out->regexes, x->right);
		if (x->kind == EXPR_ANY || x->kind == EXPR_EVERY ||
		    x->kind == EXPR_NO)
			more = condition_leaves(r->arena, x->a);
		if (x->kind == EXPR_VALUE && x->left->let &&
		    x->left->let->mark != r->mark) {
			x->left->let->mark = r->mark;
			more = condition_leaves(r->arena, x->left->let->expr);
		}
		for (size_t k = 0; k < more.n; k++)
			vec_push(r->arena, &todo, more.v[k]);
	}
}

/* ---- definitions ------------------------------------------------------- */

static void
report_let_cycle(
    struct resolver *r, const struct item_let *let, struct ast_value *use)
{
	struct diag *d = diag_at(r->diags, D_LET_CYCLE, use->span,
	    "`%.*s` stands for itself", STR_ARG(let->item.name.text));

	diag_label(r->diags, d, let->item.name.span, "defined here");
	use->bad = true;
}

static void
leave_let(struct resolver *r, struct item_let *let)
{
	for (size_t i = 0; i < let->uses.n; i++) {
		struct ast_value *use = let->uses.v[i];

		if (!use->bad && use->let->depth >= let->depth)
			let->depth = use->let->depth + 1;
		let->bad |= !use->bad && use->let->bad;
	}
	if (!let->bad && let->depth > (unsigned)LIMIT_VALUE_NESTING) {
		diag_at(r->diags, D_LET_DEPTH, let->item.name.span,
		    "definitions stand in each other more than %u deep",
		    (unsigned)LIMIT_VALUE_NESTING);
		let->bad = true;
		let->depth = 0;
	}
	let->state = 2;
}

/* Depth first, without recursion: chains may be long. */
static void
walk_lets(struct resolver *r, struct item_let *from)
{
	VEC(struct item_let *) stack = { 0 };
	VEC(size_t) next = { 0 };

	vec_push(r->arena, &stack, from);
	vec_push(r->arena, &next, 0);
	from->state = 1;
	while (stack.n > 0) {
		struct item_let *let = stack.v[stack.n - 1];

		if (next.v[next.n - 1] == let->uses.n) {
			leave_let(r, let);
			stack.n--;
			next.n--;
			continue;
		}

		struct ast_value *use = let->uses.v[next.v[next.n - 1]++];

		if (use->let->state == 1) {
			report_let_cycle(r, use->let, use);
		} else if (use->let->state == 0) {
			use->let->state = 1;
			vec_push(r->arena, &stack, use->let);
			vec_push(r->arena, &next, 0);
		}
	}
}

void
resolve_let_order(struct resolver *r)
{
	for (size_t i = 0; i < r->items.n; i++) {
		struct item_let *let = (struct item_let *)r->items.v[i];

		if (let->item.kind == ITEM_LET && let->state == 0)
			walk_lets(r, let);
	}
}
