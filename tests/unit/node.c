/* Nodes of conditions: equal ones are one, constants are folded. */
#include "compiler/node.h"
#include "tests/unit/test.h"

static struct arena arena;
static struct ir ir;
static struct node_maker nm;
static const struct span nowhere;

static struct ir_node *
test(enum milt_attr attr, enum opcode op, const char *text)
{
	struct ir_node t = { .kind = NODE_TEST,
		.op = op,
		.left = { .attr = attr },
		.right_text = str_from(text) };

	return node_test(&nm, &t);
}

static void
equal_nodes(void)
{
	struct ir_node *a = test(ATTR_HELO, OPC_IS, "x");
	struct ir_node *b = test(ATTR_HELO, OPC_IS, "y");
	struct ir_node *other = test(ATTR_HELO, OPC_IS_EXACT, "x");

	CHECK(a == test(ATTR_HELO, OPC_IS, "x"));
	CHECK(a != b);
	CHECK(a != other);
	CHECK(node_and(&nm, a, b) == node_and(&nm, a, b));
	CHECK(node_and(&nm, a, b) != node_or(&nm, a, b));
	CHECK(node_and(&nm, a, b) != node_and(&nm, b, a));
}

static void
folding(void)
{
	struct ir_node *t = node_const(&nm, true), *f = node_const(&nm, false);
	struct ir_node *x = test(ATTR_HELO, OPC_IS, "x");

	CHECK(node_and(&nm, x, t) == x);
	CHECK(node_and(&nm, t, x) == x);
	CHECK(node_and(&nm, x, f) == f);
	CHECK(node_and(&nm, f, x) == f);
	CHECK(node_or(&nm, x, t) == t);
	CHECK(node_or(&nm, f, x) == x);
	CHECK(node_and(&nm, x, x) == x);
	CHECK(node_or(&nm, x, x) == x);
	CHECK(node_not(&nm, node_not(&nm, x)) == x);
	CHECK(node_not(&nm, t) == f);
	CHECK(node_not(&nm, f) == t);
}

static void
loops(void)
{
	struct ir_ref all = { .attr = ATTR_ALL_HEADERS };
	struct ir_node t = { .kind = NODE_TEST,
		.op = OPC_IS,
		.left = { .attr = ATTR_ALL_HEADERS_NAME, .from = REF_ELEMENT },
		.right_text = STR("x") };
	struct ir_node *element = node_test(&nm, &t);
	struct ir_node *helo = test(ATTR_HELO, OPC_IS, "x");
	struct ir_node *each =
	    node_each(&nm, all, 0, node_and(&nm, helo, element), nowhere);
	struct ir_node *none =
	    node_each(&nm, all, 0, node_const(&nm, false), nowhere);
	struct ir_node *some =
	    node_each(&nm, all, 0, node_const(&nm, true), nowhere);

	CHECK(element->free_loops == 1);
	CHECK(each->free_loops == 0);
	/* Nothing of the body is known before the collection is. */
	CHECK(each->first == STAGE_HEADERS);
	CHECK(each->last == STAGE_HEADERS);
	CHECK(none == node_const(&nm, false));
	CHECK(some->kind == NODE_TEST && some->op == OPC_GT &&
	      some->left.from == REF_COUNT && some->right_number == 0);
	CHECK(collection_of(ATTR_ALL_HEADERS_NAME) == ATTR_ALL_HEADERS);
	CHECK(collection_of(ATTR_HEADER_TO_DOMAIN) == ATTR_HEADER_TO);
	CHECK(collection_of(ATTR_HEADER_TO) == ATTR_HEADER_TO);
	CHECK(collection_of(ATTR_HEADER) == ATTR_HEADER);
	CHECK(collection_of(ATTR_SENDER_PARAMETERS) == ATTR_SENDER_PARAMETERS);
	CHECK(collection_of(ATTR_RECIPIENTS_USER) == ATTR_RECIPIENTS);
}

static void
stages(void)
{
	struct ir_node *client = test(ATTR_CLIENT_NAME, OPC_IS, "a.example");
	struct ir_node *rcpt = test(ATTR_RECIPIENT, OPC_IS, "a@a.example");
	struct ir_node *both = node_or(&nm, client, rcpt);
	struct ir_node macro = { .kind = NODE_TEST,
		.op = OPC_EXISTS,
		.left = { .attr = ATTR_MACRO, .key = STR("{auth_type}") } };

	CHECK(client->session && !client->recipient);
	CHECK(!both->session && both->recipient);
	CHECK(both->first == STAGE_CONNECT && both->last == STAGE_RCPT);
	CHECK(both->stages == (1U << STAGE_CONNECT | 1U << STAGE_RCPT));
	CHECK(node_test(&nm, &macro)->first == STAGE_MAIL);
	macro.left.key = STR("{no_such_macro}");
	CHECK(node_test(&nm, &macro)->first == STAGE_DATA);
	CHECK(node_const(&nm, true)->last == STAGE_CONNECT);
}

/* Long chains lean to the left and need two registers. */
static void
registers(void)
{
	struct ir_node *n = test(ATTR_HELO, OPC_IS, "0");
	struct ir_node *right = n;
	char text[16];

	for (int i = 1; i < 10000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		n = node_or(&nm, n,
		    test(
			ATTR_HELO, OPC_IS, arena_printf(&arena, "%s", text).p));
	}
	CHECK(n->need == 2);
	for (int i = 0; i < 100; i++) {
		struct ir_node *leaf = test(
		    ATTR_HELO, OPC_CONTAINS, arena_printf(&arena, "%d", i).p);

		right = i % 2 ? node_and(&nm, leaf, right)
			      : node_or(&nm, leaf, right);
	}
	CHECK(right->need == 101);
	CHECK(right->need_best == 2);
}

int
main(void)
{
	jmp_buf no_memory;

	arena_init(&arena, 0, &no_memory);
	if (setjmp(no_memory))
		return 1;
	ir.arena = &arena;
	node_maker_init(&nm, &ir);
	equal_nodes();
	folding();
	loops();
	stages();
	registers();
	arena_free(&arena);
	TEST_DONE();
}
