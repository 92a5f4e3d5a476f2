#include "dsl/arena.h"

#include <stdlib.h>

enum { FIRST_BLOCK = 1024, MAX_BLOCK = 256 * 1024, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of data, in bytes */
	_Alignas(ALIGN) char data[];
};

/* ---- budgets --------------------------------------------------------- */

bool
budget_take(struct budget *b, size_t bytes)
{
	size_t before =
	    atomic_fetch_add_explicit(&b->used, bytes, memory_order_relaxed);

	if (!b->limit || (bytes <= b->limit && before <= b->limit - bytes))
		return true;
	budget_give(b, bytes);
	if (b->refused)
		atomic_fetch_add_explicit(b->refused, 1, memory_order_relaxed);
	return false;
}

void
budget_give(struct budget *b, size_t bytes)
{
	atomic_fetch_sub_explicit(&b->used, bytes, memory_order_relaxed);
}

/* ---- arenas ---------------------------------------------------------- */

static void
free_block(struct arena *a, struct arena_block *b)
{
	if (a->budget)
		budget_give(a->budget, sizeof(*b) + b->size);
	free(b);
}

void
arena_init(struct arena *a, size_t limit, jmp_buf *on_fail)
{
	*a = (struct arena){ .limit = limit, .on_fail = on_fail };
}

void
arena_reset(struct arena *a)
{
	struct arena_block *b = a->head;

	while (b && b->next) {
		struct arena_block *next = b->next;

		free_block(a, b);
		b = next;
	}
	if (b)
		b->used = 0;
	a->head = b;
	a->used = 0;
}

void
arena_free(struct arena *a)
{
	while (a->head) {
		struct arena_block *next = a->head->next;

		free_block(a, a->head);
		a->head = next;
	}
	a->used = 0;
}

static void *
fail(struct arena *a)
{
	if (a->on_fail)
		longjmp(*a->on_fail, 1);
	return NULL;
}

static struct arena_block *
add_block(struct arena *a, size_t need)
{
	size_t size = a->head ? a->head->size * 2 : FIRST_BLOCK;
	struct arena_block *b;

	if (size > MAX_BLOCK)
		size = MAX_BLOCK;
	if (size < need)
		size = need;
	if (a->budget && !budget_take(a->budget, sizeof(*b) + size))
		return NULL;
	b = malloc(sizeof(*b) + size);
	if (!b) {
		if (a->budget)
			budget_give(a->budget, sizeof(*b) + size);
		return NULL;
	}
	b->size = size;
	b->used = 0;
	b->next = a->head;
	a->head = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		return fail(a);
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (a->limit && (size > a->limit || a->used > a->limit - size)) {
		if (a->refused)
			atomic_fetch_add_explicit(
			    a->refused, 1, memory_order_relaxed);
		return fail(a);
	}
	if (!b || b->size - b->used < size)
		b = add_block(a, size);
	if (!b)
		return fail(a);
	p = b->data + b->used;
	b->used += size;
	a->used += size;
	return memset(p, 0, size);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / 2 / size)
		return fail(a);
	return arena_alloc(a, count * size);
}

struct str
arena_dup(struct arena *a, struct str s)
{
	char *p = s.n < SIZE_MAX / 2 ? arena_alloc(a, s.n + 1) : fail(a);

	if (!p)
		return (struct str){ NULL, 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

struct str
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list ap2;
	int n;
	char *p;

	va_copy(ap2, ap);
	n = vsnprintf(NULL, 0, fmt, ap2);
	va_end(ap2);
	p = n < 0 ? fail(a) : arena_alloc(a, (size_t)n + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return (struct str){ p, (size_t)n };
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	struct str s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

bool
vec_grow(struct arena *a, void *vp, size_t *cap, size_t size)
{
	size_t n = *cap ? *cap * 2 : 8;
	void *p = arena_array(a, n, size);
	void *old;

	if (!p)
		return false;
	memcpy(&old, vp, sizeof(old));
	if (*cap)
		memcpy(p, old, *cap * size);
	memcpy(vp, &p, sizeof(p));
	*cap = n;
	return true;
}
