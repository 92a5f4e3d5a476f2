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

uint32_t
set_slots(size_t count)
{
	uint32_t slots = 2;

	while (slots < count + count / 3 + 1)
		slots *= 2;
	return slots;
}

/* With one seed: the longest probe. */
static uint32_t
place(const struct str *keys, size_t n, uint64_t seed, uint32_t slots,
    bool *used, uint32_t *at)
{
	uint32_t longest = 0;

	memset(used, 0, slots);
	for (size_t i = 0; i < n; i++) {
		uint32_t slot = (uint32_t)set_hash(keys[i], seed) & (slots - 1);
		uint32_t probe = 0;

		for (; used[slot]; probe++)
			slot = (slot + 1) & (slots - 1);
		used[slot] = true;
		at[i] = slot;
		if (probe > longest)
			longest = probe;
	}
	return longest;
}

uint32_t
set_place(struct arena *arena, const struct str *keys, size_t n, uint32_t slots,
    uint32_t *at, uint64_t *seed)
{
	bool *used = ARENA_ARRAY(arena, slots, bool);
	uint32_t best = UINT32_MAX;
	uint64_t tries = n < LARGE ? SEEDS : SEEDS_LARGE, last = 0;

	for (uint64_t s = 0; s < tries && best > LONGEST_FINE; s++) {
		uint32_t longest = place(keys, n, s, slots, used, at);

		last = s;
		if (longest >= best)
			continue;
		best = longest;
		*seed = s;
	}
	if (*seed != last)
		place(keys, n, *seed, slots, used, at);
	return best;
}

static struct str
build_slots(struct arena *arena, const struct ir_list *l, const uint32_t *texts,
    struct image_list *out)
{
	uint32_t count = set_slots(l->keys.n);
	uint32_t *at = ARENA_ARRAY(arena, l->keys.n + 1, uint32_t);
	struct image_slot *slots = ARENA_ARRAY(arena, count, struct image_slot);

	out->longest =
	    set_place(arena, l->keys.v, l->keys.n, count, at, &out->seed);
	memset(slots, 0xff, count * sizeof(*slots));
	for (size_t i = 0; i < l->keys.n; i++)
		slots[at[i]] = (struct image_slot){
			(uint32_t)(set_hash(l->keys.v[i], out->seed) >> 32),
			texts[i],
		};
	out->count = (uint32_t)l->keys.n;
	out->slots = count;
	return (struct str){ (const char *)slots, count * sizeof(*slots) };
}

/* The ranges, and behind them the tree of those that begin at IPv4. */
static struct str
build_ranges(
    struct arena *arena, const struct ir_list *l, struct image_list *out)
{
	uint32_t n = (uint32_t)l->ranges.n, words;
	size_t size = n * sizeof(*l->ranges.v);
	char *bytes;
	uint32_t *v4;

	out->count = n;
	out->slots = set_v4_ranges(l->ranges.v, n, &out->longest);
	words = set_v4_words(out->slots);
	bytes = arena_alloc(arena, size + words * sizeof(*v4));
	if (n)
		memcpy(bytes, l->ranges.v, size);
	v4 = (uint32_t *)(bytes + size);
	for (uint32_t i = 0; i < words; i++)
		v4[i] = set_v4_word(l->ranges.v + out->longest, out->slots, i);
	return (struct str){ bytes, size + words * sizeof(*v4) };
}

struct str
set_build(struct arena *arena, const struct ir_list *l, const uint32_t *texts,
    struct image_list *out)
{
	out->seed = 0;
	out->slots = out->longest = 0;
	if (l->type == TYPE_NETWORK)
		return build_ranges(arena, l, out);
	if (l->type == TYPE_NUMBER) {
		_Static_assert(sizeof(*l->numbers.v) == sizeof(int64_t),
		    "the image's numbers have 64 bits");
		out->count = (uint32_t)l->numbers.n;
		return (struct str){ (const char *)l->numbers.v,
			l->numbers.n * sizeof(*l->numbers.v) };
	}
	return build_slots(arena, l, texts, out);
}
