/*
 * Counts of the rules and of the `count` actions of one policy.  A policy that
 * is read anew goes on with the counts of the rules and names that it shares
 * with policies that are still loaded.
 *
 * counts_new and counts_free come from one thread, all else from any.
 */
#ifndef RUNTIME_COUNTS_H
#define RUNTIME_COUNTS_H

#include "runtime/image.h"

struct counts;

enum rule_event {
	RULE_DECIDED,        /* gave the verdict */
	RULE_EFFECT,         /* an effect, note or count came about */
	RULE_MATCHED_SHADOW, /* a shadow rule matched */
	RULE_FAILED,         /* could not be decided */
	RULE_EVENTS
};

/* NULL with no memory. */
struct counts *counts_new(const struct milt_image *);
void counts_free(struct counts *);

void counts_add(struct counts *, uint32_t rule, enum rule_event);
/* A name that no `count` action of the policy has is not counted. */
void counts_add_named(struct counts *, struct str name);

unsigned long long counts_rule(
    const struct counts *, uint32_t rule, enum rule_event);
/* Can it happen to the rule?  Failures: has it happened? */
bool counts_may(const struct counts *, const struct milt_image *, uint32_t rule,
    enum rule_event);

/* The names in alphabetical order. */
size_t counts_names(const struct counts *);
struct str counts_name(const struct counts *, size_t i);
unsigned long long counts_named(const struct counts *, size_t i);

#endif
