/* Where facts meet GMime.  Private to runtime/facts*.c. */
#ifndef RUNTIME_FACTS_DECODE_H
#define RUNTIME_FACTS_DECODE_H

#include "runtime/facts_state.h"

/*
 * A copy of `s` (valid UTF-8) for GMime, with the encoded words that cannot be
 * decoded hidden from it.  To be freed with g_free; *masked goes to unmask.
 */
char *words_mask(struct str s, bool *masked);

/* What GMime made of it, into the arena; {NULL, 0} with no memory. */
struct str words_unmask(struct arena *, const char *z, bool masked);

#endif
