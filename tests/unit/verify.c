/* The verifier: what it accepts, what it refuses and why. */
#include "tests/unit/test.h"

#include "tests/unit/builder.h"

static void
is_accepted(const char *what, const char *why)
{
	CHECK_STR(str_from(why ? why : ""), "");
	if (why)
		printf("# %s\n", what);
}

/* ---- code ------------------------------------------------------------- */

struct pieces {
	struct builder b;
	uint16_t helo, tag, element, sender, recipient, count, loop, inner;
	uint32_t text;
};

static void
prepare(struct pieces *p)
{
	struct builder *b = &p->b;

	*p = (struct pieces){ .b.needs.memo = { 1, 1, 0, 0 } };
	p->helo = (uint16_t)build_ref(b, ATTR_HELO, REF_VALUE, 0, NULL);
	p->tag = (uint16_t)build_ref(b, ATTR_HEADER, REF_VALUE, 0, "x");
	p->element = (uint16_t)build_ref(b, ATTR_HEADER, REF_ELEMENT, 0, "x");
	p->sender = (uint16_t)build_ref(b, ATTR_SENDER, REF_VALUE, 0, NULL);
	p->recipient =
	    (uint16_t)build_ref(b, ATTR_RECIPIENT, REF_VALUE, 0, NULL);
	p->count = (uint16_t)build_ref(b, ATTR_HEADER, REF_COUNT, 0, "x");
	p->loop = (uint16_t)build_loop(b, ATTR_HEADER, 0, "x");
	p->inner = (uint16_t)build_loop(b, ATTR_HEADER, 1, "y");
	p->text = build_text(b, "t");
	build_number(b, 5);
}

static const char *
judge_at(struct pieces *p, enum milt_stage stage, uint32_t flags,
    const struct image_insn *code, size_t n)
{
	struct image_rule rule =
	    build_rule(&p->b, "r", stage, build_code(&p->b, code, n));
	size_t size;
	void *data;

	rule.flags = flags;
	build_put(&p->b, SECTION_RULES, &rule, 1);
	data = build_image(&p->b, &size);
	return build_verdict(data, size);
}

#define JUDGE(p, stage, flags, ...)                              \
	judge_at((p), (stage), (flags),                          \
	    (const struct image_insn[]){ __VA_ARGS__ },          \
	    sizeof((const struct image_insn[]){ __VA_ARGS__ }) / \
		sizeof(struct image_insn))
#define HALT                      \
	{                         \
		OPC_HALT, 0, 0, 0 \
	}
#define REFUSED(why, ...)                                                     \
	do {                                                                  \
		struct pieces p;                                              \
		prepare(&p);                                                  \
		CHECK_STR(                                                    \
		    str_from(JUDGE(&p, STAGE_HEADERS, 0, __VA_ARGS__)), why); \
	} while (0)
