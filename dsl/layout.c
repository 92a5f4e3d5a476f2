#include "dsl/layout.h"

#include "grammar.h"

/* The token that begins at `offset`, or the next one. */
static size_t
token_at(const struct layout *l, uint32_t offset)
{
	size_t low = 0, high = l->tokens.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->tokens.v[middle].span.begin < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t
last_token(const struct layout *l, struct span span)
{
	return token_at(l, span.end) - 1;
}

static struct place *
begin_line(struct layout *l, size_t token, unsigned depth,
    enum continuation continuation)
{
	struct place *p = &l->places[token];

	p->line = true;
	p->depth = depth;
	p->continuation = continuation;
	return p;
}

static struct place *
begin_clause(struct layout *l, struct span span, unsigned depth,
    enum continuation continuation)
{
	return begin_line(l, token_at(l, span.begin), depth, continuation);
}

static void
close_block(struct layout *l, struct span item, unsigned depth)
{
	begin_line(l, last_token(l, item), depth, CONTINUE_DEEPER)->closes =
	    true;
}

/* `at`, `when`, `unless`: the keyword before what the span holds. */
static void
layout_guard(
    struct layout *l, struct span operand, unsigned depth, unsigned width)
{
	size_t token = token_at(l, operand.begin) - 1;

	begin_line(l, token, depth, CONTINUE_OPERAND)->pad = width;
}

/* Guards line up with each other and with `reject`. */
static unsigned
guard_width(const struct item_rule *rule)
{
	unsigned width = rule->when ? 4 : 2;

	if (rule->unless)
		width = 6;
	for (size_t i = 0; !rule->js && i < rule->actions.n; i++)
		if (rule->actions.v[i]->action != ACTION_ACCEPT &&
		    rule->actions.v[i]->action != ACTION_DISCARD)
			width = 6;
	return width;
}

static size_t
count_newlines(const struct layout *l, uint32_t begin, uint32_t end)
{
	size_t n = 0;

	for (uint32_t i = begin; i < end; i++)
		n += l->source->text.p[i] == '\n';
	return n;
}

/* `call` and `timeout` have the operands of one word; `on` may follow on. */
static void
layout_js(struct layout *l, const struct item_rule *rule, unsigned depth)
{
	const struct ast_js *js = rule->js;
	const struct span *clauses[] = { &js->code_span, &js->timeout_span,
		&js->failure_span, &js->may_span, &js->needs_span };
	unsigned width = js->timeout_span.end ? 7 : 4;

	for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++) {
		size_t token = token_at(l, clauses[i]->begin);
		bool words = (clauses[i] == &js->code_span && !js->call) ||
			     clauses[i] == &js->failure_span;

		if (clauses[i]->end == 0 ||
		    (clauses[i] == &js->failure_span &&
			count_newlines(l, js->timeout_span.end,
			    js->failure_span.begin) == 0 &&
			js->timeout_span.end &&
			token == last_token(l, js->timeout_span) + 1))
			continue;
		begin_line(l, token, depth, CONTINUE_TEXT)->pad =
		    words ? 0 : width;
	}
}

static void
layout_rule(struct layout *l, const struct item_rule *rule, unsigned depth)
{
	unsigned width =
	    rule->js && rule->js->timeout_span.end ? 7 : guard_width(rule);

	if (rule->at.text.n)
		layout_guard(l, rule->at.span, depth + 1, width);
	if (rule->when)
		layout_guard(l, rule->when->span, depth + 1, width);
	if (rule->unless)
		layout_guard(l, rule->unless->span, depth + 1, width);
	if (rule->js)
		layout_js(l, rule, depth + 1);
	for (size_t i = 0; !rule->js && i < rule->actions.n; i++)
		begin_clause(
		    l, rule->actions.v[i]->span, depth + 1, CONTINUE_TEXT);
	close_block(l, rule->item.span, depth);
}

static unsigned
fact_width(const struct item_test *test)
{
	unsigned width = 0;

	for (size_t i = 0; i < test->facts.n; i++) {
		const struct ast_fact *f = test->facts.v[i];

		if ((f->kind == FACT_ATTRIBUTE || f->kind == FACT_RECIPIENT) &&
		    f->name.text.n > width)
			width = (unsigned)f->name.text.n;
	}
	return width;
}

static void
layout_test(struct layout *l, const struct item_test *test)
{
	unsigned width = fact_width(test);

	for (size_t i = 0; i < test->facts.n; i++) {
		const struct ast_fact *f = test->facts.v[i];
		struct place *p = begin_clause(l, f->span, 1, CONTINUE_OPERAND);

		if (f->kind == FACT_ATTRIBUTE || f->kind == FACT_RECIPIENT)
			p->pad = width;
	}
	for (size_t i = 0; i < test->expects.n; i++)
		begin_clause(l, test->expects.v[i]->span, 1, CONTINUE_DEEPER);
	close_block(l, test->item.span, 0);
}

