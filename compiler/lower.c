/* From the checked syntax tree to the ir: items, rules, actions, options. */
#include "compiler/lower.h"

#include "compiler/passes.h"

/* ---- actions -------------------------------------------------------- */

static unsigned
default_code(enum milt_action action)
{
	return action == ACTION_REJECT ? 550 : 451;
}

static struct str
default_xcode(enum milt_action action)
{
	return action == ACTION_REJECT ? STR("5.7.1") : STR("4.7.1");
}

static struct str
default_text(enum milt_action action)
{
	return action == ACTION_REJECT
		   ? STR("Refused")
		   : STR("Temporary failure, try again later");
}

static struct ir_action *
lower_action(struct lower *l, struct ast_action *from, const struct origins *o)
{
	struct ir_action *a = ARENA_NEW(l->arena, struct ir_action);

	a->action = from->action;
	a->ast = from;
	a->index = from->index;
	a->milliseconds = from->milliseconds;
	if (a->action == ACTION_REJECT || a->action == ACTION_TEMPFAIL) {
		a->code = from->code ? from->code : default_code(a->action);
		a->xcode =
		    from->xcode.n ? from->xcode : default_xcode(a->action);
	}
	for (size_t i = 0; i < from->texts.n; i++)
		vec_push(l->arena, &a->texts,
		    lower_template(l, from->texts.v[i], o));
	/* Only `on failure` may say nothing. */
	if (a->code && !a->texts.n)
		vec_push(l->arena, &a->texts,
		    lower_literal(l, default_text(a->action)));
	if (from->name)
		a->name = lower_template(l, from->name, o);
	if (from->address)
		a->address = lower_template(l, from->address, o);
	if (from->where)
		a->where = lower_where(l, from->where);
	return a;
}

static bool
action_names_recipient(const struct ir_action *a)
{
	for (size_t i = 0; i < a->texts.n; i++)
		if (a->texts.v[i]->recipient)
			return true;
	return (a->name && a->name->recipient) ||
	       (a->address && a->address->recipient) ||
	       (a->where && a->where->recipient);
}

static void
add_action(struct lower *l, struct ir_rule *r, struct ast_action *from,
    const struct origins *o)
{
	struct ir_action *a = lower_action(l, from, o);

	vec_push(l->arena, &r->actions, a);
	r->recipient |= action_names_recipient(a);
	if (action_rows[a->action].kind != ACTION_VERDICT)
		return;
	if (!r->shadow)
		r->verdict = a->action;
	for (size_t i = 0; i < a->texts.n; i++)
		if (a->texts.v[i]->last > r->text_last)
			r->text_last = a->texts.v[i]->last;
}

/* ---- rules ---------------------------------------------------------- */

static struct ir_node *
and_guard(struct lower *l, struct ir_node *n, const struct ast_expr *when,
    const struct ast_expr *unless)
{
	if (when)
		n = node_and(&l->nodes, n, lower_expr(l, when));
	if (unless)
		n = node_and(
		    &l->nodes, n, node_not(&l->nodes, lower_expr(l, unless)));
	return n;
}

static void
fill_known(struct ir_rule *r)
{
	r->known = r->condition->last;
	if (r->verdict != ACTION_NONE && r->text_last > r->known)
		r->known = r->text_last;
	if (r->pinned && r->pin > r->known)
		r->known = r->pin;
	if (r->js && r->js->body)
		r->known = STAGE_MESSAGE;
	r->kinds = (r->verdict != ACTION_NONE ? 1U << r->verdict : 0) |
		   (r->js ? r->js->may : 0);
}

static void
lower_rule(struct lower *l, struct item_rule *from)
{
	struct ir_rule *r = ARENA_NEW(l->arena, struct ir_rule);
	struct ir_node *n = node_const(&l->nodes, true);
	struct origins o;

	if (from->group)
		n = and_guard(l, n, from->group->when, from->group->unless);
	r->condition = and_guard(l, n, from->when, from->unless);
	r->number = (unsigned)l->ir->rules.n;
	r->name = from->item.name.text;
	r->why = from->why;
	r->span = from->item.name.span;
	r->shadow = from->shadow;
	r->pinned = from->at.text.n && !from->shadow;
	r->pin = from->pin;
	r->ast = from;
	r->recipient = r->condition->recipient;
	o = origins_of(l, r->condition);
	for (size_t i = 0; i < from->actions.n; i++)
		add_action(l, r, from->actions.v[i], &o);
	if (from->js)
		r->js = lower_js(l, from->js, r->recipient, &o);
	fill_known(r);
	vec_push(l->arena, &l->ir->rules, r);
}

