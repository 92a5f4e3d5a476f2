#include "compiler/passes.h"

/* ---- declarations ------------------------------------------------------ */

static const char *
item_words(const struct ast_item *item)
{
	switch (item->kind) {
	case ITEM_LIST:
		return "a list";
	case ITEM_LET:
		return "a definition";
	case ITEM_RULE:
		return "a rule";
	case ITEM_GROUP:
		return "a group";
	case ITEM_RESERVED:
	case ITEM_VERSION:
	case ITEM_OPTION:
	case ITEM_INCLUDE:
	case ITEM_OTHERWISE:
	case ITEM_TEST:
		break;
	}
	return "an item";
}

static void
declare(struct resolver *r, struct name_table *table, struct ast_item *item,
    enum diag_id id)
{
	if (item->name.text.n == 0)
		return;

	struct ast_item *first = name_add(table, item);

	/* A reserved item has its own diagnostic. */
	if (!first || item->kind == ITEM_RESERVED ||
	    first->kind == ITEM_RESERVED)
		return;

	struct diag *d =
	    diag_at(r->diags, id, item->name.span, "`%.*s` is %s already",
		STR_ARG(item->name.text), item_words(first));

	diag_label(r->diags, d, first->name.span, "first defined here");
}

/* A list or definition of an attribute's name could never be reached. */
static void
declare_value(struct resolver *r, struct ast_item *item)
{
	declare(r, &r->values, item, D_DUPLICATE_NAME);
	if (attr_find(item->name.text) == ATTR_NONE &&
	    reserved_find(item->name.text, false).n == 0)
		return;
	diag_at(r->diags, D_NAME_TAKEN, item->name.span,
	    "`%.*s` is the name of an attribute", STR_ARG(item->name.text));
}

/*
 * Claims are named like rules; a name in the wrong table could
 * only make an unknown name go unsaid beside the refusal.
 */
static void
declare_reserved(struct resolver *r, struct ast_item *item)
{
	declare(r, &r->values, item, D_DUPLICATE_NAME);
	declare(r, &r->rules, item, D_DUPLICATE_RULE);
}

static void
declare_all(struct resolver *r)
{
	for (size_t i = 0; i < r->items.n; i++) {
		struct ast_item *item = r->items.v[i];

		if (item->kind == ITEM_LIST || item->kind == ITEM_LET)
			declare_value(r, item);
		if (item->kind == ITEM_RULE || item->kind == ITEM_GROUP)
			declare(r, &r->rules, item, D_DUPLICATE_RULE);
		if (item->kind == ITEM_RESERVED)
			declare_reserved(r, item);
		if (item->kind != ITEM_GROUP)
			continue;

		struct item_group *g = (struct item_group *)item;

		for (size_t k = 0; k < g->rules.n; k++)
			declare(r, &r->rules, &g->rules.v[k]->item,
			    D_DUPLICATE_RULE);
	}
}

/* ---- items ------------------------------------------------------------- */

static void
refuse_item(struct resolver *r, const struct ast_item *item)
{
	diag_at(r->diags, D_RESERVED_ITEM, item->word,
	    "`%.*s` is not available in this version",
	    STR_ARG(source_words(r->c, item->word)));
}

static void
resolve_rule(struct resolver *r, struct item_rule *rule)
{
	struct capture_scope scope = { 0 };

	r->reserved_seen = false;
	if (rule->at.text.n > 0)
		resolve_stage(r, &rule->at, &rule->pin);
	resolve_condition(r, rule->when, NULL);
	resolve_condition(r, rule->unless, NULL);
	r->mark++;
	if (rule->group) {
		captures_of(r, rule->group->when, &scope);
		captures_of(r, rule->group->unless, &scope);
	}
	captures_of(r, rule->when, &scope);
	captures_of(r, rule->unless, &scope);
	for (size_t i = 0; i < rule->actions.n; i++)
		resolve_action(r, rule->actions.v[i], &scope);
	if (rule->js)
		resolve_js(r, rule);
	if (rule->actions.n > 0 || rule->js || r->partial)
		return;

	struct diag *d = diag_at(r->diags, D_NO_ACTION, rule->item.name.span,
	    "`%.*s` does nothing", STR_ARG(rule->item.name.text));

	diag_help(r->diags, d, "write what it does, such as: accept");
}

static void
resolve_group(struct resolver *r, struct item_group *g)
{
	resolve_condition(r, g->when, NULL);
	resolve_condition(r, g->unless, NULL);
	for (size_t i = 0; i < g->rules.n; i++)
		resolve_rule(r, g->rules.v[i]);
}

static void
resolve_let(struct resolver *r, struct item_let *let)
{
	r->let = let;
	resolve_condition(r, let->expr, NULL);
	r->let = NULL;
}

