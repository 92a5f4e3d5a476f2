/* Text of a header field in ASCII: encoded words (RFC 2047), written. */
#ifndef RUNTIME_ENCODE_WORDS_H
#define RUNTIME_ENCODE_WORDS_H

#include "dsl/arena.h"

/* RFC 2047 2: octets of a line with encoded words, without its end. */
enum { ENCODED_LINE = 76 };

/*
 * `text` is valid UTF-8 without controls.  Words that are not ASCII, and what
 * stands between them, become encoded words of whole characters, none longer
 * than 75 octets; one at the beginning fits into a line of which `column`
 * octets are taken, unless only few are left.  All else stays, and what is
 * encoded already.  In the arena; {NULL, 0} with no memory.
 */
struct str encode_words(struct arena *, struct str text, size_t column);

/*
 * What readers show of a field's value: in one line, its words decoded.  In the
 * arena; {NULL, 0} with no memory.
 */
struct str header_value_text(struct arena *, struct str value);

#endif
