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

static struct ir_ref
probe_ref(const struct ir_node *n)
{
	struct ir_ref ref = n->left;

	ref.loop = 0;
	return ref;
}

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
add_test(void *data, const struct ir_node *n, enum probe_kind kind)
{
	struct stage_probes *p = data;
	struct ir_ref ref = probe_ref(n);
	struct {
		uint32_t kind, form, ref, own;
	} key = {
		.kind = kind, .form = probe_form(n, kind), .own = IMAGE_NONE
	};
	uint32_t number;
	bool added;

	key.ref = kind == PROBE_CODE ? IMAGE_NONE : emit_ref(p->e, &ref);
	if (kind == PROBE_CODE)
		key.own = n->number;
	if (kind == PROBE_LIST || kind == PROBE_UNDER_LIST)
		key.own = emit_list(p->e, n->right_list);
	number = intern_add(
	    &p->known, (struct str){ (char *)&key, sizeof(key) }, &added);
	if (added) {
		struct probe_maker *fresh =
		    probe_new(p->e, kind, key.form, key.ref);

		if (kind != PROBE_CODE && is_named(&ref))
			probe_set_name(fresh, ref.key);
		vec_push(p->e->arena, &p->list, fresh);
	}
	probe_add(p->e, p->list.v[number], n, p->rule);
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
		if (r->entry == stage && !r->always)
			trigger_each(&plan->triggers,
			    e->ir->rules.v[i]->condition, stage, add_test, &p);
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
		if (plan->guards.v[i].stage == stage)
			vec_push(e->arena, &e->index.guards,
			    (struct image_guard){ e->guard_code[i] });
	out->guard_count = (uint32_t)e->index.guards.n - out->guards;
}

/* ---- pending rules ---------------------------------------------------- */

static void
lower(uint32_t *first, uint32_t rule)
{
	if (rule < *first)
		*first = rule;
}

static void
add_pending(struct image_pending *p, const struct image_rule *r, uint32_t rule,
    const struct emitter *e)
{
	for (unsigned k = 0; k < PENDING_VERDICTS; k++)
		if (e->ir->rules.v[rule]->kinds >> (ACTION_ACCEPT + k) & 1)
			lower(&p->verdict[k], rule);
	for (uint32_t i = 0; i < r->count; i++)
		if (r->flags & RULE_SHADOW ||
		    action_rows[e->actions.v[r->first + i].action].kind !=
			ACTION_VERDICT)
			lower(&p->effect, rule);
	if (r->flags & (RULE_SHADOW | RULE_JS))
		lower(&p->effect, rule);
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
emit_pending(struct emitter *e, enum milt_stage stage, struct image_stage *out)
{
	const struct plan *plan = e->c->plan;
	struct intern guards;
	bool added;

	intern_init(&guards, e->arena);
	out->pending = (uint32_t)e->index.pending.n;
	for (size_t i = 0; i < e->ir->rules.n; i++) {
		struct image_pending fresh;
		uint32_t number;

		if (plan->rules[i].entry <= stage)
			continue;
		memset(&fresh, 0xff, sizeof(fresh));
		fresh.guard = guard_upto(&plan->rules[i], stage);
		number = intern_add(&guards,
		    (struct str){ (char *)&fresh.guard, sizeof(fresh.guard) },
		    &added);
		if (added)
			vec_push(e->arena, &e->index.pending, fresh);
		add_pending(&e->index.pending.v[out->pending + number],
		    &e->rules.v[i], (uint32_t)i, e);
	}
	out->pending_count = (uint32_t)e->index.pending.n - out->pending;
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
