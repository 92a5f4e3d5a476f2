#include "runtime/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/control_answer.h"
#include "runtime/json.h"
#include "runtime/trace.h"

enum { LINE = 4096, PATIENCE = 30, MAX_TRACES = 1000000 };

/* Traces last, and leave room for those who ask and go. */
enum { CLIENTS = 32, TRACERS = CLIENTS / 2 };

static atomic_uint clients, tracers;

/* ---- lines --------------------------------------------------------------- */

struct client {
	int fd;
	size_t n; /* in the buffer */
	char buffer[LINE];
};

static bool
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* Takes the line; false at the end of the client's patience or ours. */
static bool
send_line(int fd, char *line)
{
	bool ok =
	    line && send_all(fd, line, strlen(line)) && send_all(fd, "\n", 1);

	free(line);
	return ok;
}

static bool
refuse(int fd, const char *why)
{
	json_t *o = json_object();

	json_put(o, "ok", json_false());
	json_put(o, "error", json_string(why));
	return send_line(fd, json_line(o));
}

/* The next line in the buffer, its length in *n; false at the end. */
static bool
read_line(struct client *c, size_t *n)
{
	for (;;) {
		const char *end = memchr(c->buffer, '\n', c->n);
		ssize_t r;

		if (end) {
			*n = (size_t)(end - c->buffer);
			return true;
		}
		if (c->n == sizeof(c->buffer)) {
			(void)refuse(c->fd, "the line is too long");
			return false;
		}
		r = recv(c->fd, c->buffer + c->n, sizeof(c->buffer) - c->n, 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		c->n += (size_t)r;
	}
}

/* ---- trace --------------------------------------------------------------- */

/* False if it is there and is no pattern that fits. */
static bool
pattern(const json_t *o, const char *name, char out[TRACE_PATTERN])
{
	const json_t *v = json_object_get(o, name);

	out[0] = 0;
	if (!v)
		return true;
	if (!json_is_string(v) || json_string_length(v) >= TRACE_PATTERN)
		return false;
	memcpy(out, json_string_value(v), json_string_length(v) + 1);
	return true;
}

static bool
has_left(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, 0) > 0 &&
	       recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

static bool
send_traces(int fd, const struct trace_filter *filter, unsigned long count)
{
	struct tracer *t = trace_open(filter, count);
	bool over = false, ok;

	if (!t)
		return refuse(fd, "not enough memory");
	ok = send_line(fd, strdup("{\"ok\":true}"));
	while (ok && !over) {
		char *line = trace_next(t, 250, &over);

		ok = line ? send_line(fd, line) : over || !has_left(fd);
	}
	trace_close(t);
	return false;
}

static bool
trace(int fd, const json_t *o)
{
	const json_t *n = json_object_get(o, "count");
	json_int_t count = n ? json_integer_value(n) : 1;
	struct trace_filter filter;
	bool more;

	if (!pattern(o, "client", filter.client) ||
	    !pattern(o, "sender", filter.sender) ||
	    !pattern(o, "recipient", filter.recipient) ||
	    !pattern(o, "rule", filter.rule))
		return refuse(fd, "a pattern is no text, or too long");
	if (count < 1 || count > MAX_TRACES)
		return refuse(fd, "how many?  Say a number from 1");
	more = atomic_fetch_add(&tracers, 1) < TRACERS
		   ? send_traces(fd, &filter, (unsigned long)count)
		   : refuse(fd, "too many trace at once");
	atomic_fetch_sub(&tracers, 1);
	return more;
}

/* ---- commands ------------------------------------------------------------ */

static bool
obey(int fd, const char *line, size_t n)
{
	json_t *o = json_loadb(line, n, 0, NULL);
	const char *command = json_string_value(json_object_get(o, "command"));
	bool more;

	if (!command)
		more = refuse(fd, "no command: write {\"command\":\"status\"}");
	else if (strcmp(command, "status") == 0)
		more = send_line(fd, json_line(control_status()));
	else if (strcmp(command, "rules") == 0)
		more = send_line(fd, json_line(control_rules()));
	else if (strcmp(command, "reload") == 0)
		more = send_line(fd, json_line(control_reload()));
	else if (strcmp(command, "trace") == 0)
		more = trace(fd, o);
	else
		more = refuse(
		    fd, "no such command: status, rules, reload and trace are");
	json_decref(o);
	return more;
}

static void *
serve_client(void *arg)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	struct client c = { .fd = (int)(intptr_t)arg };
	size_t n;

	(void)setsockopt(
	    c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(
	    c.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while (read_line(&c, &n) && obey(c.fd, c.buffer, n)) {
		c.n -= n + 1;
		memmove(c.buffer, c.buffer + n + 1, c.n);
	}
	close(c.fd);
	atomic_fetch_sub(&clients, 1);
	return NULL;
}

/* ---- the socket ---------------------------------------------------------- */

static void
pause_ms(long ms)
{
	(void)nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

static void
begin_client(int fd)
{
	pthread_t thread;

	if (atomic_fetch_add(&clients, 1) < CLIENTS &&
	    pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)fd) ==
		0) {
		pthread_detach(thread);
		return;
	}
	(void)refuse(fd, "too many ask at once");
	atomic_fetch_sub(&clients, 1);
	close(fd);
}

static void *
serve(void *arg)
{
	int listener = (int)(intptr_t)arg;

	for (;;) {
		struct pollfd p = { .fd = listener, .events = POLLIN };
		int fd;

		(void)poll(&p, 1, -1);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			begin_client(fd);
		else
			/* No descriptor is left, or somebody left again. */
			pause_ms(50);
	}
	return NULL;
}

bool
control_serve(int fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
		return false;
	pthread_detach(thread);
	return true;
}
