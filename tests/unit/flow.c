/* The interpreter: control flow, memo, loops, and texts. */
#include "tests/unit/test.h"

#include "runtime/limits.h"
#include "tests/unit/world.h"

/* ---- control flow ----------------------------------------------------- */

static void
test_truth(void)
{
	struct builder b = { 0 };
	struct world w;
	enum truth t[] = { FALSE_, TRUE_, UNKNOWN_, ERROR_ };
	int wrong = 0;

	for (int x = 0; x < 4; x++)
		for (int y = 0; y < 4; y++)
			for (int op = 0; op < 2; op++) {
				struct image_rule r = build_rule(&b, "r",
				    STAGE_HELO,
				    BUILD_CODE(&b, { OPC_CONST, 0, t[x], 0 },
					{ OPC_CONST, 31, t[y], 0 },
					{ op ? OPC_OR : OPC_AND, 0, 31, 0 },
					{ OPC_HALT, 0, 0, 0 }));

				/* UNKNOWN may not be the last word. */
				r.fragments[STAGE_MESSAGE] =
				    BUILD_CODE(&b, { OPC_CONST, 0, FALSE_, 0 },
					{ OPC_NOT, 0, 0, 0 },
					{ OPC_HALT, 0, 0, 0 });
				r.known = STAGE_MESSAGE;
				build_put(&b, SECTION_RULES, &r, 1);
			}
	if (!start(&w, &b))
		return;
	for (uint32_t i = 0; i < 32; i++) {
		enum truth x = t[i / 8], y = t[i / 2 % 4];
		enum truth want = i % 2 ? truth_or(x, y) : truth_and(x, y);

		wrong += interp_run(&w.ip,
			     w.im->rules[i].fragments[STAGE_HELO]) != want;
		wrong += run(&w, i) != TRUE_;
	}
	CHECK(wrong == 0);
	stop(&w);
}

enum { NOT_KEPT = 99 };

static uint32_t
kept(const struct world *w, uint32_t slot)
{
	uint32_t value;

	return memo_get(&w->ip.memo, w->im, slot, &value) ? value : NOT_KEPT;
}

static void
test_memo(void)
{
	struct builder b = { .needs.memo = { 1, 1, 1, 1 } };
	struct world w;
	uint16_t helo;

	helo = (uint16_t)build_ref(&b, ATTR_HELO, REF_VALUE, 0, NULL);
	add_rule(&b, STAGE_MESSAGE,
	    BUILD_CODE(&b, { OPC_RECALL, 1, 2, 1 }, { OPC_EXISTS, 1, helo, 0 },
		{ OPC_KEEP, 1, 0, 1 }, { OPC_JUMP_TRUE, 1, 0, 2 },
		{ OPC_CONST, 1, ERROR_, 0 }, { OPC_JUMP_FALSE, 1, 0, 0 },
		{ OPC_HALT, 1, 0, 0 }));
	if (!start(&w, &b))
		return;
	CHECK(run(&w, 0) == TRUE_);
	CHECK(w.ip.steps == 4 && kept(&w, 1) == TRUE_);
	CHECK(run(&w, 0) == TRUE_ && w.ip.steps == 6);
	memo_put(&w.ip.memo, w.im, 1, FALSE_);
	CHECK(run(&w, 0) == ERROR_);
	memo_forget(&w.ip.memo, w.im, MEMO_MESSAGE);
	CHECK(kept(&w, 1) == FALSE_ && kept(&w, 2) == NOT_KEPT);
	memo_forget(&w.ip.memo, w.im, MEMO_HELO);
	CHECK(kept(&w, 1) == NOT_KEPT);
	CHECK(run(&w, 0) == TRUE_);
	stop(&w);
}

static void
test_clock(void)
{
	struct builder b = { 0 };
	struct world w;

	add_test(&b, OPC_GE, ATTR_NOW, NULL, build_number(&b, 1000));
	if (!start(&w, &b))
		return;
	run(&w, 0);
	CHECK(w.ip.asking);
	facts_clock(w.ip.facts, 1000);
	CHECK(run(&w, 0) == TRUE_ && !w.ip.asking);
	stop(&w);
}

/* ---- loops, texts ----------------------------------------------------- */

