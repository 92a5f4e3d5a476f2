/*
 * A filter process on a private unix socket in a directory of its own, which
 * has its sockets for metrics and control, too.
 */
#ifndef TESTS_MTA_FILTER_H
#define TESTS_MTA_FILTER_H

#include <sys/types.h>

#include "tests/mta/mta.h"

struct filter {
	pid_t pid;
	char dir[64];
	char where[96];   /* for mta_open, and for -p */
	char policy[256]; /* path */
	char log[96];     /* path: its standard output and error */
};

/*
 * Starts milterd (environment: MILTERD, else BUILD/milterd, else
 * build/milterd) with the policy and waits until it answers.  False: the log
 * was printed, as comments of TAP.
 */
bool filter_start(struct filter *, const char *policy);
/* The same with a policy that has its own place. */
bool filter_start_file(struct filter *, const char *path);

/* Replaces the policy's file; HUP makes milterd read it. */
void filter_write(struct filter *, const char *policy);

/* Waits until the log has `count` lines with `text`; false: it has not. */
bool filter_wait_log(struct filter *, const char *text, size_t count);
size_t filter_log_count(const struct filter *, const char *text);
void filter_print_log(const struct filter *);

/*
 * TERM and wait: the exit status, -1 if a signal or a deadline ended it, -2 if
 * a sanitizer or valgrind has something to say.
 */
int filter_stop(struct filter *);
bool filter_is_alive(const struct filter *);

/* False under sanitizers and valgrind: they need memory for themselves. */
bool filter_memory_is_real(void);

/* Of any process: memory that is resident, in KB; threads; 0: gone. */
size_t process_rss(pid_t);
size_t process_threads(pid_t);
/* Time on the processors so far, in nanoseconds. */
long long process_cpu(pid_t);
/*
 * The same with all that descends from it, living or waited for: tree.c.  Waits
 * until nothing of it has worked for a moment, a second at most.
 */
long long process_tree_cpu(pid_t);

#endif
