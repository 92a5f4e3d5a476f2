/* What contents are, by libmagic: dsl/kinds.def. */
#ifndef RUNTIME_KIND_H
#define RUNTIME_KIND_H

#include "dsl/str.h"

enum kind {
#define KIND(id, word, doc) KIND_##id,
#define KIND_OF(id, type)
#define KIND_AT(id, offset, octets)
#include "dsl/kinds.def"
#undef KIND
#undef KIND_OF
#undef KIND_AT
	KIND_COUNT
};

/* Any thread.  False where libmagic has no database or no memory. */
bool kind_of(struct str contents, enum kind *out);

struct str kind_word(enum kind);

#endif
