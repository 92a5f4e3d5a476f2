/* The syntax tree as text: one node a line, with the place where it begins. */
#include "dsl/ast.h"

struct dump {
	const struct source *source;
	FILE *f;
	unsigned depth;
};

static const char *const value_names[] = {
	[VALUE_NAME] = "name",
	[VALUE_KEYED] = "keyed",
	[VALUE_COUNT] = "count",
	[VALUE_STRING] = "string",
	[VALUE_ADDRESS] = "address",
	[VALUE_ATOM] = "atom",
	[VALUE_REGEX] = "regex",
	[VALUE_SET] = "set",
	[VALUE_INDEX] = "index",
	[VALUE_CALL] = "call",
};

static const char *const expr_names[] = {
	[EXPR_AND] = "and",
	[EXPR_OR] = "or",
	[EXPR_NOT] = "not",
	[EXPR_COMPARE] = "compare",
	[EXPR_EXISTS] = "exists",
	[EXPR_ABSENT] = "absent",
	[EXPR_MALFORMED] = "malformed",
	[EXPR_VALUE] = "value",
	[EXPR_ANY] = "any",
	[EXPR_EVERY] = "every",
	[EXPR_NO] = "no",
	[EXPR_STATE] = "state",
	[EXPR_LISTED] = "listed",
};

static const char *const fact_names[] = {
	[FACT_ATTRIBUTE] = "attribute",
	[FACT_RECIPIENT] = "recipient",
	[FACT_MACRO] = "macro",
	[FACT_HEADER] = "header",
	[FACT_BODY] = "body",
	[FACT_MESSAGE] = "message",
	[FACT_MESSAGE_FILE] = "message-file",
	[FACT_GIVEN_NOW] = "given-now",
	[FACT_GIVEN_JS] = "given-js",
	[FACT_GIVEN] = "given",
};

static void
indent(const struct dump *d)
{
	fprintf(d->f, "%*s", (int)(2 * d->depth), "");
}

static void
place(const struct dump *d, struct span span)
{
	unsigned line, column, end_line, end_column;

	source_place(d->source, span.begin, &line, &column);
	source_place(d->source, span.end, &end_line, &end_column);
	if (line == end_line)
		fprintf(d->f, " @%u:%u-%u\n", line, column, end_column);
	else
		fprintf(d->f, " @%u:%u-%u:%u\n", line, column, end_line,
		    end_column);
}

/* In quotes, with what a line cannot hold escaped. */
static void
quote(const struct dump *d, struct str s)
{
	fputc('"', d->f);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			fprintf(d->f, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", d->f);
		else if (c == '\r')
			fputs("\\r", d->f);
		else if (c == '\t')
			fputs("\\t", d->f);
		else if (c < 0x20 || c == 0x7F)
			fprintf(d->f, "\\u{%X}", c);
		else
			fputc(c, d->f);
	}
	fputc('"', d->f);
}

/* ---- values and conditions ------------------------------------------- */

static void
dump_value(struct dump *d, const struct ast_value *v)
{
	indent(d);
	fprintf(d->f, "%s", value_names[v->kind]);
	if (v->kind == VALUE_STRING || v->kind == VALUE_REGEX) {
		fputc(' ', d->f);
		quote(d, v->text);
	} else if (v->kind == VALUE_ADDRESS) {
		fprintf(d->f, " <%.*s>", STR_ARG(v->text));
	} else if (v->kind != VALUE_SET) {
		fprintf(d->f, " %.*s", STR_ARG(v->text));
	}
	if (v->flags.n)
		fprintf(d->f, " flags %.*s", STR_ARG(v->flags));
	if (v->kind == VALUE_KEYED || v->keyed) {
		fputs(" key ", d->f);
		quote(d, v->key);
	}
	place(d, v->span);
	d->depth++;
	for (size_t i = 0; i < v->items.n; i++)
		dump_value(d, v->items.v[i]);
	d->depth--;
}

static void dump_expr(struct dump *d, const struct ast_expr *e);

/* A chain of `and` or `or` is one node, however the tree is built. */
static void
dump_chain(struct dump *d, const struct ast_expr *e, enum expr_kind kind)
{
	if (e->kind == kind) {
		dump_chain(d, e->a, kind);
		dump_chain(d, e->b, kind);
	} else {
		dump_expr(d, e);
	}
}

static void
dump_expr(struct dump *d, const struct ast_expr *e)
{
	indent(d);
	fputs(expr_names[e->kind], d->f);
	if (e->kind == EXPR_COMPARE)
		fprintf(d->f, "%s %s%s", e->negated ? " not" : "",
		    operator_rows[e->op].words.p, e->exactly ? " exactly" : "");
	if (e->kind == EXPR_STATE)
		fprintf(d->f, " %.*s", STR_ARG(e->state));
	place(d, e->span);
	d->depth++;
	if (e->left)
		dump_value(d, e->left);
	if (e->right)
		dump_value(d, e->right);
	if (e->kind == EXPR_AND || e->kind == EXPR_OR) {
		dump_chain(d, e->a, e->kind);
		dump_chain(d, e->b, e->kind);
	} else if (e->a) {
		dump_expr(d, e->a);
	}
	d->depth--;
}