static void
resolve_option(struct resolver *r, struct item_option *o, struct ast_item **set)
{
	int option = option_by_name(o->item.name.text);
	names_vec names = { 0 };
	struct diag *d;

	if (option < 0) {
		d = diag_at(r->diags, D_UNKNOWN_OPTION, o->item.name.span,
		    "there is no option `%.*s`", STR_ARG(o->item.name.text));
		for (int i = 0; i < OPTION_COUNT; i++)
			vec_push(r->arena, &names, option_rows[i].name);
		help_nearest(r->diags, d, o->item.name.text, &names);
	} else if (set[option]) {
		d = diag_at(r->diags, D_DUPLICATE_OPTION, o->item.name.span,
		    "`%.*s` is set already", STR_ARG(o->item.name.text));
		diag_label(
		    r->diags, d, set[option]->name.span, "first set here");
	} else {
		set[option] = &o->item;
	}
}

static void
resolve_otherwise(
    struct resolver *r, struct item_otherwise *o, struct ast_item **first)
{
	r->reserved_seen = false;
	if (*first) {
		struct diag *d = diag_at(r->diags, D_TWO_OTHERWISE,
		    o->item.word, "`otherwise` stands twice");

		diag_label(r->diags, d, (*first)->word, "first here");
	} else {
		*first = &o->item;
	}
	if (o->action)
		resolve_action(r, o->action, NULL);
}

/* ---- version ----------------------------------------------------------- */

static void
check_version_value(struct resolver *r, const struct item_version *v)
{
	if (v->version && !str_eq(v->version->text, STR("1"))) {
		struct diag *d =
		    diag_at(r->diags, D_BAD_VERSION, v->version->span,
			"this compiler knows version 1, not `%.*s`",
			STR_ARG(source_words(r->c, v->version->span)));

		diag_help(r->diags, d, "write: milt 1");
	}
}

/* In one file: first, once; the file named must have it. */
static void
resolve_version(struct resolver *r, const struct ast_file *file)
{
	const struct ast_item *first = NULL;

	for (size_t i = 0; i < file->items.n; i++) {
		const struct ast_item *item = file->items.v[i];

		if (item->kind != ITEM_VERSION)
			continue;
		if (first || (i > 0 && !r->partial)) {
			struct diag *d =
			    diag_at(r->diags, D_VERSION_PLACE, item->span,
				first ? "the version stands twice"
				      : "the version is not the first item");

			diag_label(r->diags, d,
			    first ? first->span : file->items.v[0]->word,
			    first ? "first here" : "this is");
		} else {
			check_version_value(r, (struct item_version *)item);
		}
		if (!first)
			first = item;
	}
	if (first || file != r->c->file || r->partial)
		return;

	struct span at = { file->source, 0, 0 };
	struct diag *d = diag_at(r->diags, D_NO_VERSION,
	    file->items.n ? file->items.v[0]->word : at,
	    "the policy does not say its version");

	diag_help(r->diags, d, "write as the first line: milt 1");
}

/* ---- the pass ---------------------------------------------------------- */

static void
resolve_item(struct resolver *r, struct ast_item *item,
    struct ast_item **otherwise, struct ast_item **options)
{
	switch (item->kind) {
	case ITEM_OPTION:
		resolve_option(r, (struct item_option *)item, options);
		break;
	case ITEM_LIST:
		resolve_list(r, (struct item_list *)item);
		break;
	case ITEM_RULE:
		resolve_rule(r, (struct item_rule *)item);
		break;
	case ITEM_GROUP:
		resolve_group(r, (struct item_group *)item);
		break;
	case ITEM_OTHERWISE:
		resolve_otherwise(r, (struct item_otherwise *)item, otherwise);
		break;
	case ITEM_TEST:
		resolve_test(r, (struct item_test *)item);
		break;
	case ITEM_RESERVED:
		refuse_item(r, item);
		break;
	case ITEM_LET: /* resolved before the others */
	case ITEM_VERSION:
	case ITEM_INCLUDE:
		break;
	}
}

/* Was something lost of what the files say? */
static bool
is_partial(const struct diags *ds)
{
	for (size_t i = 0; i < ds->list.n; i++) {
		enum diag_id id = ds->list.v[i]->id;

		if (diag_rows[id].severity == SEVERITY_ERROR &&
		    id != D_BAD_ESCAPE && id != D_BAD_CODE &&
		    id != D_BAD_INDEX && id != D_BAD_FIELD &&
		    id != D_INCLUDE_CYCLE)
			return true;
	}
	return false;
}

void
pass_resolve(struct compilation *c)
{
	struct resolver r = {
		.c = c,
		.arena = &c->arena,
		.diags = &c->diags,
		.items = policy_items(c),
		.values.arena = &c->arena,
		.rules.arena = &c->arena,
		.partial = is_partial(&c->diags),
	};
	struct ast_item *otherwise = NULL;
	struct ast_item *options[OPTION_COUNT] = { NULL };

	if (!c->file)
		return;
	declare_all(&r);
	for (size_t i = 0; i < c->files.n; i++)
		resolve_version(&r, c->files.v[i]);
	/* Definitions first: texts look through them. */
	for (size_t i = 0; i < r.items.n; i++)
		if (r.items.v[i]->kind == ITEM_LET)
			resolve_let(&r, (struct item_let *)r.items.v[i]);
	resolve_let_order(&r);
	for (size_t i = 0; i < r.items.n; i++)
		resolve_item(&r, r.items.v[i], &otherwise, options);
}
