/*
 * What a session has found out and need not find out again: values of nodes.
 * Holds only what was put in, so
 * its size depends on what was looked at, not on the policy.
 */
#ifndef RUNTIME_MEMO_H
#define RUNTIME_MEMO_H

#include "runtime/image.h"

struct memo_cell {
	uint32_t key;
	uint32_t value;
	uint32_t epoch; /* of its class when it was put in; 0: empty */
};

/* All zero is an empty memo. */
struct memo {
	struct memo_cell *cells; /* owned; `size` of them, a power of two */
	uint32_t size, used;     /* stale ones included */
	uint32_t epoch[MEMO_CLASSES];
};

bool memo_get(const struct memo *, const struct milt_image *, uint32_t key,
    uint32_t *value);

/* With no memory it is not kept. */
void memo_put(
    struct memo *, const struct milt_image *, uint32_t key, uint32_t value);

/* Forgets the classes from this one on. */
void memo_forget(
    struct memo *, const struct milt_image *, enum memo_class from);

void memo_free(struct memo *);

#endif