/* any header("x-tag") { is `text` }, and its text with a candidate. */
static void
add_any(struct builder *b, const char *text)
{
	uint32_t loop = build_loop(b, ATTR_HEADER, 0, "x-tag");
	uint32_t ref = build_ref(b, ATTR_HEADER, REF_ELEMENT, 0, "x-tag");
	uint32_t value = build_ref(b, ATTR_HEADER, REF_VALUE, 0, "x-tag");
	uint32_t code = BUILD_CODE(b, { OPC_EACH, 2, (uint16_t)loop, 1 },
	    { OPC_IS, 2, (uint16_t)ref, build_text(b, text) },
	    { OPC_HALT, 2, 0, 0 });
	struct image_candidate c = { loop, ref, IMAGE_NONE, 0, code,
		STAGE_HEADERS };

	add_rule(b, STAGE_MESSAGE, code);
	build_template(b, (struct image_piece){ IMAGE_PIECE_VALUE, value,
			      build_put(b, SECTION_CANDIDATES, &c, 1), 1 });
}

static void
test_each(void)
{
	struct builder b = { 0 };
	struct world w;

	add_any(&b, "two");
	add_any(&b, "four");
	if (!start(&w, &b))
		return;
	CHECK(run(&w, 0) == TRUE_ && w.ip.steps == 3);
	CHECK(interp_find(&w.ip, 0) == 1);
	CHECK_STR(interp_text(&w.ip, 0), "Two");
	CHECK(run(&w, 1) == FALSE_);
	CHECK(interp_find(&w.ip, w.im->candidates[1].code) == IMAGE_NONE);
	CHECK_STR(interp_text(&w.ip, 1), "one");
	w.ip.stage = STAGE_DATA;
	CHECK_STR(interp_text(&w.ip, 0), "");
	w.ip.stage = STAGE_MESSAGE;
	facts_reset(w.ip.facts, STAGE_MAIL);
	CHECK_STR(interp_text(&w.ip, 0), "");
	CHECK(run(&w, 0) == FALSE_);
	stop(&w);
}

static void
test_nested(void)
{
	struct builder b = { 0 };
	struct world w;
	uint16_t outer, inner, a, c;

	outer = (uint16_t)build_loop(&b, ATTR_ALL_HEADERS, 0, NULL);
	inner = (uint16_t)build_loop(&b, ATTR_RECIPIENTS, 1, NULL);
	a = (uint16_t)build_ref(
	    &b, ATTR_ALL_HEADERS_NAME, REF_ELEMENT, 0, NULL);
	c = (uint16_t)build_ref(&b, ATTR_RECIPIENTS, REF_ELEMENT, 1, NULL);
	add_rule(&b, STAGE_MESSAGE,
	    BUILD_CODE(&b, { OPC_EACH, 0, outer, 5 },
		{ OPC_IS, 0, a, build_text(&b, "reply-to") },
		{ OPC_JUMP_FALSE, 0, 0, 3 }, { OPC_EACH, 1, inner, 1 },
		{ OPC_IS, 1, c, build_text(&b, "bob@example.net") },
		{ OPC_AND, 0, 1, 0 }, { OPC_HALT, 0, 0, 0 }));
	if (!start(&w, &b))
		return;
	CHECK(run(&w, 0) == TRUE_);
	CHECK(interp_find(&w.ip, 0) == 4);
	stop(&w);
}

/* A condition that never ends, near enough: it fails, and says so. */
static void
test_steps(void)
{
	struct builder b = { 0 };
	struct world w;
	uint16_t loop[4];

	for (unsigned i = 0; i < 4; i++)
		loop[i] = (uint16_t)build_loop(&b, ATTR_ALL_HEADERS, i, NULL);
	add_rule(&b, STAGE_MESSAGE,
	    BUILD_CODE(&b, { OPC_EACH, 0, loop[0], 4 },
		{ OPC_EACH, 0, loop[1], 3 }, { OPC_EACH, 0, loop[2], 2 },
		{ OPC_EACH, 0, loop[3], 1 }, { OPC_CONST, 0, FALSE_, 0 },
		{ OPC_HALT, 0, 0, 0 }));
	if (!start(&w, &b))
		return;
	CHECK(run(&w, 0) == FALSE_);
	for (int i = 0; i < 60; i++)
		say(facts_header(w.ip.facts, STR("X"), STR("y")));
	w.ip.steps = 0;
	CHECK(run(&w, 0) == ERROR_);
	CHECK(w.ip.steps == 10000000);
	CHECK_STR(str_from(w.ip.failure), "a condition took too many steps");
	CHECK(limit_hits(LIMIT_STEPS) > 0);
	stop(&w);
}

