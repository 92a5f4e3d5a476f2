/* What a thread knows of the values that it scanned: for scan.c. */
#ifndef RUNTIME_SCAN_CACHE_H
#define RUNTIME_SCAN_CACHE_H

#include "runtime/scan.h"
#include "runtime/scan_check.h"

/* A value that was scanned. */
struct scan_known {
	const struct milt_image *image;
	uint32_t subject;
	struct str value, text;
	uint32_t first, count; /* in the lists; count IMAGE_NONE: all */
};

/* A candidate of the value that is being scanned. */
struct scan_hit {
	uint32_t regex; /* index in the subject's regexes */
	uint32_t first, last, windows;
};

struct scan_cache_slot {
	uint32_t generation, entry;
};

struct scan_cache {
	struct scan_cache_slot *slots; /* hash table over the entries */
	uint32_t slot_count, generation;
	struct scan_known *entries;
	uint32_t entry_count, entry_room;
	uint32_t *regexes, *firsts; /* the lists */
	uint32_t list_count, list_room;
	struct scan_window *windows;
	uint32_t window_count, window_room;
	/* The value that is being scanned. */
	struct scan_hit *hits;
	uint32_t hit_count, hit_room;
	uint32_t *hit_of; /* for each regex: its hit, if that names it */
	uint64_t *sorted; /* a bit for each regex; zeros */
	uint32_t regex_room;
	const struct scan_table *table;
	struct scan_place place;
	uint32_t windows_most;
	bool anywhere, failed;
};

/*
 * Room for `need` records in all in the array whose address `array` is.  False
 * with no memory, as the others.
 */
bool scan_grow(void *array, uint32_t *room, uint32_t need, size_t size);
/* Room in the lists. */
bool scan_cache_lists(struct scan_cache *, uint32_t need);
/* Room for the hits of a subject with that many regexes. */
bool scan_cache_regexes(struct scan_cache *, uint32_t count);
/*
 * The hit of a regex, for which there is room, in the value that is being
 * scanned: the one that it has, or a new one.  NULL with no memory.
 */
struct scan_hit *scan_cache_hit(struct scan_cache *, uint32_t regex);
/* Room for one more value among the slots. */
bool scan_cache_room(struct scan_cache *);

/*
 * The slot of a value, or the empty one where it belongs: its generation is not
 * the cache's.  There are slots.
 */
struct scan_cache_slot *scan_cache_slot(const struct scan_cache *,
    const struct milt_image *, uint32_t subject, struct str value);

#endif
