#include "dsl/parse.h"

static void
set_name(struct ast_name *name, struct token t)
{
	if (!t.kind)
		return;
	name->text = t.text;
	name->span = t.span;
}

struct item_test *
ast_test_body(struct parser *ps)
{
	return ARENA_NEW(ps->arena, struct item_test);
}

struct ast_item *
ast_test(struct parser *ps, struct token word, struct token title,
    struct item_test *test, struct token z)
{
	(void)ps;
	test->item.kind = ITEM_TEST;
	test->item.word = word.span;
	test->item.span = span2(word, z);
	set_name(&test->item.name, title);
	return &test->item;
}

/* ---- facts ----------------------------------------------------------- */

void
ast_test_fact(struct parser *ps, struct item_test *test, struct ast_fact *fact)
{
	vec_push(ps->arena, &test->facts, fact);
}

struct ast_fact *
ast_fact(struct parser *ps, enum fact_kind kind, struct token first,
    struct token name, struct values *values)
{
	struct ast_fact *f = ARENA_NEW(ps->arena, struct ast_fact);

	f->kind = kind;
	set_name(&f->name, name);
	f->values.v = values->list.v;
	f->values.n = values->list.n;
	f->values.cap = values->list.cap;
	f->span =
	    span_join(first.span, values->list.v[values->list.n - 1]->span);
	return f;
}

struct ast_fact *
ast_fact_text(struct parser *ps, enum fact_kind kind, struct token first,
    struct token name, struct token value)
{
	struct ast_value *v = ast_value(ps, VALUE_STRING, value);

	return ast_fact(ps, kind, first, name, values_add(ps, NULL, v));
}

struct ast_fact *
ast_given_js(struct parser *ps, struct token first, struct token name,
    struct ast_action *verdict, struct token word)
{
	struct ast_fact *f = ARENA_NEW(ps->arena, struct ast_fact);

	f->kind = FACT_GIVEN_JS;
	set_name(&f->name, name);
	set_name(&f->word, word);
	f->verdict = verdict;
	f->span = span_join(first.span, verdict ? verdict->span : word.span);
	return f;
}

/* ---- expectations ---------------------------------------------------- */

void
ast_test_expect(struct parser *ps, struct item_test *test, struct token word,
    struct ast_expect *e)
{
	e->span = span_join(word.span, e->span);
	vec_push(ps->arena, &test->expects, e);
}

struct ast_expect *
ast_expect(struct parser *ps, enum expect_kind kind, struct token first,
    struct token last)
{
	struct ast_expect *e = ARENA_NEW(ps->arena, struct ast_expect);

	e->kind = kind;
	e->span = span2(first, last);
	return e;
}

struct ast_expect *
ast_expect_verdict(struct parser *ps, struct token verdict, struct codes codes)
{
	struct ast_expect *e = ast_expect(
	    ps, EXPECT_VERDICT, verdict, later(codes.code, codes.xcode));
	struct span code_span, xcode_span;

	e->span.begin = verdict.span.begin;
	if (!codes.code.kind)
		e->span = verdict.span;
	e->verdict = verdict_action(verdict);
	read_codes(ps, codes, &e->code, &code_span, &e->xcode, &xcode_span);
	return e;
}

struct ast_expect *
ast_expect_by(struct ast_expect *e, struct token rule, bool by_default)
{
	set_name(&e->by, rule);
	e->by_default = by_default;
	e->span.end = rule.span.end;
	return e;
}

struct ast_expect *
ast_expect_at(struct ast_expect *e, struct token stage)
{
	set_name(&e->at, stage);
	e->span.end = stage.span.end;
	return e;
}

struct ast_expect *
ast_expect_for(struct parser *ps, struct ast_expect *e, struct token address)
{
	e->recipient = ast_value(ps, VALUE_ADDRESS, address);
	e->span.end = address.span.end;
	return e;
}

struct ast_expect *
ast_expect_text(struct parser *ps, struct token word, struct token text)
{
	struct ast_expect *e = ast_expect(ps, EXPECT_TEXT, word, text);

	e->text = text.text;
	return e;
}

struct ast_expect *
ast_expect_effect(struct parser *ps, struct ast_action *x)
{
	struct ast_expect *e = ARENA_NEW(ps->arena, struct ast_expect);

	e->kind = EXPECT_EFFECT;
	e->span = x->span;
	e->effect = x;
	return e;
}
