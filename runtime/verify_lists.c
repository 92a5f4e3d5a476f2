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
 * Only what keeps a look-up inside the image and ends it, in one pass without
 * looking at the texts: a list of a million is checked in milliseconds.  That
 * each member is where it is looked for is the compiler's affair.
 */
static const char *
check_slots(const struct verifier *v, const struct image_list *l)
{
	const struct image_slot *slots =
	    (const struct image_slot *)(v->im->sets + l->offset);
	uint32_t texts = v->im->count[SECTION_TEXTS], used = 0, wrong = 0;

	for (uint32_t i = 0; i < l->slots; i++) {
		used += slots[i].text != IMAGE_NONE;
		wrong += slots[i].text >= texts;
	}
	return used == l->count && used + wrong == l->slots ? NULL : damaged;
}

static const char *
check_hashed(struct verifier *v, const struct image_list *l)
{
	if (l->count == 0 && l->slots == 0)
		return NULL;
	if (l->slots == 0 || l->slots & (l->slots - 1) ||
	    l->longest >= l->slots ||
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
	const uint32_t *words;
	uint32_t first;

	if (!is_inside(v, l, l->count, sizeof(*r)) || l->slots > l->count ||
	    !is_inside(
		v, l, l->count * (uint64_t)8 + set_v4_words(l->slots), 4))
		return damaged;
	if (!verify_spend(v, l->count, sizeof(*r)))
		return "the lists share too much";
	r = (const struct ip_range *)(v->im->sets + l->offset);
	for (uint32_t i = 0; i < l->count; i++)
		if (ip_compare(r[i].first, r[i].last) > 0 ||
		    (i && ip_compare(r[i - 1].last, r[i].first) >= 0))
			return damaged;
	words = (const uint32_t *)(r + l->count);
	if (set_v4_ranges(r, l->count, &first) != l->slots ||
	    first != l->longest)
		return damaged;
	for (uint32_t i = 0, n = set_v4_words(l->slots); i < n; i++)
		if (words[i] != set_v4_word(r + first, l->slots, i))
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
