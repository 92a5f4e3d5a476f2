#include "compiler/cost.h"

#include "compiler/account.h"
#include "compiler/passes.h"
#include "runtime/literal.h"
#include "runtime/literal_class.h"

enum { WAYS_SHOWN = 6 };

/* ---- conditions ------------------------------------------------------- */

struct counter {
	struct arena *arena;
	uint32_t *seen; /* by node */
	uint32_t walk;
	VEC(const struct ir_node *) todo;
};

static struct counter
counter_of(const struct plan *p)
{
	return (struct counter){ .arena = p->ir->arena,
		.seen =
		    ARENA_ARRAY(p->ir->arena, p->ir->nodes.n + 1, uint32_t) };
}

/* What is known of a condition at `upto`; equal nodes are evaluated once. */
static struct cost
count(struct counter *c, const struct ir_node *condition, enum milt_stage upto)
{
	struct cost sum = { 0 };

	c->walk++;
	vec_push(c->arena, &c->todo, condition);
	while (c->todo.n) {
		const struct ir_node *n = c->todo.v[--c->todo.n];

		if (c->seen[n->number] == c->walk || n->first > upto)
			continue;
		c->seen[n->number] = c->walk;
		sum.tests += n->kind == NODE_TEST;
		sum.regexes += n->kind == NODE_TEST && n->op == OPC_MATCH;
		sum.loops += n->kind == NODE_EACH;
		if (n->b)
			vec_push(c->arena, &c->todo, n->b);
		if (n->a)
			vec_push(c->arena, &c->todo, n->a);
	}
	return sum;
}

static void
add_fixed(struct stage_cost *s, struct cost c)
{
	s->fixed.tests += c.tests;
	s->fixed.regexes += c.regexes;
	s->fixed.loops += c.loops;
}

/* ---- look-ups --------------------------------------------------------- */

struct way {
	enum probe_kind kind;
	struct ir_ref ref;
	const struct ir_node *node; /* PROBE_CODE */
	const struct ir_list *list; /* lists as a whole */
	bool tried; /* a regex with nothing that a scan could look for */
	unsigned long count;
};

struct ways {
	struct arena *arena;
	VEC(struct way) list;
	struct intern known;
	unsigned tried;
};

static bool
is_tried(const struct ir_regex *re)
{
	unsigned flags = ir_regex_flags(re);
	struct literals set;
	struct literals_also also;
	struct classes classes;

	return !literals_of(re->source, flags, &set, &also) &&
	       !classes_of(re->source, flags, &classes);
}

static void
add_way(struct ways *w, const struct trigger_test *test)
{
	struct {
		uint32_t kind, attr, from, key, own;
	} key = { .kind = test->kind };
	struct way fresh = { .kind = test->kind };
	struct str text;
	uint32_t number;
	bool added;

	if (test->kind == PROBE_CODE) {
		fresh.node = test->node;
		key.own = test->node->number + 1;
	} else {
		fresh.ref = *test->ref;
		key.attr = fresh.ref.attr;
		key.from = fresh.ref.from;
		key.key = (uint32_t)fresh.ref.key.n;
	}
	if (test->kind == PROBE_LIST || test->kind == PROBE_UNDER_LIST) {
		fresh.list = test->node->right_list;
		key.own = fresh.list->number + 1;
	} else if (test->kind == PROBE_REGEXES &&
		   is_tried(test->node->right_regex)) {
		fresh.tried = true;
		key.own = test->node->number + 1;
	}
	text = arena_printf(w->arena, "%u %u %u %u %.*s", key.kind, key.attr,
	    key.from, key.own, STR_ARG(fresh.ref.key));
	number = intern_add(&w->known, text, &added);
	if (added) {
		vec_push(w->arena, &w->list, fresh);
		w->tried += fresh.tried;
	}
	w->list.v[number].count++;
}

/* Those of one stage; false if the rule has none there. */
static bool
add_ways(struct ways *w, const struct plan_rule *how, enum milt_stage stage)
{
	bool some = false;

	for (size_t i = 0; i < how->ways.n; i++) {
		const struct plan_way *way = &how->ways.v[i];

		if (way->stage != stage)
			continue;
		add_way(w, &way->test);
		some = true;
	}
	return some;
}

