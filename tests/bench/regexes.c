/*
 * What regexes on one subject cost: for each number of them the time for one
 * value, all that match being found, with the index and (for the first value)
 * one by one.
 *
 *	regexes [RESIDUAL-PER-HUNDRED]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/match.h"
#include "runtime/scan.h"
#include "runtime/scan_table.h"
#include "tests/unit/test.h"
#include "tests/unit/world.h"

enum { MOST = 10000, SOURCE = 200, HEADERS = 500, BODIES = 4, WORDS = 3000 };

static const char *const common[] = { "the", "and", "you", "for", "that",
	"with", "this", "have", "your", "from", "not", "are", "will", "can",
	"all", "was", "our", "one", "please", "time", "out", "new", "more",
	"has", "would", "there", "they", "what", "about", "which", "when",
	"make", "like", "just", "know", "take", "people", "into", "year",
	"good", "some", "could", "them", "see", "other", "than", "then", "now",
	"look", "only", "come", "over", "think", "also", "back", "after", "use",
	"two", "how", "work", "first", "well", "way", "even", "want", "because",
	"any", "these", "give", "day", "most", "order", "account", "contact",
	"email", "message", "meeting", "report", "attached", "thanks",
	"regards", "information", "service", "customer", "team", "project",
	"update", "question", "send", "number", "company", "business", "online",
	"price", "offer", "free", "money", "bank", "credit", "password",
	"invoice", "payment", "urgent", "security", "click", "here" };

static const char *const syllables[] = { "ba", "ren", "tol", "vi", "gra", "cor",
	"mex", "lu", "zin", "pha", "dor", "qui", "sta", "per", "lin", "xa",
	"mo", "tri", "kel", "wen", "ju", "fos", "ny", "bru", "chi", "ost", "ul",
	"ed", "sil", "om", "av", "ta", "ro", "ne", "ip", "sha" };

static uint64_t state = 12345;

static unsigned
rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

#define ANY(array) ((array)[rnd(sizeof(array) / sizeof(*(array)))])

/* ---- regexes ------------------------------------------------------------ */

static char vocabulary[WORDS][32]; /* of the texts, the most common first */

static void
put_new_word(char *to, size_t *n)
{
	for (unsigned i = 2 + rnd(3); i > 0; i--)
		*n += (size_t)sprintf(to + *n, "%s", ANY(syllables));
}

/* A name of something that is sold: hardly a word of the texts. */
static void
put_name(char *to, size_t *n, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		to[(*n)++] =
		    i % 2 ? "aeiouy"[rnd(6)] : "bcdfghklmnprstvwxz"[rnd(18)];
	to[*n] = 0;
}

/* One in three is a word of the texts. */
static void
put_word(char *to, size_t *n)
{
	if (rnd(3) == 0)
		*n += (size_t)sprintf(to + *n, "%s", vocabulary[rnd(WORDS)]);
	else
		put_name(to, n, 5 + rnd(6));
}

static void
put(char *to, size_t *n, const char *s)
{
	*n += (size_t)sprintf(to + *n, "%s", s);
}

static void
put_obfuscated(char *to, size_t *n)
{
	char word[64];
	size_t length = 0;

	put_word(word, &length);
	for (size_t i = 0; i < length; i++)
		switch (word[i]) {
		case 'i':
			put(to, n, "[i1!|]");
			break;
		case 'a':
			put(to, n, "[a@4]");
			break;
		case 'o':
			put(to, n, "[o0]");
			break;
		default:
			to[(*n)++] = word[i];
		}
	to[*n] = 0;
}

static void
put_words(char *to, size_t *n, unsigned count, const char *between)
{
	for (unsigned i = 0; i < count; i++) {
		if (i)
			put(to, n, between);
		put_word(to, n);
	}
}

static void
make_regex(char *to, bool residual)
{
	static const char *const hopeless[] = { "[A-Z]{%u,}", "\\d{%u}-\\d{4}",
		"(\\w)\\1{%u}", "[a-z]{%u}\\d{3}@", "\\b\\w{%u,}\\b",
		"[!?]{%u}" };
	size_t n = 0;

	if (residual) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		sprintf(to, ANY(hopeless), 4 + rnd(30));
#pragma GCC diagnostic pop
		return;
	}
	switch (rnd(10)) {
	case 0:
	case 1:
		put(to, &n, "\\b");
		put_words(to, &n, 2, " ");
		put(to, &n, "\\b");
		return;
	case 2:
		put(to, &n, "(?:");
		put_words(to, &n, 10, "|");
		put(to, &n, ")[^a-z]{3}x");
		return;
	case 3:
		put_obfuscated(to, &n);
		put(to, &n, "\\W");
		put_obfuscated(to, &n);
		return;
	case 4:
		put(to, &n, "[a-z0-9._-]+@");
		put_words(to, &n, 2, "\\.");
		return;
	case 5:
		put(to, &n, ".*");
		put_words(to, &n, 2, ".*");
		return;
	case 6:
		put_name(to, &n, 4);
		put(to, &n, "[0-9]");
		return;
	case 7:
		put_words(to, &n, 2, "\\s+\\w+\\s+");
		return;
	case 8:
		put(to, &n, "(?<!not )");
		put_words(to, &n, 3, "\\W?");
		return;
	}
	put_words(to, &n, 3, "[ -]");
}

/* ---- subjects ----------------------------------------------------------- */

static struct str
make_text(size_t size, bool lines)
{
	char *p = malloc(size + 64);
	size_t n = 0, line = 0;

	if (!p)
		abort();
	while (n < size) {
		size_t begin = n;

		if (rnd(20) == 0)
			n += (size_t)sprintf(p + n, "%u", rnd(100000));
		else if (rnd(2) == 0)
			put(p, &n, vocabulary[rnd(1 + rnd(WORDS))]);
		else
			put(p, &n, ANY(common));
		line += n - begin;
		if (lines && line > 70)
			line = 0;
		put(p, &n, lines && line == 0 ? "\r\n" : " ");
	}
	return (struct str){ p, size };
}

