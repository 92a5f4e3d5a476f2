/*
 * Traces: what became of the next transactions that match a filter, with the
 * value of each rule.  Any thread.
 */
#ifndef RUNTIME_TRACE_H
#define RUNTIME_TRACE_H

#include "runtime/decision.h"

enum { TRACE_PATTERN = 256 };

/* Patterns as the shell has them, without case; empty: all. */
struct trace_filter {
	char client[TRACE_PATTERN]; /* name, address, or name[address] */
	char sender[TRACE_PATTERN];
	char recipient[TRACE_PATTERN]; /* one of them */
	char rule[TRACE_PATTERN];      /* one that matched */
};

struct tracer;

/* The next `count` ones; NULL with no memory. */
struct tracer *trace_open(const struct trace_filter *, unsigned long count);
void trace_close(struct tracer *);

/*
 * The next one as a line of JSON, malloc'ed; NULL if there is none within so
 * many milliseconds.  *over: no more will come.
 */
char *trace_next(struct tracer *, int ms, bool *over);

/* Does anybody trace? */
bool trace_is_on(void);

/* A decision, for those who want it. */
void trace_give(const struct decision_record *);

#endif
