/* The interpreter, over images made by hand and facts of one transaction. */
#include "tests/unit/test.h"

#include "runtime/interp.h"
#include "runtime/match.h"
#include "tests/unit/builder.h"

struct world {
	struct milt_image *im;
	struct interp ip;
};

static void
say(enum milt_status s)
{
	if (s != MILT_OK)
		printf("# a fact is refused: %d\n", (int)s);
}

/* Facts of a transaction up to its end. */
static void
give_facts(struct facts *f)
{
	static const char *const header[][2] = {
		{ "Subject", "Your Invoice 2026-01" },
		{ "X-Tag", "one" },
		{ "X-Tag", "Two" },
		{ "X-Tag", "three" },
		{ "Reply-To", "<Amy+x@Sub.Example.COM>" },
	};
	struct ip ip;

	if (!ip_parse(STR("192.0.2.7"), &ip))
		printf("# no address\n");
	say(facts_client(f, STR("MX.example.org"), true, &ip, 4711));
	say(facts_helo(f, STR("mx.Example.org")));
	say(facts_mail(f, STR("<Amy+x@Sub.Example.COM>"),
	    (struct str[]){ STR("SIZE=1000"), STR("BODY=8BITMIME") }, 2));
	say(facts_rcpt(f, STR("<bob@example.net>"), NULL, 0));
	say(facts_rcpt_accepted(f));
	for (size_t i = 0; i < sizeof(header) / sizeof(*header); i++)
		say(facts_header(
		    f, str_from(header[i][0]), str_from(header[i][1])));
	say(facts_body(f, STR("caf\xe9 line\r\n")));
}

/* Takes the builder's image and starts a session with it. */
static bool
start(struct world *w, struct builder *b)
{
	size_t size;
	void *data = build_image(b, &size);
	const char *why = "";
	enum milt_status s = milt_image_load(data, size, &w->im, &why);
	size_t slots = 0;

	free(data);
	CHECK(s == MILT_OK);
	if (s != MILT_OK) {
		printf("# %s\n", why);
		return false;
	}
	for (int i = 0; i < MEMO_CLASSES; i++)
		slots += w->im->needs->memo[i];
	w->ip = (struct interp){ .image = w->im,
		.facts = facts_new(w->im),
		.memo = build_memory(NULL, slots + 1),
		.found = build_memory(
		    NULL, (w->im->needs->loops + 1) * sizeof(uint32_t)),
		.scratch = match_scratch() };
	interp_forget(&w->ip, MEMO_CONNECT);
	give_facts(w->ip.facts);
	return true;
}

static void
stop(struct world *w)
{
	facts_free(w->ip.facts);
	free(w->ip.memo);
	free(w->ip.found);
	milt_image_free(w->im);
}

static enum truth
run(struct world *w, uint32_t rule)
{
	const struct image_rule *r = &w->im->rules[rule];

	for (int s = STAGE_COUNT - 1; s > 0; s--)
		if (r->fragments[s] != IMAGE_NONE)
			return interp_run(&w->ip, r->fragments[s]);
	return interp_run(&w->ip, r->fragments[0]);
}

static void
add_rule(struct builder *b, enum milt_stage stage, uint32_t code)
{
	struct image_rule rule = build_rule(b, "r", stage, code);

	rule.flags = RULE_RECIPIENT;
	build_put(b, SECTION_RULES, &rule, 1);
}

/* ---- single tests ----------------------------------------------------- */

/* A test of one attribute with a text. */
static void
add_test(struct builder *b, enum opcode op, enum milt_attr attr,
    const char *key, uint32_t operand)
{
	uint32_t ref = build_ref(b, attr, REF_VALUE, 0, key);

	add_rule(b, STAGE_MESSAGE,
	    BUILD_CODE(
		b, { op, 3, (uint16_t)ref, operand }, { OPC_HALT, 3, 0, 0 }));
}

