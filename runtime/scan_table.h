/*
 * Finding many literals in one pass: for scan.c.
 *
 * Of each literal the rarest run of 4 octets (3 or 2 where it is shorter), its
 * gram, is put into a hash filter that stays in the processor's cache; only
 * where a gram of the value passes the filter are the literals with that gram
 * compared.  The filter's look-ups do not wait for each other, and what a
 * value costs hardly depends on how many literals there are.
 */
#ifndef RUNTIME_SCAN_TABLE_H
#define RUNTIME_SCAN_TABLE_H

#include "dsl/status.h"
#include "runtime/literal.h"
#include "runtime/scan_classes.h"

enum { GRAM_SHORTEST = 2, GRAM_LONGEST = 4, GRAM_LEVELS = 3 };

/* A literal: folded, as it lies in memory. */
struct scan_pattern {
	uint64_t text[2], mask[2];
};

/* Whose literal it is, and where a match begins before it. */
struct scan_owner {
	uint32_t regex; /* index in the subject's regexes */
	uint32_t min, max;
	near_set before, after[NEAR_AFTER];
	uint32_t also; /* the first of scan_table.also, or IMAGE_NONE */
};

/* A literal of which a match holds one, too. */
struct scan_also {
	struct scan_pattern text;
	uint32_t gram, gram_mask; /* its rarest, as far as it has four octets */
	uint32_t min, max;
	near_set before, after[NEAR_AFTER];
	uint8_t n, gram_at;
	bool is_last; /* of its set */
};

struct scan_needle {
	struct scan_pattern text;
	uint32_t first, count; /* owners */
	uint8_t n;
	uint8_t gram; /* where in the literal its gram begins */
};

struct scan_slot {
	uint32_t gram;
	uint32_t first, count; /* needles; count 0: empty */
};

/* The grams of one length. */
struct scan_grams {
	uint64_t *filter; /* NULL: there are none */
	unsigned filter_shift;
	struct scan_slot *slots;
	unsigned slot_shift;
};

struct scan_table {
	struct scan_grams grams[GRAM_LEVELS]; /* [n - GRAM_SHORTEST] */
	struct scan_needle *needles;
	struct scan_owner *owners;
	struct scan_also *also;
	uint32_t also_count, also_room;
	struct scan_classes *classes; /* of regexes without literals; or NULL */
	uint32_t *residual; /* indexes of those without either, ascending */
	uint32_t residual_count;
	size_t bytes; /* that all of it holds */
};

/* A literal on its way into a table. */
struct scan_entry {
	struct literal literal;
	uint32_t regex, also;
	uint32_t gram;
	uint8_t gram_at, level;
};

/* An empty table; NULL with no memory. */
struct scan_table *scan_table_new(void);
/* Keeps a set; *first is what its owner holds.  False with no memory. */
bool scan_table_also(
    struct scan_table *, const struct literals_also *, uint32_t *first);
/* Fills it with entries, which are put into another order. */
bool scan_table_fill(struct scan_table *, struct scan_entry *, uint32_t count);
void scan_table_free(struct scan_table *);

static inline uint32_t
scan_gram_hash(uint32_t gram, unsigned shift)
{
	return (gram * 0x9e3779b1u) >> shift;
}

/* Does the text stand at that offset? */
static inline bool
scan_is_there(
    const struct scan_pattern *p, uint32_t size, struct str value, size_t at)
{
	const uint64_t fold = UINT64_C(0x2020202020202020);
	uint64_t text[2] = { 0, 0 };
	size_t n = value.n - at;

	memcpy(text, value.p + at, n < sizeof(text) ? n : sizeof(text));
	return n >= size &&
	       (((text[0] | fold) ^ p->text[0]) & p->mask[0]) == 0 &&
	       (((text[1] | fold) ^ p->text[1]) & p->mask[1]) == 0;
}

/*
 * Calls `found` for each literal in the value and each of its owners, with the
 * literal's offset and size.
 */
typedef void scan_found(
    void *of, const struct scan_owner *, size_t at, uint32_t size);
void scan_table_run(
    const struct scan_table *, struct str value, scan_found *, void *of);

#endif
