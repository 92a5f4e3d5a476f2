#include "compiler/gen.h"

#include <stdio.h>

#include "dsl/arena.h"
#include "dsl/diag.h"
#include "dsl/tables.h"

static const struct form *form;
static struct arena arena;

static size_t columns; /* of the table that is being printed */

static void
begin(const char *const *head, size_t n)
{
	columns = n;
	form->begin(head, n);
}

static void
row(const struct str *cells)
{
	form->row(cells, columns);
}

static struct str
code(struct str s)
{
	return s.n ? arena_printf(&arena, "`%.*s`", STR_ARG(s)) : s;
}

static void
print_stages(void)
{
	static const char *const head[] = { "stage", "when", "" };

	begin(head, 3);
	for (int i = 0; i < STAGE_COUNT; i++)
		row((struct str[]){ code(stage_rows[i].name),
		    stage_rows[i].event, stage_rows[i].doc });
	form->end();
}

static void
print_types(void)
{
	static const char *const head[] = { "type", "in `list X of`", "" };

	begin(head, 3);
	for (int i = 1; i < TYPE_COUNT; i++)
		row((struct str[]){ type_rows[i].phrase,
		    code(type_rows[i].name), type_rows[i].doc });
	form->end();
}

static void
print_attributes(void)
{
	static const char *const head[] = { "attribute", "type", "from",
		"meaning", "example" };
	static const char *const scope[] = { "session", "message",
		"recipient" };

	begin(head, 5);
	for (int i = 1; i < ATTR_COUNT; i++) {
		const struct attr_row *r = &attr_rows[i];
		struct str name = arena_printf(&arena, "`%.*s%s`",
		    STR_ARG(r->name), r->keyed ? "(\"...\")" : "");
		struct str type = arena_printf(&arena, "%.*s%s",
		    STR_ARG(r->many ? type_rows[r->type].plural
				    : type_rows[r->type].phrase),
		    r->many ? " (many)" : "");
		struct str from = arena_printf(&arena, "%.*s, %s",
		    STR_ARG(stage_rows[r->from].name), scope[r->scope]);

		row((struct str[]){
		    name, type, from, r->doc, code(r->example) });
	}
	form->end();
}

static void
print_macros(void)
{
	static const char *const head[] = { "macro", "from", "meaning" };

	begin(head, 3);
	for (size_t i = 0; i < macro_row_count; i++)
		row((struct str[]){ code(macro_rows[i].name),
		    stage_rows[macro_rows[i].from].name, macro_rows[i].doc });
	form->end();
}

static void
print_collections(void)
{
	static const char *const head[] = { "collection", "its fields" };

	begin(head, 2);
	for (size_t i = 0; i < collection_row_count; i++) {
		const struct collection_row *c = &collection_rows[i];
		struct str prefix = arena_printf(
		    &arena, "%.*s.", STR_ARG(attr_rows[c->attr].name));
		struct str fields = STR("");

		for (int k = 1; k < ATTR_COUNT; k++)
			if (str_starts(attr_rows[k].name, prefix))
				fields = arena_printf(&arena, "%.*s%s`%.*s`",
				    STR_ARG(fields), fields.n ? ", " : "",
				    STR_ARG(
					str_skip(attr_rows[k].name, prefix.n)));
		row((struct str[]){
		    str_eq(c->singular, c->plural)
			? code(c->plural)
			: arena_printf(&arena, "`%.*s`, `%.*s`",
			      STR_ARG(c->singular), STR_ARG(c->plural)),
		    fields });
	}
	form->end();
}

static void
print_actions(void)
{
	static const char *const head[] = { "action", "kind", "meaning",
		"example" };
	static const char *const kind[] = { "verdict", "change", "note" };

	begin(head, 4);
	for (int i = 1; i < ACTION_COUNT; i++)
		row((struct str[]){ code(action_rows[i].name),
		    str_from(kind[action_rows[i].kind]), action_rows[i].doc,
		    code(action_rows[i].example) });
	form->end();
}

static struct str
option_default(int i)
{
	const struct option_row *o = &option_rows[i];

	for (size_t k = 0; k < choice_row_count; k++)
		if ((int)choice_rows[k].option == i &&
		    (long long)choice_rows[k].choice == o->number)
			return choice_rows[k].word;
	if (o->kind == OPTION_TEXT)
		return o->text.n
			   ? arena_printf(&arena, "\"%.*s\"", STR_ARG(o->text))
			   : STR("");
	return arena_printf(&arena, "%lld", o->number);
}

static void
print_options(void)
{
	static const char *const head[] = { "option", "default", "meaning",
		"example" };

	begin(head, 4);
	for (int i = 0; i < OPTION_COUNT; i++)
		row((struct str[]){ code(option_rows[i].name),
		    option_default(i), option_rows[i].doc,
		    arena_printf(&arena, "`option %.*s %.*s`",
			STR_ARG(option_rows[i].name),
			STR_ARG(option_rows[i].example)) });
	form->end();
}

