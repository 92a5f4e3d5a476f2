/* Whether a literal that was found can be one of a match: for scan.c. */
#ifndef RUNTIME_SCAN_CHECK_H
#define RUNTIME_SCAN_CHECK_H

#include "runtime/scan_table.h"

/*
 * The first place where a match can begin that holds a literal at `at`, that
 * many octets behind its begin at most.
 */
uint32_t scan_begin(struct str text, size_t at, uint32_t width);

/* The literal of an owner, at that offset: its neighbours, and the others. */
bool scan_can_be(const struct scan_table *, const struct scan_owner *,
    struct str text, size_t at, uint32_t size);

#endif
