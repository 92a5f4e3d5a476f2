/*
 * The image's records of what each stage looks at (image.h): used in place,
 * too.
 */
#ifndef RUNTIME_IMAGE_INDEX_H
#define RUNTIME_IMAGE_INDEX_H

#include <stdint.h>

#include "runtime/normal.h"

/*
 * How a stage finds the rules that have something new to say (runtime/index.h).
 *
 * A rule enters at one stage: there it is `always` looked at, or it is looked
 * at only where a probe hits it; a rule that no probe hits is false.  Before
 * that stage it is pending, that is unknown, unless its guard is false; but a
 * probe of an earlier stage may hit it, and it is looked at from there on.
 * What was looked at and is still unknown is looked at wherever it has a
 * fragment.  The compiler chooses; the verdicts do not depend on it.
 */
struct image_stage {
	uint32_t always, always_count;   /* STAGE_RULES, in file order */
	uint32_t probes, probe_count;    /* PROBES: those with a name last */
	uint32_t named_count, zero;      /* how many, ascending by `name` */
	uint32_t guards, guard_count;    /* GUARDS, looked at first */
	uint32_t pending, pending_count; /* PENDING */
};

/* What many rules that enter later know at a stage: false or unknown. */
struct image_guard {
	uint32_t code;
};

/*
 * List i: rules that give ACTION_ACCEPT + i; shadow rules give none.  The last
 * one: rules with changes or notes, or shadow.
 */
enum { PENDING_VERDICTS = 4, PENDING_EFFECT = 4, PENDING_LISTS };

/*
 * Rules that have not entered at the end of a stage, together: they are
 * unknown, or false if their guard is; those that were looked at already are
 * what they were found to be.  Only the first of a list that was not matters:
 * it ends with one that no probe hits before it enters.
 */
struct image_pending {
	uint32_t guard; /* of this stage or an earlier one, or IMAGE_NONE */
	struct {
		uint32_t first, count; /* PENDING_RULES, in file order */
	} list[PENDING_LISTS];
};

enum probe_kind {
	PROBE_KEYS,       /* SLOTS: the key of the value */
	PROBE_UNDER,      /* SLOTS: the domain and those above it */
	PROBE_NETWORKS,   /* BLOCKS: the value's first address */
	PROBE_NUMBERS,    /* POINTS: the number */
	PROBE_RANGES,     /* INTERVALS: those that hold the number */
	PROBE_REGEXES,    /* PATTERNS: candidates of a scan (runtime/scan.h) */
	PROBE_TEXTS,      /* PATTERNS: the same for texts (scan_text.h) */
	PROBE_LIST,       /* member of a list, for all rules of the probe */
	PROBE_UNDER_LIST, /* the same with the domains above */
	PROBE_CODE,       /* a condition: hits unless it is false */
	PROBE_KINDS
};

/*
 * A look-up with the values of a reference: the only one, the count, or those
 * of all elements.  What cannot be looked up hits all its rules.
 */
struct image_probe {
	uint8_t kind; /* enum probe_kind */
	uint8_t form; /* KEYS, UNDER: type of the key, TYPE_NONE: the text as it
			 is; REGEXES: REGEX_BYTES or 0; TEXTS: opcode */
	uint16_t zero;
	uint32_t ref;          /* IMAGE_NONE: PROBE_CODE */
	uint32_t code;         /* PROBE_CODE, else IMAGE_NONE */
	uint32_t first, count; /* records, SLOTS: 2^n; or first is the list */
	uint32_t longest;      /* SLOTS: the longest probe, from 0 */
	uint64_t seed;         /* SLOTS */
	uint32_t all;          /* hits: every rule of the probe */
	uint32_t name;         /* fields of one name: facts_name_hash, or 0 */
};

struct image_key {
	uint32_t tag;  /* upper half of the hash */
	uint32_t text; /* IMAGE_NONE: empty */
	uint32_t hits;
};

/*
 * A CIDR block.  Sorted by first address, larger blocks first: a block's
 * `parent` is the smallest that holds it, and stands before it.
 */
struct image_block {
	struct ip_range range;
	uint32_t parent; /* counted from the probe's first, or IMAGE_NONE */
	uint32_t hits;
};

struct image_point {
	int64_t number; /* ascending */
	uint32_t hits;
	uint32_t zero;
};

/*
 * Sorted by `first`.  The middle one of all is the root of a tree, the middle
 * one of each half below it, and so on.
 */
struct image_interval {
	int64_t first, last; /* both included */
	int64_t most;        /* the greatest `last` of it and those below it */
	uint32_t hits;
	uint32_t zero;
};

struct image_pattern {
	uint32_t what; /* regex, ascending; text */
	uint32_t hits;
};

struct image_hits {
	uint32_t first, count; /* HIT_RULES, ascending */
};

#endif
