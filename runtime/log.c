#include "runtime/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

/* Written before there are threads. */
static enum log_target target = LOG_TO_STDERR;
static bool verbose;

static const char ident[] = "milterd";

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
static void
write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(STDERR_FILENO, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

/* `text` ends in a NUL and has a byte to spare behind it. */
static void
emit(enum log_level level, const char *text, size_t n)
{
	char out[LOG_LINE_BYTES + 64];
	int head;

	if (level == LEVEL_DEBUG && !verbose)
		return;
	if (target == LOG_TO_SYSLOG) {
		syslog(priority(level), "%s%s", prefix(level), text);
		return;
	}
	head = snprintf(
	    out, 64, "%s[%ld]: %s", ident, (long)getpid(), prefix(level));
	memcpy(out + head, text, n);
	out[(size_t)head + n] = '\n';
	write_all(out, (size_t)head + n + 1);
}

void
log_open(enum log_target where, bool with_debug)
{
	target = where;
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
	emit(level, line.text, line.n);
	errno = saved;
}

void
line_start(struct log_line *l)
{
	l->n = 0;
	l->text[0] = 0;
}

void
line_add(struct log_line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->n;
	va_list ap;
	int n;

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
		line_add(l, "%c", open);
	escaped(l, value, open, close, false);
	if (close)
		line_add(l, "%c", close);
}

void
line_word(struct log_line *l, struct str value)
{
	escaped(l, value, 0, 0, true);
}

void
line_end(enum log_level level, struct log_line *l)
{
	emit(level, l->text, l->n);
}
