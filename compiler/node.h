/*
 * Making nodes of conditions.  Equal nodes are one, and constants are folded
 * where they are made: a node other than NODE_CONST has no constant operand.
 */
#ifndef COMPILER_NODE_H
#define COMPILER_NODE_H

#include "compiler/intern.h"
#include "compiler/ir.h"

struct node_maker {
	struct ir *ir;       /* borrowed; its `nodes` get what is made */
	struct intern known; /* number of a node by its contents */
};

void node_maker_init(struct node_maker *, struct ir *);

struct ir_node *node_const(struct node_maker *, bool);
struct ir_node *node_not(struct node_maker *, struct ir_node *);
struct ir_node *node_and(
    struct node_maker *, struct ir_node *, struct ir_node *);
struct ir_node *node_or(
    struct node_maker *, struct ir_node *, struct ir_node *);

/* `test` has kind, op, operands and span; the rest is filled in. */
struct ir_node *node_test(struct node_maker *, const struct ir_node *test);

/* `collection` is REF_VALUE of the whole collection. */
struct ir_node *node_each(struct node_maker *, struct ir_ref collection,
    unsigned loop, struct ir_node *body, struct span);

static inline bool
node_is(const struct ir_node *n, enum truth value)
{
	return n->kind == NODE_CONST && n->value == value;
}

/* The collection whose elements an attribute's values belong to. */
enum milt_attr collection_of(enum milt_attr);

bool ref_equal(const struct ir_ref *, const struct ir_ref *);

/* Truth registers of a node with operands of these needs, in this order. */
uint8_t need_of_pair(uint8_t first, uint8_t second);

#endif
