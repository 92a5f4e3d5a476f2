/*
 * Finding many sequences of classes in one pass (extended Shift-And): for
 * scan.c.  Each sequence is a few bits of a word; a bit is set while the octets
 * up to here are of the classes up to its own.
 */
#ifndef RUNTIME_SCAN_CLASSES_H
#define RUNTIME_SCAN_CLASSES_H

#include "runtime/literal_class.h"

struct scan_classes;

/* A sequence and whose it is: an index in the subject's regexes. */
struct scan_sequence {
	struct classes classes;
	uint32_t regex;
};

/* NULL with no memory. */
struct scan_classes *scan_classes_new(
    const struct scan_sequence *, uint32_t count);
void scan_classes_free(struct scan_classes *);
size_t scan_classes_bytes(const struct scan_classes *);

/* Calls `found` once for each regex whose sequence is in the value. */
typedef void scan_class_found(void *of, uint32_t regex);
void scan_classes_run(const struct scan_classes *, struct str value,
    scan_class_found *, void *of);
/* For each of them. */
void scan_classes_all(
    const struct scan_classes *, scan_class_found *, void *of);

#endif
