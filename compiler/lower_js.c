/* What a js rule runs, what it may say, and the captures that it gets. */
#include "compiler/lower.h"

size_t
js_timeout_limit(enum milt_stage stage)
{
	return stage <= STAGE_DATA ? LIMIT_VALUE_JS_TIMEOUT_COMMAND
				   : LIMIT_VALUE_JS_TIMEOUT_CONTENT;
}

static const unsigned every_verdict =
    1U << ACTION_ACCEPT | 1U << ACTION_REJECT | 1U << ACTION_TEMPFAIL |
    1U << ACTION_DISCARD;

/* Nobody can discard a message for one recipient. */
static unsigned
may_of(const struct ast_js *js, bool recipient)
{
	unsigned may = 0;

	if (!js->may_span.end)
		return every_verdict & ~(recipient ? 1U << ACTION_DISCARD : 0);
	for (size_t i = 0; i < js->may.n; i++)
		for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
			if (str_eq(js->may.v[i]->text, action_rows[a].name))
				may |= 1U << a;
	return may;
}

static void
add_capture(
    struct lower *l, struct ir_js *js, struct str name, const struct origins *o)
{
	struct ir_capture c = { .name = name };

	for (size_t i = 0; i < js->captures.n; i++)
		if (str_eq(js->captures.v[i].name, name))
			return;
	c.text = lower_capture(l, name, o);
	vec_push(l->arena, &js->captures, c);
}

static void
add_captures(struct lower *l, struct ir_js *js, const struct origins *o)
{
	unsigned most = 0;

	for (size_t i = 0; i < o->regexes.n; i++) {
		const struct ir_node *n = o->regexes.v[i].node;

		if (n->right_regex->captures > most)
			most = n->right_regex->captures;
	}
	for (unsigned g = 1; g <= most; g++)
		add_capture(l, js, arena_printf(l->arena, "%u", g), o);
	for (size_t i = 0; i < o->regexes.n; i++) {
		const struct ir_node *n = o->regexes.v[i].node;

		for (size_t g = 0; g < n->right_regex->names.n; g++)
			if (n->right_regex->names.v[g].n)
				add_capture(
				    l, js, n->right_regex->names.v[g], o);
	}
}

struct ir_js *
lower_js(struct lower *l, struct ast_js *from, bool recipient,
    const struct origins *o)
{
	struct ir_js *js = ARENA_NEW(l->arena, struct ir_js);

	js->ast = from;
	if (from->call) {
		js->path = from->path;
		js->function = from->function;
	} else {
		js->code = from->code;
	}
	js->timeout = from->milliseconds > UINT32_MAX
			  ? UINT32_MAX
			  : (uint32_t)from->milliseconds;
	js->body = from->needs_span.end != 0;
	js->may = may_of(from, recipient);
	add_captures(l, js, o);
	return js;
}
