/* What each stage looks at: rules, guards, pending rules, probes. */
#include "compiler/emit.h"

#include <stdlib.h>

/* The probes of one stage, found again by what they look up. */
struct stage_probes {
	struct emitter *e;
	enum milt_stage stage;
	uint32_t rule; /* the present one */
	struct intern known;
	VEC(struct probe_maker *) list;
};

static uint32_t
probe_form(const struct ir_node *n, enum probe_kind kind)
{
	if (kind == PROBE_UNDER)
		return TYPE_DOMAIN;
	if (kind == PROBE_REGEXES)
		return ir_regex_flags(n->right_regex) & REGEX_BYTES;
	if (kind == PROBE_TEXTS)
		return n->op;
	if (kind != PROBE_KEYS || n->op == OPC_IS_EXACT)
		return TYPE_NONE;
	return n->op == OPC_IN ? n->right_list->type
			       : attr_rows[n->left.attr].type;
}

/* The values of the fields of one name: none without such a field. */
static bool
is_named(const struct ir_ref *ref)
{
	return ref->from == REF_ELEMENT &&
	       (ref->attr == ATTR_HEADER || ref->attr == ATTR_RAW_HEADER);
}

static void
add_test(struct stage_probes *p, const struct trigger_test *test)
{
	enum probe_kind kind = test->kind;
	struct {
		uint32_t kind, form, ref, own;
	} key = { .kind = kind,
		.form = probe_form(test->node, kind),
		.ref = IMAGE_NONE,
		.own = IMAGE_NONE };
	struct ir_ref ref = { 0 };
	uint32_t number;
	bool added;

	if (kind == PROBE_CODE) {
		key.own = test->node->number;
	} else {
		ref = *test->ref;
		ref.loop = 0;
		key.ref = emit_ref(p->e, &ref);
	}
	if (kind == PROBE_LIST || kind == PROBE_UNDER_LIST)
		key.own = emit_list(p->e, test->node->right_list);
	number = intern_add(
	    &p->known, (struct str){ (char *)&key, sizeof(key) }, &added);
	if (added) {
		struct probe_maker *fresh =
		    probe_new(p->e, kind, key.form, key.ref);

		if (kind != PROBE_CODE && is_named(&ref))
			probe_set_name(fresh, ref.key);
		vec_push(p->e->arena, &p->list, fresh);
	}
	probe_add(p->e, p->list.v[number], test, p->rule);
}

static void
emit_probes(struct emitter *e, enum milt_stage stage, struct image_stage *out)
{
	const struct plan *plan = e->c->plan;
	struct stage_probes p = { .e = e, .stage = stage };

	intern_init(&p.known, e->arena);
	for (size_t i = 0; i < e->ir->rules.n; i++) {
		const struct plan_rule *r = &plan->rules[i];

		p.rule = (uint32_t)i;
		for (size_t k = 0; k < r->ways.n; k++)
			if (r->ways.v[k].stage == stage)
				add_test(&p, &r->ways.v[k].test);
	}
	out->probes = (uint32_t)e->index.probes.n;
	out->probe_count = (uint32_t)p.list.n;
	if (p.list.n)
		qsort(p.list.v, p.list.n, sizeof(*p.list.v), probe_compare);
	for (size_t i = 0; i < p.list.n; i++)
		out->named_count += probe_has_name(p.list.v[i]);
	for (size_t i = 0; i < p.list.n; i++)
		probe_emit(e, p.list.v[i], stage);
}

static void
emit_always(struct emitter *e, enum milt_stage stage, struct image_stage *out)
{
	const struct plan *plan = e->c->plan;

	out->always = (uint32_t)e->index.stage_rules.n;
	for (size_t i = 0; i <= e->ir->rules.n; i++)
		if (plan->rules[i].always && plan->rules[i].entry == stage)
			vec_push(e->arena, &e->index.stage_rules, (uint32_t)i);
	out->always_count = (uint32_t)e->index.stage_rules.n - out->always;
}