static void
print_limits(void)
{
	static const char *const head[] = { "limit", "value", "counted",
		"what it bounds, and what happens beyond" };

	begin(head, 4);
	for (int i = 0; i < LIMIT_COUNT; i++)
		row((struct str[]){ limit_rows[i].id,
		    arena_printf(&arena, "%lld", limit_rows[i].value),
		    limit_rows[i].counted ? STR("yes") : STR(""),
		    limit_rows[i].doc });
	for (size_t i = 0; i < counted_option_count; i++) {
		const struct option_row *o = &option_rows[counted_options[i]];

		row((struct str[]){
		    arena_printf(&arena, "option %.*s", STR_ARG(o->name)),
		    arena_printf(&arena, "%lld", o->number), STR("yes"),
		    o->doc });
	}
	form->end();
}

static void
print_operators(void)
{
	static const char *const head[] = { "operator", "meaning" };

	begin(head, 2);
	for (int i = 0; i < OP_COUNT; i++)
		row((struct str[]){
		    code(operator_rows[i].words), operator_rows[i].doc });
	form->end();
}

/* A row of the table of comparisons, as words. */
struct comparison {
	enum compare_op op;
	struct str left, kind, right;
};

static const struct comparison comparisons[] = {
#define COMPARE(op, left, kind, right, exactly) \
	{ OP_##op, STR(#left), STR(#kind), STR(#right) },
#include "dsl/comparisons.def"
#undef COMPARE
};
enum { COMPARISONS = sizeof(comparisons) / sizeof(*comparisons) };

/* The phrase for a type's identifier; HELO stands for itself. */
static struct str
type_words(struct str id)
{
	static const struct str ids[] = {
#define TYPE(id, name, phrase, plural, key, doc) STR(#id),
#include "dsl/types.def"
#undef TYPE
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		if (str_eq(ids[i], id))
			return type_rows[i + 1].phrase;
	return STR("`helo`");
}

static bool
same_operands(const struct comparison *a, const struct comparison *b)
{
	return str_eq(a->left, b->left) && str_eq(a->kind, b->kind) &&
	       str_eq(a->right, b->right);
}

static struct str
right_words(const struct comparison *c)
{
	if (str_eq(c->kind, STR("REGEX")))
		return STR("a regex");
	if (str_eq(c->kind, STR("VALUE")))
		return STR("a literal");
	if (str_eq(c->kind, STR("LIST")))
		return STR("a list, or values in braces");
	return STR("an attribute");
}

/* One row for each pair of operands, with all operators that take it. */
static void
print_comparisons(void)
{
	static const char *const head[] = { "left", "operators", "right" };

	begin(head, 3);
	for (int i = 0; i < COMPARISONS; i++) {
		const struct comparison *c = &comparisons[i];
		struct str ops = STR(""), right = right_words(c);
		bool seen = false;

		for (int k = 0; k < i; k++)
			seen |= same_operands(c, &comparisons[k]);
		if (seen)
			continue;
		for (int k = i; k < COMPARISONS; k++)
			if (same_operands(c, &comparisons[k]))
				ops = arena_printf(&arena, "%.*s%s%.*s",
				    STR_ARG(ops), ops.n ? ", " : "",
				    STR_ARG(
					code(operator_rows[comparisons[k].op]
						 .words)));
		if (!str_eq(c->kind, STR("REGEX")))
			right = arena_printf(&arena, "%.*s: %.*s",
			    STR_ARG(right), STR_ARG(type_words(c->right)));
		row((struct str[]){ type_words(c->left), ops, right });
	}
	form->end();
}

static void
print_diagnostics(void)
{
	static const char *const head[] = { "code", "what it says" };

	begin(head, 2);
	for (int i = 0; i < DIAG_COUNT; i++)
		row((struct str[]){ diag_rows[i].code, diag_rows[i].title });
	form->end();
}

static const struct {
	const char *name;
	void (*print)(void);
} tables[] = {
	{ "stages", print_stages },
	{ "types", print_types },
	{ "attributes", print_attributes },
	{ "macros", print_macros },
	{ "collections", print_collections },
	{ "operators", print_operators },
	{ "comparisons", print_comparisons },
	{ "actions", print_actions },
	{ "options", print_options },
	{ "limits", print_limits },
	{ "diagnostics", print_diagnostics },
};

bool
gen_table(const char *name, const struct form *f)
{
	form = f;
	arena_init(&arena, 0, NULL);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (strcmp(tables[i].name, name) != 0)
			continue;
		tables[i].print();
		arena_free(&arena);
		return true;
	}
	fprintf(stderr, "milt-gen: no table %s\n", name);
	return false;
}
