/*
 * `milterc explain FILE`: when each rule decides, what holds it, and what the
 * policy asks of the MTA.  For compilations that succeeded.
 */
#ifndef COMPILER_EXPLAIN_H
#define COMPILER_EXPLAIN_H

#include "compiler/compile.h"

/* How deep a message is looked into: NEED_ flags and their words. */
struct explain_content {
	uint32_t need;
	const char *word;
};
extern const struct explain_content explain_content[];
extern const size_t explain_content_count;

void explain_print(struct compilation *, FILE *);

/* One object: `rules`, and `mta`. */
void explain_print_json(struct compilation *, FILE *);

#endif