static void
emit_guards(struct emitter *e, enum milt_stage stage, struct image_stage *out)
{
	const struct plan *plan = e->c->plan;

	out->guards = (uint32_t)e->index.guards.n;
	for (size_t i = 0; i < plan->guards.n; i++)
		if (plan->guards.v[i].stage == stage) {
			uint32_t rule = plan->guards.v[i].rule->number;

			vec_push(e->arena, &e->index.guards,
			    (struct image_guard){
				e->rules.v[rule].fragments[stage] });
		}
	out->guard_count = (uint32_t)e->index.guards.n - out->guards;
}

/* ---- pending rules ---------------------------------------------------- */

/* Rules with the same guard. */
struct pending_maker {
	VEC(uint32_t) rules[PENDING_LISTS];
	bool ended[PENDING_LISTS];
};

/* Behind one that no probe reaches none is ever the first. */
static void
add_to_list(struct emitter *e, struct pending_maker *p, unsigned list,
    uint32_t rule, bool reached)
{
	if (p->ended[list])
		return;
	vec_push(e->arena, &p->rules[list], rule);
	p->ended[list] = !reached;
}

static bool
has_effect(const struct emitter *e, const struct image_rule *r)
{
	if (r->flags & (RULE_SHADOW | RULE_JS))
		return true;
	for (uint32_t i = 0; i < r->count; i++)
		if (action_rows[e->actions.v[r->first + i].action].kind !=
		    ACTION_VERDICT)
			return true;
	return false;
}

static void
add_pending(
    struct emitter *e, struct pending_maker *p, uint32_t rule, bool reached)
{
	for (unsigned k = 0; k < PENDING_VERDICTS; k++)
		if (e->ir->rules.v[rule]->kinds >> (ACTION_ACCEPT + k) & 1)
			add_to_list(e, p, k, rule, reached);
	if (has_effect(e, &e->rules.v[rule]))
		add_to_list(e, p, PENDING_EFFECT, rule, reached);
}

/* The rule's guard at the latest stage up to this one that has one. */
static uint32_t
guard_upto(const struct plan_rule *r, enum milt_stage stage)
{
	for (int s = (int)stage; s >= 0; s--)
		if (r->guard[s] != IMAGE_NONE)
			return r->guard[s];
	return IMAGE_NONE;
}

static void
put_pending(struct emitter *e, const struct pending_maker *p, uint32_t guard)
{
	struct image_pending out = { .guard = guard };

	for (int k = 0; k < PENDING_LISTS; k++) {
		out.list[k].first = (uint32_t)e->index.pending_rules.n;
		out.list[k].count = (uint32_t)p->rules[k].n;
		for (size_t i = 0; i < p->rules[k].n; i++)
			vec_push(e->arena, &e->index.pending_rules,
			    p->rules[k].v[i]);
	}
	vec_push(e->arena, &e->index.pending, out);
}

static void
emit_pending(struct emitter *e, enum milt_stage stage, struct image_stage *out)
{
	const struct plan *plan = e->c->plan;
	VEC(struct pending_maker) made = { 0 };
	struct intern guards;
	bool added;

	intern_init(&guards, e->arena);
	for (size_t i = 0; i < e->ir->rules.n; i++) {
		const struct plan_rule *r = &plan->rules[i];
		uint32_t guard = guard_upto(r, stage), number;

		if (r->entry <= stage)
			continue;
		number = intern_add(&guards,
		    (struct str){ (char *)&guard, sizeof(guard) }, &added);
		if (added)
			vec_push(e->arena, &made, (struct pending_maker){ 0 });
		add_pending(
		    e, &made.v[number], (uint32_t)i, plan_reaches(r, stage));
	}
	out->pending = (uint32_t)e->index.pending.n;
	out->pending_count = (uint32_t)made.n;
	for (size_t i = 0; i < made.n; i++) {
		uint32_t guard;

		memcpy(&guard, guards.keys.v[i].p, sizeof(guard));
		put_pending(e, &made.v[i], guard);
	}
}

void
emit_index(struct emitter *e)
{
	for (int s = 0; s < STAGE_COUNT && !e->too_large; s++) {
		struct image_stage *out = &e->index.stages[s];

		emit_always(e, (enum milt_stage)s, out);
		emit_guards(e, (enum milt_stage)s, out);
		emit_pending(e, (enum milt_stage)s, out);
		emit_probes(e, (enum milt_stage)s, out);
	}
}
