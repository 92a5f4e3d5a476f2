/* The interpreter's tests: one comparison each, over one transaction. */
#include "tests/unit/test.h"

#include "tests/unit/world.h"

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

int
main(void)
{
	test_texts();
	test_numbers();
	test_lists();
	test_refs();
	test_regexes();
	TEST_DONE();
}
