#include "runtime/sets.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { LONGEST_DOMAIN = 255 };

uint64_t
set_hash(struct str key, uint64_t seed)
{
	return XXH3_64bits_withSeed(key.n ? key.p : "", key.n, seed);
}

bool
set_has_key(
    const struct milt_image *im, const struct image_list *list, struct str key)
{
	const struct image_slot *slots;
	uint64_t hash = set_hash(key, list->seed);
	uint32_t mask = list->slots - 1;
	uint32_t at = (uint32_t)hash & mask;

	assert(list->type == TYPE_TEXT || list->type == TYPE_DOMAIN ||
	       list->type == TYPE_ADDRESS);
	if (list->count == 0)
		return false;
	slots = (const struct image_slot *)(im->sets + list->offset);
	for (uint32_t n = 0; n <= list->longest; n++) {
		const struct image_slot *slot = &slots[at];

		if (slot->text == IMAGE_NONE)
			return false;
		if (slot->tag == hash >> 32 &&
		    str_eq(image_text(im, slot->text), key))
			return true;
		at = (at + 1) & mask;
	}
	return false;
}

struct str
set_suffix_next(struct str domain)
{
	size_t dot;

	do {
		dot = str_find(domain, '.');
		if (dot == domain.n)
			return (struct str){ NULL, 0 };
		domain = str_skip(domain, dot + 1);
	} while (!domain.n);
	return domain;
}

struct str
set_suffix(struct str domain)
{
	if (domain.n <= LONGEST_DOMAIN)
		return domain.p ? domain : STR("");
	return set_suffix_next(str_skip(domain, domain.n - LONGEST_DOMAIN));
}

bool
set_has_under(const struct milt_image *im, const struct image_list *list,
    struct str domain)
{
	for (struct str s = set_suffix(domain); s.p; s = set_suffix_next(s))
		if (set_has_key(im, list, s))
			return true;
	return false;
}

uint32_t
set_v4_ranges(const struct ip_range *ranges, uint32_t count, uint32_t *first)
{
	static const struct ip least = { { [10] = 0xff, [11] = 0xff } };
	uint32_t n = 0;

	*first = 0;
	for (uint32_t i = 0; i < count; i++) {
		n += ip_is_v4(ranges[i].first);
		*first += ip_compare(ranges[i].first, least) < 0;
	}
	return n;
}

/* ---- IPv4 --------------------------------------------------------------- */

enum { NODE_BITS = 4, NODE = 1 << NODE_BITS };

/* The number of the root's level; level 0 has all addresses. */
static unsigned
v4_levels(uint32_t n)
{
	return n < 2 ? 0 : (31 - (unsigned)__builtin_clz(n - 1)) / NODE_BITS;
}

/* How many addresses a level has, of n > 0: each sixteenth of the next. */
static uint32_t
v4_size(uint32_t n, unsigned level)
{
	return ((n - 1) >> NODE_BITS * level) + 1;
}

static uint32_t
v4_room(uint32_t size)
{
	return (size + NODE - 1) & ~(uint32_t)(NODE - 1);
}

uint32_t
set_v4_words(uint32_t n)
{
	uint32_t words = n;

	if (n == 0)
		return 0;
	for (unsigned k = v4_levels(n) + 1; k-- > 0;)
		words += v4_room(v4_size(n, k));
	return words;
}

static uint32_t
v4_last(const struct ip_range *range)
{
	return ip_is_v4(range->last) ? set_v4(range->last) : UINT32_MAX;
}

uint32_t
set_v4_word(const struct ip_range *v4, uint32_t n, uint32_t i)
{
	for (unsigned k = v4_levels(n) + 1; k-- > 0;) {
		uint32_t size = v4_size(n, k);

		if (i < size)
			return set_v4(v4[i << NODE_BITS * k].first);
		if (i < v4_room(size))
			return UINT32_MAX;
		i -= v4_room(size);
	}
	return v4_last(&v4[i]);
}

/* How many of a node's numbers are not above `number`. */
static uint32_t
count_upto(const uint32_t node[NODE], uint32_t number)
{
	uint32_t n = 0;

	for (int i = 0; i < NODE; i++)
		n += node[i] <= number;
	return n;
}

/* Is the IPv4 range inside of one of those that begin at an IPv4 address? */
static bool
v4_has(const uint32_t *words, uint32_t n, uint32_t first, uint32_t last)
{
	uint32_t at = 0;

	for (unsigned k = v4_levels(n) + 1; k-- > 0;) {
		uint32_t size = v4_size(n, k), left = size - NODE * at;
		uint32_t upto = count_upto(words + NODE * at, first);

		upto = upto < left ? upto : left;
		if (upto == 0)
			return false;
		at = NODE * at + upto - 1;
		words += v4_room(size);
	}
	return last <= words[at];
}

/* ---- all ranges --------------------------------------------------------- */

/* How many of n sorted ranges do not begin behind the address. */
static size_t
count_ranges(const struct ip_range *v, size_t n, struct ip ip)
{
	const struct ip_range *base = v;

	if (n == 0)
		return 0;
	while (n > 1) {
		size_t half = n / 2;

		base += ip_compare(base[half].first, ip) <= 0 ? half : 0;
		n -= half;
	}
	return (size_t)(base - v) + (ip_compare(base->first, ip) <= 0);
}

static bool
has_part(const struct milt_image *im, const struct image_list *list,
    const struct ip_range *range)
{
	const struct ip_range *base =
	    (const struct ip_range *)(im->sets + list->offset);
	uint32_t upto = list->count;
	size_t n;

	if (ip_is_v4(range->first) && ip_is_v4(range->last)) {
		if (list->slots &&
		    v4_has((const uint32_t *)(base + list->count), list->slots,
			set_v4(range->first), set_v4(range->last)))
			return true;
		/* One that begins before all of them may hold it. */
		upto = list->longest;
	}
	n = count_ranges(base, upto, range->first);
	return n && ip_compare(range->last, base[n - 1].last) <= 0;
}

bool
set_has_range(const struct milt_image *im, const struct image_list *list,
    const struct ip_range *range)
{
	struct ip_range parts[2];
	size_t n = network_parts(range, parts);

	assert(list->type == TYPE_NETWORK);
	for (size_t i = 0; i < n; i++)
		if (!has_part(im, list, &parts[i]))
			return false;
	return true;
}

bool
set_has_number(
    const struct milt_image *im, const struct image_list *list, int64_t number)
{
	const int64_t *base = (const int64_t *)(im->sets + list->offset);
	size_t n = list->count;

	assert(list->type == TYPE_NUMBER);
	if (n == 0)
		return false;
	while (n > 1) {
		size_t half = n / 2;

		base += base[half] <= number ? half : 0;
		n -= half;
	}
	return *base == number;
}