static void
test_texts(void)
{
	static const struct {
		enum opcode op;
		enum milt_attr attr;
		const char *text;
		enum truth want;
	} cases[] = {
		{ OPC_IS, ATTR_HELO, "mx.example.org", TRUE_ },
		{ OPC_IS, ATTR_HELO, "mx.Example.org", FALSE_ },
		{ OPC_IS, ATTR_CLIENT_NAME, "mx.example.org", TRUE_ },
		{ OPC_IS, ATTR_SENDER, "amy+x@sub.example.com", TRUE_ },
		{ OPC_IS_EXACT, ATTR_HELO, "mx.Example.org", TRUE_ },
		{ OPC_IS_EXACT, ATTR_HELO, "mx.example.org", FALSE_ },
		{ OPC_CONTAINS, ATTR_HELO, "example", TRUE_ },
		{ OPC_CONTAINS, ATTR_HELO, "examples", FALSE_ },
		{ OPC_CONTAINS, ATTR_HELO, "", TRUE_ },
		{ OPC_CONTAINS_EXACT, ATTR_HELO, "example", FALSE_ },
		{ OPC_CONTAINS_EXACT, ATTR_HELO, "Example", TRUE_ },
		{ OPC_STARTS, ATTR_HELO, "mx.e", TRUE_ },
		{ OPC_STARTS, ATTR_HELO, "x.e", FALSE_ },
		{ OPC_STARTS_EXACT, ATTR_HELO, "mx.e", FALSE_ },
		{ OPC_ENDS, ATTR_HELO, "example.org", TRUE_ },
		{ OPC_ENDS_EXACT, ATTR_HELO, "example.org", FALSE_ },
		{ OPC_LIKE, ATTR_HELO, "mx.*.or?", TRUE_ },
		{ OPC_LIKE, ATTR_HELO, "mx.*.or", FALSE_ },
		{ OPC_LIKE_EXACT, ATTR_HELO, "mx.example.*", FALSE_ },
		{ OPC_CONTAINS, ATTR_CLIENT_IP, "0.2.7", TRUE_ },
		{ OPC_IS_EXACT, ATTR_CLIENT_IP, "192.0.2.7", TRUE_ },
		{ OPC_STARTS, ATTR_CLIENT_PORT, "47", TRUE_ },
		{ OPC_CONTAINS, ATTR_SASL_USERNAME, "", FALSE_ },
		{ OPC_IS, ATTR_SASL_USERNAME, "", FALSE_ },
	};
	enum { N = sizeof(cases) / sizeof(*cases) };
	struct builder b = { 0 };
	struct world w;

	for (int i = 0; i < N; i++)
		add_test(&b, cases[i].op, cases[i].attr, NULL,
		    build_text(&b, cases[i].text));
	if (!start(&w, &b))
		return;
	for (uint32_t i = 0; i < N; i++) {
		enum truth got = run(&w, i);

		CHECK(got == cases[i].want);
		if (got != cases[i].want)
			printf("# case %u \"%s\": %d\n", i, cases[i].text, got);
	}
	stop(&w);
}

static void
test_numbers(void)
{
	static const struct {
		enum opcode op;
		int64_t number;
		enum truth want;
	} cases[] = {
		{ OPC_EQ, 4711, TRUE_ },
		{ OPC_EQ, 4712, FALSE_ },
		{ OPC_LT, 4711, FALSE_ },
		{ OPC_LT, 4712, TRUE_ },
		{ OPC_LE, 4711, TRUE_ },
		{ OPC_LE, 4710, FALSE_ },
		{ OPC_GT, 4711, FALSE_ },
		{ OPC_GT, 4710, TRUE_ },
		{ OPC_GE, 4711, TRUE_ },
		{ OPC_GE, 4712, FALSE_ },
	};
	enum { N = sizeof(cases) / sizeof(*cases) };
	struct builder b = { 0 };
	struct world w;
	uint32_t ref;

	for (int i = 0; i < N; i++)
		add_test(&b, cases[i].op, ATTR_CLIENT_PORT, NULL,
		    build_number(&b, cases[i].number));
	add_test(&b, OPC_EXISTS, ATTR_HELO, NULL, 0);
	add_test(&b, OPC_EXISTS, ATTR_SASL_USERNAME, NULL, 0);
	ref = build_ref(&b, ATTR_HEADER, REF_COUNT, 0, "x-tag");
	add_rule(&b, STAGE_MESSAGE,
	    BUILD_CODE(&b, { OPC_EQ, 0, (uint16_t)ref, build_number(&b, 3) },
		{ OPC_HALT, 0, 0, 0 }));
	if (!start(&w, &b))
		return;
	for (uint32_t i = 0; i < N; i++)
		CHECK(run(&w, i) == cases[i].want);
	CHECK(run(&w, N) == TRUE_);
	CHECK(run(&w, N + 1) == FALSE_);
	CHECK(run(&w, N + 2) == TRUE_);
	stop(&w);
}

