/*
 * Policies of any number of rules, and messages that their rules look at: the
 * workloads of tests/bench/README.md.  Everything follows from the numbers
 * given, so that two runs ask for the same.
 */
#ifndef TESTS_BENCH_WORKLOAD_H
#define TESTS_BENCH_WORKLOAD_H

#include <stdio.h>

#include "tests/mta/mta.h"

enum workload {
	WORK_SUBJECTS, /* regexes on the subject */
	WORK_RESIDUAL, /* the same, one in a hundred without a literal */
	WORK_NETWORKS, /* networks on client.ip */
	WORK_SENDERS,  /* exact sender domains */
	WORK_BODIES,   /* regexes on bodies of 5 to 200 KB */
	WORK_MIXED,    /* thirty rules of all kinds, again and again */
	WORK_COUNT
};

/* A number from a number, as if by chance. */
uint64_t workload_mix(uint64_t);

extern const char *const workload_names[WORK_COUNT];

void workload_policy(enum workload, unsigned rules, FILE *);

/* A transaction; texts are owned by it and never freed. */
struct work_message {
	struct str client;
	struct mta_message message;
};

/* Number i of a corpus for a policy of so many rules: one in ten is a hit. */
void workload_message(
    enum workload, unsigned rules, unsigned i, struct work_message *out);

#endif
