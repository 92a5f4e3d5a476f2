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

#endif
