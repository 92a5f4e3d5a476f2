#include "compiler/intern.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { FIRST_SIZE = 64 };

static uint64_t
hash_of(struct str key)
{
	return XXH3_64bits(key.n ? key.p : "", key.n);
}

static void
clear(struct intern_slot *slots, size_t size)
{
	for (size_t i = 0; i < size; i++)
		slots[i].number = UINT32_MAX;
}

void
intern_init(struct intern *in, struct arena *arena)
{
	*in = (struct intern){ .arena = arena, .size = FIRST_SIZE };
	in->slots = ARENA_ARRAY(arena, in->size, struct intern_slot);
	clear(in->slots, in->size);
}

static void
grow(struct intern *in)
{
	size_t size = in->size * 2;
	struct intern_slot *slots =
	    ARENA_ARRAY(in->arena, size, struct intern_slot);

	clear(slots, size);
	for (size_t i = 0; i < in->size; i++) {
		size_t at = in->slots[i].hash & (size - 1);

		if (in->slots[i].number == UINT32_MAX)
			continue;
		while (slots[at].number != UINT32_MAX)
			at = (at + 1) & (size - 1);
		slots[at] = in->slots[i];
	}
	in->slots = slots;
	in->size = size;
}

static struct intern_slot *
look(const struct intern *in, struct str key, uint64_t hash)
{
	size_t at = hash & (in->size - 1);

	while (in->slots[at].number != UINT32_MAX) {
		const struct intern_slot *s = &in->slots[at];

		if (s->hash == hash && str_eq(in->keys.v[s->number], key))
			break;
		at = (at + 1) & (in->size - 1);
	}
	return &in->slots[at];
}

uint32_t
intern_find(const struct intern *in, struct str key)
{
	return look(in, key, hash_of(key))->number;
}

uint32_t
intern_add(struct intern *in, struct str key, bool *added)
{
	uint64_t hash = hash_of(key);
	struct intern_slot *slot = look(in, key, hash);

	*added = slot->number == UINT32_MAX;
	if (!*added)
		return slot->number;
	*slot = (struct intern_slot){ hash, (uint32_t)in->keys.n };
	vec_push(in->arena, &in->keys, arena_dup(in->arena, key));
	if (in->keys.n * 2 > in->size)
		grow(in);
	return (uint32_t)in->keys.n - 1;
}
