#include "compiler/passes.h"

static bool
is_rule_like(const struct ast_item *item)
{
	return item->kind == ITEM_RULE || item->kind == ITEM_RESERVED;
}

static void
report_given(struct resolver *r, struct span span, const char *fact,
    const struct ast_item *rule)
{
	struct diag *d = diag_at(r->diags, D_GIVEN_JS, span, "`%.*s` %s",
	    STR_ARG(rule->name.text), fact);

	diag_label(r->diags, d, rule->name.span, "declared here");
}

/* A verdict that is not among those behind `may`. */
static bool
may_not_give(const struct ast_js *js, const struct ast_action *verdict)
{
	for (size_t i = 0; i < js->may.n; i++)
		if (str_eq(
			js->may.v[i]->text, action_rows[verdict->action].name))
			return false;
	return js->may.n > 0;
}

/* The rule of that name; NULL where there is none: reported. */
static struct ast_item *
find_rule(struct resolver *r, const struct ast_name *name)
{
	struct ast_item *item = name_find(&r->rules, name->text);
	names_vec names = { 0 };

	if (item && is_rule_like(item))
		return item;
	if (!item && r->partial)
		return NULL;

	struct diag *d = diag_at(r->diags, D_UNKNOWN_RULE, name->span,
	    item ? "`%.*s` is a group, not a rule" : "there is no rule `%.*s`",
	    STR_ARG(name->text));

	if (item)
		return NULL;
	if (!suggestions_wanted(r->diags))
		return NULL;
	add_item_names(r->arena, &names, &r->items, ITEM_RULE);
	vec_push(r->arena, &names, STR("default"));
	help_nearest(r->diags, d, name->text, &names);
	return NULL;
}

static void
resolve_given_js(struct resolver *r, struct ast_fact *f)
{
	struct ast_item *item = find_rule(r, &f->name);
	const struct item_rule *rule = (struct item_rule *)item;
	names_vec words = { 0 };

	if (f->word.text.n && !str_eq(f->word.text, STR("nothing")) &&
	    !str_eq(f->word.text, STR("fails"))) {
		struct diag *d = diag_at(r->diags, D_GIVEN_JS, f->word.span,
		    "`%.*s` is no answer", STR_ARG(f->word.text));

		vec_push(r->arena, &words, STR("nothing"));
		vec_push(r->arena, &words, STR("fails"));
		help_nearest(r->diags, d, f->word.text, &words);
	}
	if (!item || item->kind != ITEM_RULE)
		return;
	if (!rule->js)
		report_given(r, f->name.span, "is no js rule", item);
	else if (f->verdict && may_not_give(rule->js, f->verdict))
		report_given(
		    r, f->verdict->span, "may not give that verdict", item);
}

static void
resolve_by(struct resolver *r, struct ast_expect *e)
{
	struct ast_item *item = find_rule(r, &e->by);

	if (!item || item->kind != ITEM_RULE)
		return;

	bool shadow = ((struct item_rule *)item)->shadow;

	if (shadow == (e->kind == EXPECT_SHADOW))
		return;

	struct diag *d = diag_at(r->diags, D_EXPECT_NEVER, e->by.span,
	    shadow ? "`%.*s` is a shadow rule" : "`%.*s` is no shadow rule",
	    STR_ARG(e->by.text));

	diag_label(r->diags, d, item->name.span, "declared here");
	if (shadow)
		diag_help(r->diags, d, "write: expect shadow %.*s",
		    STR_ARG(e->by.text));
}

bool
resolve_stage(
    struct resolver *r, const struct ast_name *at, enum milt_stage *out)
{
	int stage = stage_find(at->text);
	names_vec names = { 0 };

	if (stage >= 0) {
		*out = (enum milt_stage)stage;
		return true;
	}

	struct diag *d = diag_at(r->diags, D_UNKNOWN_STAGE, at->span,
	    "there is no stage `%.*s`", STR_ARG(at->text));

	for (int s = 0; s < STAGE_COUNT; s++)
		vec_push(r->arena, &names, stage_rows[s].name);
	help_nearest(r->diags, d, at->text, &names);
	return false;
}

static void
resolve_fact(struct resolver *r, struct ast_fact *f)
{
	names_vec names = { 0 };

	if (f->kind == FACT_GIVEN) {
		diag_at(r->diags, D_RESERVED_FORM, f->span,
		    "`given %.*s` is not available in this version",
		    STR_ARG(f->name.text));
		return;
	}
	if (f->kind == FACT_GIVEN_JS) {
		resolve_given_js(r, f);
		return;
	}
	if (f->kind == FACT_RECIPIENT)
		f->attr = ATTR_RECIPIENT;
	if (f->kind != FACT_ATTRIBUTE)
		return;
	f->attr = attr_find(f->name.text);
	if (f->attr != ATTR_NONE)
		return;
	if (reserved_find(f->name.text, false).n > 0) {
		report_reserved(r->diags, f->name.span, f->name.text);
		return;
	}

	struct diag *d = diag_at(r->diags, D_UNKNOWN_NAME, f->name.span,
	    "there is no attribute `%.*s`", STR_ARG(f->name.text));

	if (!suggestions_wanted(r->diags))
		return;
	add_attr_names(r->arena, &names);
	help_nearest(r->diags, d, f->name.text, &names);
}

static void
resolve_expect(struct resolver *r, struct ast_expect *e)
{
	if (e->by.text.n > 0 && !e->by_default)
		resolve_by(r, e);
	if (e->at.text.n > 0)
		resolve_stage(r, &e->at, &e->stage);
	if (e->effect && e->effect->action == ACTION_NONE)
		diag_at(r->diags, D_RESERVED_ACTION, e->effect->word,
		    "`%.*s` is not available in this version",
		    STR_ARG(e->effect->refused));
	if (e->effect && e->effect->where) {
		struct ast_expr *w = e->effect->where;

		diag_at(r->diags, D_EXPECT_NEVER, w->span,
		    "an expected effect has no condition");
	}
}

void
resolve_test(struct resolver *r, struct item_test *t)
{
	for (size_t i = 0; i < t->facts.n; i++)
		resolve_fact(r, t->facts.v[i]);
	for (size_t i = 0; i < t->expects.n; i++)
		resolve_expect(r, t->expects.v[i]);
	if (t->expects.n > 0 || r->partial)
		return;

	struct diag *d = diag_at(r->diags, D_NO_EXPECTATION, t->item.name.span,
	    "this test expects nothing");

	diag_help(r->diags, d, "write what comes out, such as: expect accept");
}
