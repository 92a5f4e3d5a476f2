#include "runtime/limits.h"

static atomic_size_t hits[LIMIT_COUNT], option_hits[OPTION_COUNT], ignored;

static void
add(atomic_size_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void
limit_hit(enum milt_limit limit)
{
	add(&hits[limit]);
}

void
limit_option_hit(enum milt_option option)
{
	add(&option_hits[option]);
}

size_t
limit_hits(enum milt_limit limit)
{
	return atomic_load(&hits[limit]);
}

size_t
limit_option_hits(enum milt_option option)
{
	return atomic_load(&option_hits[option]);
}

atomic_size_t *
limit_counter(enum milt_limit limit)
{
	return &hits[limit];
}

void
failure_ignored(void)
{
	add(&ignored);
}

size_t
failures_ignored(void)
{
	return atomic_load(&ignored);
}
