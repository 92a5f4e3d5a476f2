/*
 * List sets: from the entries of a list to what stands in the image.
 */
#ifndef COMPILER_SETS_H
#define COMPILER_SETS_H

#include "compiler/ir.h"

/*
 * Sorts the members and drops those that add nothing: equal keys and numbers,
 * networks inside others.  Networks that touch become one range.
 */
void list_finish(struct ir_list *);

/*
 * The bytes of a finished list in section SETS, in the arena; fills count,
 * slots, longest and seed of *out.  `texts` has the number of each key in the
 * image (TEXT, DOMAIN, ADDRESS).
 */
struct str set_build(struct arena *, const struct ir_list *,
    const uint32_t *texts, struct image_list *out);

/*
 * Puts n different keys into `slots` (a power of two of them, more than n):
 * at[i] is the slot of key i.  The seed is the best of those tried.  Returns
 * the longest probe.
 */
uint32_t set_place(struct arena *, const struct str *keys, size_t n,
    uint32_t slots, uint32_t *at, uint64_t *seed);

/* A good number of slots for so many keys. */
uint32_t set_slots(size_t count);

#endif