static void
print_way(const struct way *w, const char *before, FILE *f)
{
	static const char *const words[] = { [PROBE_KEYS] = "value of",
		[PROBE_UNDER] = "domain of",
		[PROBE_NETWORKS] = "network of",
		[PROBE_NUMBERS] = "number",
		[PROBE_RANGES] = "bounds on",
		[PROBE_REGEXES] = "regexes on",
		[PROBE_TEXTS] = "texts in",
		[PROBE_LIST] = "list",
		[PROBE_UNDER_LIST] = "list",
		[PROBE_CODE] = "a condition that other rules have too" };

	fprintf(f, "%s%s", before,
	    w->tried ? "a regex that is tried each time on" : words[w->kind]);
	if (w->list)
		fprintf(f, " %.*s of",
		    STR_ARG(w->list->name.n ? w->list->name
					    : STR("written in place")));
	if (w->kind == PROBE_CODE)
		return;
	fprintf(f, " %s%.*s", w->ref.from == REF_COUNT ? "count of " : "",
	    STR_ARG(attr_rows[w->ref.attr].name));
	if (attr_rows[w->ref.attr].keyed)
		fprintf(f, "(\"%.*s\")", STR_ARG(w->ref.key));
	if (w->count > 1)
		fprintf(f, " (%lu times)", w->count);
}

/* ---- stages ----------------------------------------------------------- */

struct stage_cost
cost_of_stage(const struct plan *p, enum milt_stage stage)
{
	struct counter c = counter_of(p);
	struct stage_cost s = { 0 };
	struct ways ways = { .arena = p->ir->arena };

	intern_init(&ways.known, ways.arena);
	for (size_t i = 0; i < p->ir->rules.n; i++) {
		const struct ir_rule *r = p->ir->rules.v[i];
		const struct plan_rule *how = &p->rules[i];

		if (!add_ways(&ways, how, stage) && how->entry != stage)
			continue;
		s.entering++;
		s.tried = s.tried || !ways.tried ? s.tried : r;
		if (!how->always || how->entry != stage)
			continue;
		s.first = s.first ? s.first : r;
		s.always++;
		add_fixed(&s, count(&c, r->condition, stage));
	}
	for (size_t i = 0; i < p->guards.n; i++) {
		if (p->guards.v[i].stage != stage)
			continue;
		s.guards++;
		add_fixed(&s, count(&c, p->guards.v[i].rule->condition, stage));
	}
	add_fixed(
	    &s, (struct cost){ .tests = ways.tried, .regexes = ways.tried });
	s.look_ups = (unsigned)ways.list.n - ways.tried;
	s.units = s.look_ups + s.fixed.tests - s.fixed.regexes +
		  (unsigned long)s.fixed.regexes * COST_OF_REGEX;
	return s;
}

static struct span
budget_span(struct compilation *c)
{
	struct policy_items items = policy_items(c);
	struct span span = c->ir->otherwise->span;

	for (size_t i = 0; i < items.n; i++)
		if (items.v[i]->kind == ITEM_OPTION &&
		    str_eq(
			items.v[i]->name.text, option_rows[OPTION_BUDGET].name))
			span = items.v[i]->span;
	return span;
}

void
cost_check(struct compilation *c)
{
	long long budget = c->ir->options[OPTION_BUDGET];

	for (int i = 0; c->ir->option_set[OPTION_BUDGET] && i < STAGE_COUNT;
	     i++) {
		struct stage_cost s =
		    cost_of_stage(c->plan, (enum milt_stage)i);
		const struct ir_rule *r = s.first ? s.first : s.tried;
		struct diag *d;

		if (s.units <= (unsigned long)budget)
			continue;
		d = diag_at(&c->diags, D_BUDGET, r ? r->span : budget_span(c),
		    "what is looked at for every message at `%.*s` costs "
		    "%lu, more than the %lld of `option budget`",
		    STR_ARG(stage_rows[i].name), s.units, budget);
		diag_primary_label(&c->diags, d, "%s",
		    s.first   ? "the first rule that is always looked at"
		    : s.tried ? "the first rule with a regex that is always "
				"tried"
			      : "");
		diag_help(&c->diags, d,
		    "`milterc explain --cost` shows how each rule is "
		    "reached");
	}
}

