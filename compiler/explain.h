/*
 * `milterc explain FILE`: when each rule decides, what holds it, and what the
 * policy asks of the MTA.  For compilations that succeeded.
 */
#ifndef COMPILER_EXPLAIN_H
#define COMPILER_EXPLAIN_H

#include "compiler/compile.h"

void explain_print(struct compilation *, FILE *);

/* One object: `rules`, and `mta`. */
void explain_print_json(struct compilation *, FILE *);

#endif