static void
test_lists(void)
{
	const struct str domains[] = { STR("example.org"), STR("example.com") };
	const struct str texts[] = { STR("mx.example.org"), STR("4711") };
	const struct str addresses[] = { STR("amy+x@sub.example.com") };
	const int64_t numbers[] = { 25, 4711 };
	struct ip_range range;
	struct builder b = { 0 };
	struct world w;
	bool masked;
	uint32_t list;

	list = build_keys(&b, TYPE_DOMAIN, domains, 2, 1);
	add_test(&b, OPC_UNDER, ATTR_HELO, NULL, list);
	add_test(&b, OPC_IN, ATTR_HELO, NULL, list);
	add_test(&b, OPC_UNDER, ATTR_SENDER_DOMAIN, NULL, list);
	add_test(&b, OPC_UNDER, ATTR_SASL_USERNAME, NULL, list);
	list = build_keys(&b, TYPE_TEXT, texts, 2, 2);
	add_test(&b, OPC_IN, ATTR_HELO, NULL, list);
	add_test(&b, OPC_IN, ATTR_CLIENT_PORT, NULL, list);
	list = build_keys(&b, TYPE_ADDRESS, addresses, 1, 3);
	add_test(&b, OPC_IN, ATTR_SENDER, NULL, list);
	add_test(&b, OPC_IN, ATTR_RECIPIENT, NULL, list);
	CHECK(network_parse(STR("192.0.2.0/26"), &range, &masked));
	list = build_set(&b, TYPE_NETWORK, &range, 1, sizeof(range));
	add_test(&b, OPC_IN, ATTR_CLIENT_IP, NULL, list);
	add_test(&b, OPC_IN, ATTR_CLIENT_NETWORK, NULL, list);
	list = build_set(&b, TYPE_NUMBER, numbers, 2, sizeof(*numbers));
	add_test(&b, OPC_IN, ATTR_CLIENT_PORT, NULL, list);
	if (!start(&w, &b))
		return;
	CHECK(run(&w, 0) == TRUE_);
	CHECK(run(&w, 1) == FALSE_);
	CHECK(run(&w, 2) == TRUE_);
	CHECK(run(&w, 3) == FALSE_);
	CHECK(run(&w, 4) == TRUE_);
	CHECK(run(&w, 5) == TRUE_);
	CHECK(run(&w, 6) == TRUE_);
	CHECK(run(&w, 7) == FALSE_);
	CHECK(run(&w, 8) == TRUE_);
	CHECK(run(&w, 9) == FALSE_);
	CHECK(run(&w, 10) == TRUE_);
	stop(&w);
}

static void
test_refs(void)
{
	static const struct {
		enum opcode op;
		enum milt_attr a, b;
		enum truth want;
	} cases[] = {
		{ OPC_IS_REF, ATTR_HELO, ATTR_CLIENT_NAME, TRUE_ },
		{ OPC_IS_EXACT_REF, ATTR_HELO, ATTR_CLIENT_NAME, FALSE_ },
		{ OPC_IS_REF, ATTR_HELO, ATTR_SENDER_DOMAIN, FALSE_ },
		{ OPC_IS_REF, ATTR_HELO, ATTR_SASL_USERNAME, FALSE_ },
		{ OPC_IS_REF, ATTR_CLIENT_IP, ATTR_CLIENT_IP, TRUE_ },
		{ OPC_IS_REF, ATTR_CLIENT_IP, ATTR_CLIENT_NETWORK, FALSE_ },
		{ OPC_CONTAINS_REF, ATTR_SENDER, ATTR_SENDER_DOMAIN, TRUE_ },
		{ OPC_ENDS_REF, ATTR_SENDER, ATTR_SENDER_DOMAIN, TRUE_ },
		{ OPC_STARTS_REF, ATTR_SENDER, ATTR_SENDER_DOMAIN, FALSE_ },
		{ OPC_STARTS_REF, ATTR_SENDER, ATTR_SENDER_LOCAL, TRUE_ },
		{ OPC_UNDER_REF, ATTR_HELO, ATTR_CLIENT_NAME, TRUE_ },
		{ OPC_UNDER_REF, ATTR_CLIENT_NAME, ATTR_SENDER_DOMAIN, FALSE_ },
		{ OPC_LE_REF, ATTR_CLIENT_PORT, ATTR_CLIENT_PORT, TRUE_ },
		{ OPC_LT_REF, ATTR_CLIENT_PORT, ATTR_CLIENT_PORT, FALSE_ },
	};
	enum { N = sizeof(cases) / sizeof(*cases) };
	struct builder b = { 0 };
	struct world w;

	for (int i = 0; i < N; i++)
		add_test(&b, cases[i].op, cases[i].a, NULL,
		    build_ref(&b, cases[i].b, REF_VALUE, 0, NULL));
	if (!start(&w, &b))
		return;
	for (uint32_t i = 0; i < N; i++) {
		CHECK(run(&w, i) == cases[i].want);
		if (run(&w, i) != cases[i].want)
			printf("# case %u\n", i);
	}
	stop(&w);
}

