/* Texts of actions, and where in the condition their values come from. */
#include "compiler/lower.h"

#include "compiler/passes.h"

/*
 * A loop's body is walked for each loop around it, since elements differ: what
 * definitions multiply is bounded.
 */
enum { MAX_VISITS = 1 << 24 };

struct visit {
	struct ir_node *node, *each;
	bool positive;
	uint32_t mark;
};

/* ---- what can make a condition true --------------------------------- */

static void
grow_marks(struct lower *l)
{
	size_t need = l->ir->nodes.n * 2;

	if (l->marks_size >= need)
		return;
	l->marks_size = need * 2;
	l->marks = ARENA_ARRAY(l->arena, l->marks_size, uint32_t);
}

/* Has this walk been there?  It has now. */
static bool
seen(struct lower *l, const struct visit *v)
{
	uint32_t *mark = &l->marks[v->node->number * 2 + v->positive];

	if (*mark == v->mark)
		return true;
	*mark = v->mark;
	return false;
}

static void
add_origin(struct lower *l, origin_vec *o, const struct visit *v, uint32_t walk)
{
	struct {
		uintptr_t node, each;
		uint64_t walk;
	} key = { (uintptr_t)v->node, (uintptr_t)v->each, walk };
	struct origin new = { v->node, v->each };
	bool added;

	intern_add(
	    &l->origins, (struct str){ (char *)&key, sizeof(key) }, &added);
	if (added)
		vec_push(l->arena, o, new);
}

/* Both operands of `a and b` are true; of `not (a or b)`, false. */
static bool
needs_both(const struct visit *v)
{
	return v->node->kind == (v->positive ? NODE_AND : NODE_OR);
}

static void
walk_origins(struct lower *l, struct ir_node *condition, bool choose,
    struct origins *out)
{
	VEC(struct visit) todo = { 0 };
	uint32_t walk = ++l->mark;
	size_t visits = 0;

	grow_marks(l);
	vec_push(
	    l->arena, &todo, ((struct visit){ condition, NULL, true, walk }));
	while (todo.n) {
		struct visit v = todo.v[--todo.n], next;
		struct ir_node *first, *second;

		if (++visits > MAX_VISITS) {
			lower_refuse(l, condition->span,
			    "the loops of this condition are too large");
			break;
		}
		if (v.node->free_loops == 0) {
			v.each = NULL; /* the same for all elements */
			v.mark = walk;
		}
		next = v;
		if (seen(l, &v))
			continue;
		if (v.positive && v.node->kind == NODE_TEST &&
		    v.node->op == OPC_MATCH && !choose)
			add_origin(l, &out->regexes, &v, walk);
		if (v.node->kind == NODE_EACH && v.node->loop == 0) {
			if (v.positive && choose)
				add_origin(l, &out->loops, &v, walk);
			next.each = v.node;
			next.mark = ++l->mark;
		}
		next.positive ^= v.node->kind == NODE_NOT;
		first = choose && needs_both(&v) ? v.node->b : v.node->a;
		second = first == v.node->a ? v.node->b : v.node->a;
		if ((next.node = second))
			vec_push(l->arena, &todo, next);
		if ((next.node = first))
			vec_push(l->arena, &todo, next);
	}
}

struct origins
origins_of(struct lower *l, struct ir_node *condition)
{
	struct origins out = { 0 };

	walk_origins(l, condition, false, &out);
	walk_origins(l, condition, true, &out);
	return out;
}

/* ---- pieces --------------------------------------------------------- */

static void
note_ref(struct ir_template *t, const struct ir_ref *ref)
{
	if (ref_stage(ref) > t->last)
		t->last = ref_stage(ref);
	t->recipient |= ref_scope(ref) == SCOPE_RECIPIENT;
}

/* Which element it is about is not known before the loop's facts are. */
static void
note_loop(struct ir_template *t, const struct ir_node *each)
{
	if (each->last > t->last)
		t->last = each->last;
}

static void
add_value(struct lower *l, struct ir_template *t, const struct ast_value *v,
    const struct origins *o)
{
	struct ir_piece piece = { .kind = IR_VALUE, .ref = lower_ref(l, v) };

	note_ref(t, &piece.ref);
	for (size_t i = 0; value_is_many(v) && i < o->loops.n; i++) {
		struct ir_node *each = o->loops.v[i].node;
		struct ir_candidate c = { .each = each, .ref = piece.ref };

		if (each->left.attr != collection_of(v->attr) ||
		    !str_eq(each->left.key, piece.ref.key))
			continue;
		c.ref.from = REF_ELEMENT;
		note_loop(t, each);
		vec_push(l->arena, &piece.candidates, c);
	}
	vec_push(l->arena, &t->pieces, piece);
}

/* The number of the group that `name` means, or 0. */
static unsigned
group_of(const struct ir_regex *re, struct str name)
{
	unsigned long number = 0;

	for (size_t g = 0; g < re->names.n; g++)
		if (re->names.v[g].n && str_eq(re->names.v[g], name))
			return (unsigned)g + 1;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9' || i > 3)
			return 0;
		number = number * 10 + (unsigned long)(name.p[i] - '0');
	}
	return number <= re->captures ? (unsigned)number : 0;
}

static void
add_capture(struct lower *l, struct ir_template *t, struct str name,
    const struct origins *o)
{
	struct ir_piece piece = { .kind = IR_CAPTURE };

	for (size_t i = o->regexes.n; i-- > 0;) {
		const struct origin *from = &o->regexes.v[i];
		const struct ir_node *n = from->node;
		struct ir_candidate c = { .ref = n->left,
			.regex = n->right_regex };

		c.group = group_of(c.regex, name);
		/* What loops inside a loop have found is not kept. */
		if (c.group == 0 ||
		    (c.ref.from == REF_ELEMENT && c.ref.loop != 0))
			continue;
		if (c.ref.from == REF_ELEMENT)
			c.each = from->each;
		note_ref(t, &c.ref);
		if (c.each)
			note_loop(t, c.each);
		vec_push(l->arena, &piece.candidates, c);
	}
	vec_push(l->arena, &t->pieces, piece);
}

static void
add_text(struct lower *l, struct ir_template *t, struct str text)
{
	struct ir_piece piece = { .kind = IR_TEXT, .text = text };

	if (text.n)
		vec_push(l->arena, &t->pieces, piece);
}

struct ir_template *
lower_template(
    struct lower *l, const struct ast_template *from, const struct origins *o)
{
	struct ir_template *t = ARENA_NEW(l->arena, struct ir_template);

	for (size_t i = 0; i < from->pieces.n; i++) {
		const struct ast_piece *p = &from->pieces.v[i];
		const struct ast_value *v =
		    p->value ? value_behind(p->value) : NULL;

		if (p->kind == PIECE_TEXT)
			add_text(l, t, p->text);
		else if (p->capture)
			add_capture(l, t, p->text, o);
		else if (v && value_is_attr(v))
			add_value(l, t, v, o);
		else if (v)
			add_text(l, t, v->text);
	}
	return t;
}

struct ir_template *
lower_literal(struct lower *l, struct str text)
{
	struct ir_template *t = ARENA_NEW(l->arena, struct ir_template);

	add_text(l, t, text);
	return t;
}

struct ir_template *
lower_capture(struct lower *l, struct str name, const struct origins *o)
{
	struct ir_template *t = ARENA_NEW(l->arena, struct ir_template);

	add_capture(l, t, name, o);
	return t;
}
