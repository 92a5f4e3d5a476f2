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
	struct intern classes;          /* what may be false at a stage */
	VEC(uint32_t) members;          /* rules of each class */
	VEC(uint32_t) guards;           /* of each class, or IMAGE_NONE */
	uint32_t (*class)[STAGE_COUNT]; /* by rule; IMAGE_NONE: nothing new */
	uint32_t *seen;                 /* by node: the last rule's walk */
	uint32_t walk;
	enum milt_stage stage; /* of the ways that are added */
	struct plan_rule *out; /* to which */
};

static struct trigger
trigger_at(const struct plan *p, const struct ir_rule *r,
    enum trigger_goal goal, int stage)
{
	return p->triggers.at[goal][stage][r->condition->number];
}

/* `A or B` is not false as long as one of the two is unknown. */
static bool
may_be_false(struct planner *p, const struct ir_node *root, int stage)
{
	VEC(const struct ir_node *) todo = { 0 };

	vec_push(p->arena, &todo, root);
	while (todo.n) {
		const struct ir_node *n = todo.v[--todo.n];

		if ((int)n->first > stage)
			return false;
		if (n->kind != NODE_OR)
			continue;
		vec_push(p->arena, &todo, n->b);
		vec_push(p->arena, &todo, n->a);
	}
	return true;
}

/*
 * The class of the present rule at a stage: the conjuncts that may be false.
 * None where nothing new is known of them.
 */
static uint32_t
class_at(struct planner *p, int stage)
{
	VEC(uint32_t) key = { 0 };
	bool fresh = false, added;
	uint32_t class;

	vec_push(p->arena, &key, (uint32_t)stage);
	for (size_t i = 0; i < p->conjuncts.list.n; i++) {
		const struct ir_node *n = p->conjuncts.list.v[i];

		if (!may_be_false(p, n, stage))
			continue;
		fresh |= n->stages >> stage & 1;
		vec_push(p->arena, &key, n->number);
	}
	if (!fresh)
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
		    trigger_at(p, r, GOAL_OPEN, s).way != TRIGGER_NONE)
			return true;
	return false;
}

/*
 * A rule waits as long as all that may make it true can be looked up, unless
 * what else it requires already leaves few such rules, or never will.
 */
static bool
enters(const struct planner *p, const struct ir_rule *r, int stage)
{
	uint32_t class = p->class[r->number][stage];
	struct trigger open = trigger_at(p->plan, r, GOAL_OPEN, stage);
	struct trigger true_ = trigger_at(p->plan, r, GOAL_TRUE, stage);

	if (true_.way == TRIGGER_NONE)
		return true;
	if (open.way == TRIGGER_NONE)
		return false;
	if (open.cost <= true_.cost || !has_later(p->plan, r, stage))
		return true;
	return class != IMAGE_NONE && p->members.v[class] < SHARED;
}

static void
add_way(void *data, const struct trigger_test *test)
{
	struct planner *p = data;
	struct plan_way way = { p->stage, *test };

	if (p->seen[test->node->number] == p->walk)
		return;
	p->seen[test->node->number] = p->walk;
	vec_push(p->arena, &p->out->ways, way);
}

static void
add_ways(struct planner *p, const struct ir_rule *r, enum trigger_goal goal,
    int stage)
{
	p->stage = (enum milt_stage)stage;
	trigger_each(
	    &p->plan->triggers, r->condition, goal, p->stage, add_way, p);
}

/* False where it can be reached at none of its stages. */
static bool
plan_stages(struct planner *p, const struct ir_rule *r)
{
	for (int s = 0; s < STAGE_COUNT; s++) {
		/* At RCPT only rules of recipients are looked at. */
		if (!(rule_fragments(r) >> s & 1) ||
		    (s == STAGE_RCPT && !r->recipient))
			continue;
		if (s > STAGE_RCPT && r->recipient)
			return false;
		if (enters(p, r, s)) {
			p->out->entry = (enum milt_stage)s;
			p->out->always =
			    trigger_at(p->plan, r, GOAL_OPEN, s).way ==
			    TRIGGER_NONE;
			add_ways(p, r, GOAL_OPEN, s);
			return true;
		}
		add_ways(p, r, GOAL_TRUE, s);
		p->out->guard[s] = p->class[r->number][s];
	}
	return false;
}

static void
plan_rule(struct planner *p, const struct ir_rule *r)
{
	p->out = &p->plan->rules[r->number];
	p->walk++;
	if (plan_stages(p, r))
		return;
	/* A rule of a recipient that is decided when all are known. */
	memset(p->out->guard, 0xff, sizeof(p->out->guard));
	p->out->ways.n = 0;
	p->out->entry = STAGE_CONNECT;
	p->out->always = true;
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
	p->seen = ARENA_ARRAY(p->arena, ir->nodes.n + 1, uint32_t);
	for (size_t i = 0; i < ir->rules.n; i++)
		classify(p, ir->rules.v[i]);
	for (size_t i = 0; i < ir->rules.n; i++)
		plan_rule(p, ir->rules.v[i]);
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
