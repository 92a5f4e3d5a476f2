#include "compiler/passes.h"

/* What the stage allows is judged where the stage is known. */
static void
check_timeout(struct checker *k, struct ast_js *js)
{
	struct diag *d;

	if (!js->timeout ||
	    !check_literal(k, js->timeout, js->timeout->span, TYPE_DURATION,
		false, NULL) ||
	    !literal_duration(js->timeout->text, &js->milliseconds))
		return;
	if (js->milliseconds > 0)
		return;
	d = diag_at(k->diags, D_JS_TIMEOUT, js->timeout->span,
	    "no function answers in no time");
	diag_help(k->diags, d, "a timeout is 1ms at least, such as 2s");
}

/* Each verdict once. */
static void
check_may(struct checker *k, const struct ast_js *js)
{
	for (size_t i = 0; i < js->may.n; i++)
		for (size_t n = 0; n < i; n++) {
			struct diag *d;

			if (!str_eq(js->may.v[i]->text, js->may.v[n]->text))
				continue;
			d = diag_at(k->diags, D_TWICE, js->may.v[i]->span,
			    "`%.*s` stands twice", STR_ARG(js->may.v[i]->text));
			diag_label(
			    k->diags, d, js->may.v[n]->span, "first here");
			break;
		}
}

void
check_js(struct checker *k, struct item_rule *rule)
{
	check_timeout(k, rule->js);
	check_may(k, rule->js);
}
