#include "compiler/needs.h"

#include "compiler/holds.h"
#include "compiler/intern.h"

struct gather {
	struct ir *ir;
	struct needs *out;
	struct intern macros[STAGE_COUNT];
};

/* ---- nodes in use --------------------------------------------------- */

static void
reach(struct ir *ir, bool *seen, struct ir_node *root)
{
	VEC(struct ir_node *) todo = { 0 };

	vec_push(ir->arena, &todo, root);
	while (todo.n) {
		struct ir_node *n = todo.v[--todo.n];

		if (seen[n->number])
			continue;
		seen[n->number] = true;
		if (n->a)
			vec_push(ir->arena, &todo, n->a);
		if (n->b)
			vec_push(ir->arena, &todo, n->b);
	}
}

bool *
reachable_nodes(struct ir *ir)
{
	bool *seen = ARENA_ARRAY(ir->arena, ir->nodes.n + 1, bool);

	for (size_t i = 0; i < ir->rules.n; i++) {
		struct ir_rule *r = ir->rules.v[i];

		reach(ir, seen, r->condition);
		for (size_t k = 0; k < r->actions.n; k++)
			if (r->actions.v[k]->where)
				reach(ir, seen, r->actions.v[k]->where);
	}
	reach(ir, seen, ir->otherwise->condition);
	return seen;
}

/* ---- facts
 * -------------------------------------------------------------------- */

static void
add_macro(struct gather *g, enum milt_stage stage, struct str name)
{
	bool added;

	if (!g->macros[stage].arena)
		intern_init(&g->macros[stage], g->ir->arena);
	intern_add(&g->macros[stage], name, &added);
}

/* macro("x"): one that no table knows may be sent at any stage up to DATA. */
static void
add_named_macro(struct gather *g, struct str name)
{
	const struct macro_row *row = macro_by_name(name);

	if (row) {
		add_macro(g, row->from, name);
		return;
	}
	add_macro(g, STAGE_MAIL, name);
	add_macro(g, STAGE_RCPT, name);
	add_macro(g, STAGE_DATA, name);
}

static void
add_ref(struct gather *g, const struct ir_ref *ref)
{
	const struct attr_row *row = &attr_rows[ref->attr];

	switch (row->source) {
	case SOURCE_ARG:
		if (row->from == STAGE_HELO)
			g->out->flags |= NEED_HELO;
		break;
	case SOURCE_MACRO:
		if (ref->attr == ATTR_MACRO)
			add_named_macro(g, ref->key);
		else
			add_macro(g, row->from, row->macro);
		/* Without TLS it is missing, without trust it is no. */
		if (ref->attr == ATTR_TLS_VERIFIED)
			add_macro(
			    g, row->from, attr_rows[ATTR_TLS_PROTOCOL].macro);
		break;
	case SOURCE_HEADER:
		g->out->flags |= NEED_HEADERS;
		if (ref->attr == ATTR_HEADER_DATE_AGE)
			g->out->flags |= NEED_CLOCK;
		break;
	case SOURCE_AUTHRES:
		g->out->flags |= NEED_HEADERS;
		if (!g->ir->option_texts[OPTION_AUTHSERV_ID].n)
			add_macro(g, STAGE_CONNECT, STR("j"));
		break;
	case SOURCE_BODY:
		g->out->flags |= NEED_BODY;
		break;
	case SOURCE_SIZES:
		g->out->flags |= NEED_SIZES;
		break;
	case SOURCE_CLOCK:
		g->out->flags |= NEED_CLOCK;
		break;
	case SOURCE_PARTS:
	case SOURCE_TEXTS:
	case SOURCE_URLS:
	case SOURCE_FILES:
	case SOURCE_KINDS:
	case SOURCE_DIGESTS:
	case SOURCE_FILE_TEXTS:
		g->out->flags |= image_content_needs(row->source);
		break;
	}
}

static void
add_template(struct gather *g, const struct ir_template *t)
{
	for (size_t i = 0; t && i < t->pieces.n; i++)
		if (t->pieces.v[i].kind == IR_VALUE)
			add_ref(g, &t->pieces.v[i].ref);
}

/* Indexes of header fields are counted by us, not by the MTA. */
static bool
looks_at_headers(enum milt_action action)
{
	return action_rows[action].kind == ACTION_CHANGE &&
	       (action == ACTION_SET_HEADER || action == ACTION_INSERT_HEADER ||
		   action == ACTION_REMOVE_HEADER ||
		   action_changes_body(action));
}

/* An answer may have any. */
static bool
has_effects(const struct ir_rule *r)
{
	if (r->shadow || r->js)
		return true;
	for (size_t i = 0; i < r->actions.n; i++)
		if (action_rows[r->actions.v[i]->action].kind != ACTION_VERDICT)
			return true;
	return false;
}

/*
 * The function of a js rule is given what is known where it is asked, and may
 * make any change; of the body only if it needs it.
 */
