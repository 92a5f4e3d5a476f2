#include "compiler/passes.h"

/* An identifier of JavaScript, as far as its octets tell. */
static bool
is_identifier(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool digit = c >= '0' && c <= '9';

		if (!(c >= 0x80 || c == '_' || c == '$' ||
			((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			(digit && i > 0)))
			return false;
	}
	return s.n > 0;
}

static struct diag *
report_call(struct resolver *r, struct span span, const char *fact)
{
	struct diag *d = diag_at(r->diags, D_JS_CALL, span, "%s", fact);

	diag_help(r->diags, d,
	    "write the file and the function that it exports: call "
	    "\"hooks.mjs#check\"");
	return d;
}

/* "file.mjs#function": what is behind the last `#` is the function. */
static void
resolve_call(struct resolver *r, struct ast_js *js)
{
	struct ast_value *call = js->call;
	struct str text = call->text;
	size_t hash = text.n;

	while (hash > 0 && text.p[hash - 1] != '#')
		hash--;
	if (hash == 0 || hash == text.n) {
		report_call(r, call->span, "this names no function");
		return;
	}
	js->function = str_skip(text, hash);
	if (!is_identifier(js->function)) {
		report_call(r, call->span,
		    "a function's name is an identifier of JavaScript");
		return;
	}
	text = str_head(text, hash - 1);
	if (text.n == 0 || str_find(text, 0) < text.n) {
		report_call(r, call->span, "this names no file");
		return;
	}
	js->path = relative_path(r->c, call->span.source, text);
}

static void
report_part(struct resolver *r, const struct item_rule *rule, const char *lacks,
    const char *help)
{
	struct diag *d = diag_at(r->diags, D_JS_PART, rule->item.name.span,
	    "js rule `%.*s` does not say %s", STR_ARG(rule->item.name.text),
	    lacks);

	diag_help(r->diags, d, "%s", help);
}

void
resolve_js(struct resolver *r, struct item_rule *rule)
{
	struct ast_js *js = rule->js;

	if (js->call)
		resolve_call(r, js);
	else if (js->code_span.end && str_trim(js->code).n == 0)
		diag_at(r->diags, D_JS_CALL, js->code_span,
		    "there is no code between the backticks");
	if (r->partial)
		return;
	if (!js->code_span.end)
		report_part(r, rule, "what it runs",
		    "write: call \"hooks.mjs#check\"; or code between lines of "
		    "three backticks");
	if (!js->timeout_span.end)
		report_part(r, rule, "how long it may take",
		    "write: timeout 2s on failure tempfail \"try again "
		    "later\"");
	if (!js->failure_span.end)
		report_part(r, rule, "what it gives where there is no answer",
		    "write a verdict, or that the rule then does not match: on "
		    "failure ignore");
}
