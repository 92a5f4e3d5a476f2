/* Counts of rules: they go on over policies that share names. */
#include "runtime/counts.h"

#include <stdlib.h>

#include "compiler/compile.h"
#include "tests/unit/test.h"

static struct milt_image *
image(const char *policy)
{
	static const struct compile_options options = { .lint = false };
	struct milt_image *im = NULL;
	struct compilation c;

	CHECK(milt_compile_text(&c, STR("p"), str_from(policy), &options) ==
	      MILT_OK);
	CHECK(milt_image_load(c.image, c.image_size, &im, NULL) == MILT_OK);
	milt_compile_free(&c);
	return im;
}

static void
test_names(void)
{
	struct milt_image *im =
	    image("milt 1\n"
		  "rule a { when helo absent count z count b count aa }\n"
		  "rule c { when helo exists count b log \"x\" }\n");
	struct counts *k = counts_new(im);

	CHECK(k && counts_names(k) == 3);
	CHECK_STR(counts_name(k, 0), "aa");
	CHECK_STR(counts_name(k, 1), "b");
	CHECK_STR(counts_name(k, 2), "z");
	counts_add_named(k, STR("b"));
	counts_add_named(k, STR("b"));
	counts_add_named(k, STR("z"));
	counts_add_named(k, STR("a"));
	counts_add_named(k, STR(""));
	counts_add_named(k, STR("zz"));
	CHECK(counts_named(k, 0) == 0);
	CHECK(counts_named(k, 1) == 2);
	CHECK(counts_named(k, 2) == 1);
	counts_free(k);
	milt_image_free(im);
}

static void
test_reload(void)
{
	struct milt_image *one = image("milt 1\nrule a { when helo absent "
				       "reject \"x\" count n }\n");
	struct milt_image *two =
	    image("milt 1\nrule b { when helo absent accept }\n"
		  "rule a { when helo absent reject \"y\" count n }\n"
		  "otherwise discard\n");
	struct counts *k = counts_new(one), *l;

	counts_add(k, 0, RULE_DECIDED);
	counts_add(k, 1, RULE_DECIDED);
	counts_add_named(k, STR("n"));
	counts_add(k, 1000, RULE_DECIDED);
	l = counts_new(two);
	CHECK(counts_rule(l, 0, RULE_DECIDED) == 0);
	CHECK(counts_rule(l, 1, RULE_DECIDED) == 1);
	CHECK(counts_rule(l, 2, RULE_DECIDED) == 1);
	CHECK(counts_named(l, 0) == 1);
	/* Sessions of the old policy still count. */
	counts_add(k, 0, RULE_DECIDED);
	counts_free(k);
	CHECK(counts_rule(l, 1, RULE_DECIDED) == 2);
	CHECK(counts_may(l, two, 1, RULE_EFFECT));
	CHECK(!counts_may(l, two, 0, RULE_EFFECT));
	CHECK(!counts_may(l, two, 1, RULE_MATCHED_SHADOW));
	CHECK(!counts_may(l, two, 1, RULE_FAILED));
	counts_free(l);
	/* Nobody uses the names any more. */
	l = counts_new(two);
	CHECK(counts_rule(l, 1, RULE_DECIDED) == 0);
	counts_free(l);
	milt_image_free(one);
	milt_image_free(two);
}

/* Enough for the table to grow, twice at the same time. */
static void
test_many(void)
{
	struct arena arena;
	struct milt_image *im;
	struct counts *k, *l;
	struct str policy = STR("milt 1\n");

	arena_init(&arena, 0, NULL);
	for (int i = 0; i < 700; i++)
		policy = arena_printf(&arena,
		    "%.*srule r%d { when helo is \"%d\" count n%d }\n",
		    STR_ARG(policy), i, i, i);
	im = image(policy.p);
	k = counts_new(im);
	for (uint32_t i = 0; i < 700; i++)
		counts_add(k, i, RULE_EFFECT);
	l = counts_new(im);
	for (uint32_t i = 0; i < 700; i++)
		if (counts_rule(l, i, RULE_EFFECT) != 1)
			CHECK(!"a count is lost");
	CHECK(counts_names(l) == 700);
	counts_free(k);
	counts_free(l);
	milt_image_free(im);
	arena_free(&arena);
}

int
main(void)
{
	test_names();
	test_reload();
	test_many();
	TEST_DONE();
}