static void
dump_guard(struct dump *d, const char *word, const struct ast_expr *e)
{
	if (!e)
		return;
	indent(d);
	fprintf(d->f, "%s\n", word);
	d->depth++;
	dump_expr(d, e);
	d->depth--;
}

/* ---- actions --------------------------------------------------------- */

static void
dump_template(struct dump *d, const char *what, const struct ast_template *t)
{
	if (!t)
		return;
	indent(d);
	fputs(what, d->f);
	place(d, t->span);
	d->depth++;
	for (size_t i = 0; i < t->pieces.n; i++) {
		const struct ast_piece *p = &t->pieces.v[i];

		indent(d);
		fputs(p->kind == PIECE_TEXT ? "literal " : "field ", d->f);
		quote(d, p->text);
		place(d, p->span);
		d->depth++;
		if (p->value)
			dump_value(d, p->value);
		d->depth--;
	}
	d->depth--;
}

static void
dump_action(struct dump *d, const struct ast_action *x)
{
	struct str name =
	    x->action == ACTION_NONE ? x->refused : action_rows[x->action].name;

	indent(d);
	fprintf(d->f, "%.*s", STR_ARG(name));
	if (x->code)
		fprintf(d->f, " %u", x->code);
	if (x->xcode.n)
		fprintf(d->f, " %.*s", STR_ARG(x->xcode));
	if (x->action == ACTION_INSERT_HEADER)
		fprintf(d->f, " at %lld", x->index);
	if (x->duration)
		fprintf(d->f, " %.*s", STR_ARG(x->duration->text));
	place(d, x->span);
	d->depth++;
	dump_template(d, "name", x->name);
	dump_template(d, "address", x->address);
	for (size_t i = 0; i < x->texts.n; i++)
		dump_template(d, "text", x->texts.v[i]);
	dump_guard(d, "where", x->where);
	d->depth--;
}

/* ---- items ----------------------------------------------------------- */

static void
dump_list(struct dump *d, const struct item_list *list)
{
	if (list->path)
		dump_value(d, list->path);
	for (size_t i = 0; i < list->entries.n; i++) {
		const struct list_entry *e = &list->entries.v[i];

		indent(d);
		fprintf(d->f, "%s ", value_names[e->kind]);
		quote(d, e->text);
		place(d, e->span);
	}
}

static void
dump_clause(struct dump *d, const char *word, struct span clause)
{
	if (!clause.end)
		return;
	indent(d);
	fputs(word, d->f);
	place(d, clause);
}

static void
dump_js(struct dump *d, const struct item_rule *rule)
{
	const struct ast_js *js = rule->js;

	dump_clause(d, js->call ? "call" : "code", js->code_span);
	d->depth++;
	if (js->call)
		dump_value(d, js->call);
	d->depth--;
	dump_clause(d, "timeout", js->timeout_span);
	d->depth++;
	if (js->timeout)
		dump_value(d, js->timeout);
	d->depth--;
	dump_clause(d, js->ignore ? "on failure ignore" : "on failure",
	    js->failure_span);
	d->depth++;
	for (size_t i = 0; i < rule->actions.n; i++)
		dump_action(d, rule->actions.v[i]);
	d->depth--;
	dump_clause(d, "may", js->may_span);
	d->depth++;
	for (size_t i = 0; i < js->may.n; i++)
		dump_value(d, js->may.v[i]);
	d->depth--;
	dump_clause(d, "needs body", js->needs_span);
}

static void
dump_rule(struct dump *d, const struct item_rule *rule)
{
	if (rule->at.text.n) {
		indent(d);
		fprintf(d->f, "at %.*s", STR_ARG(rule->at.text));
		place(d, rule->at.span);
	}
	dump_guard(d, "when", rule->when);
	dump_guard(d, "unless", rule->unless);
	if (rule->js) {
		dump_js(d, rule);
		return;
	}
	for (size_t i = 0; i < rule->actions.n; i++)
		dump_action(d, rule->actions.v[i]);
}

static void dump_item(struct dump *d, const struct ast_item *item);

static void
dump_group(struct dump *d, const struct item_group *group)
{
	dump_guard(d, "when", group->when);
	dump_guard(d, "unless", group->unless);
	for (size_t i = 0; i < group->rules.n; i++)
		dump_item(d, &group->rules.v[i]->item);
}

