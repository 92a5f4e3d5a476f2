#include "compiler/sets.h"

#include <stdlib.h>

#include "runtime/sets.h"

/* Seeds that are tried: more for small sets, where a try costs nothing. */
enum { SEEDS = 16, SEEDS_LARGE = 3, LARGE = 50000, LONGEST_FINE = 4 };

static int
compare_keys(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int c = n ? memcmp(x->p, y->p, n) : 0;

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static int
compare_numbers(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct ip_range *x = a, *y = b;
	int c = ip_compare(x->first, y->first);

	return c ? c : ip_compare(x->last, y->last);
}

/* The address behind `ip`; false behind the last one. */
static bool
ip_next(struct ip *ip)
{
	for (int i = 15; i >= 0; i--)
		if (++ip->b[i])
			return true;
	return false;
}

static bool
ranges_touch(const struct ip_range *a, const struct ip_range *b)
{
	struct ip next = a->last;

	return !ip_next(&next) || ip_compare(b->first, next) <= 0;
}

static void
finish_ranges(struct ir_list *l)
{
	size_t n = 0;

	qsort(l->ranges.v, l->ranges.n, sizeof(*l->ranges.v), compare_ranges);
	for (size_t i = 0; i < l->ranges.n; i++) {
		const struct ip_range *r = &l->ranges.v[i];
		struct ip_range *last = n ? &l->ranges.v[n - 1] : NULL;

		if (!last || !ranges_touch(last, r))
			l->ranges.v[n++] = *r;
		else if (ip_compare(r->last, last->last) > 0)
			last->last = r->last;
	}
	l->ranges.n = n;
}

static void
finish_keys(struct ir_list *l)
{
	size_t n = 0;

	qsort(l->keys.v, l->keys.n, sizeof(*l->keys.v), compare_keys);
	for (size_t i = 0; i < l->keys.n; i++)
		if (n == 0 || !str_eq(l->keys.v[n - 1], l->keys.v[i]))
			l->keys.v[n++] = l->keys.v[i];
	l->keys.n = n;
}

static void
finish_numbers(struct ir_list *l)
{
	size_t n = 0;

	qsort(
	    l->numbers.v, l->numbers.n, sizeof(*l->numbers.v), compare_numbers);
	for (size_t i = 0; i < l->numbers.n; i++)
		if (n == 0 || l->numbers.v[n - 1] != l->numbers.v[i])
			l->numbers.v[n++] = l->numbers.v[i];
	l->numbers.n = n;
}

void
list_finish(struct ir_list *l)
{
	if (l->ranges.n)
		finish_ranges(l);
	if (l->keys.n)
		finish_keys(l);
	if (l->numbers.n)
		finish_numbers(l);
}

/* ---- hashed sets ---------------------------------------------------- */

static uint32_t
slots_for(size_t count)
{
	uint32_t slots = 2;

	while (slots < count + count / 3 + 1)
		slots *= 2;
	return slots;
}

/* Fills `slots`; the length of the longest probe, from 1. */
static uint32_t
place(const struct ir_list *l, const uint32_t *texts, uint64_t seed,
    struct image_slot *slots, uint32_t count)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < count; i++)
		slots[i] = (struct image_slot){ 0, IMAGE_NONE };
	for (size_t i = 0; i < l->keys.n; i++) {
		uint64_t hash = set_hash(l->keys.v[i], seed);
		uint32_t at = (uint32_t)hash & (count - 1), probe = 1;

		for (; slots[at].text != IMAGE_NONE; probe++)
			at = (at + 1) & (count - 1);
		slots[at] =
		    (struct image_slot){ (uint32_t)(hash >> 32), texts[i] };
		if (probe > longest)
			longest = probe;
	}
	return longest;
}

static struct str
build_slots(struct arena *arena, const struct ir_list *l, const uint32_t *texts,
    struct image_list *out)
{
	uint32_t count = slots_for(l->keys.n), best = UINT32_MAX;
	uint64_t tries = l->keys.n < LARGE ? SEEDS : SEEDS_LARGE, last = 0;
	struct image_slot *slots = ARENA_ARRAY(arena, count, struct image_slot);

	for (uint64_t seed = 0; seed < tries && best > LONGEST_FINE; seed++) {
		uint32_t longest = place(l, texts, seed, slots, count);

		last = seed;
		if (longest >= best)
			continue;
		best = longest;
		out->seed = seed;
	}
	if (out->seed != last)
		best = place(l, texts, out->seed, slots, count);
	out->count = (uint32_t)l->keys.n;
	out->slots = count;
	out->longest = best;
	return (struct str){ (const char *)slots, count * sizeof(*slots) };
}

struct str
set_build(struct arena *arena, const struct ir_list *l, const uint32_t *texts,
    struct image_list *out)
{
	out->seed = 0;
	out->slots = out->longest = 0;
	if (l->type == TYPE_NETWORK) {
		out->count = (uint32_t)l->ranges.n;
		return (struct str){ (const char *)l->ranges.v,
			l->ranges.n * sizeof(*l->ranges.v) };
	}
	if (l->type == TYPE_NUMBER) {
		_Static_assert(sizeof(*l->numbers.v) == sizeof(int64_t),
		    "the image's numbers have 64 bits");
		out->count = (uint32_t)l->numbers.n;
		return (struct str){ (const char *)l->numbers.v,
			l->numbers.n * sizeof(*l->numbers.v) };
	}
	return build_slots(arena, l, texts, out);
}
