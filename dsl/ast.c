#include "dsl/parse.h"

struct span
span2(struct token a, struct token z)
{
	return z.span.end ? span_join(a.span, z.span) : a.span;
}

struct token
later(struct token a, struct token b)
{
	return b.span.end ? b : a;
}

/* ---- values ---------------------------------------------------------- */

struct ast_value *
ast_value(struct parser *ps, enum value_kind kind, struct token t)
{
	struct ast_value *v = ARENA_NEW(ps->arena, struct ast_value);

	v->kind = kind;
	v->span = t.span;
	v->text = t.text;
	v->flags = t.flags;
	return v;
}

struct ast_value *
ast_keyed(struct parser *ps, struct token first, struct token name,
    struct token key, struct token close)
{
	struct ast_value *v;

	if (str_starts(name.text, STR("dns."))) {
		v = ast_value(ps, VALUE_STRING, key);
		return ast_group(
		    ps, VALUE_CALL, name, values_add(ps, NULL, v), close);
	}
	v = ast_value(ps, VALUE_KEYED, name);
	if (first.span.begin != name.span.begin)
		v->text = arena_printf(ps->arena, "%.*s %.*s",
		    STR_ARG(first.text), STR_ARG(name.text));
	v->span = span2(first, close);
	v->key = key.text;
	v->key_span = key.span;
	return v;
}

struct ast_value *
ast_count(struct parser *ps, struct token word, struct ast_value *of,
    struct token close)
{
	struct ast_value *v = ast_value(ps, VALUE_COUNT, word);

	v->span = span2(word, close);
	v->text = of->text;
	v->key = of->key;
	v->key_span = of->key_span;
	v->keyed = of->kind == VALUE_KEYED;
	if (!v->keyed && of->kind != VALUE_NAME)
		diag_help(ps->diags,
		    diag_at(ps->diags, D_SYNTAX, of->span,
			"nothing of this kind can be counted"),
		    "`count` takes a collection, such as "
		    "count(recipients) or count(header(\"Received\"))");
	return v;
}

struct ast_value *
ast_group(struct parser *ps, enum value_kind kind, struct token name,
    struct values *values, struct token close)
{
	struct ast_value *v = ast_value(ps, kind, name);

	v->span = span2(name, close);
	v->items.v = values->list.v;
	v->items.n = values->list.n;
	v->items.cap = values->list.cap;
	return v;
}

struct values *
values_add(struct parser *ps, struct values *values, struct ast_value *v)
{
	if (!values)
		values = ARENA_NEW(ps->arena, struct values);
	if (v)
		vec_push(ps->arena, &values->list, v);
	return values;
}

/* ---- conditions ------------------------------------------------------ */

static struct ast_expr *
expr_new(struct parser *ps, enum expr_kind kind, struct span span)
{
	struct ast_expr *e = ARENA_NEW(ps->arena, struct ast_expr);

	e->kind = kind;
	e->span = span;
	e->op_span = span;
	return e;
}

struct ast_expr *
ast_operator(struct parser *ps, enum compare_op op, struct token first,
    struct token last)
{
	struct ast_expr *e = expr_new(ps, EXPR_COMPARE, span2(first, last));

	e->op = op;
	return e;
}

struct ast_expr *
ast_compare(
    struct ast_expr *op, struct ast_value *left, struct ast_value *right)
{
	op->left = left;
	op->right = right;
	op->span = span_join(left->span, right->span);
	return op;
}

struct ast_expr *
ast_unary(struct parser *ps, enum expr_kind kind, struct ast_value *v,
    struct token word)
{
	struct ast_expr *e = expr_new(ps, kind, v->span);

	e->left = v;
	if (word.span.end) {
		e->span = span_join(v->span, word.span);
		e->op_span = word.span;
	}
	return e;
}

struct ast_expr *
ast_state(struct parser *ps, struct token name, struct token verb)
{
	struct ast_expr *e = expr_new(ps, EXPR_STATE, span2(name, verb));

	e->left = ast_value(ps, VALUE_NAME, name);
	e->state = verb.text;
	e->op_span = verb.span;
	return e;
}

struct ast_expr *
ast_listed(struct parser *ps, struct ast_value *left, struct token first,
    struct token zone, struct token close)
{
	struct ast_expr *e =
	    expr_new(ps, EXPR_LISTED, span_join(left->span, close.span));

	e->left = left;
	e->right = ast_value(ps, VALUE_STRING, zone);
	e->op_span = first.span;
	return e;
}

struct ast_expr *
ast_binary(struct parser *ps, enum expr_kind kind, struct ast_expr *a,
    struct token op, struct ast_expr *b)
{
	struct ast_expr *e = expr_new(ps, kind, span_join(a->span, b->span));

	e->op_span = op.span;
	e->a = a;
	e->b = b;
	return e;
}

struct ast_expr *
ast_not(struct parser *ps, struct token op, struct ast_expr *a)
{
	struct ast_expr *e =
	    expr_new(ps, EXPR_NOT, span_join(op.span, a->span));

	e->op_span = op.span;
	e->a = a;
	return e;
}

struct ast_expr *
ast_block(struct parser *ps, enum expr_kind kind, struct token word,
    struct token name, struct token open, struct ast_expr *body,
    struct token close)
{
	struct ast_expr *e = expr_new(ps, kind, span2(word, close));

	e->op_span = word.span;
	e->left = ast_value(ps, VALUE_NAME, name);
	e->open = open.span;
	e->a = body;
	return e;
}

/* Terms first to last, joined by the nodes ops[first] to ops[last - 1]. */
static struct ast_expr *
balance(
    struct ast_expr **terms, struct ast_expr **ops, size_t first, size_t last)
{
	size_t middle = first + (last - first) / 2;
	struct ast_expr *e;

	if (first == last)
		return terms[first];
	e = ops[middle];
	e->a = balance(terms, ops, first, middle);
	e->b = balance(terms, ops, middle + 1, last);
	e->span = span_join(e->a->span, e->b->span);
	return e;
}

struct ast_expr *
ast_balance(struct parser *ps, struct ast_expr *chain)
{
	enum expr_kind kind = chain->kind;
	struct ast_expr **terms, **ops, *e;
	struct span span = chain->span;
	size_t n = 0;

	if (kind != EXPR_AND && kind != EXPR_OR)
		return chain;
	for (e = chain; e->kind == kind; e = e->a)
		n++;
	if (n < 3)
		return chain;
	terms = ARENA_ARRAY(ps->arena, n + 1, struct ast_expr *);
	ops = ARENA_ARRAY(ps->arena, n, struct ast_expr *);
	e = chain;
	for (size_t i = n; i > 0; i--, e = e->a) {
		ops[i - 1] = e;
		terms[i] = e->b;
	}
	terms[0] = e;
	e = balance(terms, ops, 0, n);
	e->span = span;
	return e;
}
