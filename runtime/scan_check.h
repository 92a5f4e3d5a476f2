/* Whether a literal that was found can be one of a match: for scan.c. */
#ifndef RUNTIME_SCAN_CHECK_H
#define RUNTIME_SCAN_CHECK_H

#include "runtime/scan_table.h"

/* A text that is being scanned. */
struct scan_place {
	struct str text;
	size_t work; /* octets that may be searched for other literals */
	/* The offsets `from` to `to` are of the line that begins at `line`. */
	size_t line, from, to;
};

struct scan_place scan_place(struct str text);

/*
 * The first place where a match can begin that holds a literal at `at`, that
 * many octets behind its begin at most.
 */
uint32_t scan_begin(struct scan_place *, size_t at, uint32_t width);

/*
 * The literal of an owner, at that offset: its neighbours, and the others.
 * True as well where that would take too long.
 */
bool scan_can_be(const struct scan_table *, const struct scan_owner *,
    struct scan_place *, size_t at, uint32_t size);

#endif