static void
test_where(void)
{
	struct builder b = { 0 };
	struct world w;
	struct image_action a = { .action = ACTION_REMOVE_HEADER,
		.xcode = IMAGE_NONE,
		.address = IMAGE_NONE };
	struct image_rule rule = build_rule(&b, "r", STAGE_CONNECT,
	    BUILD_CODE(&b, { OPC_CONST, 0, TRUE_, 0 }, { OPC_HALT, 0, 0, 0 }));
	uint32_t ref =
	    build_ref(&b, ATTR_ALL_HEADERS_VALUE, REF_ELEMENT, 0, NULL);

	a.name =
	    build_template(&b, (struct image_piece){ .kind = IMAGE_PIECE_TEXT,
				   .a = build_text(&b, "X-Tag") });
	a.where = BUILD_CODE(&b,
	    { OPC_STARTS, 0, (uint16_t)ref, build_text(&b, "t") },
	    { OPC_HALT, 0, 0, 0 });
	rule.first = build_put(&b, SECTION_ACTIONS, &a, 1);
	rule.count = 1;
	build_put(&b, SECTION_RULES, &rule, 1);
	if (!start(&w, &b))
		return;
	for (size_t i = 0; i < 6; i++)
		CHECK(interp_where(&w.ip, w.im->actions[0].where,
			  ATTR_ALL_HEADERS, i) == truth_of(i == 2 || i == 3));
	CHECK_STR(interp_text(&w.ip, 0), "X-Tag");
	stop(&w);
}

static uint32_t
value_piece(
    struct builder *b, enum milt_attr attr, enum ref_from from, const char *key)
{
	return build_template(
	    b, (struct image_piece){ .kind = IMAGE_PIECE_VALUE,
		   .a = build_ref(b, attr, from, 0, key) });
}

static void
test_values(void)
{
	struct builder b = { 0 };
	struct world w;

	value_piece(&b, ATTR_CLIENT_IP, REF_VALUE, NULL);
	value_piece(&b, ATTR_CLIENT_NETWORK, REF_VALUE, NULL);
	value_piece(&b, ATTR_CLIENT_PORT, REF_VALUE, NULL);
	value_piece(&b, ATTR_SENDER, REF_VALUE, NULL);
	value_piece(&b, ATTR_SASL_USERNAME, REF_VALUE, NULL);
	value_piece(&b, ATTR_HEADER, REF_COUNT, "x-tag");
	value_piece(&b, ATTR_NOW, REF_VALUE, NULL);
	value_piece(&b, ATTR_NOW_DATE, REF_VALUE, NULL);
	value_piece(&b, ATTR_NOW_WEEKDAY, REF_VALUE, NULL);
	if (!start(&w, &b))
		return;
	CHECK_STR(interp_text(&w.ip, 0), "192.0.2.7");
	CHECK_STR(interp_text(&w.ip, 1), "192.0.2.0/24");
	CHECK_STR(interp_text(&w.ip, 2), "4711");
	CHECK_STR(interp_text(&w.ip, 3), "Amy+x@Sub.Example.COM");
	CHECK_STR(interp_text(&w.ip, 4), "");
	CHECK_STR(interp_text(&w.ip, 5), "3");
	interp_text(&w.ip, 6);
	CHECK(w.ip.asking);
	facts_clock(w.ip.facts, 1769860800123);
	CHECK_STR(interp_text(&w.ip, 6), "2026-01-31T12:00:00Z");
	CHECK_STR(interp_text(&w.ip, 7), "2026-01-31");
	CHECK_STR(interp_text(&w.ip, 8), "sat");
	stop(&w);
}

static void
test_captures(void)
{
	struct builder b = { 0 };
	struct world w;
	uint32_t year = build_regex(&b, "(\\d{4})(-99)?", 0, 2);
	uint32_t helo = build_ref(&b, ATTR_HELO, REF_VALUE, 0, NULL);
	uint32_t subject = build_ref(&b, ATTR_HEADER, REF_VALUE, 0, "subject");
	struct image_candidate c[] = {
		{ IMAGE_NONE, helo, year, 1, IMAGE_NONE, 0 },
		{ IMAGE_NONE, subject, year, 2, IMAGE_NONE, 0 },
		{ IMAGE_NONE, subject, year, 1, IMAGE_NONE, 0 },
	};
	uint32_t first = build_put(&b, SECTION_CANDIDATES, c, 3);

	build_template(
	    &b, (struct image_piece){ IMAGE_PIECE_CAPTURE, 0, first, 3 });
	build_template(
	    &b, (struct image_piece){ IMAGE_PIECE_CAPTURE, 0, first, 2 });
	if (!start(&w, &b))
		return;
	CHECK_STR(interp_text(&w.ip, 0), "2026");
	CHECK_STR(interp_text(&w.ip, 1), "");
	stop(&w);
}

int
main(void)
{
	test_truth();
	test_memo();
	test_clock();
	test_each();
	test_nested();
	test_steps();
	test_where();
	test_values();
	test_captures();
	TEST_DONE();
}
