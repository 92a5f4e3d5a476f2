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

/* Whose literal it is, and where a match begins before it. */
struct scan_owner {
	uint32_t regex; /* index in the subject's regexes */
	uint32_t min, max;
};

struct scan_needle {
	uint64_t text[2], mask[2]; /* folded; as they lie in memory */
	uint32_t first, count;     /* owners */
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
	struct scan_classes *classes; /* of regexes without literals; or NULL */
	uint32_t *residual; /* indexes of those without either, ascending */
	uint32_t residual_count;
	size_t bytes; /* that all of it holds */
};

/* A literal on its way into a table. */
struct scan_entry {
	struct literal literal;
	uint32_t regex;
	uint32_t gram;
	uint8_t gram_at, level;
};

/*
 * The table of these entries, which are put into another order.  NULL with no
 * memory.
 */
struct scan_table *scan_table_new(struct scan_entry *, uint32_t count);
void scan_table_free(struct scan_table *);

static inline uint32_t
scan_gram_hash(uint32_t gram, unsigned shift)
{
	return (gram * 0x9e3779b1u) >> shift;
}

/*
 * Calls `found` for each literal in the value and each of its owners, with the
 * literal's offset.
 */
typedef void scan_found(void *of, const struct scan_owner *, size_t literal_at);
void scan_table_run(
    const struct scan_table *, struct str value, scan_found *, void *of);

#endif
