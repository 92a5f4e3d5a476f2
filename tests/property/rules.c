/*
 * The index of rules against the plain walk: random policies of many rules,
 * compiled with and without it, give the same answers at every stage of the
 * same transactions, with the same changes and notes.  Sessions go on over
 * several messages, HELO commands and given-up messages.
 *
 *	rules [TRANSACTIONS [SEED]]
 */
#include <stdlib.h>

#include "runtime/facts.h"
#include "tests/property/random.h"
#include "tests/property/text.h"
#include "tests/property/twins.h"
#include "tests/unit/test.h"

enum { SESSIONS = 12 };

struct tally {
	unsigned sessions, policies, refused, failures, questions;
	unsigned verdicts[ANSWER_SKIP + 1];
};

static bool
try_images(struct milt_image *const *im, struct tally *sum)
{
	for (int i = 0; i < SESSIONS; i++) {
		struct twins t;
		bool same = twins_play(im, &t);

		sum->sessions++;
		sum->failures += t.failures;
		sum->questions += t.questions;
		for (int k = 0; k <= ANSWER_SKIP; k++)
			sum->verdicts[k] += t.verdicts[k];
		if (!same) {
			printf("# differs: %s\n", t.differs);
			return false;
		}
	}
	return true;
}

/* False if the evaluations differ. */
static bool
try_policy(struct tally *sum)
{
	static struct writer w;
	char error[200] = "";
	struct milt_image *im[2];
	struct str text;
	bool same = true;

	put_policy(&w);
	text = (struct str){ w.text, w.n };
	im[0] = twins_compile(text, false, error, sizeof(error));
	im[1] = twins_compile(text, true, error, sizeof(error));
	if (!im[0] != !im[1])
		same = false;
	if (im[0] && im[1]) {
		same = try_images(im, sum);
		sum->policies++;
	} else {
		sum->refused++;
		if (getenv("RULES_SHOW"))
			printf("# %s\n", error);
	}
	if (!same)
		printf("%.*s", STR_ARG(text));
	if (im[0])
		milt_image_free(im[0]);
	if (im[1])
		milt_image_free(im[1]);
	return same;
}

int
main(int argc, char **argv)
{
	unsigned want = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
	struct tally sum = { 0 };
	bool same = true;

	facts_init();
	random_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : 20260101);
	while (same && sum.sessions < want && sum.refused < want)
		same = try_policy(&sum);
	printf(
	    "# %u sessions of %u policies; %u were refused; accept %u, "
	    "reject %u, tempfail %u, discard %u, failures %u, questions %u\n",
	    sum.sessions, sum.policies, sum.refused,
	    sum.verdicts[ANSWER_ACCEPT], sum.verdicts[ANSWER_REJECT],
	    sum.verdicts[ANSWER_TEMPFAIL], sum.verdicts[ANSWER_DISCARD],
	    sum.failures, sum.questions);
	CHECK(same);
	CHECK(sum.sessions >= want);
	CHECK(sum.failures > 0);
	CHECK(sum.questions > 0);
	TEST_DONE();
}
