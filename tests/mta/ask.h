/* Questions to the sockets of a filter for metrics and control. */
#ifndef TESTS_MTA_ASK_H
#define TESTS_MTA_ASK_H

#include "tests/mta/filter.h"

/*
 * All that the socket of that name answers until the end, or until `lines`
 * lines have come.  Owned by the caller.
 */
char *ask(
    const struct filter *, const char *name, const char *question, int lines);

/* The page of metrics; owned by the caller. */
char *ask_metrics(const struct filter *);

/* The value of a sample on such a page; -1 if it is not there. */
long long metric_value(const char *page, const char *name);

/* Waits until the sample has the value; false: it has not. */
bool ask_until(const struct filter *, const char *name, long long value);

#endif
