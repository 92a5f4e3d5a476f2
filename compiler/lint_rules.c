#include "compiler/holds.h"
#include "compiler/lint.h"
#include "compiler/node.h"

/* So many parts of a condition are compared each with each. */
enum { MOST_PARTS = 1000 };

/* ---- conditions as sets of conjuncts ----------------------------------- */

typedef VEC(struct ir_node *) node_vec;

static void
conjuncts(struct arena *a, struct ir_node *n, node_vec *out)
{
	while (n->kind == NODE_AND) {
		conjuncts(a, n->b, out);
		n = n->a;
	}
	vec_push(a, out, n);
}

static bool
contains(const node_vec *v, const struct ir_node *n)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i] == n)
			return true;
	return false;
}

/* Equal nodes are one, so what implies is a superset. */
static bool
implies(const node_vec *strong, const node_vec *weak)
{
	for (size_t i = 0; i < weak->n; i++)
		if (!contains(strong, weak->v[i]))
			return false;
	return true;
}

/* ---- unreachable ------------------------------------------------------- */

static bool
is_always(const struct ir_rule *r)
{
	return r->condition->kind == NODE_CONST && r->condition->value == TRUE_;
}

static bool
is_never(const struct ir_rule *r)
{
	return r->condition->kind == NODE_CONST &&
	       r->condition->value == FALSE_;
}

/*
 * A verdict above whose condition holds whenever this one does.  Of the same
 * kind, the lower rule may still speak where it is certain earlier.
 */
static bool
hides(const struct ir_rule *above, const node_vec *above_parts,
    const struct ir_rule *r, const node_vec *parts)
{
	/* A js rule may answer that it does not match. */
	if (above->shadow || above->js || !above->kinds || is_never(above))
		return false;
	if (above->kinds & r->kinds && above->known > r->known)
		return false;
	return is_always(above) || implies(parts, above_parts);
}

/*
 * The rules above by the first part of their condition, which a rule that they
 * hide has too.
 */
struct above {
	uint32_t *last;  /* by number of the part: the last such rule, from 1 */
	uint32_t *next;  /* by rule: the one before with that part, from 1 */
	uint32_t always; /* the first rule that always matches, from 1 */
	size_t steps;    /* that are left: rules may have all parts in common */
};

static void
above_add(struct above *a, const struct ir_rule *r, const node_vec *parts)
{
	uint32_t *last = &a->last[parts->v[0]->number];

	if (r->shadow || !r->kinds || is_never(r))
		return;
	a->next[r->number] = *last;
	*last = r->number + 1;
	if (!a->always && is_always(r))
		a->always = r->number + 1;
}

/* The first rule above that hides this one, or NULL. */
static struct ir_rule *
above_find(struct compilation *c, struct above *a, const struct ir_rule *r,
    const node_vec *parts)
{
	const node_vec *mine = &parts[r->number];
	uint32_t found = a->always;

	if (found &&
	    !hides(c->ir->rules.v[found - 1], &parts[found - 1], r, mine))
		found = 0;
	for (size_t i = 0; i < mine->n; i++)
		for (uint32_t k = a->last[mine->v[i]->number]; k;
		     k = a->next[k - 1]) {
			size_t cost = 1 + mine->n * parts[k - 1].n;

			if (a->steps < cost)
				return NULL;
			a->steps -= cost;
			if ((!found || k < found) &&
			    hides(
				c->ir->rules.v[k - 1], &parts[k - 1], r, mine))
				found = k;
		}
	return found ? c->ir->rules.v[found - 1] : NULL;
}

static void
lint_unreachable(struct compilation *c, struct above *a, const node_vec *parts,
    const struct ir_rule *r)
{
	const struct ir_rule *above;
	struct diag *d;

	if (is_never(r) || !r->kinds || r->shadow)
		return;
	above = above_find(c, a, r, parts);
	if (!above)
		return;
	d = diag_at(&c->diags, D_UNREACHABLE, r->span,
	    "rule `%.*s` can never be reached", STR_ARG(r->name));
	diag_label(&c->diags, d, above->span,
	    "`%.*s` decides whenever this one would", STR_ARG(above->name));
	diag_help(&c->diags, d, "move it above `%.*s`, or remove it",
	    STR_ARG(above->name));
}

/* ---- always, never ------------------------------------------------------ */

static bool
ranges_are_disjoint(const struct ir_list *a, const struct ir_list *b)
{
	for (size_t i = 0; i < a->ranges.n; i++)
		for (size_t k = 0; k < b->ranges.n; k++)
			if (ip_compare(a->ranges.v[i].first,
				b->ranges.v[k].last) <= 0 &&
			    ip_compare(
				b->ranges.v[k].first, a->ranges.v[i].last) <= 0)
				return false;
	return true;
}