static void
add_js(struct gather *g, const struct ir_rule *r)
{
	g->out->flags |= NEED_JS | NEED_HEADERS;
	g->out->info |= 1U << r->known;
	for (int a = ATTR_NONE + 1; a < ATTR_COUNT; a++) {
		struct ir_ref ref = { .attr = (enum milt_attr)a };

		if (attr_rows[a].from <= r->known && a != ATTR_MACRO &&
		    (attr_rows[a].source == SOURCE_MACRO ||
			attr_rows[a].source == SOURCE_ARG))
			add_ref(g, &ref);
	}
	if (r->js->body)
		g->out->flags |= image_content_needs(SOURCE_KINDS) | NEED_SIZES;
	for (unsigned a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (action_is_answer(a, r->js->body))
			g->out->actions |= action_rows[a].smfif;
}

static void
add_rule(struct gather *g, const struct ir_rule *r)
{
	if (rule_is_dead(r))
		return;
	if (r->js)
		add_js(g, r);
	for (size_t i = 0; i < r->actions.n; i++) {
		const struct ir_action *a = r->actions.v[i];

		for (size_t k = 0; k < a->texts.n; k++)
			add_template(g, a->texts.v[k]);
		add_template(g, a->name);
		add_template(g, a->address);
		if (r->shadow)
			continue;
		g->out->actions |= action_rows[a->action].smfif;
		if (looks_at_headers(a->action))
			g->out->flags |= NEED_HEADERS;
		/* Whether it may be changed, and where, it says itself. */
		if (action_changes_body(a->action))
			g->out->flags |= NEED_BODY;
	}
	g->out->recipient_effects |= r->recipient && has_effects(r);
	g->out->info |= rule_fragments(r);
	if (r->verdict != ACTION_NONE)
		g->out->info |= 1U << r->text_last;
	if (r->pinned)
		g->out->info |= 1U << r->pin;
}

/* ---- answers
 * ------------------------------------------------------------------ */

/* May it be known at `stage` that the rule does not match? */
static bool
may_be_false(const struct ir_rule *r, enum milt_stage stage)
{
	if (r->js && r->known <= stage)
		return true;
	if (r->condition->kind == NODE_CONST)
		return r->condition->value == FALSE_;
	return r->condition->first <= stage;
}

static bool
may_be_true(const struct ir_rule *r, enum milt_stage stage)
{
	if (r->condition->kind == NODE_CONST)
		return r->condition->value == TRUE_;
	return r->condition->first <= stage;
}

/*
 * May it be certain at `stage` that the message is accepted, with nothing left
 * to do for it?
 */
static bool
accept_may_be_certain(const struct ir *ir, enum milt_stage stage)
{
	for (size_t i = 0; i < ir->rules.n; i++) {
		const struct ir_rule *r = ir->rules.v[i];

		if (r->js && r->known <= stage) {
			if (r->kinds >> ACTION_ACCEPT & 1)
				return true;
		} else if (r->verdict == ACTION_ACCEPT && !has_effects(r)) {
			if (may_be_true(r, stage))
				return true;
		} else if (!may_be_false(r, stage)) {
			return false;
		}
	}
	return ir->otherwise->verdict == ACTION_ACCEPT;
}

static bool
refuses(const struct ir_rule *r)
{
	return (r->kinds >> ACTION_REJECT | r->kinds >> ACTION_TEMPFAIL) & 1;
}

static bool
may_answer_rcpt(const struct ir *ir, unsigned info)
{
	bool early = false;

	for (size_t i = 0; i < ir->rules.n; i++) {
		const struct ir_rule *r = ir->rules.v[i];

		if (rule_is_dead(r) || r->condition->first > STAGE_RCPT)
			continue;
		early |= r->condition->kind != NODE_CONST;
		if (refuses(r))
			return true;
	}
	return info >> STAGE_RCPT & 1 || refuses(ir->otherwise) ||
	       (early && ir->options[OPTION_ON_FAILURE] == ON_FAILURE_TEMPFAIL);
}

static unsigned
answers_of(const struct ir *ir, unsigned info)
{
	unsigned answers = 1U << STAGE_DATA | 1U << STAGE_MESSAGE;
	unsigned pins = 0;

	for (size_t i = 0; i < ir->rules.n; i++)
		if (ir->rules.v[i]->pinned)
			pins |= 1U << ir->rules.v[i]->pin;
	answers |= pins;
	if (accept_may_be_certain(ir, STAGE_CONNECT))
		answers |= 1U << STAGE_CONNECT;
	if (accept_may_be_certain(ir, STAGE_MAIL))
		answers |= 1U << STAGE_MAIL;
	if (may_answer_rcpt(ir, info))
		answers |= 1U << STAGE_RCPT;
	answers |= info & 1U << STAGE_HEADERS;
	return answers;
}

/* ---- all
 * ------------------------------------------------------------------------ */

static void
list_macros(struct gather *g)
{
	/* Asking for one replaces what the MTA sends at DATA by itself. */
	if (g->macros[STAGE_DATA].keys.n)
		add_macro(g, STAGE_DATA, STR("i"));
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		for (size_t i = 0; i < g->macros[stage].keys.n; i++) {
			struct needs_macro m = {
				(enum milt_stage)stage,
				g->macros[stage].keys.v[i],
			};

			vec_push(g->ir->arena, &g->out->macros, m);
		}
}

struct needs
needs_of(struct ir *ir)
{
	struct needs out = { 0 };
	struct gather g = { .ir = ir, .out = &out };
	bool *used = reachable_nodes(ir);

	for (size_t i = 0; i < ir->nodes.n; i++) {
		struct ir_node *n = ir->nodes.v[i];

		if (!used[i])
			continue;
		if (n->kind == NODE_TEST || n->kind == NODE_EACH)
			add_ref(&g, &n->left);
		if (n->right_ref.attr != ATTR_NONE)
			add_ref(&g, &n->right_ref);
	}
	for (size_t i = 0; i < ir->rules.n; i++)
		add_rule(&g, ir->rules.v[i]);
	add_rule(&g, ir->otherwise);
	list_macros(&g);
	out.answers = answers_of(ir, out.info);
	return out;
}
