#include "compiler/plan.h"

#include "compiler/compile.h"
#include "compiler/intern.h"
#include "compiler/needs.h"

/* So many rules with the same guard wait for something better to enter by. */
enum { SHARED = 4 };

struct planner {
	struct plan *plan;
	struct arena *arena;
	struct conjuncts conjuncts;
	struct intern classes;          /* what conditions are at a stage */
	VEC(uint32_t) members;          /* rules of each class */
	VEC(uint32_t) guards;           /* of each class, or IMAGE_NONE */
	uint32_t (*class)[STAGE_COUNT]; /* by rule; IMAGE_NONE: no guard */
};

static struct trigger
trigger_at(const struct plan *p, const struct ir_rule *r, int stage)
{
	return p->triggers.at[stage][r->condition->number];
}

/*
 * The class of the present rule at a stage: the conjuncts that it knows.  None
 * where no conjunct is wholly unknown, for then the condition may be true.
 */
static uint32_t
class_at(struct planner *p, int stage)
{
	VEC(uint32_t) key = { 0 };
	bool unknown = false, added;
	uint32_t class;

	vec_push(p->arena, &key, (uint32_t)stage);
	for (size_t i = 0; i < p->conjuncts.list.n; i++) {
		const struct ir_node *n = p->conjuncts.list.v[i];

		unknown |= (int)n->first > stage;
		if ((int)n->first <= stage)
			vec_push(p->arena, &key, n->number);
	}
	if (!unknown)
		return IMAGE_NONE;
	class = intern_add(&p->classes,
	    (struct str){ (const char *)key.v, key.n * sizeof(*key.v) },
	    &added);
	if (added) {
		vec_push(p->arena, &p->members, 0);
		vec_push(p->arena, &p->guards, IMAGE_NONE);
	}
	p->members.v[class]++;
	return class;
}

static void
classify(struct planner *p, const struct ir_rule *r)
{
	conjuncts_of(p->plan->ir, r->condition, &p->conjuncts);
	for (int s = 0; s < STAGE_COUNT; s++)
		p->class[r->number][s] =
		    rule_fragments(r) >> s & 1 ? class_at(p, s) : IMAGE_NONE;
}

static bool
has_later(const struct plan *p, const struct ir_rule *r, int stage)
{
	int end = r->recipient ? STAGE_RCPT : STAGE_COUNT - 1;

	for (int s = stage + 1; s <= end; s++)
		if (rule_fragments(r) >> s & 1 &&
		    trigger_at(p, r, s).way != TRIGGER_NONE)
			return true;
	return false;
}

static bool
enters(const struct planner *p, const struct ir_rule *r, int stage)
{
	uint32_t class = p->class[r->number][stage];
	struct trigger t = trigger_at(p->plan, r, stage);

	if (class == IMAGE_NONE)
		return true;
	if (t.way == TRIGGER_NONE)
		return false;
	return p->members.v[class] < SHARED || t.way == TRIGGER_NEVER ||
	       !has_later(p->plan, r, stage);
}

static void
plan_rule(struct planner *p, const struct ir_rule *r, struct plan_rule *out)
{
	memset(out->guard, 0xff, sizeof(out->guard));
	for (int s = 0; s < STAGE_COUNT; s++) {
		/* At RCPT only rules of recipients are looked at. */
		if (!(rule_fragments(r) >> s & 1) ||
		    (s == STAGE_RCPT && !r->recipient))
			continue;
		if (s > STAGE_RCPT && r->recipient)
			break;
		if (enters(p, r, s)) {
			out->entry = (enum milt_stage)s;
			out->always =
			    trigger_at(p->plan, r, s).way == TRIGGER_NONE;
			return;
		}
		out->guard[s] = p->class[r->number][s];
	}
	/* A rule of a recipient that is decided when all are known. */
	memset(out->guard, 0xff, sizeof(out->guard));
	out->entry = STAGE_CONNECT;
	out->always = true;
}

/* Guards get their numbers stage by stage. */
static void
number_guards(struct planner *p)
{
	struct plan *plan = p->plan;
	size_t n = plan->ir->rules.n;

	for (int s = 0; s < STAGE_COUNT; s++)
		for (size_t i = 0; i < n; i++) {
			uint32_t *guard = &plan->rules[i].guard[s];
			struct plan_guard fresh = { (enum milt_stage)s,
				plan->ir->rules.v[i] };
			uint32_t *number;

			if (*guard == IMAGE_NONE)
				continue;
			number = &p->guards.v[*guard];
			if (*number == IMAGE_NONE) {
				*number = (uint32_t)plan->guards.n;
				vec_push(p->arena, &plan->guards, fresh);
			}
			*guard = *number;
		}
}

static void
plan_all(struct planner *p)
{
	const struct ir *ir = p->plan->ir;

	p->plan->triggers = triggers_of(ir);
	intern_init(&p->classes, p->arena);
	p->class = arena_alloc(p->arena, (ir->rules.n + 1) * sizeof(*p->class));
	for (size_t i = 0; i < ir->rules.n; i++)
		classify(p, ir->rules.v[i]);
	for (size_t i = 0; i < ir->rules.n; i++)
		plan_rule(p, ir->rules.v[i], &p->plan->rules[i]);
	number_guards(p);
}

void
pass_index(struct compilation *c, bool plain)
{
	const struct ir *ir = c->ir;
	struct plan *plan = ARENA_NEW(ir->arena, struct plan);
	struct planner p = { .plan = plan, .arena = ir->arena };

	plan->ir = ir;
	plan->rules = ARENA_ARRAY(ir->arena, ir->rules.n + 1, struct plan_rule);
	for (size_t i = 0; i <= ir->rules.n; i++) {
		plan->rules[i].always = true;
		memset(
		    plan->rules[i].guard, 0xff, sizeof(plan->rules[i].guard));
	}
	if (!plain)
		plan_all(&p);
	c->plan = plan;
}