static bool
numbers_are_disjoint(const struct ir_list *a, const struct ir_list *b)
{
	for (size_t i = 0; i < a->numbers.n; i++)
		for (size_t k = 0; k < b->numbers.n; k++)
			if (a->numbers.v[i] == b->numbers.v[k])
				return false;
	return true;
}

static bool
lists_are_disjoint(const struct ir_list *a, const struct ir_list *b)
{
	static const size_t most = 1000; /* to compare each with each */

	if (a->type != b->type || a->keys.n > most || b->keys.n > most ||
	    a->ranges.n > most || b->ranges.n > most || a->numbers.n > most ||
	    b->numbers.n > most)
		return false;
	if (a->type == TYPE_NETWORK)
		return ranges_are_disjoint(a, b);
	if (a->type == TYPE_NUMBER)
		return numbers_are_disjoint(a, b);
	for (size_t i = 0; i < a->keys.n; i++)
		for (size_t k = 0; k < b->keys.n; k++)
			if (str_eq(a->keys.v[i], b->keys.v[k]))
				return false;
	return true;
}

static bool
is_key_in(const struct ir_list *l, struct str key)
{
	for (size_t i = 0; i < l->keys.n; i++)
		if (str_eq(l->keys.v[i], key))
			return true;
	return false;
}

/* Two tests of one value that cannot both hold. */
static bool
contradict(const struct ir_node *a, const struct ir_node *b)
{
	if (a->kind == NODE_NOT)
		return a->a == b;
	if (b->kind == NODE_NOT)
		return b->a == a;
	if (a->kind != NODE_TEST || b->kind != NODE_TEST ||
	    !ref_equal(&a->left, &b->left))
		return false;
	if (a->op == OPC_IS && b->op == OPC_IS)
		return !str_eq(a->right_text, b->right_text);
	if (a->op == OPC_IN && b->op == OPC_IN)
		return lists_are_disjoint(a->right_list, b->right_list);
	if (a->op == OPC_IS && b->op == OPC_IN)
		return attr_rows[a->left.attr].type == b->right_list->type &&
		       !is_key_in(b->right_list, a->right_text);
	if (a->op == OPC_IN && b->op == OPC_IS)
		return contradict(b, a);
	if (a->op == OPC_EQ && b->op == OPC_EQ)
		return a->right_number != b->right_number;
	if ((a->op == OPC_LT && (b->op == OPC_GT || b->op == OPC_GE)) ||
	    (a->op == OPC_LE && b->op == OPC_GT))
		return a->right_number <= b->right_number;
	if ((b->op == OPC_LT && (a->op == OPC_GT || a->op == OPC_GE)) ||
	    (b->op == OPC_LE && a->op == OPC_GT))
		return b->right_number <= a->right_number;
	return false;
}

static bool
is_empty_list(const struct ir_list *l)
{
	return !l->keys.n && !l->numbers.n && !l->ranges.n;
}

static void
lint_never(
    struct compilation *c, const struct ir_rule *r, const node_vec *parts)
{
	size_t most = parts->n < MOST_PARTS ? parts->n : MOST_PARTS;
	struct diag *d;

	for (size_t i = 0; i < parts->n; i++) {
		const struct ir_node *n = parts->v[i];

		if (n->kind == NODE_TEST &&
		    (n->op == OPC_IN || n->op == OPC_UNDER) &&
		    is_empty_list(n->right_list)) {
			diag_at(&c->diags, D_NEVER, n->span,
			    "this can never hold: the list is empty");
			return;
		}
		for (size_t k = i + 1; k < most; k++) {
			if (!contradict(n, parts->v[k]))
				continue;
			d = diag_at(&c->diags, D_NEVER, r->span,
			    "the condition of rule `%.*s` can never hold",
			    STR_ARG(r->name));
			diag_label(&c->diags, d, n->span, "not both this ...");
			diag_label(
			    &c->diags, d, parts->v[k]->span, "... and this");
			return;
		}
	}
}

/* `a or not a`, anywhere in a chain of `or`. */
static bool
is_tautology(struct arena *a, const struct ir_node *n)
{
	node_vec parts = { 0 };

	while (n->kind == NODE_OR) {
		vec_push(a, &parts, n->b);
		n = n->a;
	}
	for (size_t i = 0; i < parts.n && parts.n < MOST_PARTS; i++)
		if ((n->kind == NODE_NOT && n->a == parts.v[i]) ||
		    (parts.v[i]->kind == NODE_NOT && parts.v[i]->a == n) ||
		    (parts.v[i]->kind == NODE_NOT &&
			contains(&parts, parts.v[i]->a)))
			return true;
	return false;
}

static void
lint_constant(struct compilation *c, const struct ir_rule *r)
{
	bool written =
	    r->ast && (r->ast->when || r->ast->unless ||
			  (r->ast->group &&
			      (r->ast->group->when || r->ast->group->unless)));

	if (is_never(r))
		diag_at(&c->diags, D_NEVER, r->span,
		    "the condition of rule `%.*s` can never hold",
		    STR_ARG(r->name));
	else if ((is_always(r) || is_tautology(&c->arena, r->condition)) &&
		 written)
		diag_at(&c->diags, D_ALWAYS, r->span,
		    "the condition of rule `%.*s` always holds",
		    STR_ARG(r->name));
}

