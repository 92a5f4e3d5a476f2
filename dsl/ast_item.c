#include "dsl/parse.h"

static void *
item_new(struct parser *ps, size_t size, enum item_kind kind, struct token word,
    struct token name, struct span span)
{
	struct ast_item *item = arena_alloc(ps->arena, size);

	item->kind = kind;
	item->span = span;
	item->word = word.span;
	if (name.kind) {
		item->name.text = name.text;
		item->name.span = name.span;
	}
	return item;
}

#define ITEM_NEW(ps, type, kind, word, name, span) \
	((struct type *)item_new(                  \
	    ps, sizeof(struct type), kind, word, name, span))

static const struct token none;

void
ast_add(struct parser *ps, struct ast_item *item)
{
	vec_push(ps->arena, &ps->file->items, item);
}

struct ast_item *
ast_version(struct parser *ps, struct token word, struct ast_value *version)
{
	struct item_version *it = ITEM_NEW(ps, item_version, ITEM_VERSION, word,
	    none, span_join(word.span, version->span));

	it->version = version;
	return &it->item;
}

struct ast_item *
ast_option(struct parser *ps, struct token word, struct token name,
    struct ast_value *value)
{
	struct item_option *it = ITEM_NEW(ps, item_option, ITEM_OPTION, word,
	    name, span_join(word.span, value->span));

	it->value = value;
	return &it->item;
}

static struct item_list *
list_new(struct parser *ps, struct token word, struct token name,
    struct token type, struct token z)
{
	struct item_list *it =
	    ITEM_NEW(ps, item_list, ITEM_LIST, word, name, span2(word, z));

	it->type_name.text = type.text;
	it->type_name.span = type.span;
	return it;
}

struct ast_item *
ast_list(struct parser *ps, struct token word, struct token name,
    struct token type, struct values *members, struct token z)
{
	struct item_list *it = list_new(ps, word, name, type, z);

	for (size_t i = 0; i < members->list.n; i++) {
		struct ast_value *v = members->list.v[i];
		struct list_entry entry = { v->text, v->span, v->kind };

		vec_push(ps->arena, &it->entries, entry);
	}
	return &it->item;
}

struct ast_item *
ast_list_file(struct parser *ps, struct token word, struct token name,
    struct token type, struct token path, struct token watch)
{
	struct item_list *it =
	    list_new(ps, word, name, type, later(path, watch));

	it->from_file = true;
	it->watch = watch.kind != 0;
	it->path = ast_value(ps, VALUE_STRING, path);
	return &it->item;
}

struct ast_item *
ast_let(struct parser *ps, struct token word, struct token name,
    struct ast_expr *expr)
{
	struct item_let *it = ITEM_NEW(ps, item_let, ITEM_LET, word, name,
	    span_join(word.span, expr->span));

	it->expr = expr;
	return &it->item;
}

struct ast_item *
ast_include(struct parser *ps, struct token word, struct token path)
{
	struct item_include *it = ITEM_NEW(
	    ps, item_include, ITEM_INCLUDE, word, none, span2(word, path));

	it->path = ast_value(ps, VALUE_STRING, path);
	return &it->item;
}

struct ast_item *
ast_otherwise(struct parser *ps, struct token word, struct ast_action *x)
{
	struct item_otherwise *it = ITEM_NEW(ps, item_otherwise, ITEM_OTHERWISE,
	    word, none, span_join(word.span, x->span));

	it->action = x;
	return &it->item;
}

struct ast_item *
ast_reserved(struct parser *ps, struct token first, struct token word,
    struct token name, struct token z)
{
	struct ast_item *it =
	    ITEM_NEW(ps, ast_item, ITEM_RESERVED, first, name, span2(first, z));

	it->word = span2(first, word);
	return it;
}

/* ---- rules ----------------------------------------------------------- */

struct item_rule *
ast_rule_body(struct parser *ps)
{
	return ARENA_NEW(ps->arena, struct item_rule);
}

void
ast_report_twice(struct parser *ps, struct token word, struct span first)
{
	struct diag *d = diag_at(ps->diags, D_TWICE, word.span,
	    "`%.*s` stands twice", STR_ARG(word.text));

	diag_label(ps->diags, d, first, "first here");
	if (str_eq(word.text, STR("when")))
		diag_help(ps->diags, d, "join the conditions with `and`");
	else if (str_eq(word.text, STR("unless")))
		diag_help(ps->diags, d, "join the conditions with `or`");
}

static void
check_order(struct parser *ps, const struct item_rule *rule, struct token word)
{
	struct span first = { 0 };
	struct diag *d;

	if (rule->js)
		first = rule->js->first;
	else if (rule->actions.n)
		first = rule->actions.v[0]->word;
	if (first.end == 0)
		return;
	d = diag_at(ps->diags, D_ORDER, word.span, "`%.*s` stands behind %s",
	    STR_ARG(word.text), rule->js ? "what the rule does" : "an action");
	diag_label(ps->diags, d, first, rule->js ? "it" : "the action");
	diag_help(
	    ps->diags, d, "`at`, `when` and `unless` stand first in a rule");
}

void
ast_rule_at(struct parser *ps, struct item_rule *rule, struct token word,
    struct token stage)
{
	check_order(ps, rule, word);
	if (rule->at.text.n) {
		ast_report_twice(ps, word, rule->at.span);
		return;
	}
	rule->at.text = stage.text;
	rule->at.span = stage.span;
}

static void
set_guard(struct parser *ps, struct ast_expr **when, struct ast_expr **unless,
    struct token word, struct ast_expr *expr)
{
	struct ast_expr **slot = str_eq(word.text, STR("when")) ? when : unless;

	if (*slot)
		ast_report_twice(ps, word, (*slot)->span);
	else
		*slot = expr;
}

void
ast_rule_guard(struct parser *ps, struct item_rule *rule, struct token word,
    struct ast_expr *expr)
{
	check_order(ps, rule, word);
	set_guard(ps, &rule->when, &rule->unless, word, expr);
}

struct item_rule *
ast_rule(struct parser *ps, struct token first, struct token word,
    struct token name, struct token why, struct item_rule *rule, struct token z)
{
	rule->item.kind = ITEM_RULE;
	rule->item.word = first.kind ? span2(first, word) : word.span;
	rule->item.span = span_join(rule->item.word, z.span);
	rule->item.name.text = name.text;
	rule->item.name.span = name.span;
	rule->why = why.text;
	rule->shadow = first.kind && !rule->js;
	rule->group = ps->group;
	return rule;
}

/* ---- groups ---------------------------------------------------------- */

struct item_group *
ast_group_head(
    struct parser *ps, struct token word, struct token name, struct token why)
{
	struct item_group *group =
	    ITEM_NEW(ps, item_group, ITEM_GROUP, word, name, word.span);

	group->why = why.text;
	return group;
}

void
ast_group_guard(struct parser *ps, struct item_group *group, struct token word,
    struct ast_expr *expr)
{
	set_guard(ps, &group->when, &group->unless, word, expr);
}

void
ast_group_open(struct parser *ps, struct item_group *group, struct token open)
{
	group->item.span = span_join(group->item.word, open.span);
	ps->group = group;
	ast_add(ps, &group->item);
}

void
ast_group_add(struct parser *ps, struct item_rule *rule)
{
	vec_push(ps->arena, &ps->group->rules, rule);
}

void
ast_group_close(struct parser *ps, struct token z)
{
	ps->group->item.span.end = z.span.end;
	ps->group = NULL;
}
