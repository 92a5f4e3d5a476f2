/*
 * Numbers for equal things: the first one gets 0, the next new one 1, and so
 * on.  The bytes of a key are copied into the arena.
 */
#ifndef COMPILER_INTERN_H
#define COMPILER_INTERN_H

#include "dsl/arena.h"

struct intern_slot {
	uint64_t hash;
	uint32_t number; /* UINT32_MAX: empty */
};

struct intern {
	struct arena *arena;       /* borrowed; has on_fail */
	struct intern_slot *slots; /* a power of two of them */
	size_t size;
	VEC(struct str) keys; /* by number */
};

void intern_init(struct intern *, struct arena *);

/* The number of `key`; *added says that it is new. */
uint32_t intern_add(struct intern *, struct str key, bool *added);

/* UINT32_MAX if it is not there. */
uint32_t intern_find(const struct intern *, struct str key);

#endif