/* ---- printing --------------------------------------------------------- */

static const char *
plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static void
print_cost(struct cost c, FILE *f)
{
	fprintf(f, "%u test%s", c.tests, plural(c.tests));
	if (c.regexes)
		fprintf(f, ", %u of them regex%s", c.regexes,
		    c.regexes == 1 ? "" : "es");
	if (c.loops)
		fprintf(f, ", %u loop%s", c.loops, plural(c.loops));
	fputc('\n', f);
}

/* Where it enters, and before that where it may be true already. */
static void
print_reached(const struct plan *p, const struct plan_rule *how,
    enum milt_stage stage, FILE *f)
{
	struct ways ways = { .arena = p->ir->arena };

	intern_init(&ways.known, ways.arena);
	if (!add_ways(&ways, how, stage) &&
	    (how->entry != stage || (how->ways.n && !how->always)))
		return;
	fprintf(f, "  reached  at %.*s, ", STR_ARG(stage_rows[stage].name));
	if (how->always && how->entry == stage)
		fputs("always", f);
	else if (!ways.list.n)
		fputs("never", f);
	for (size_t i = 0; i < ways.list.n && i < WAYS_SHOWN; i++)
		print_way(&ways.list.v[i], i ? " or " : "by ", f);
	if (ways.list.n > WAYS_SHOWN)
		fprintf(f, " or %zu more", ways.list.n - WAYS_SHOWN);
	fputc('\n', f);
}

static void
print_rule(struct compilation *c, struct counter *counter,
    const struct ir_rule *r, FILE *f)
{
	const struct plan_rule *how = &c->plan->rules[r->number];
	struct str file;
	unsigned line;

	account_place(c, r, &file, &line);
	fprintf(f, "%.*s (%.*s:%u)\n", STR_ARG(r->name), STR_ARG(file), line);
	for (int s = 0; s < STAGE_COUNT; s++)
		print_reached(c->plan, how, (enum milt_stage)s, f);
	for (int s = 0; s < STAGE_COUNT; s++)
		if (how->guard[s] != IMAGE_NONE)
			fprintf(f, "  guarded  at %.*s\n",
			    STR_ARG(stage_rows[s].name));
	if (r->js)
		fprintf(f, "  asks     %.*s\n", STR_ARG(account_call(c, r)));
	fputs("  at worst ", f);
	print_cost(count(counter, r->condition, STAGE_MESSAGE), f);
}

static void
print_stage(struct compilation *c, enum milt_stage stage, FILE *f)
{
	struct stage_cost s = cost_of_stage(c->plan, stage);

	if (!s.entering && !s.guards)
		return;
	fprintf(f,
	    "%.*s: %lu\n  rules    %u, of which %u always looked at\n"
	    "  look-ups %u\n",
	    STR_ARG(stage_rows[stage].name), s.units, s.entering, s.always,
	    s.look_ups);
	if (s.guards)
		fprintf(f, "  guards   %u\n", s.guards);
	fputs("  always   ", f);
	print_cost(s.fixed, f);
}

void
cost_print(struct compilation *c, FILE *f)
{
	struct counter counter;

	c->arena.on_fail = &c->no_memory;
	if (setjmp(c->no_memory) == 0) {
		counter = counter_of(c->plan);
		for (size_t i = 0; i < c->ir->rules.n; i++)
			print_rule(c, &counter, c->ir->rules.v[i], f);
		fputs("\nfor every message\n", f);
		for (int s = 0; s < STAGE_COUNT; s++)
			print_stage(c, (enum milt_stage)s, f);
	} else {
		fputs("out of memory\n", stderr);
	}
	c->arena.on_fail = NULL;
}
