/*
 * Edits as libmilter calls, at end of message.
 */
#ifndef RUNTIME_APPLY_H
#define RUNTIME_APPLY_H

#include <libmilter/mfapi.h>

#include "runtime/edits.h"

/*
 * Sends the edits in their order.  NULL, or a static sentence about the first
 * that failed: then the message must be put off, and the MTA forgets the rest.
 * `arena` is for copies.
 */
const char *apply_edits(
    SMFICTX *, const struct edit *, size_t count, struct arena *arena);

#endif
