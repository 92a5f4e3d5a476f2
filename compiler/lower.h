/*
 * Inside lowering: shared by lower.c (items, rules), lower_expr.c
 * (conditions), lower_compare.c (comparisons), lower_value.c (operands) and
 * template.c (texts).
 */
#ifndef COMPILER_LOWER_H
#define COMPILER_LOWER_H

#include "compiler/compile.h"
#include "compiler/node.h"

struct lower {
	struct compilation *c;
	struct ir *ir;
	struct arena *arena;
	struct node_maker nodes;
	struct intern lets;              /* definition and depth */
	VEC(struct ir_node *) let_nodes; /* by number in `lets` */
	struct intern sets;              /* contents of lists in place */
	VEC(struct ir_list *) set_lists; /* by number in `sets` */
	struct intern regexes;           /* source and flags */
	struct intern origins;           /* those seen: node, loop, walk */
	unsigned depth;                  /* loops that are open here */
	unsigned base;    /* loops open where this rule or let begins */
	unsigned nesting; /* calls of lower_expr inside each other */
	uint32_t *marks;  /* two for each node: last walk that saw it */
	size_t marks_size;
	uint32_t mark;
};

/* ---- conditions: lower_expr.c --------------------------------------- */

struct ir_node *lower_expr(struct lower *, const struct ast_expr *);

/*
 * The condition of a `where`: loop 0 is open and at the element that is asked.
 */
struct ir_node *lower_where(struct lower *, const struct ast_expr *);

/* Reports a condition that no image can hold. */
void lower_refuse(struct lower *, struct span, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a comparison; gives a node that stands for it. */
struct ir_node *lower_refuse_compare(struct lower *, const struct ast_expr *);

/*
 * Opens the loop over the values of `ref`, which becomes that of an element.
 * False where there are too many: reported.
 */
bool lower_open_loop(struct lower *, struct span, struct ir_ref *ref);

/* Ends it: some element makes `body` true. */
struct ir_node *lower_close_loop(
    struct lower *, struct span, const struct ir_ref *, struct ir_node *body);

/* ---- comparisons: lower_compare.c ----------------------------------- */

/* Without regard to `negated`. */
struct ir_node *lower_compare(struct lower *, const struct ast_expr *);

/* ---- operands: lower_value.c ---------------------------------------- */

/* Does it name an attribute (count included)? */
static inline bool
value_is_attr(const struct ast_value *v)
{
	return v->attr != ATTR_NONE;
}

/* Does it stand for many values? */
bool value_is_many(const struct ast_value *);

/* REF_COUNT, REF_ELEMENT of an open block, or REF_VALUE. */
struct ir_ref lower_ref(struct lower *, const struct ast_value *);

/* The type of what a reference gives. */
enum milt_type ref_type(const struct ir_ref *);

/* The key by which constants are compared with values of `type`. */
struct str lower_key(struct lower *, enum milt_type, struct str text);

/* Folded, valid text. */
struct str lower_text(struct lower *, struct str text);

/* A declared list. */
struct ir_list *lower_list(struct lower *, struct item_list *);

/* The list that stands for one value or a set, of `type`. */
struct ir_list *lower_set(
    struct lower *, enum milt_type, const struct ast_value *);

struct ir_regex *lower_regex(
    struct lower *, const struct ast_value *, bool raw);

/* A number, size, duration, time, date or day of the week. */
long long lower_number(
    struct lower *, enum milt_type, const struct ast_value *);

/* ---- texts: template.c ---------------------------------------------- */

/* A regex or a loop of a rule's condition that can make it true. */
struct origin {
	struct ir_node *node;
	struct ir_node *each; /* the outermost loop around it, or NULL */
};

typedef VEC(struct origin) origin_vec;

/*
 * The regexes in the order in which they are written; the outermost loops in
 * that in which one is chosen: of `a or b` a's before b's, of `a and b`, where
 * both are true, b's before a's: what a group asks says less than its rule.
 */
struct origins {
	origin_vec regexes, loops;
};

/* Those of `condition`. */
struct origins origins_of(struct lower *, struct ir_node *condition);

struct ir_template *lower_template(
    struct lower *, const struct ast_template *, const struct origins *);

/* One without values. */
struct ir_template *lower_literal(struct lower *, struct str text);

/* The capture of that name, or empty. */
struct ir_template *lower_capture(
    struct lower *, struct str name, const struct origins *);

/* ---- js rules: lower_js.c ------------------------------------------- */

struct ir_js *lower_js(
    struct lower *, struct ast_js *, bool recipient, const struct origins *);

#endif
