/*
 * The log: one line for each decision, note or message of the daemon, to
 * stderr or to syslog's mail facility.  Any thread may log; a line is never
 * torn.
 */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include "dsl/str.h"

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* syslog's own names clash with nothing here: these are ours. */
enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

/* Debug lines are written only with `verbose`. Before that: stderr. */
void log_open(enum log_target, bool verbose);

void log_say(enum log_level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A line being built.  What does not fit is left out, never the end of a
 * quoted value: its closing mark has its place kept.
 */
enum { LOG_LINE_BYTES = 4096, LOG_VALUE_BYTES = 200 };

struct log_line {
	size_t n;
	char text[LOG_LINE_BYTES];
};

void line_start(struct log_line *);
void line_add(struct log_line *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Between the marks `open` and `close` (0: none) at most LOG_VALUE_BYTES of
 * the value, `...` where it was cut; what is not printable ASCII, a backslash
 * and the marks themselves as \xHH.
 */
void line_value(struct log_line *, struct str value, char open, char close);
/* The same for a value without marks; a blank is escaped as well. */
void line_word(struct log_line *, struct str value);
void line_end(enum log_level, struct log_line *);

#endif
