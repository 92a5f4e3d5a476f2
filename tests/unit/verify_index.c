/* What the verifier refuses in the records of what the stages look at. */
#include "tests/unit/test.h"

#include "compiler/compile.h"
#include "tests/unit/builder.h"

/*
 * Rules that wait for their guard, may be reached at two stages, and are
 * reached by numbers.
 */
static const char policy[] =
    "milt 1\n"
    "rule a { when not (helo is \"x\") and (sender.domain is \"a.example\" or\n"
    "    header.from.domain is \"a.example\") reject \"no\" }\n"
    "rule b { when sender.domain is \"b.example\" or\n"
    "    header.from.domain is \"b.example\" add header \"X\" \"y\" }\n"
    "rule c { when client.port > 5 and client.port < 9 reject \"no\" }\n"
    "rule d { when client.port >= 7 reject \"no\" }\n";

/* The image that is judged next; malloc'ed. */
static char *image;
static size_t size;

static void
prepare(void)
{
	struct compilation c = { 0 };
	struct compile_options options = { 0 };

	CHECK(milt_compile_text(&c, STR("index.milt"), str_from(policy),
		  &options) == MILT_OK);
	size = c.image_size;
	image = memcpy(build_memory(NULL, size), c.image, size);
	milt_compile_free(&c);
}

/* Why it is refused, or nothing. */
static struct str
judge(void)
{
	const char *why;

	build_checksum(image, size);
	why = build_verdict(image, size);
	return str_from(why ? why : "");
}

/* The n-th record of a section: they lie as the header says. */
static void *
record(enum image_section s, size_t n)
{
	const struct image_header *h = (const struct image_header *)image;

	return image + h->section[s].offset + n * build_size[s];
}

/* The image with a value in a field of the n-th record. */
#define REFUSED(why, section, type, n, field, value)                   \
	do {                                                           \
		prepare();                                             \
		((struct type *)record(SECTION_##section, n))->field = \
		    (value);                                           \
		CHECK_STR(judge(), why);                               \
	} while (0)

static void
test_pending(void)
{
	static const char outside[] = "pending rules lie outside their section";

	prepare();
	*(uint32_t *)record(SECTION_PENDING_RULES, 0) = 5;
	CHECK_STR(judge(), "a pending rule is not there");
	REFUSED(outside, PENDING, image_pending, 0, list[1].first, 1);
	REFUSED(outside, PENDING, image_pending, 0, list[1].count, 2);
	REFUSED(outside, PENDING, image_pending, 0, list[4].count, 99);
	REFUSED(outside, PENDING, image_pending, 0, list[0].count, UINT32_MAX);
	REFUSED("pending rules have no guard", PENDING, image_pending, 0, guard,
	    99);
}

static void
test_ranges(void)
{
	prepare();
	CHECK(((struct image_probe *)record(SECTION_PROBES, 0))->kind ==
	      PROBE_RANGES);
	CHECK_STR(judge(), "");
	REFUSED("a probe's range is damaged", INTERVALS, image_interval, 1,
	    hits, 999);
	REFUSED("a probe's ranges lie outside their section", PROBES,
	    image_probe, 0, count, 3);
	REFUSED("a probe's ranges lie outside their section", PROBES,
	    image_probe, 0, first, UINT32_MAX);
}

static void
test_hits(void)
{
	static const char outside[] =
	    "the rules of a probe lie outside their section";

	REFUSED(outside, HITS, image_hits, 0, count, 0);
	REFUSED(outside, HITS, image_hits, 0, count, 99);
	REFUSED(outside, HITS, image_hits, 0, first, 1);
}

int
main(void)
{
	prepare();
	CHECK_STR(judge(), "");
	test_pending();
	test_ranges();
	test_hits();
	TEST_DONE();
}