static void
test_regexes(void)
{
	struct builder b = { 0 };
	struct world w;

	add_test(
	    &b, OPC_MATCH, ATTR_HELO, NULL, build_regex(&b, "^mx\\.", 0, 0));
	add_test(
	    &b, OPC_MATCH, ATTR_HELO, NULL, build_regex(&b, "^MX\\.e", 0, 0));
	/* Raw octets: as they are, and as characters. */
	add_test(&b, OPC_MATCH, ATTR_BODY_RAW, NULL,
	    build_regex(&b, "caf\\xe9 line$", REGEX_BYTES, 0));
	add_test(&b, OPC_MATCH, ATTR_BODY_RAW, NULL,
	    build_regex(&b, "caf\\x{fffd} line$", 0, 0));
	add_test(&b, OPC_MATCH, ATTR_HELO, NULL,
	    build_regex(&b, "(*LIMIT_MATCH=10)^(?:[a-z.]+)+\\d", REGEX_I, 0));
	if (!start(&w, &b))
		return;
	CHECK(run(&w, 0) == TRUE_);
	CHECK(run(&w, 1) == FALSE_);
	CHECK(run(&w, 2) == TRUE_);
	CHECK(run(&w, 3) == TRUE_);
	CHECK(run(&w, 4) == ERROR_);
	CHECK_STR(
	    str_from(w.ip.failure), "a regular expression took too many steps");
	stop(&w);
}

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
	CHECK(w.ip.steps == 4 && w.ip.memo[1] == TRUE_);
	CHECK(run(&w, 0) == TRUE_ && w.ip.steps == 6);
	w.ip.memo[1] = FALSE_;
	CHECK(run(&w, 0) == ERROR_);
	interp_forget(&w.ip, MEMO_MESSAGE);
	CHECK(w.ip.memo[1] == FALSE_ && w.ip.memo[2] == MEMO_EMPTY);
	interp_forget(&w.ip, MEMO_HELO);
	CHECK(w.ip.memo[1] == MEMO_EMPTY);
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
	struct image_candidate c = { loop, ref, IMAGE_NONE, 0 };

	add_rule(b, STAGE_MESSAGE,
	    BUILD_CODE(b, { OPC_EACH, 2, (uint16_t)loop, 1 },
		{ OPC_IS, 2, (uint16_t)ref, build_text(b, text) },
		{ OPC_HALT, 2, 0, 0 }));
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
	CHECK(w.ip.found[0] == IMAGE_NONE);
	CHECK_STR(interp_text(&w.ip, 0), "one");
	CHECK(run(&w, 0) == TRUE_ && w.ip.found[0] == 1);
	CHECK_STR(interp_text(&w.ip, 0), "Two");
	CHECK(w.ip.steps == 3);
	CHECK(run(&w, 1) == FALSE_ && w.ip.found[1] == IMAGE_NONE);
	CHECK_STR(interp_text(&w.ip, 1), "one");
	interp_forget(&w.ip, MEMO_RECIPIENT);
	CHECK_STR(interp_text(&w.ip, 0), "Two");
	interp_forget(&w.ip, MEMO_MESSAGE);
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
	CHECK(w.ip.found[0] == 4);
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
		{ IMAGE_NONE, helo, year, 1 },
		{ IMAGE_NONE, subject, year, 2 },
		{ IMAGE_NONE, subject, year, 1 },
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
	test_texts();
	test_numbers();
	test_lists();
	test_refs();
	test_regexes();
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
