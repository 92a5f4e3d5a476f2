/*
 * The log: one line for each decision, note or message of the daemon, to
 * stderr, to syslog's mail facility or to journald, as text or JSON.  Any
 * thread may log; a line is never torn.  A line that cannot be written is
 * lost, and counted.
 */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include "runtime/json.h"

enum log_target {
	LOG_TO_STDERR,
	LOG_TO_SYSLOG,
	LOG_TO_JOURNALD,
	LOG_TO_NOBODY
};
enum log_format { LOG_PLAIN, LOG_JSON };

/* syslog's own names clash with nothing here: these are ours. */
enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

/* Whose lines they are, borrowed; before log_open. */
void log_name(const char *program);
/* Debug lines are written only with `verbose`. Before that: plain, stderr. */
void log_open(enum log_target, enum log_format, bool verbose);

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

bool log_is_json(void);
/* An object, which gets time, level and process beside; takes it. */
void log_json(enum log_level, json_t *);

#endif
