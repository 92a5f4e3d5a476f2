/*
 * What the fuzzers share: each is a libFuzzer target.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* GMime keeps what its types need, once for the process. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	__lsan_disable();
	facts_init();
	__lsan_enable();
	return 0;
}

/* What must hold; libFuzzer reports the abort. */
#define MUST(condition) ((condition) ? (void)0 : abort())

/* A policy that must compile; the image is malloc'ed. */
static inline void *
fuzz_compile(struct str text, size_t *size)
{
	static const struct compile_options options = { .lint = false };
	struct compilation c;
	void *image;

	if (milt_compile_text(&c, STR("fuzz.milt"), text, &options) !=
	    MILT_OK) {
		diags_print(&c.diags, stderr, false);
		abort();
	}
	image = c.image;
	*size = c.image_size;
	c.image = NULL;
	milt_compile_free(&c);
	return image;
}

/* A verdict that follows from the rule, and an effect or none. */
static inline void
fuzz_reply(struct milt_session *s, const struct milt_question *q)
{
	const struct milt_change change = { .action = ACTION_ADD_HEADER,
		.name = STR("X-Js"),
		.value = STR("y") };
	struct milt_reply r = { .kind = REPLY_ANSWER,
		.verdict = (enum milt_action)(q->rule % 5),
		.changes = &change,
		.change_count = q->rule / 5 % 2,
		.logs = q->captures,
		.log_count = q->capture_count };

	if (q->rule % 7 == 6)
		r = (struct milt_reply){ .kind = REPLY_NOTHING };
	MUST(milt_session_reply(s, &r) == MILT_OK);
}

/* The answer of a stage; the clock stands still. */
static inline struct milt_answer
fuzz_answer(struct milt_session *s)
{
	struct milt_answer a;
	enum milt_status r;

	while ((r = milt_session_answer(s, &a)) == MILT_QUESTION) {
		const struct milt_question *q = milt_session_question(s);

		if (q->kind == QUESTION_CLOCK)
			facts_clock(milt_session_facts(s), 1700000000000);
		else
			fuzz_reply(s, q);
	}
	MUST(r == MILT_OK || r == MILT_NO_MEMORY);
	return a;
}

#endif
