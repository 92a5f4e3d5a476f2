/* `milterc explain --json FILE`. */
#include <jansson.h>

#include "compiler/account.h"
#include "compiler/explain.h"

/* Bytes that are not UTF-8 (in a file's name) become U+FFFD. */
static json_t *
text(struct compilation *c, struct str s)
{
	struct str valid = utf8_make_valid(&c->arena, s);

	return json_stringn(valid.p ? valid.p : "", valid.n);
}

static json_t *
stage(enum milt_stage s)
{
	return json_stringn(stage_rows[s].name.p, stage_rows[s].name.n);
}

static void
add_place(struct compilation *c, json_t *o, const struct ir_rule *r)
{
	struct str file;
	unsigned line;

	account_place(c, r, &file, &line);
	json_object_set_new(o, "name", text(c, r->name));
	json_object_set_new(o, "file", text(c, file));
	json_object_set_new(o, "line", json_integer(line));
}

static json_t *
js(struct compilation *c, const struct ir_rule *r)
{
	json_t *o = json_object(), *may = json_array();

	if (r->js->path.n) {
		json_object_set_new(o, "file", text(c, r->js->path));
		json_object_set_new(o, "function", text(c, r->js->function));
	}
	json_object_set_new(o, "timeout_ms", json_integer(r->js->timeout));
	for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (r->js->may >> a & 1)
			json_array_append_new(
			    may, text(c, action_rows[a].name));
	json_object_set_new(o, "may", may);
	json_object_set_new(o, "on_failure",
	    r->verdict == ACTION_NONE ? json_null()
				      : text(c, action_rows[r->verdict].name));
	json_object_set_new(o, "body", json_boolean(r->js->body));
	return o;
}

static json_t *
rule(struct accounts *all, const struct ir_rule *r)
{
	struct compilation *c = all->c;
	struct account a = accounts_next(all, r);
	json_t *o = json_object(), *held = json_array();

	add_place(c, o, r);
	json_object_set_new(o, "kind", text(c, a.kind));
	json_object_set_new(o, "shadow", json_boolean(r->shadow));
	json_object_set_new(o, "scope", text(c, a.scope));
	json_object_set_new(
	    o, "decided", a.never ? json_null() : stage(a.decided));
	json_object_set_new(o, "reason", text(c, a.reason));
	json_object_set_new(o, "spoken", text(c, a.spoken));
	if (r->js)
		json_object_set_new(o, "js", js(c, r));
	for (size_t i = 0; i < a.holder_count && i < ACCOUNT_HOLDERS; i++) {
		json_t *h = json_object();

		add_place(c, h, a.holders[i]);
		json_object_set_new(h, "known", stage(a.holders[i]->known));
		json_array_append_new(held, h);
	}
	json_object_set_new(o, "held_by", held);
	json_object_set_new(
	    o, "held_by_count", json_integer((json_int_t)a.holder_count));
	return o;
}

static json_t *
stages(unsigned set)
{
	json_t *o = json_array();

	for (int s = 0; s < STAGE_COUNT; s++)
		if (set >> s & 1)
			json_array_append_new(o, stage((enum milt_stage)s));
	return o;
}

static json_t *
macros(struct compilation *c, const struct needs *n)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n->macros.n; i++) {
		const char *key = stage_rows[n->macros.v[i].stage].name.p;
		json_t *list = json_object_get(o, key);

		if (!list) {
			list = json_array();
			json_object_set_new(o, key, list);
		}
		json_array_append_new(list, text(c, n->macros.v[i].name));
	}
	return o;
}

static json_t *
content(uint32_t flags)
{
	json_t *words = json_array();

	for (size_t i = 0; i < explain_content_count; i++)
		if (flags & explain_content[i].need)
			json_array_append_new(
			    words, json_string(explain_content[i].word));
	return words;
}

static json_t *
mta(struct compilation *c)
{
	struct needs n = needs_of(c->ir);
	json_t *o = json_object(), *changes = json_array();

	for (int a = 1; a < ACTION_COUNT; a++)
		if (action_rows[a].kind == ACTION_CHANGE &&
		    account_uses(c->ir, (enum milt_action)a))
			json_array_append_new(
			    changes, text(c, action_rows[a].name));
	json_object_set_new(o, "facts", stages(n.info));
	json_object_set_new(o, "answers", stages(n.answers));
	json_object_set_new(o, "macros", macros(c, &n));
	json_object_set_new(o, "changes", changes);
	json_object_set_new(
	    o, "header", json_boolean((n.flags & NEED_HEADERS) != 0));
	json_object_set_new(
	    o, "body", json_boolean((n.flags & NEED_BODY) != 0));
	json_object_set_new(
	    o, "sizes", json_boolean((n.flags & NEED_SIZES) != 0));
	json_object_set_new(o, "content", content(n.flags));
	return o;
}

void
explain_print_json(struct compilation *c, FILE *f)
{
	json_t *volatile root = json_object();
	json_t *rules = json_array();
	struct accounts all;

	accounts_begin(&all, c);
	json_object_set_new(root, "rules", rules);
	c->arena.on_fail = &c->no_memory;
	if (setjmp(c->no_memory) == 0) {
		for (size_t i = 0; i < c->ir->rules.n; i++)
			json_array_append_new(
			    rules, rule(&all, c->ir->rules.v[i]));
		json_array_append_new(rules, rule(&all, c->ir->otherwise));
		json_object_set_new(root, "mta", mta(c));
		json_dumpf(root, f, JSON_INDENT(2));
		fputc('\n', f);
	} else {
		fputs("out of memory\n", stderr);
	}
	c->arena.on_fail = NULL;
	json_decref(root);
}
