/*
 * `milterc test`: plays every test block of a policy and compares what
 * happened with its expectations.
 */
#ifndef COMPILER_TESTRUN_H
#define COMPILER_TESTRUN_H

#include <jansson.h>

#include "compiler/compile.h"
#include "compiler/js_run.h"
#include "compiler/play.h"

struct test_failure {
	struct span span; /* the expectation */
	struct str text;  /* what was expected, what happened */
};

struct test_result {
	const struct item_test *test;
	const char *error; /* could not be played; or NULL */
	struct transaction transaction;
	struct outcome outcome;
	VEC(struct test_failure) failures;
};

struct test_results {
	struct test_result *v;
	size_t n, failed;
};

/*
 * Plays the tests of a compiled policy, in file order.  Results live in `a`.
 * What a test does not give, the functions of js rules answer; a NULL there:
 * nobody.  MILT_OK, or MILT_NO_MEMORY.
 */
enum milt_status tests_run(struct arena *a, struct compilation *,
    const struct milt_image *, struct js_run *, struct test_results *out);

/* Failures in the form of diagnostics; with `all`, a line for each test. */
void tests_print(const struct test_results *, struct compilation *, FILE *,
    bool color, bool all);

/* An array with an object for each test.  The caller owns it. */
json_t *tests_json(const struct test_results *, struct compilation *,
    const struct milt_image *);

/* "reject 550 5.7.1 by no-relay at rcpt", for people. */
struct str verdict_text(
    struct arena *, const struct milt_image *, const struct play_verdict *);

/* "add header \"X\" \"yes\"", as an author writes it. */
struct str change_text(struct arena *, const struct milt_change *);

/* Name of a speaker: the rule's, or "default". */
struct str speaker_name(const struct milt_image *, struct milt_speaker);

/* "accept", "reject", "tempfail", "discard". */
struct str answer_word(enum milt_answer_kind);

#endif
