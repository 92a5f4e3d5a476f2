#include "compiler/passes.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- options ----------------------------------------------------------- */

static void
report_option(struct checker *k, const struct item_option *o, const char *takes)
{
	struct diag *d = diag_at(k->diags, D_OPTION_VALUE, o->value->span,
	    "`%.*s` takes %s", STR_ARG(o->item.name.text), takes);
	int option = option_by_name(o->item.name.text);

	diag_help(k->diags, d, "such as: option %.*s %.*s",
	    STR_ARG(option_rows[option].name),
	    STR_ARG(option_rows[option].example));
}

static void
check_option_number(struct checker *k, const struct item_option *o,
    const struct option_row *row)
{
	long long n;
	bool size = row->kind == OPTION_SIZE;

	if (o->value->kind != VALUE_ATOM ||
	    !(size ? literal_size : literal_number)(o->value->text, &n)) {
		report_option(k, o, size ? "a size" : "a number");
		return;
	}
	if (n >= row->min && n <= row->max)
		return;
	diag_at(k->diags, D_NUMBER_RANGE, o->value->span,
	    "`%.*s` is from %lld to %lld", STR_ARG(row->name), row->min,
	    row->max);
}

static void
check_option_choice(
    struct checker *k, const struct item_option *o, enum milt_option option)
{
	struct str words = STR("");

	for (size_t i = 0; i < choice_row_count; i++) {
		if (choice_rows[i].option != option)
			continue;
		if (o->value->kind == VALUE_NAME &&
		    str_eq(o->value->text, choice_rows[i].word))
			return;
		words = arena_printf(k->arena, "%.*s%s%.*s", STR_ARG(words),
		    words.n ? " or " : "", STR_ARG(choice_rows[i].word));
	}
	report_option(k, o, words.p);
}

/* A name of the system's time zone database. */
static bool
time_zone_is_known(struct checker *k, struct str name)
{
	const char *dir = getenv("TZDIR");
	struct stat st;

	if (str_eq(name, STR("UTC")))
		return true;
	for (size_t i = 0; i < name.n; i++)
		if (!name.p[i] || (name.p[i] == '.' && i + 1 < name.n &&
				      name.p[i + 1] == '.'))
			return false;
	if (name.n == 0 || name.p[0] == '/')
		return false;

	struct str path = arena_printf(k->arena, "%s/%.*s",
	    dir ? dir : "/usr/share/zoneinfo", STR_ARG(name));

	return stat(path.p, &st) == 0 && S_ISREG(st.st_mode);
}

static void
check_option_text(
    struct checker *k, const struct item_option *o, enum milt_option option)
{
	const struct option_row *row = &option_rows[option];
	struct str text = o->value->text;

	if (o->value->kind != VALUE_STRING) {
		report_option(k, o, "a text in quotes");
		return;
	}
	if ((long long)text.n < row->min || (long long)text.n > row->max)
		diag_at(k->diags, D_NUMBER_RANGE, o->value->span,
		    "`%.*s` has from %lld to %lld octets", STR_ARG(row->name),
		    row->min, row->max);
	else if (option == OPTION_TIME_ZONE && !time_zone_is_known(k, text))
		diag_at(k->diags, D_TIME_ZONE, o->value->span,
		    "this system knows no time zone `%.*s`", STR_ARG(text));
}

void
check_option(struct checker *k, struct item_option *o)
{
	int option = option_by_name(o->item.name.text);

	if (option < 0 || !o->value)
		return;
	switch (option_rows[option].kind) {
	case OPTION_NUMBER:
	case OPTION_SIZE:
		check_option_number(k, o, &option_rows[option]);
		break;
	case OPTION_CHOICE:
		check_option_choice(k, o, (enum milt_option)option);
		break;
	case OPTION_TEXT:
		check_option_text(k, o, (enum milt_option)option);
		break;
	}
}

/* ---- items ------------------------------------------------------------- */

static void
check_guards(struct checker *k, struct ast_expr *when, struct ast_expr *unless)
{
	if (when)
		check_condition(k, when, 0);
	if (unless)
		check_condition(k, unless, 0);
}

static void
check_rule(struct checker *k, struct item_rule *rule)
{
	check_guards(k, rule->when, rule->unless);
	check_actions(k, rule);
	if (rule->js)
		check_js(k, rule);
}

static void
check_group(struct checker *k, struct item_group *g)
{
	check_guards(k, g->when, g->unless);
	for (size_t i = 0; i < g->rules.n; i++)
		check_rule(k, g->rules.v[i]);
}

static void
check_item(struct checker *k, struct ast_item *item)
{
	switch (item->kind) {
	case ITEM_OPTION:
		check_option(k, (struct item_option *)item);
		break;
	case ITEM_LIST:
		if (((struct item_list *)item)->type != TYPE_NONE)
			check_list_entries(k, (struct item_list *)item);
		break;
	case ITEM_LET:
		check_let(k, (struct item_let *)item);
		break;
	case ITEM_RULE:
		check_rule(k, (struct item_rule *)item);
		break;
	case ITEM_GROUP:
		check_group(k, (struct item_group *)item);
		break;
	case ITEM_OTHERWISE:
		if (((struct item_otherwise *)item)->action)
			check_action(
			    k, ((struct item_otherwise *)item)->action);
		break;
	case ITEM_TEST:
		check_test(k, (struct item_test *)item);
		break;
	case ITEM_VERSION:
	case ITEM_INCLUDE:
	case ITEM_RESERVED:
		break;
	}
}

void
pass_check(struct compilation *c)
{
	struct checker k = { c, &c->arena, &c->diags };
	struct policy_items items = policy_items(c);

	for (size_t i = 0; i < items.n; i++)
		check_item(&k, items.v[i]);
}