static void
lower_otherwise(struct lower *l, struct item_otherwise *from)
{
	struct ir_rule *r = ARENA_NEW(l->arena, struct ir_rule);
	struct origins none = { 0 };

	r->name = STR("default");
	r->condition = node_const(&l->nodes, true);
	if (from) {
		r->span = from->item.word;
		add_action(l, r, from->action, &none);
	} else {
		struct ast_action *accept =
		    ARENA_NEW(l->arena, struct ast_action);

		accept->action = ACTION_ACCEPT;
		r->span.source = l->c->file->source;
		add_action(l, r, accept, &none);
	}
	fill_known(r);
	l->ir->otherwise = r;
}

/* ---- options
 * ------------------------------------------------------------------ */

static void
default_options(struct ir *ir)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		ir->options[i] = option_rows[i].number;
		ir->option_texts[i] = option_rows[i].text;
	}
}

static void
set_choice(struct ir *ir, int option, struct str word)
{
	for (size_t i = 0; i < choice_row_count; i++)
		if ((int)choice_rows[i].option == option &&
		    str_eq(choice_rows[i].word, word))
			ir->options[option] = choice_rows[i].choice;
}

static void
lower_option(struct lower *l, const struct item_option *from)
{
	int option = option_by_name(from->item.name.text);
	const struct ast_value *v = from->value;
	long long number;

	if (option < 0)
		return;
	l->ir->option_set[option] = true;
	switch (option_rows[option].kind) {
	case OPTION_NUMBER:
		if (literal_number(v->text, &number))
			l->ir->options[option] = number;
		return;
	case OPTION_SIZE:
		if (literal_size(v->text, &number))
			l->ir->options[option] = number;
		return;
	case OPTION_CHOICE:
		set_choice(l->ir, option, v->text);
		return;
	case OPTION_TEXT:
		l->ir->option_texts[option] = v->text;
		return;
	}
}

/* ---- items
 * ---------------------------------------------------------------------- */

/*
 * An item with errors is left out: the others are lowered for the sake of what
 * is to be said of them.
 */
static void
lower_item(
    struct lower *l, struct ast_item *item, struct item_otherwise **otherwise)
{
	struct item_group *group;

	if (has_error_in(l->c, item->span))
		return;
	switch (item->kind) {
	case ITEM_RULE:
		lower_rule(l, (struct item_rule *)item);
		return;
	case ITEM_GROUP:
		group = (struct item_group *)item;
		for (size_t i = 0; i < group->rules.n; i++)
			lower_rule(l, group->rules.v[i]);
		return;
	case ITEM_OTHERWISE:
		*otherwise = (struct item_otherwise *)item;
		return;
	case ITEM_TEST:
		/* Those of an included file test that file by itself. */
		if (item->span.source != l->c->file->source)
			return;
		vec_push(l->arena, &l->ir->tests, (struct item_test *)item);
		return;
	case ITEM_LIST:
		lower_list(l, (struct item_list *)item);
		return;
	case ITEM_OPTION:
	case ITEM_VERSION:
	case ITEM_LET:
	case ITEM_INCLUDE:
	case ITEM_RESERVED:
		return;
	}
}

void
pass_lower(struct compilation *c)
{
	struct item_otherwise *otherwise = NULL;
	struct policy_items items = policy_items(c);
	struct lower *l = ARENA_NEW(&c->arena, struct lower);

	l->c = c;
	l->arena = &c->arena;
	l->ir = c->ir = ARENA_NEW(&c->arena, struct ir);
	l->ir->arena = &c->arena;
	l->ir->diags = &c->diags;
	node_maker_init(&l->nodes, l->ir);
	intern_init(&l->lets, l->arena);
	intern_init(&l->sets, l->arena);
	intern_init(&l->regexes, l->arena);
	intern_init(&l->origins, l->arena);
	default_options(l->ir);
	for (size_t i = 0; i < items.n; i++)
		if (items.v[i]->kind == ITEM_OPTION)
			lower_option(l, (struct item_option *)items.v[i]);
	for (size_t i = 0; i < items.n; i++)
		lower_item(l, items.v[i], &otherwise);
	lower_otherwise(l, otherwise);
}
