/*
 * Text in other charsets, as readers of mail take it: some for larger ones
 * (WHATWG Encoding 4.2).  Any thread.
 */
#ifndef RUNTIME_CHARSET_H
#define RUNTIME_CHARSET_H

#include "dsl/arena.h"

/*
 * Octets as valid UTF-8.  A byte order mark says more than the name and is left
 * out; a name that is NULL or unknown is UTF-8.  For what is no text in the
 * charset there is U+FFFD.  p NULL with no memory.
 */
struct str charset_decode(struct arena *, struct str octets, const char *name);

/*
 * Octets that are text in that charset as UTF-8, *n octets, to be g_freed.
 * NULL where they are no such text, or nobody knows the name.
 */
char *charset_to_utf8(struct str octets, const char *name, size_t *n);

#endif
