/* Length-counted text. */
#include "tests/unit/test.h"

#include "dsl/str.h"

static void
test_lines(void)
{
	struct str s = STR("a\r\n\nb\rc\n\r"), none = { NULL, 0 };

	CHECK_STR(str_line(&s), "a");
	CHECK_STR(str_line(&s), "");
	CHECK_STR(str_line(&s), "b\rc");
	CHECK_STR(str_line(&s), "");
	CHECK(s.n == 0);
	CHECK(str_line(&none).n == 0 && none.n == 0);
}

/* By each of its octets the text is found at the same place. */
static void
test_find(void)
{
	static const struct {
		struct str s, what;
		size_t at;
	} rows[] = {
		{ STR("abc"), STR("abc"), 0 },
		{ STR("xabc"), STR("abc"), 1 },
		{ STR("ababc"), STR("abc"), 2 },
		{ STR("cabcabc"), STR("abc"), 1 },
		{ STR("\0a\0b\0"), STR("\0b\0"), 2 },
		{ STR("bcab"), STR("abc"), 4 },
		{ STR("ab"), STR("abc"), 2 },
		{ STR(""), STR("abc"), 0 },
		{ { NULL, 0 }, STR("abc"), 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t k = 0; k < rows[i].what.n; k++)
			CHECK(str_find_text(rows[i].s, rows[i].what, k) ==
			      rows[i].at);
}

int
main(void)
{
	test_lines();
	test_find();
	TEST_DONE();
}