/* ---- held --------------------------------------------------------------- */

/*
 * A refusal that its own facts would allow at RCPT or before waits for the
 * message, because of a rule above that may still say otherwise.
 */
static void
lint_held(
    struct compilation *c, const struct holders *h, const struct ir_rule *r)
{
	const struct ir_rule *above;
	struct diag *d;

	if (r->shadow || !lint_is_refusal(r) || r->pinned || is_never(r) ||
	    r->known > STAGE_RCPT)
		return;
	above = holders_after(h, r->kinds, STAGE_RCPT);
	if (!above)
		return;
	d = diag_at(&c->diags, D_HELD, r->span,
	    "rule `%.*s` is known at %.*s, but waits for %.*s",
	    STR_ARG(r->name), STR_ARG(stage_rows[r->known].name),
	    STR_ARG(stage_rows[above->known].name));
	diag_label(&c->diags, d, above->span,
	    "`%.*s` may still decide otherwise", STR_ARG(above->name));
	diag_help(&c->diags, d,
	    "move `%.*s` above `%.*s`: it then refuses before the "
	    "message is sent",
	    STR_ARG(r->name), STR_ARG(above->name));
}

/* ---- what it does to mail ----------------------------------------------- */

static bool
has_action(const struct ir_rule *r, enum milt_action action)
{
	for (size_t i = 0; i < r->actions.n; i++)
		if (r->actions.v[i]->action == action)
			return true;
	return false;
}

static void
lint_discard(struct compilation *c, const struct ir_rule *r)
{
	struct diag *d;

	/* What js rules fail with is logged anyway. */
	if (r->verdict != ACTION_DISCARD || r->shadow || r->js ||
	    has_action(r, ACTION_LOG))
		return;
	d = diag_at(&c->diags, D_DISCARD_SILENT, r->span,
	    "rule `%.*s` throws mail away without a word", STR_ARG(r->name));
	diag_help(&c->diags, d,
	    "add a line to find it again: log \"discarded mail from {sender} "
	    "to {recipients}\"");
}

/*
 * An accept for a recipient, above rules on the content of the message; *next
 * is where none of them stands before.
 */
static void
lint_early_accept(struct compilation *c, size_t i, size_t *next)
{
	struct ir_rule *r = c->ir->rules.v[i];

	if (!r->recipient || !(r->kinds >> ACTION_ACCEPT & 1) || r->shadow)
		return;
	if (*next <= i)
		*next = i + 1;
	for (; *next < c->ir->rules.n; ++*next) {
		struct ir_rule *below = c->ir->rules.v[*next];
		struct diag *d;

		if (below->shadow || below->recipient ||
		    !(below->kinds & ~(1U << ACTION_ACCEPT)) ||
		    below->known <= STAGE_RCPT)
			continue;
		d = diag_at(&c->diags, D_EARLY_ACCEPT, r->span,
		    "mail for these recipients alone is not looked at");
		diag_label(&c->diags, d, below->span,
		    "`%.*s` is not asked for them", STR_ARG(below->name));
		diag_help(&c->diags, d,
		    "to exempt them from some rules put those into a group "
		    "with `unless recipient ...`");
		return;
	}
}

static struct above
above_none(struct compilation *c, const node_vec *parts)
{
	size_t n = c->ir->rules.n, numbers = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < parts[i].n; k++)
			if (parts[i].v[k]->number >= numbers)
				numbers = (size_t)parts[i].v[k]->number + 1;
	return (struct above){
		.last = ARENA_ARRAY(&c->arena, numbers + 1, uint32_t),
		.next = ARENA_ARRAY(&c->arena, n + 1, uint32_t),
		.steps = 100000000,
	};
}

void
lint_rules(struct compilation *c)
{
	size_t n = c->ir->rules.n, next = 0;
	node_vec *parts = ARENA_ARRAY(&c->arena, n + 1, node_vec);
	struct holders held = { 0 };
	struct above above;

	for (size_t i = 0; i < n; i++)
		conjuncts(&c->arena, c->ir->rules.v[i]->condition, &parts[i]);
	above = above_none(c, parts);
	for (size_t i = 0; i < n; i++) {
		struct ir_rule *r = c->ir->rules.v[i];

		lint_constant(c, r);
		lint_never(c, r, &parts[i]);
		lint_held(c, &held, r);
		lint_discard(c, r);
		lint_null_sender(c, r);
		lint_early_accept(c, i, &next);
		lint_unreachable(c, &above, parts, r);
		above_add(&above, r, &parts[i]);
		if (!r->shadow)
			holders_add(&held, r);
	}
}
