#include "runtime/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "runtime/metrics.h"

/* Written before there are threads. */
static enum log_target target = LOG_TO_STDERR;
static enum log_format format = LOG_PLAIN;
static bool verbose;

static const char *ident = "milterd";

static int
priority(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return LOG_ERR;
	case LEVEL_WARNING:
		return LOG_WARNING;
	case LEVEL_INFO:
		return LOG_INFO;
	case LEVEL_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_ERR;
}

static const char *
prefix(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return "error: ";
	case LEVEL_WARNING:
		return "warning: ";
	case LEVEL_INFO:
	case LEVEL_DEBUG:
		return "";
	}
	return "";
}

/* One write for each line, so that lines of threads do not mix. */
static bool
write_all(struct str *parts, int n)
{
	struct iovec v[3];

	for (int i = 0; i < n; i++)
		v[i] =
		    (struct iovec){ (void *)(uintptr_t)parts[i].p, parts[i].n };
	for (int i = 0; i < n;) {
		ssize_t w = writev(STDERR_FILENO, v + i, n - i);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		for (; i < n && (size_t)w >= v[i].iov_len; i++)
			w -= (ssize_t)v[i].iov_len;
		if (i == n)
			break;
		v[i].iov_base = (char *)v[i].iov_base + w;
		v[i].iov_len -= (size_t)w;
	}
	return true;
}

static void
to_stderr(const char *head, const char *text)
{
	struct str parts[] = { str_from(head), str_from(text), STR("\n") };

	if (!write_all(parts, 3))
		metric_add(METRIC_LOG_LOST);
}

static void
to_journald(enum log_level level, const char *head, const char *text)
{
	if (sd_journal_send("MESSAGE=%s%s", head, text, "PRIORITY=%d",
		priority(level), "SYSLOG_FACILITY=%d", LOG_FAC(LOG_MAIL),
		"SYSLOG_IDENTIFIER=%s", ident, NULL) < 0)
		metric_add(METRIC_LOG_LOST);
}

/* A line of text as it stands. */
static void
emit(enum log_level level, const char *mark, const char *text)
{
	char head[64];

	switch (target) {
	case LOG_TO_SYSLOG:
		syslog(priority(level), "%s%s", mark, text);
		return;
	case LOG_TO_JOURNALD:
		to_journald(level, mark, text);
		return;
	case LOG_TO_NOBODY:
		return;
	case LOG_TO_STDERR:
		break;
	}
	head[0] = 0;
	if (format == LOG_PLAIN)
		snprintf(head, sizeof(head), "%s[%ld]: %s", ident,
		    (long)getpid(), mark);
	to_stderr(head, text);
}

static bool
is_wanted(enum log_level level)
{
	return target != LOG_TO_NOBODY && (level != LEVEL_DEBUG || verbose);
}

void
log_name(const char *program)
{
	ident = program;
}

void
log_open(enum log_target where, enum log_format form, bool with_debug)
{
	target = where;
	format = form;
	verbose = with_debug;
	/* libmilter speaks through syslog as well, whatever our target. */
	openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_say(enum log_level level, const char *fmt, ...)
{
	struct log_line line;
	int saved = errno;
	va_list ap;
	int n;

	if (!is_wanted(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(line.text, sizeof(line.text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	line.n =
	    (size_t)n < sizeof(line.text) ? (size_t)n : sizeof(line.text) - 1;
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.text[i] < ' ')
			line.text[i] = ' ';
	line_end(level, &line);
	errno = saved;
}

void
line_start(struct log_line *l)
{
	l->n = 0;
	l->text[0] = 0;
}

static void
add_bytes(struct log_line *l, const char *p, size_t n)
{
	size_t room = sizeof(l->text) - l->n - 1;

	if (n > room)
		n = room;
	memcpy(l->text + l->n, p, n);
	l->n += n;
	l->text[l->n] = 0;
}

void
line_add(struct log_line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->n;
	va_list ap;
	int n;

	if (!strchr(fmt, '%')) { /* most are: printf takes its time */
		add_bytes(l, fmt, strlen(fmt));
		return;
	}
	va_start(ap, fmt);
	n = vsnprintf(l->text + l->n, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	l->n += (size_t)n < room ? (size_t)n : room - 1;
}

/* Room for the longest escape, the dots, a mark and the NUL. */
enum { RESERVE = 4 + 3 + 1 + 1 };

static void
escaped(
    struct log_line *l, struct str value, char open, char close, bool blanks)
{
	size_t i = 0;

	for (; i < value.n && i < LOG_VALUE_BYTES; i++) {
		unsigned char c = (unsigned char)value.p[i];
		bool plain = c > ' ' && c < 127 && c != '\\' &&
			     !(open && (c == (unsigned char)open ||
					   c == (unsigned char)close));

		if (sizeof(l->text) - l->n <= RESERVE)
			break;
		if (plain || (c == ' ' && !blanks))
			l->text[l->n++] = (char)c;
		else
			l->n +=
			    (size_t)snprintf(l->text + l->n, 5, "\\x%02x", c);
	}
	l->text[l->n] = 0;
	if (i < value.n && sizeof(l->text) - l->n > 5)
		line_add(l, "...");
}

void
line_value(struct log_line *l, struct str value, char open, char close)
{
	if (sizeof(l->text) - l->n <= RESERVE + 1)
		return;
	if (open)
		add_bytes(l, &open, 1);
	escaped(l, value, open, close, false);
	if (close)
		add_bytes(l, &close, 1);
}

void
line_word(struct log_line *l, struct str value)
{
	escaped(l, value, 0, 0, true);
}

void
line_end(enum log_level level, struct log_line *l)
{
	json_t *o;

	if (!is_wanted(level))
		return;
	if (format == LOG_PLAIN) {
		emit(level, prefix(level), l->text);
		return;
	}
	o = json_object();
	json_put_text(o, "message", (struct str){ l->text, l->n });
	log_json(level, o);
}

bool
log_is_json(void)
{
	return format == LOG_JSON;
}

static const char *
level_word(enum log_level level)
{
	switch (level) {
	case LEVEL_ERROR:
		return "error";
	case LEVEL_WARNING:
		return "warning";
	case LEVEL_INFO:
		return "info";
	case LEVEL_DEBUG:
		return "debug";
	}
	return "error";
}

void
log_json(enum log_level level, json_t *o)
{
	struct timespec now;
	struct tm tm;
	char date[40], time[64];
	char *line;

	if (!is_wanted(level)) {
		json_decref(o);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S",
	    gmtime_r(&now.tv_sec, &tm));
	snprintf(time, sizeof(time), "%s.%03ldZ", date, now.tv_nsec / 1000000);
	json_put(o, "time", json_string(time));
	json_put(o, "level", json_string(level_word(level)));
	json_put_number(o, "pid", (unsigned long long)getpid());
	line = json_line(o);
	if (line)
		emit(level, "", line);
	else
		metric_add(METRIC_LOG_LOST);
	free(line);
}
