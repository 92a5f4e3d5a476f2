/*
 * `milterc explain --log LINE FILE`: a decision that milterd logged, by the
 * policy it was made with: the rule and its source, what the facts in the line
 * make of its condition, and what of those above it.
 */
#ifndef COMPILER_EXPLAIN_LOG_H
#define COMPILER_EXPLAIN_LOG_H

#include <jansson.h>

#include "compiler/compile.h"
#include "compiler/logline.h"

/*
 * The account of a line.  For compilations that succeeded, with their image
 * loaded; the arena is for the meantime and has an on_fail.  NULL if the policy
 * has no such rule.
 */
json_t *explain_log(struct arena *, struct compilation *,
    const struct milt_image *, const struct logline *);

void explain_log_print(const json_t *, FILE *);

#endif