/* ---- measuring ---------------------------------------------------------- */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct milt_image *
load(unsigned count, unsigned residual, double *ms)
{
	struct builder b = { 0 };
	struct milt_image *im = NULL;
	uint32_t ref = build_ref(&b, ATTR_BODY_RAW, REF_VALUE, 0, NULL), code;
	struct image_rule rule;
	char source[SOURCE * 4];
	size_t size;
	void *data;
	double begin;

	for (unsigned i = 0; i < count; i++) {
		size_t offset;
		char message[256];
		uint32_t captures;
		bool bad = i % 100 < residual;

		make_regex(source, bad);
		if (!match_check(str_from(source), REGEX_I | REGEX_BYTES,
			&offset, message, &captures))
			abort();
		build_put(&b, SECTION_REGEXES,
		    &(struct image_regex){
			build_put(&b, SECTION_TEXTS,
			    &(struct image_text){ build_put(&b, SECTION_BYTES,
						      source, strlen(source)),
				(uint32_t)strlen(source) },
			    1),
			REGEX_I | REGEX_BYTES, captures, 0 },
		    1);
	}
	code = BUILD_CODE(&b, { OPC_CONST, 0, FALSE_, 0 });
	for (unsigned i = 0; i < count; i++) {
		BUILD_CODE(&b, { OPC_MATCH, 1, (uint16_t)ref, i },
		    { OPC_OR, 0, 1, 0 });
	}
	BUILD_CODE(&b, { OPC_HALT, 0, 0, 0 });
	rule = build_rule(&b, "r", STAGE_MESSAGE, code);
	rule.verdict = ACTION_NONE;
	build_put(&b, SECTION_RULES, &rule, 1);
	data = build_image(&b, &size);
	begin = now();
	if (milt_image_load(data, size, &im, NULL) != MILT_OK)
		abort();
	*ms = (now() - begin) / 1e6;
	free(data);
	return im;
}

static unsigned long matches, candidates;

static void
one_value(struct interp *ip, struct str text, bool plain)
{
	struct fact_value v = { .type = TYPE_TEXT, .text = text };
	struct scan_result r;

	ip->scratch = match_scratch();
	if (plain) {
		for (uint32_t i = 0; i < ip->image->count[SECTION_REGEXES]; i++)
			matches += match_run(ip->image, i, text, ip->scratch,
				       NULL, 0) == MATCH_YES;
		return;
	}
	if (!scan_value(ip, 0, &v, &r))
		abort();
	candidates += r.count;
	for (uint32_t i = 0; i < r.count; i++)
		matches += match_windows(ip->image, r.regexes[i], text,
			       ip->scratch, r.windows, r.first[i]) == MATCH_YES;
}

/* Nanoseconds for a value; the least of some rounds. */
static double
measure(struct interp *ip, const struct str *texts, unsigned n, bool plain,
    unsigned rounds)
{
	double best = 1e18;

	for (unsigned k = 0; k <= rounds; k++) {
		double begin = now(), took;

		matches = candidates = 0;
		for (unsigned i = 0; i < n; i++)
			one_value(ip, texts[i], plain);
		took = (now() - begin) / n;
		/* The first round makes machine code. */
		if (k > 0 && took < best)
			best = took;
	}
	return best;
}

static void
line(struct interp *ip, const char *what, const struct str *texts, unsigned n,
    unsigned rounds)
{
	double indexed = measure(ip, texts, n, false, rounds), alone;
	unsigned long found = matches, tried = candidates;

	alone = measure(ip, texts, 1, true, 1);
	printf("  %-9s %12.3f us  tried %8.2f  match %8.2f"
	       "  one by one %12.3f us, %.0f times\n",
	    what, indexed / 1000, (double)tried / n, (double)found / n,
	    alone / 1000, alone / indexed);
}

static void
run_count(unsigned count, unsigned residual, struct str (*texts)[HEADERS])
{
	double ms;
	struct milt_image *im = load(count, residual, &ms);
	struct interp ip = { .image = im, .facts = facts_new(im) };
	const struct scan_subject *s = &im->scan->subjects[0];

	printf("%u regexes: loaded in %.1f ms, %u residual, table %zu KB\n",
	    count, ms, s->residual, s->table->bytes / 1024);
	line(&ip, "header", texts[0], HEADERS, 5);
	line(&ip, "5 KB", texts[1], BODIES, 5);
	line(&ip, "20 KB", texts[2], BODIES, 5);
	line(&ip, "200 KB", texts[3], BODIES, 3);
	facts_free(ip.facts);
	milt_image_free(im);
}

int
main(int argc, char **argv)
{
	static const unsigned counts[] = { 10, 100, 1000, MOST };
	static struct str texts[4][HEADERS];
	unsigned residual = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	struct rusage usage;

	for (unsigned i = 0; i < WORDS; i++) {
		size_t n = 0;

		put_new_word(vocabulary[i], &n);
	}
	for (unsigned i = 0; i < HEADERS; i++)
		texts[0][i] = make_text(85, false);
	for (unsigned i = 0; i < BODIES; i++) {
		texts[1][i] = make_text(5 << 10, true);
		texts[2][i] = make_text(20 << 10, true);
		texts[3][i] = make_text(200 << 10, true);
	}
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		state = 99;
		run_count(counts[i], residual, texts);
		fflush(stdout);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("resident at most %ld KB\n", usage.ru_maxrss);
	return 0;
}
