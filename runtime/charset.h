/* Text in other charsets, as readers of mail take it. */
#ifndef RUNTIME_CHARSET_H
#define RUNTIME_CHARSET_H

#include "dsl/arena.h"

/*
 * Under which name iconv knows it: readers take some for larger ones (WHATWG
 * Encoding 4.2).  `name` itself where there is no other; any thread.
 */
const char *charset_iconv_name(const char *name);

/*
 * Octets as valid UTF-8.  A byte order mark says more than the name and is left
 * out; a name that is NULL or unknown is UTF-8.  For what is no text in the
 * charset there is U+FFFD.  p NULL with no memory.
 */
struct str charset_decode(struct arena *, struct str octets, const char *name);

#endif
