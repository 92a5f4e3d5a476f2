/* The sets: what look-ups in place rely on. */
#include "runtime/sets.h"
#include "runtime/verify.h"

static const char damaged[] = "a list's set is damaged";

static bool
is_inside(const struct verifier *v, const struct image_list *l, uint64_t count,
    uint64_t size)
{
	uint64_t room = v->im->count[SECTION_SETS];

	return l->offset % 16 == 0 && l->offset <= room &&
	       count <= (room - l->offset) / size;
}

/*
 * From the slot behind an empty one all around: each member lies in one run
 * with its home, at most `longest` behind it.
 */
static const char *
check_slots(struct verifier *v, const struct image_list *l)
{
	const struct image_slot *slots =
	    (const struct image_slot *)(v->im->sets + l->offset);
	uint32_t mask = l->slots - 1, start = 0, run = 0, used = 0;

	while (start < mask && slots[start].text != IMAGE_NONE)
		start++;
	for (uint32_t n = 1; n <= l->slots; n++) {
		uint32_t at = (start + n) & mask;
		struct str key;
		uint64_t hash;
		uint32_t distance;

		if (slots[at].text == IMAGE_NONE) {
			run = 0;
			continue;
		}
		if (!verify_text(v, slots[at].text))
			return damaged;
		key = image_text(v->im, slots[at].text);
		if (!verify_spend(v, 1, key.n))
			return "the lists share too many texts";
		hash = set_hash(key, l->seed);
		distance = (at - (uint32_t)hash) & mask;
		if (slots[at].tag != hash >> 32 || distance > run ||
		    distance > l->longest)
			return damaged;
		run++;
		used++;
	}
	return used == l->count ? NULL : damaged;
}

static const char *
check_hashed(struct verifier *v, const struct image_list *l)
{
	if (l->count == 0 && l->slots == 0)
		return NULL;
	if (l->slots == 0 || l->slots & (l->slots - 1) ||
	    l->count > (uint64_t)l->slots * 7 / 8 ||
	    !is_inside(v, l, l->slots, sizeof(struct image_slot)))
		return damaged;
	if (!verify_spend(v, l->slots, sizeof(struct image_slot)))
		return "the lists share too much";
	return check_slots(v, l);
}

static const char *
check_ranges(struct verifier *v, const struct image_list *l)
{
	const struct ip_range *r;

	if (!is_inside(v, l, l->count, sizeof(*r)))
		return damaged;
	if (!verify_spend(v, l->count, sizeof(*r)))
		return "the lists share too much";
	r = (const struct ip_range *)(v->im->sets + l->offset);
	for (uint32_t i = 0; i < l->count; i++)
		if (ip_compare(r[i].first, r[i].last) > 0 ||
		    (i && ip_compare(r[i - 1].last, r[i].first) >= 0))
			return damaged;
	return NULL;
}

static const char *
check_numbers(struct verifier *v, const struct image_list *l)
{
	const int64_t *n;

	if (!is_inside(v, l, l->count, sizeof(*n)))
		return damaged;
	if (!verify_spend(v, l->count, sizeof(*n)))
		return "the lists share too much";
	n = (const int64_t *)(v->im->sets + l->offset);
	for (uint32_t i = 1; i < l->count; i++)
		if (n[i - 1] >= n[i])
			return damaged;
	return NULL;
}

static const char *
check_list(struct verifier *v, const struct image_list *l)
{
	if (!verify_text_or_none(v, l->name) || l->zero)
		return "a list is malformed";
	switch (l->type) {
	case TYPE_TEXT:
	case TYPE_DOMAIN:
	case TYPE_ADDRESS:
		return check_hashed(v, l);
	case TYPE_NETWORK:
		return check_ranges(v, l);
	case TYPE_NUMBER:
		return check_numbers(v, l);
	}
	return "a list is of no type";
}

const char *
verify_lists(struct verifier *v)
{
	for (uint32_t i = 0; i < v->im->count[SECTION_LISTS]; i++) {
		const char *why = check_list(v, &v->im->lists[i]);

		if (why)
			return why;
	}
	return NULL;
}
