/*
 * Membership in the lists of a verified image, looked up in place.  The list's
 * type says which call is meant: it must fit.
 */
#ifndef RUNTIME_SETS_H
#define RUNTIME_SETS_H

#include "runtime/image.h"
#include "runtime/normal.h"

/* The hash of a key in a set with that seed. */
uint64_t set_hash(struct str key, uint64_t seed);

/* TEXT, DOMAIN, ADDRESS: is `key`, in normal form, a member? */
bool set_has_key(
    const struct milt_image *, const struct image_list *, struct str key);

/*
 * DOMAIN: is `domain`, in normal form, or a domain above it a member?  Of a
 * text that is longer than any domain only the last 255 octets are looked at.
 */
bool set_has_under(
    const struct milt_image *, const struct image_list *, struct str domain);

/*
 * The domains of which set_has_under asks, from the longest on: the first one
 * for a domain in normal form, and the one above; {NULL, 0} behind the last.
 */
struct str set_suffix(struct str domain);
struct str set_suffix_next(struct str suffix);

/*
 * Ranges that begin at an IPv4 address, among sorted ones: how many, and how
 * many begin before all IPv4 addresses.
 */
uint32_t set_v4_ranges(
    const struct ip_range *, uint32_t count, uint32_t *first);

/*
 * What stands behind the ranges of a set, for the n of them from `v4` on that
 * begin at an IPv4 address: a tree of these addresses, each node of sixteen
 * numbers, from the root on; then the last IPv4 address of each.  Unused places
 * of nodes are UINT32_MAX.
 */
uint32_t set_v4_words(uint32_t n);
uint32_t set_v4_word(const struct ip_range *v4, uint32_t n, uint32_t i);

/* An IPv4 address as a number. */
static inline uint32_t
set_v4(struct ip ip)
{
	uint32_t n;

	memcpy(&n, ip.b + 12, sizeof(n));
	return be32toh(n);
}

/* NETWORK: is each of network_parts() of `range` inside of a member? */
bool set_has_range(const struct milt_image *, const struct image_list *,
    const struct ip_range *range);

/* NUMBER. */
bool set_has_number(
    const struct milt_image *, const struct image_list *, int64_t number);

#endif
