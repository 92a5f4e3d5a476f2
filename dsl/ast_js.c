/* The parts of a js rule. */
#include "dsl/parse.h"

struct item_rule *
ast_js_body(struct parser *ps)
{
	struct item_rule *rule = ast_rule_body(ps);

	rule->js = ARENA_NEW(ps->arena, struct ast_js);
	return rule;
}

/* A clause of it; false if there is one already: reported. */
static bool
take(struct parser *ps, struct item_rule *rule, struct span *slot,
    struct token word, struct span clause)
{
	if (slot->end) {
		ast_report_twice(ps, word, *slot);
		return false;
	}
	*slot = clause;
	if (!rule->js->first.end)
		rule->js->first = word.span;
	return true;
}

static bool
take_code(struct parser *ps, struct item_rule *rule, struct token word,
    struct span clause)
{
	struct ast_js *js = rule->js;
	struct diag *d;

	if (!js->code_span.end)
		return take(ps, rule, &js->code_span, word, clause);
	d = diag_at(
	    ps->diags, D_TWICE, clause, "the rule says twice what it runs");
	diag_label(ps->diags, d, js->code_span, "first here");
	return false;
}

void
ast_js_call(struct parser *ps, struct item_rule *rule, struct token word,
    struct token call)
{
	if (take_code(ps, rule, word, span2(word, call)))
		rule->js->call = ast_value(ps, VALUE_STRING, call);
}

void
ast_js_code(struct parser *ps, struct item_rule *rule, struct token fence)
{
	if (take_code(ps, rule, fence, fence.span))
		rule->js->code = fence.text;
}

void
ast_js_timeout(struct parser *ps, struct item_rule *rule, struct token word,
    struct token time)
{
	struct ast_js *js = rule->js;

	if (take(ps, rule, &js->timeout_span, word, span2(word, time)))
		js->timeout = ast_value(ps, VALUE_ATOM, time);
}

void
ast_js_failure(struct parser *ps, struct item_rule *rule, struct token word,
    struct ast_action *verdict, struct token ignore)
{
	struct ast_js *js = rule->js;
	struct span end = verdict ? verdict->span : ignore.span;

	if (!take(ps, rule, &js->failure_span, word, span_join(word.span, end)))
		return;
	js->ignore = !verdict;
	if (verdict)
		vec_push(ps->arena, &rule->actions, verdict);
}

void
ast_js_may(struct parser *ps, struct item_rule *rule, struct token word,
    struct values *verdicts)
{
	struct ast_js *js = rule->js;
	size_t n = verdicts->list.n;

	if (!take(ps, rule, &js->may_span, word,
		span_join(word.span, verdicts->list.v[n - 1]->span)))
		return;
	for (size_t i = 0; i < n; i++)
		vec_push(ps->arena, &js->may, verdicts->list.v[i]);
}

void
ast_js_needs(struct parser *ps, struct item_rule *rule, struct token word,
    struct token z)
{
	take(ps, rule, &rule->js->needs_span, word, span2(word, z));
}
