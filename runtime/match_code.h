/* Compiled regexes: for match.c. */
#ifndef RUNTIME_MATCH_CODE_H
#define RUNTIME_MATCH_CODE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "runtime/image.h"

/*
 * What is run for a regex; NULL with no memory.  Always machine code where
 * there can be any: the steps that a limit counts are not the same without, and
 * a verdict must not depend on what was matched before.
 */
const pcre2_code *match_code(const struct milt_image *, uint32_t regex);

#endif