static void
dump_fact(struct dump *d, const struct ast_fact *f)
{
	indent(d);
	fprintf(d->f, "fact %s", fact_names[f->kind]);
	if (f->name.text.n) {
		fputc(' ', d->f);
		quote(d, f->name.text);
	}
	place(d, f->span);
	d->depth++;
	for (size_t i = 0; i < f->values.n; i++)
		dump_value(d, f->values.v[i]);
	if (f->verdict)
		dump_action(d, f->verdict);
	if (f->word.text.n) {
		indent(d);
		fprintf(d->f, "%.*s", STR_ARG(f->word.text));
		place(d, f->word.span);
	}
	d->depth--;
}

static void
dump_verdict(struct dump *d, const struct ast_expect *e)
{
	fprintf(d->f, " %.*s", STR_ARG(action_rows[e->verdict].name));
	if (e->code)
		fprintf(d->f, " %u", e->code);
	if (e->xcode.n)
		fprintf(d->f, " %.*s", STR_ARG(e->xcode));
	if (e->by.text.n)
		fprintf(d->f, " by %s%.*s", e->by_default ? "the " : "",
		    STR_ARG(e->by.text));
	if (e->at.text.n)
		fprintf(d->f, " at %.*s", STR_ARG(e->at.text));
	if (e->recipient)
		fprintf(d->f, " for <%.*s>", STR_ARG(e->recipient->text));
}

static void
dump_expect(struct dump *d, const struct ast_expect *e)
{
	indent(d);
	fputs("expect", d->f);
	switch (e->kind) {
	case EXPECT_VERDICT:
		dump_verdict(d, e);
		break;
	case EXPECT_TEXT:
		fputs(" text ", d->f);
		quote(d, e->text);
		break;
	case EXPECT_EFFECT:
		fputs(" effect", d->f);
		break;
	case EXPECT_NO_EFFECT:
		fputs(" no effect", d->f);
		break;
	case EXPECT_SHADOW:
		fprintf(d->f, " shadow %.*s", STR_ARG(e->by.text));
		break;
	}
	place(d, e->span);
	d->depth++;
	if (e->effect)
		dump_action(d, e->effect);
	d->depth--;
}

static void
dump_test(struct dump *d, const struct item_test *test)
{
	for (size_t i = 0; i < test->facts.n; i++)
		dump_fact(d, test->facts.v[i]);
	for (size_t i = 0; i < test->expects.n; i++)
		dump_expect(d, test->expects.v[i]);
}

static void
dump_why(const struct dump *d, struct str why)
{
	if (!why.n)
		return;
	fputs(" why ", d->f);
	quote(d, why);
}

/* What stands on the item's own line. */
static void
dump_head(const struct dump *d, const struct ast_item *item)
{
	struct str text = d->source->text;
	struct str word = { text.p + item->word.begin,
		item->word.end - item->word.begin };

	if (item->kind == ITEM_RESERVED)
		fputs("reserved ", d->f);
	fprintf(d->f, "%.*s", STR_ARG(word));
	if (item->kind == ITEM_TEST) {
		fputc(' ', d->f);
		quote(d, item->name.text);
	} else if (item->name.text.n) {
		fprintf(d->f, " %.*s", STR_ARG(item->name.text));
	}
	if (item->kind == ITEM_LIST) {
		const struct item_list *list = (const void *)item;

		fprintf(d->f, " of %.*s%s%s", STR_ARG(list->type_name.text),
		    list->from_file ? " from" : "",
		    list->watch ? " watch" : "");
	}
	if (item->kind == ITEM_RULE)
		dump_why(d, ((const struct item_rule *)item)->why);
	if (item->kind == ITEM_GROUP)
		dump_why(d, ((const struct item_group *)item)->why);
	place(d, item->span);
}

static void
dump_item(struct dump *d, const struct ast_item *item)
{
	indent(d);
	dump_head(d, item);
	d->depth++;
	switch (item->kind) {
	case ITEM_VERSION:
		dump_value(d, ((const struct item_version *)item)->version);
		break;
	case ITEM_OPTION:
		dump_value(d, ((const struct item_option *)item)->value);
		break;
	case ITEM_LIST:
		dump_list(d, (const struct item_list *)item);
		break;
	case ITEM_LET:
		dump_expr(d, ((const struct item_let *)item)->expr);
		break;
	case ITEM_RULE:
		dump_rule(d, (const struct item_rule *)item);
		break;
	case ITEM_GROUP:
		dump_group(d, (const struct item_group *)item);
		break;
	case ITEM_INCLUDE:
		dump_value(d, ((const struct item_include *)item)->path);
		break;
	case ITEM_OTHERWISE:
		dump_action(d, ((const struct item_otherwise *)item)->action);
		break;
	case ITEM_TEST:
		dump_test(d, (const struct item_test *)item);
		break;
	case ITEM_RESERVED:
		break;
	}
	d->depth--;
}

void
ast_dump(const struct ast_file *file, const struct sources *sources, FILE *f)
{
	struct dump d = { .source = sources->list.v[file->source], .f = f };

	for (size_t i = 0; i < file->items.n; i++)
		dump_item(&d, file->items.v[i]);
}
