#include "compiler/rule_facts.h"

/* Walks are told apart from those of resolve, which count from 1. */
enum { FIRST_WALK = 1U << 30 };

struct search {
	struct arena *arena;
	bool recipient;       /* the first of the recipient's */
	enum milt_stage upto; /* else: the latest up to here */
	bool found;
	struct rule_fact best;
	unsigned walk; /* definitions that bear it were looked at */
	VEC(struct ast_expr *) todo; /* last one next */
};

static struct str
fact_name(struct search *s, const struct ast_value *v)
{
	struct str name = attr_rows[v->attr].name;

	if (!attr_rows[v->attr].keyed)
		return name;
	return arena_printf(
	    s->arena, "%.*s(\"%.*s\")", STR_ARG(name), STR_ARG(v->key));
}

static void
look_at_attr(struct search *s, const struct ast_value *v)
{
	struct ir_ref ref = { .attr = v->attr, .key = v->key };
	struct rule_fact f = { .span = v->span,
		.stage = ref_stage(&ref),
		.scope = ref_scope(&ref) };

	if (s->recipient
		? s->found || f.scope != SCOPE_RECIPIENT
		: f.stage > s->upto || (s->found && f.stage <= s->best.stage))
		return;
	f.name = fact_name(s, v);
	s->best = f;
	s->found = true;
}

static void
look_at_value(struct search *s, struct ast_value *v)
{
	while (v && v->kind == VALUE_NAME && v->let) {
		if (v->let->mark == s->walk)
			return;
		v->let->mark = s->walk;
		if (v->let->expr->kind != EXPR_VALUE) {
			vec_push(s->arena, &s->todo, v->let->expr);
			return;
		}
		v = v->let->expr->left;
	}
	if (v && v->attr != ATTR_NONE)
		look_at_attr(s, v);
}

/* In the order in which they are written. */
static void
look_at_expr(struct search *s, struct ast_expr *e)
{
	if (!e)
		return;
	vec_push(s->arena, &s->todo, e);
	while (s->todo.n) {
		e = s->todo.v[--s->todo.n];
		if (e->b)
			vec_push(s->arena, &s->todo, e->b);
		if (e->a)
			vec_push(s->arena, &s->todo, e->a);
		look_at_value(s, e->left);
		look_at_value(s, e->right);
	}
}

static void
look_at_text(struct search *s, const struct ast_template *t)
{
	for (size_t i = 0; t && i < t->pieces.n; i++)
		if (t->pieces.v[i].value)
			look_at_value(s, t->pieces.v[i].value);
}

static void
look_at_action(struct search *s, const struct ast_action *a)
{
	if (!s->recipient && action_rows[a->action].kind != ACTION_VERDICT)
		return;
	for (size_t i = 0; i < a->texts.n; i++)
		look_at_text(s, a->texts.v[i]);
	look_at_text(s, a->name);
	look_at_text(s, a->address);
	look_at_expr(s, a->where);
}

static void
start(struct search *s, struct compilation *c)
{
	static _Thread_local unsigned walks;

	s->arena = &c->arena;
	s->walk = FIRST_WALK + walks++ % FIRST_WALK;
}

static bool
search(struct search *s, struct compilation *c, const struct ir_rule *r,
    struct rule_fact *out)
{
	start(s, c);
	if (r->ast && r->ast->group) {
		look_at_expr(s, r->ast->group->when);
		look_at_expr(s, r->ast->group->unless);
	}
	if (r->ast) {
		look_at_expr(s, r->ast->when);
		look_at_expr(s, r->ast->unless);
	}
	for (size_t i = 0; i < r->actions.n; i++)
		look_at_action(s, r->actions.v[i]->ast);
	if (s->found)
		*out = s->best;
	return s->found;
}

bool
rule_latest_fact(struct compilation *c, const struct ir_rule *r,
    enum milt_stage upto, struct rule_fact *out)
{
	struct search s = { .upto = upto };

	return search(&s, c, r, out);
}

bool
rule_recipient_fact(
    struct compilation *c, const struct ir_rule *r, struct rule_fact *out)
{
	struct search s = { .recipient = true };

	return search(&s, c, r, out);
}

bool
expr_recipient_fact(
    struct compilation *c, struct ast_expr *e, struct rule_fact *out)
{
	struct search s = { .recipient = true };

	start(&s, c);
	look_at_expr(&s, e);
	if (s.found)
		*out = s.best;
	return s.found;
}
