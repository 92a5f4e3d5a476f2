/* base64 as readers decode it that take what others refuse (RFC 2045 6.8). */
#ifndef RUNTIME_BASE64_H
#define RUNTIME_BASE64_H

#include "dsl/str.h"

/*
 * Returns the number of octets; `out` has room for as many as there are in the
 * text.  Padding may be left out, and data may go on behind it.
 */
size_t base64_decode(struct str, uint8_t *out);

/* Is there data behind padding?  Some readers end there, others go on. */
bool base64_goes_on(struct str);

/*
 * Is there something else than the alphabet, padding and white space?  Readers
 * are to ignore it, but may refuse.
 */
bool base64_is_loose(struct str);

#endif