#define ACCEPTED(...)                                                        \
	do {                                                                 \
		struct pieces p;                                             \
		prepare(&p);                                                 \
		is_accepted(                                                 \
		    #__VA_ARGS__, JUDGE(&p, STAGE_HEADERS, 0, __VA_ARGS__)); \
	} while (0)

static void
test_operands(void)
{
	ACCEPTED({ OPC_IS, 0, p.helo, p.text }, HALT);
	REFUSED("an instruction is unknown", { OPC_COUNT, 0, 0, 0 }, HALT);
	REFUSED("an instruction is unknown", { OPC_CONST, 32, 0, 0 }, HALT);
	REFUSED("an operand is out of range", { OPC_CONST, 0, 4, 0 }, HALT);
	REFUSED("an operand is out of range", { OPC_CONST, 0, 0, 1 }, HALT);
	REFUSED("an operand is out of range", { OPC_IS, 0, 99, p.text }, HALT);
	REFUSED("an operand is out of range", { OPC_IS, 0, p.helo, 999 }, HALT);
	REFUSED("an operand is out of range", { OPC_IN, 0, p.helo, 0 }, HALT);
	REFUSED(
	    "an operand is out of range", { OPC_MATCH, 0, p.helo, 0 }, HALT);
	REFUSED("an operand is out of range", { OPC_EQ, 0, p.count, 1 }, HALT);
	REFUSED("an operand is out of range", { OPC_RECALL, 0, 0, 2 },
	    { OPC_CONST, 0, 0, 0 }, HALT);
	REFUSED("an operand is out of range", { OPC_EACH, 0, 2, 0 }, HALT);
	REFUSED("a test is asked of a value of the wrong type",
	    { OPC_EQ, 0, p.helo, 0 }, HALT);
	REFUSED("a test is asked of a value of the wrong type",
	    { OPC_IS, 0, p.count, p.text }, HALT);
	REFUSED("a test is asked of a value of the wrong type",
	    { OPC_YES, 0, p.helo, 0 }, HALT);
	REFUSED("a test is asked of a value of the wrong type",
	    { OPC_MALFORMED, 0, p.helo, 0 }, HALT);
	ACCEPTED({ OPC_EQ, 0, p.count, 0 }, HALT);
}

static void
test_flow(void)
{
	REFUSED("a register is read before it is written", HALT);
	REFUSED("a register is read before it is written",
	    { OPC_CONST, 0, 0, 0 }, { OPC_AND, 0, 1, 0 }, HALT);
	REFUSED("a register is read before it is written",
	    { OPC_CONST, 0, 0, 0 }, { OPC_JUMP_FALSE, 0, 0, 1 },
	    { OPC_CONST, 1, 0, 0 }, { OPC_AND, 0, 1, 0 }, HALT);
	ACCEPTED({ OPC_CONST, 0, 0, 0 }, { OPC_CONST, 1, 0, 0 },
	    { OPC_JUMP_FALSE, 0, 0, 1 }, { OPC_CONST, 1, 0, 0 },
	    { OPC_AND, 0, 1, 0 }, HALT);
	ACCEPTED({ OPC_RECALL, 0, 1, 1 }, { OPC_CONST, 0, 0, 0 }, HALT);
	REFUSED("a jump leaves its fragment or loop", { OPC_CONST, 0, 0, 0 },
	    { OPC_JUMP_TRUE, 0, 0, 1 }, HALT);
	REFUSED("an operand is out of range", { OPC_CONST, 0, 0, 0 },
	    { OPC_JUMP_TRUE, 0, 0, UINT32_MAX }, HALT);
	REFUSED("a condition stays unknown at its last stage",
	    { OPC_CONST, 0, UNKNOWN_, 0 }, HALT);
	ACCEPTED({ OPC_CONST, 0, ERROR_, 0 }, HALT);
}

static void
test_loops(void)
{
	ACCEPTED(
	    { OPC_EACH, 0, p.loop, 1 }, { OPC_IS, 0, p.element, p.text }, HALT);
	REFUSED("an element is read outside its loop",
	    { OPC_IS, 0, p.element, p.text }, HALT);
	REFUSED("an element is read outside its loop",
	    { OPC_EACH, 0, p.loop, 1 }, { OPC_IS, 0, p.element, p.text },
	    { OPC_IS, 0, p.element, p.text }, HALT);
	REFUSED("a collection is read outside a loop",
	    { OPC_IS, 0, p.tag, p.text }, HALT);
	REFUSED("a loop is at the wrong depth", { OPC_EACH, 0, p.inner, 1 },
	    { OPC_IS, 0, p.helo, p.text }, HALT);
	ACCEPTED({ OPC_EACH, 0, p.loop, 2 }, { OPC_EACH, 0, p.inner, 1 },
	    { OPC_IS, 0, p.element, p.text }, HALT);
	REFUSED("a loop leaves its fragment", { OPC_EACH, 0, p.loop, 3 },
	    { OPC_EACH, 0, p.inner, 3 }, { OPC_IS, 0, p.element, p.text },
	    { OPC_CONST, 0, 0, 0 }, HALT);
	REFUSED("a jump leads into a loop", { OPC_CONST, 0, 0, 0 },
	    { OPC_JUMP_TRUE, 0, 0, 1 }, { OPC_EACH, 0, p.loop, 2 },
	    { OPC_CONST, 0, 0, 0 }, { OPC_CONST, 0, 0, 0 }, HALT);
	REFUSED("a jump leaves its fragment or loop",
	    { OPC_EACH, 0, p.loop, 2 }, { OPC_CONST, 0, 0, 0 },
	    { OPC_JUMP_TRUE, 0, 0, 1 }, { OPC_CONST, 0, 0, 0 }, HALT);
	ACCEPTED({ OPC_EACH, 0, p.loop, 3 }, { OPC_CONST, 0, 0, 0 },
	    { OPC_JUMP_TRUE, 0, 0, 1 }, { OPC_CONST, 0, 0, 0 }, HALT);
	REFUSED("a register is read before it is written",
	    { OPC_EACH, 0, p.loop, 1 }, { OPC_CONST, 1, 0, 0 }, HALT);
	REFUSED("a register is read before it is written",
	    { OPC_EACH, 0, p.loop, 2 }, { OPC_CONST, 0, 0, 0 },
	    { OPC_CONST, 1, 0, 0 }, { OPC_AND, 0, 1, 0 }, HALT);
	REFUSED("a loop leaves its fragment", { OPC_EACH, 0, p.loop, 1 }, HALT);
}

static void
test_facts(void)
{
	struct pieces p;

	prepare(&p);
	CHECK_STR(str_from(JUDGE(&p, STAGE_HELO, 0,
		      { OPC_IS, 0, p.sender, p.text }, HALT)),
	    "an attribute is not known at its stage");
	prepare(&p);
	CHECK_STR(str_from(JUDGE(&p, STAGE_RCPT, 0,
		      { OPC_IS, 0, p.recipient, p.text }, HALT)),
	    "a rule that is not a recipient's names one");
	prepare(&p);
	is_accepted("recipient", JUDGE(&p, STAGE_RCPT, RULE_RECIPIENT,
				     { OPC_IS, 0, p.recipient, p.text }, HALT));
	prepare(&p);
	CHECK_STR(
	    str_from(JUDGE(&p, STAGE_HELO, 16, { OPC_CONST, 0, 0, 0 }, HALT)),
	    "a rule is malformed");
	prepare(&p);
	p.b.needs.memo[3] = UINT32_MAX;
	CHECK_STR(
	    str_from(JUDGE(&p, STAGE_HELO, 0, { OPC_CONST, 0, 0, 0 }, HALT)),
	    "the memo is larger than the code");
	prepare(&p);
	p.b.needs.loops++;
	CHECK_STR(
	    str_from(JUDGE(&p, STAGE_HELO, 0, { OPC_CONST, 0, 0, 0 }, HALT)),
	    "the number of loops is wrong");
}

/* ---- actions ---------------------------------------------------------- */

static const char *
judge_action(struct image_action a, uint16_t verdict_of_rule, const char *xcode,
    unsigned flags)
{
	struct builder b = { 0 };
	struct image_rule rule = build_rule(&b, "r", STAGE_CONNECT,
	    BUILD_CODE(&b, { OPC_CONST, 0, TRUE_, 0 }, HALT));
	size_t size;
	void *data;

	a.xcode = xcode ? build_text(&b, xcode) : IMAGE_NONE;
	a.name = a.name ? a.name - 1 : IMAGE_NONE;
	a.address = a.address ? a.address - 1 : IMAGE_NONE;
	a.where = a.where ? a.where - 1 : IMAGE_NONE;
	for (int i = 0; i < 40; i++)
		build_template(&b,
		    (struct image_piece){ .kind = IMAGE_PIECE_VALUE,
			.a = build_ref(&b, ATTR_HELO, REF_VALUE, 0, NULL) });
	rule.flags = flags;
	rule.verdict = verdict_of_rule;
	rule.text_last = STAGE_HELO;
	rule.known = STAGE_HELO;
	rule.count = 1;
	rule.first = build_put(&b, SECTION_ACTIONS, &a, 1);
	build_put(&b, SECTION_RULES, &rule, 1);
	data = build_image(&b, &size);
	return build_verdict(data, size);
}

static void
test_actions(void)
{
	const struct image_action reject = {
		.action = ACTION_REJECT, .code = 550, .text_count = 1
	};
	struct image_action a = reject;

	is_accepted("reject", judge_action(a, ACTION_REJECT, "5.7.1", 0));
	is_accepted("shadow", judge_action(a, 0, "5.7.1", RULE_SHADOW));
	CHECK_STR(str_from(judge_action(a, 0, NULL, 0)),
	    "a rule's verdict is not among its actions");
	CHECK_STR(str_from(judge_action(a, ACTION_TEMPFAIL, NULL, 0)),
	    "a rule's verdict is not among its actions");
	CHECK_STR(str_from(judge_action(a, ACTION_LOG, NULL, 0)),
	    "a rule is malformed");
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, "4.7.1", 0)),
	    "a reply's enhanced code does not fit its code");
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, "5.7.1000", 0)),
	    "a reply's enhanced code does not fit its code");
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, "5.7", 0)),
	    "a reply's enhanced code does not fit its code");
	a.code = 450;
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, NULL, 0)),
	    "a reply's code does not fit its verdict");
	a = reject;
	a.text_count = 33;
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, NULL, 0)),
	    "a reply has too many lines");
	a.text_count = 41;
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, NULL, 0)),
	    "an action's texts lie outside their section");
	a = reject;
	a.where = 1;
	CHECK_STR(str_from(judge_action(a, ACTION_REJECT, NULL, 0)),
	    "an action has a condition that it does not take");
	a = (struct image_action){ .action = ACTION_ADD_HEADER,
		.text_count = 1 };
	CHECK_STR(
	    str_from(judge_action(a, 0, NULL, 0)), "an action is malformed");
	a.name = 1;
	is_accepted("add header", judge_action(a, 0, NULL, 0));
	a.name = 41;
	CHECK_STR(
	    str_from(judge_action(a, 0, NULL, 0)), "an action has no text");
	a.action = ACTION_COUNT;
	CHECK_STR(
	    str_from(judge_action(a, 0, NULL, 0)), "an action is malformed");
}

