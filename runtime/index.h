/*
 * Which rules a stage looks at: those that its probes hit (image.h).  Probes
 * that cannot be answered (a limit, no memory) hit all their rules, so that a
 * rule that is not hit is certainly false.
 */
#ifndef RUNTIME_INDEX_H
#define RUNTIME_INDEX_H

#include "runtime/interp.h"

/* Numbers of rules; memory is kept from one use to the next. */
struct rule_numbers {
	uint32_t *v; /* owned; malloc */
	size_t n, cap;
};

/* Empties it, and gives back more memory than is needed mostly. */
void rule_numbers_clear(struct rule_numbers *);

/*
 * The rules that a stage's probes hit, ascending, each once.  False with no
 * memory, or with ip->asking set.
 */
bool index_hits(struct interp *, enum milt_stage, struct rule_numbers *out);

#endif
