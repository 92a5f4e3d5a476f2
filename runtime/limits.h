/*
 * How often the limits were hit on what clients, peers and the policy control
 * (dsl/limits.def; options in dsl/options.def).  Any thread.
 */
#ifndef RUNTIME_LIMITS_H
#define RUNTIME_LIMITS_H

#include <stdatomic.h>

#include "dsl/tables.h"

void limit_hit(enum milt_limit);
void limit_option_hit(enum milt_option);

size_t limit_hits(enum milt_limit);
size_t limit_option_hits(enum milt_option);

/* For who counts it without us. */
atomic_size_t *limit_counter(enum milt_limit);

/* A rule or its effect could not be decided, and the policy goes on. */
void failure_ignored(void);
size_t failures_ignored(void);

#endif
