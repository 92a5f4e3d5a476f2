#include "compiler/lint.h"

/* ---- unused definitions, missing tests --------------------------------- */

static void
lint_unused(struct compilation *c, const struct policy_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		struct ast_item *it = items->v[i];

		if (it->kind == ITEM_LIST && !((struct item_list *)it)->used)
			diag_at(&c->diags, D_LIST_UNUSED, it->name.span,
			    "list `%.*s` is not used", STR_ARG(it->name.text));
		if (it->kind == ITEM_LET && !((struct item_let *)it)->used)
			diag_at(&c->diags, D_LET_UNUSED, it->name.span,
			    "definition `%.*s` is not used",
			    STR_ARG(it->name.text));
	}
}

static void
lint_no_tests(struct compilation *c)
{
	struct span begin = { c->file->source, 0, 0 };
	struct diag *d;

	if (c->ir->tests.n || !c->ir->rules.n)
		return;
	d = diag_at(&c->diags, D_NO_TESTS, begin, "the policy has no tests");
	diag_help(&c->diags, d,
	    "add one for each rule: test \"who is refused\" { helo "
	    "\"client.example\" expect reject by rule-name }");
}

static void
lint_delays(struct compilation *c)
{
	for (size_t i = 0; i < c->ir->rules.n; i++) {
		const struct ir_rule *r = c->ir->rules.v[i];

		for (size_t k = 0; k < r->actions.n; k++) {
			const struct ir_action *a = r->actions.v[k];

			struct diag *d;

			if (a->action != ACTION_DELAY || a->milliseconds)
				continue;
			d = diag_at(&c->diags, D_DELAY_NOTHING,
			    a->ast->duration->span,
			    "a delay of no time does nothing");
			diag_help(&c->diags, d,
			    "take it out, or write how long: delay 5s");
		}
	}
}

/* ---- negations over values that may be missing ------------------------- */

static bool
is_always_there(enum milt_attr attr)
{
	switch (attr_rows[attr].source) {
	case SOURCE_CLOCK:
	case SOURCE_BODY:
	case SOURCE_SIZES:
		return true;
	case SOURCE_MACRO:
		return attr == ATTR_MTA_NAME || attr == ATTR_QUEUE_ID ||
		       attr == ATTR_DAEMON_IP || attr == ATTR_DAEMON_PORT;
	case SOURCE_AUTHRES:
		/* No result is not a pass: that is what is meant. */
		return attr_rows[attr].type == TYPE_RESULT;
	case SOURCE_HEADER:
		return attr == ATTR_ALL_HEADERS_NAME ||
		       attr == ATTR_ALL_HEADERS_VALUE;
	case SOURCE_PARTS:
		return attr == ATTR_PART_TYPE || attr == ATTR_PART_DEPTH ||
		       attr_rows[attr].type == TYPE_BOOLEAN;
	case SOURCE_URLS:
		return attr == ATTR_URL || attr == ATTR_URL_DECEPTIVE;
	case SOURCE_FILES:
	case SOURCE_KINDS:
		return attr != ATTR_FILE_NAME && attr != ATTR_FILE_TYPE &&
		       attr != ATTR_FILE_EXTENSION &&
		       attr != ATTR_FILE_EXTENSIONS;
	case SOURCE_TEXTS:
	case SOURCE_DIGESTS:
	case SOURCE_FILE_TEXTS:
	case SOURCE_ARG:
		break;
	}
	switch (attr_rows[attr].from) {
	case STAGE_CONNECT:
		return attr != ATTR_CLIENT_NAME &&
		       attr != ATTR_CLIENT_ORG_DOMAIN;
	case STAGE_MAIL:
		return attr == ATTR_SENDER || attr == ATTR_SENDER_ADDRESS;
	case STAGE_HELO:
		return attr != ATTR_HELO_ORG_DOMAIN;
	case STAGE_RCPT:
	case STAGE_DATA:
		return attr != ATTR_RECIPIENT_DETAIL &&
		       attr != ATTR_RECIPIENTS_DETAIL;
	case STAGE_HEADERS:
	case STAGE_MESSAGE:
	case STAGE_COUNT:
		break;
	}
	return false;
}

/* Values whose existence is tested in a condition. */
typedef VEC(const struct ast_value *) value_vec;

static void
find_exists(struct arena *a, const struct ast_expr *e, value_vec *out)
{
	if (!e)
		return;
	if (e->kind == EXPR_EXISTS || e->kind == EXPR_ABSENT)
		vec_push(a, out, e->left);
	find_exists(a, e->a, out);
	find_exists(a, e->b, out);
}

/* `header.from exists` speaks for header.from.domain too. */
static bool
is_tested(const struct ast_value *v, const value_vec *tested)
{
	struct str name = attr_rows[v->attr].name;

	for (size_t i = 0; i < tested->n; i++) {
		const struct ast_value *t = tested->v[i];

		if (str_starts(name, attr_rows[t->attr].name) &&
		    str_eq_ascii(t->key, v->key))
			return true;
	}
	return false;
}

static bool
is_negation(const struct ast_expr *e)
{
	return e->kind == EXPR_COMPARE && e->negated;
}

static void
lint_negation(
    struct compilation *c, const struct ast_expr *e, const value_vec *tested)
{
	const struct ast_expr *compare = NULL;
	struct diag *d;

	if (!e)
		return;
	if (is_negation(e))
		compare = e;
	else if (e->kind == EXPR_NOT && e->a->kind == EXPR_COMPARE)
		compare = e->a;
	if (compare && compare->left->attr != ATTR_NONE &&
	    compare->left->kind != VALUE_COUNT &&
	    !is_always_there(compare->left->attr) &&
	    !is_tested(compare->left, tested)) {
		struct str words = source_words(c, compare->left->span);

		d = diag_at(&c->diags, D_NEGATED_MISSING, e->span,
		    "this holds, too, where `%.*s` is missing", STR_ARG(words));
		diag_help(&c->diags, d,
		    "if it must be there write: %.*s exists and ...; if that "
		    "is meant write: (%.*s absent or ...)",
		    STR_ARG(words), STR_ARG(words));
		return;
	}
	lint_negation(c, e->a, tested);
	lint_negation(c, e->b, tested);
}

static void
lint_rule_negations(struct compilation *c, const struct item_rule *r)
{
	value_vec tested = { 0 };

	find_exists(&c->arena, r->when, &tested);
	find_exists(&c->arena, r->unless, &tested);
	if (r->group) {
		find_exists(&c->arena, r->group->when, &tested);
		find_exists(&c->arena, r->group->unless, &tested);
	}
	lint_negation(c, r->when, &tested);
	lint_negation(c, r->unless, &tested);
}

void
lint_negations(struct compilation *c)
{
	for (size_t i = 0; i < c->ir->rules.n; i++)
		if (c->ir->rules.v[i]->ast)
			lint_rule_negations(c, c->ir->rules.v[i]->ast);
}

void
pass_lint(struct compilation *c)
{
	struct policy_items items = policy_items(c);

	lint_unused(c, &items);
	lint_no_tests(c);
	lint_delays(c);
	lint_lists(c);
	lint_rules(c);
	lint_negations(c);
	lint_regexes(c);
	lint_js(c);
}