/* Columns of a list on one line, with nothing lined up. */
static size_t
list_columns(const struct layout *l, size_t first, size_t last)
{
	size_t n = 0;

	for (size_t i = first; i <= last; i++) {
		struct span span = l->tokens.v[i].span;

		n += span.end - span.begin + 2;
	}
	return n;
}

static bool
is_one_line(const struct layout *l, const struct item_list *list)
{
	size_t first = token_at(l, list->item.span.begin);
	size_t last = last_token(l, list->item.span);
	struct span open = l->tokens.v[first + 4].span;

	if (list->from_file)
		return true;
	return count_newlines(l, open.end, list->item.span.end) == 0 &&
	       list_columns(l, first, last) <= LINE_WIDTH;
}

static void
layout_list(struct layout *l, const struct item_list *list)
{
	size_t first = token_at(l, list->item.span.begin);
	size_t last = last_token(l, list->item.span);
	bool one_line = is_one_line(l, list);

	if (list->from_file)
		return;
	for (size_t i = first + 5; i < last; i++) {
		l->places[i].member = !one_line;
		l->places[i].wide = one_line && i > first + 5;
	}
	if (one_line)
		return;
	if (first + 5 < last)
		begin_line(l, first + 5, 1, CONTINUE_SAME);
	close_block(l, list->item.span, 0);
}

/* Nothing is known of what stands inside, so it stays. */
static void
layout_reserved(struct layout *l, const struct ast_item *item)
{
	size_t last = last_token(l, item->span);

	for (size_t i = token_at(l, item->span.begin) + 1; i <= last; i++)
		l->places[i].verbatim = true;
}

static void
layout_group(struct layout *l, const struct item_group *group)
{
	for (size_t i = 0; i < group->rules.n; i++) {
		begin_clause(
		    l, group->rules.v[i]->item.span, 1, CONTINUE_DEEPER);
		layout_rule(l, group->rules.v[i], 1);
	}
	close_block(l, group->item.span, 0);
}

static void
layout_item(struct layout *l, const struct ast_item *item)
{
	begin_clause(l, item->span, 0,
	    item->kind == ITEM_OTHERWISE ? CONTINUE_TEXT : CONTINUE_DEEPER);
	switch (item->kind) {
	case ITEM_RULE:
		layout_rule(l, (const struct item_rule *)item, 0);
		break;
	case ITEM_GROUP:
		layout_group(l, (const struct item_group *)item);
		break;
	case ITEM_TEST:
		layout_test(l, (const struct item_test *)item);
		break;
	case ITEM_LIST:
		layout_list(l, (const struct item_list *)item);
		break;
	case ITEM_RESERVED:
		layout_reserved(l, item);
		break;
	case ITEM_VERSION:
	case ITEM_OPTION:
	case ITEM_LET:
	case ITEM_INCLUDE:
	case ITEM_OTHERWISE:
		break;
	}
}

/* The list that stands on the line below, if `item` is one of one line. */
static const struct item_list *
list_below(
    const struct layout *l, const struct ast_file *file, size_t i, uint32_t end)
{
	const struct item_list *list;

	if (i >= file->items.n || file->items.v[i]->kind != ITEM_LIST)
		return NULL;
	list = (const struct item_list *)file->items.v[i];
	if (end && count_newlines(l, end, list->item.span.begin) > 1)
		return NULL;
	return is_one_line(l, list) ? list : NULL;
}

/* Lists on lines next to each other have their columns lined up. */
static size_t
align_lists(struct layout *l, const struct ast_file *file, size_t i)
{
	const struct item_list *list;
	size_t end = i, name = 0, type = 0;
	uint32_t before = 0;

	for (; (list = list_below(l, file, end, before)); end++) {
		if (list->item.name.text.n > name)
			name = list->item.name.text.n;
		if (list->type_name.text.n > type)
			type = list->type_name.text.n;
		before = list->item.span.end;
	}
	for (size_t k = i; k < end; k++) {
		size_t first = token_at(l, file->items.v[k]->span.begin);

		l->places[first + 1].pad = (unsigned)name;
		l->places[first + 3].pad = (unsigned)type;
	}
	return end > i ? end : i + 1;
}

void
layout_make(struct layout *l, struct arena *arena, const struct source *source,
    const struct ast_file *file)
{
	struct lexer lx = { .arena = arena,
		.source = file->source,
		.text = source->text.p,
		.at = source->text.p,
		.limit = source->text.p + source->text.n };
	struct token t;

	*l = (struct layout){ .arena = arena, .source = source };
	if (str_starts(source->text, STR("\xEF\xBB\xBF")))
		lx.at += 3;
	while ((t = lexer_next(&lx)).kind)
		vec_push(arena, &l->tokens, t);
	l->places = ARENA_ARRAY(arena, l->tokens.n + 1, struct place);
	for (size_t i = 0; i < file->items.n; i++)
		layout_item(l, file->items.v[i]);
	for (size_t i = 0; i < file->items.n;)
		i = align_lists(l, file, i);
}
