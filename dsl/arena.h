/*
 * Region allocator: objects live until the arena is reset or freed.  One
 * thread at a time.  What `arena_alloc` returns is zeroed and aligned for any
 * type.
 *
 * An arena has a limit in bytes.  Over the limit, or with no memory, an
 * allocation fails: where `on_fail` is set the arena longjmps there with 1
 * (the compiler's way: one setjmp for each compilation), otherwise the call
 * returns NULL and the caller must look (the runtime's way).
 */
#ifndef DSL_ARENA_H
#define DSL_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "dsl/str.h"

struct arena_block;

/* What several arenas may hold together; any thread. */
struct budget {
	atomic_size_t used;     /* bytes */
	atomic_size_t *refused; /* borrowed; counts times that there was not
				   enough left; may be NULL */
	size_t limit;           /* 0: none.  Written before there are threads */
};

/* False if it is not there; what was taken is given back once. */
bool budget_take(struct budget *, size_t bytes);
void budget_give(struct budget *, size_t bytes);

struct arena {
	struct arena_block *head; /* owned; newest first */
	size_t used;              /* bytes handed out since the last reset */
	size_t limit;             /* bytes; 0 means no limit */
	jmp_buf *on_fail;         /* borrowed; may be NULL */
	struct budget *budget;    /* borrowed; of its blocks; may be NULL */
	atomic_size_t *refused;   /* borrowed; counts what was beyond the limit;
				     may be NULL */
};

/* No memory is taken until the first allocation.  limit 0: no limit. */
void arena_init(struct arena *, size_t limit, jmp_buf *on_fail);

/* Frees all blocks but the smallest first one; pointers become invalid. */
void arena_reset(struct arena *);

/* Frees all; the arena may be used again. */
void arena_free(struct arena *);

void *arena_alloc(struct arena *, size_t size);
void *arena_array(struct arena *, size_t count, size_t size);

/* A copy of `s`, with a NUL behind it that does not count. */
struct str arena_dup(struct arena *, struct str s);

/* printf into the arena; NUL behind it. {NULL, 0} on failure. */
struct str arena_printf(struct arena *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) \
	((type *)arena_array((arena), (count), sizeof(type)))

/*
 * Growable array in an arena: `VEC(type) v = {0}; vec_push(&arena, &v, x);`
 * Old storage stays in the arena until its reset.  In arenas without on_fail
 * check vec_push's result.
 */
#define VEC(type)              \
	struct {               \
		type *v;       \
		size_t n, cap; \
	}
bool vec_grow(struct arena *, void *vp, size_t *cap, size_t size);
#define vec_push(arena, vec, item)                                      \
	(((vec)->n < (vec)->cap || vec_grow((arena), (void *)&(vec)->v, \
				       &(vec)->cap, sizeof(*(vec)->v))) \
		? ((vec)->v[(vec)->n++] = (item), true)                 \
		: false)

#endif
