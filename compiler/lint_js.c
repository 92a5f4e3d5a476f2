#include "compiler/lint.h"

enum { NEAR = 80 }; /* percent of what the MTA waits for, less a margin */

/*
 * The rules that are asked at one stage may all be asked, one behind the other:
 * the first one with which their times come near what the MTA waits.
 */
static void
lint_slow(struct compilation *c, enum milt_stage stage)
{
	size_t most = js_timeout_limit(stage), sum = 0, rules = 0;
	const struct ir_rule *last = NULL;
	struct diag *d;

	for (size_t i = 0; i < c->ir->rules.n && sum * 100 <= most * NEAR;
	     i++) {
		const struct ir_rule *r = c->ir->rules.v[i];

		if (!r->js || r->known != stage)
			continue;
		last = r;
		rules++;
		sum += r->js->timeout;
	}
	if (sum * 100 <= most * NEAR || !last->js->ast->timeout)
		return;
	d = diag_at(&c->diags, D_JS_SLOW, last->js->ast->timeout->span,
	    "%s may take %zu s at %s, the MTA waits %zu s",
	    rules > 1 ? "js rules" : "the js rule", (sum + 999) / 1000,
	    stage_rows[stage].name.p, most / 1000);
	diag_help(&c->diags, d, "give the function less time");
}

void
lint_js(struct compilation *c)
{
	for (int s = 0; s < STAGE_COUNT; s++)
		lint_slow(c, (enum milt_stage)s);
}
