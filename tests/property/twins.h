/*
 * Random transactions, played in two sessions of the same policy: one of them
 * finds its rules and regexes by the index, the other one looks at all.
 */
#ifndef TESTS_PROPERTY_TWINS_H
#define TESTS_PROPERTY_TWINS_H

#include "runtime/session.h"

struct twins {
	struct milt_session *v[2]; /* indexed, plain; freed */
	struct milt_answer answer[2];
	enum milt_status status[2];
	const char *differs; /* in what; NULL: in nothing */
	unsigned verdicts[ANSWER_SKIP + 1];
	unsigned failures, questions;
};

/* NULL: the policy is refused; `error` gets why. */
struct milt_image *twins_compile(
    struct str text, bool plain, char *error, size_t room);

/*
 * A session of some messages, HELO commands and messages given up.  False if
 * the two differ.
 */
bool twins_play(struct milt_image *const im[2], struct twins *);

#endif
