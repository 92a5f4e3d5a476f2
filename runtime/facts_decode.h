/* Where facts meet GMime.  Private to runtime/facts*.c. */
#ifndef RUNTIME_FACTS_DECODE_H
#define RUNTIME_FACTS_DECODE_H

#include <gmime/gmime.h>

#include "runtime/facts_state.h"

/*
 * A copy of `s` (valid UTF-8, no NUL) for GMime, its encoded words made such
 * that it decodes them rightly or not at all.  To be freed with g_free.
 */
char *words_mask(struct str s);

/* Appends a character so that GMime does not see it, if it can be hidden. */
void words_hide(GString *out, char c);

/* What GMime made of it, into the arena; {NULL, 0} with no memory. */
struct str words_unmask(struct arena *, const char *z);

#endif
