/*
 * A small TAP harness: each check prints a line, `test_done` the plan.
 *
 *	int main(void) { CHECK(1 + 1 == 2); CHECK_STR(s, "x"); TEST_DONE(); }
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <stdio.h>

#include "dsl/str.h"

static int test_count, test_failures;

static inline void
test_check(int ok, const char *file, int line, const char *what)
{
	test_count++;
	test_failures += !ok;
	printf("%sok %d - %s:%d %s\n", ok ? "" : "not ", test_count, file, line,
	    what);
	fflush(stdout);
}

static inline void
test_str(struct str got, struct str want, const char *file, int line,
    const char *what)
{
	int ok = str_eq(got, want);

	test_check(ok, file, line, what);
	if (!ok)
		printf("#  got: %.*s\n# want: %.*s\n", STR_ARG(got),
		    STR_ARG(want));
}

#define CHECK(cond) test_check((cond) != 0, __FILE__, __LINE__, #cond)
#define CHECK_STR(got, want) \
	test_str((got), str_from(want), __FILE__, __LINE__, #got)
#define TEST_DONE()                            \
	do {                                   \
		printf("1..%d\n", test_count); \
		return test_failures != 0;     \
	} while (0)

#endif
