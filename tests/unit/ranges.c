/* Rules reached by both bounds of a number: those that let it through. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/index.h"
#include "runtime/match.h"

enum { RULES = 400, NUMBERS = 300 };

static struct {
	unsigned low, high;
} range[RULES];

/* Short, long, inside each other, alike, of one number and of none. */
static void
make_ranges(void)
{
	uint32_t x = 1;

	for (int i = 0; i < RULES; i++) {
		x = x * 1664525 + 1013904223;
		range[i].low = x >> 16 & 255;
		range[i].high = range[i].low + (x >> 8 & 7);
		if (i % 16 == 0)
			range[i].high = range[i].low + (x >> 24);
		if (i % 40 == 1)
			range[i].high = range[i].low - (range[i].low > 0);
		if (i % 50 == 49)
			range[i] = range[i - 1];
	}
}

static struct milt_image *
make_image(void)
{
	static char text[64 * 1024];
	struct compile_options options = { 0 };
	struct milt_image *im = NULL;
	struct compilation c;
	size_t n = (size_t)snprintf(text, sizeof(text), "milt 1\n");

	for (int i = 0; i < RULES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "rule r%d { when client.port >= %u and client.port <= 900 "
		    "and client.name exists and client.port <= %u reject "
		    "\"no\" }\n",
		    i, range[i].low, range[i].high);
	CHECK(milt_compile_text(&c, STR("r.milt"), (struct str){ text, n },
		  &options) == MILT_OK);
	CHECK(milt_image_load(c.image, c.image_size, &im, NULL) == MILT_OK);
	milt_compile_free(&c);
	return im;
}

/* Does the look-up find the rules of the number, and no others? */
static bool
finds(const struct milt_image *im, unsigned number)
{
	struct interp ip = {
		.image = im, .scratch = match_scratch(), .facts = facts_new(im)
	};
	struct rule_numbers hits = { 0 };
	struct ip address = { { 0 } };
	size_t n = 0;
	bool good =
	    facts_client(ip.facts, STR("h"), true, &address, number) == MILT_OK;

	good = good && index_hits(&ip, STAGE_CONNECT, &hits);
	for (uint32_t i = 0; good && i < RULES; i++)
		if (range[i].low <= number && number <= range[i].high)
			good = n < hits.n && hits.v[n++] == i;
	good = good && n == hits.n;
	facts_free(ip.facts);
	memo_free(&ip.memo);
	free(hits.v);
	return good;
}

int
main(void)
{
	struct milt_image *im;
	int wrong = 0;

	facts_init();
	make_ranges();
	im = make_image();
	/* Port 0 is none. */
	for (unsigned i = 1; im && i < NUMBERS; i++)
		wrong += !finds(im, i);
	CHECK(im && wrong == 0);
	milt_image_free(im);
	TEST_DONE();
}
