#include "runtime/scan_cache.h"

#include <stdlib.h>

enum {
	SLOTS_LEAST = 64,
	KEEP_BYTES = 1 << 20, /* of the lists, between two calls */
};

struct scan_cache *
scan_cache_new(void)
{
	struct scan_cache *c = calloc(1, sizeof(*c));

	if (c)
		c->generation = 1;
	return c;
}

static void
release(struct scan_cache *c)
{
	free(c->slots);
	free(c->entries);
	free(c->regexes);
	free(c->firsts);
	free(c->windows);
	free(c->hits);
	free(c->hit_of);
	free(c->sorted);
}

void
scan_cache_free(struct scan_cache *c)
{
	if (!c)
		return;
	release(c);
	free(c);
}

void
scan_cache_forget(struct scan_cache *c)
{
	size_t bytes = c->entry_room * sizeof(*c->entries) +
		       c->list_room * 2 * sizeof(*c->regexes) +
		       c->window_room * sizeof(*c->windows) +
		       c->regex_room * sizeof(*c->hit_of);

	if (bytes > KEEP_BYTES || c->generation == UINT32_MAX) {
		release(c);
		*c = (struct scan_cache){ .generation = 0 };
	}
	c->generation++;
	c->entry_count = c->list_count = c->window_count = 0;
}

/* ---- room --------------------------------------------------------------- */

bool
scan_grow(void *array, uint32_t *room, uint32_t need, size_t size)
{
	void *old, *more;
	uint32_t to = *room ? *room : 16;

	if (need <= *room)
		return true;
	while (to < need)
		to *= 2;
	memcpy(&old, array, sizeof(old));
	more = realloc(old, to * size);
	if (!more)
		return false;
	memcpy(array, &more, sizeof(more));
	*room = to;
	return true;
}

bool
scan_cache_lists(struct scan_cache *c, uint32_t need)
{
	uint32_t room = c->list_room;

	need += need == 0; /* lists of none have a place too */
	return scan_grow(&c->firsts, &room, need, sizeof(*c->firsts)) &&
	       scan_grow(&c->regexes, &c->list_room, need, sizeof(*c->regexes));
}

bool
scan_cache_regexes(struct scan_cache *c, uint32_t count)
{
	uint32_t words = (count + 63) / 64;

	if (count <= c->regex_room)
		return true;
	free(c->hit_of);
	free(c->sorted);
	c->regex_room = 0;
	c->hit_of = calloc(count, sizeof(*c->hit_of));
	c->sorted = calloc(words, sizeof(*c->sorted));
	if (!c->hit_of || !c->sorted)
		return false;
	c->regex_room = count;
	return true;
}

struct scan_hit *
scan_cache_hit(struct scan_cache *c, uint32_t regex)
{
	uint32_t i = c->hit_of[regex];

	if (i < c->hit_count && c->hits[i].regex == regex)
		return &c->hits[i];
	if (!scan_grow(
		&c->hits, &c->hit_room, c->hit_count + 1, sizeof(*c->hits)))
		return NULL;
	c->hit_of[regex] = c->hit_count;
	c->hits[c->hit_count] = (struct scan_hit){ .regex = regex };
	return &c->hits[c->hit_count++];
}

/* ---- entries ------------------------------------------------------------ */

static uint64_t
hash_of(uint32_t subject, struct str value)
{
	uint64_t h = (uintptr_t)value.p ^ ((uint64_t)value.n << 40) ^
		     ((uint64_t)subject << 20);

	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

struct scan_cache_slot *
scan_cache_slot(const struct scan_cache *c, const struct milt_image *im,
    uint32_t subject, struct str value)
{
	uint32_t mask = c->slot_count - 1;
	uint32_t i = (uint32_t)hash_of(subject, value) & mask;

	for (;; i = (i + 1) & mask) {
		struct scan_cache_slot *s = &c->slots[i];
		const struct scan_known *e;

		if (s->generation != c->generation)
			return s;
		e = &c->entries[s->entry];
		if (e->subject == subject && e->value.p == value.p &&
		    e->value.n == value.n && e->image == im)
			return s;
	}
}

bool
scan_cache_room(struct scan_cache *c)
{
	uint32_t count = c->slot_count ? 2 * c->slot_count : SLOTS_LEAST;

	if (2 * c->entry_count < c->slot_count)
		return true;
	free(c->slots);
	c->slot_count = 0;
	c->slots = calloc(count, sizeof(*c->slots));
	if (!c->slots)
		return false;
	c->slot_count = count;
	for (uint32_t i = 0; i < c->entry_count; i++) {
		const struct scan_known *e = &c->entries[i];

		*scan_cache_slot(c, e->image, e->subject, e->value) =
		    (struct scan_cache_slot){ c->generation, i };
	}
	return true;
}