/* ---- work ------------------------------------------------------------- */

/* Many records that all share one long run of others: refused, and soon. */
static void
test_sharing(void)
{
	enum { MANY = 60000 };
	struct builder b = { 0 };
	struct image_piece *pieces = calloc(MANY, sizeof(*pieces));
	struct image_template t = { 0, MANY };
	uint32_t text = build_text(&b, "x");
	size_t size;
	void *data;

	for (int i = 0; pieces && i < MANY; i++)
		pieces[i].a = text;
	build_put(&b, SECTION_PIECES, pieces, MANY);
	for (int i = 0; i < MANY; i++)
		build_put(&b, SECTION_TEMPLATES, &t, 1);
	free(pieces);
	data = build_image(&b, &size);
	CHECK_STR(str_from(build_verdict(data, size)),
	    "the templates share too many pieces");
}

static void
test_shared_code(void)
{
	enum { MANY = 20000 };
	struct builder b = { 0 };
	struct image_insn *code = calloc(MANY, sizeof(*code));
	struct image_rule rule;
	size_t size;
	void *data;

	build_code(&b, code, MANY);
	free(code);
	BUILD_CODE(&b, { OPC_HALT, 0, 0, 0 });
	for (uint32_t i = 0; i < MANY; i++) {
		rule = build_rule(&b, "r", STAGE_CONNECT, i);
		build_put(&b, SECTION_RULES, &rule, 1);
	}
	data = build_image(&b, &size);
	CHECK_STR(str_from(build_verdict(data, size)),
	    "the fragments share too much code");
}

int
main(void)
{
	test_operands();
	test_flow();
	test_loops();
	test_facts();
	test_actions();
	test_sharing();
	test_shared_code();
	TEST_DONE();
}
