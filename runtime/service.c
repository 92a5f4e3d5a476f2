#include "runtime/service.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/control.h"
#include "runtime/delay.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/milter.h"
#include "runtime/nudge.h"
#include "runtime/process.h"
#include "runtime/why.h"

/* Descriptors for all but sessions; the fewest with which we start. */
enum { FILES_RESERVED = 64, FILES_NEEDED = 256, FILES_WANTED = 4096 };

static struct {
	struct listener mta, metrics, control;
} sockets = {
	.mta = { .fd = -1 }, .metrics = { .fd = -1 }, .control = { .fd = -1 }
};

bool
service_raise_files(char *why, size_t why_size)
{
	unsigned long files = process_raise_files();

	if (files < FILES_NEEDED)
		return why_not(why, why_size,
		    "the limit on open files is %lu; %d is the least", files,
		    FILES_NEEDED);
	if (files < FILES_WANTED)
		log_say(LEVEL_WARNING,
		    "the limit on open files is %lu: each session needs "
		    "one, %d is a good value",
		    files, FILES_WANTED);
	milter_limit(files - FILES_RESERVED);
	return true;
}

void
service_unlink(void)
{
	listener_unlink(&sockets.mta);
	listener_unlink(&sockets.metrics);
	listener_unlink(&sockets.control);
}

static void
close_sockets(void)
{
	struct listener *all[] = { &sockets.mta, &sockets.metrics,
		&sockets.control };

	service_unlink();
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i]->fd >= 0)
			close(all[i]->fd);
		*all[i] = (struct listener){ .fd = -1 };
	}
}

bool
service_open(const struct service *s, char *why, size_t why_size)
{
	/* Whoever may speak to the control socket may stop mail. */
	struct listen_options control = {
		.mode = 0600, .uid = s->uid, .gid = s->gid
	};
	struct listen_options metrics = s->listen;

	metrics.can = "read the metrics";

	if (!listener_open(
		s->socket, &s->listen, &sockets.mta, why, why_size) ||
	    (s->metrics && !listener_open(s->metrics, &metrics,
			       &sockets.metrics, why, why_size)) ||
	    (s->control && !listener_open(s->control, &control,
			       &sockets.control, why, why_size))) {
		close_sockets();
		return false;
	}
	if (sockets.mta.path[0] && s->listen.mode & S_IWOTH)
		log_say(LEVEL_WARNING,
		    "every user of this machine can speak as the MTA on %s",
		    s->socket);
	return true;
}

static void *
serve(void *gave_up)
{
	milter_serve();
	/* It never ends by itself, and nothing would answer any more. */
	log_say(LEVEL_ERROR, "libmilter has given up");
	((void (*)(void))gave_up)();
	return NULL;
}

static bool
start(const struct service *s, void (*gave_up)(void), char *why, size_t size)
{
	const char *reason;
	pthread_t thread;
	int e;

	if (!milter_open(sockets.mta.fd, &reason)) {
		snprintf(why, size, "%s: %s", s->socket, reason);
		return false;
	}
	if (s->metrics && !metrics_serve(sockets.metrics.fd)) {
		snprintf(why, size, "%s: cannot be served", s->metrics);
		return false;
	}
	if (s->control && !control_serve(sockets.control.fd)) {
		snprintf(why, size, "%s: cannot be served", s->control);
		return false;
	}
	e = pthread_create(&thread, NULL, serve, (void *)gave_up);
	if (e != 0) {
		snprintf(why, size, "cannot start a thread: %s", strerror(e));
		return false;
	}
	pthread_detach(thread);
	return true;
}

bool
service_start(
    const struct service *s, void (*gave_up)(void), char *why, size_t why_size)
{
	if (!start(s, gave_up, why, why_size)) {
		service_unlink();
		return false;
	}
	nudge_start(sockets.mta.fd, milter_sessions);
	log_say(LEVEL_INFO, "listening on %s", s->socket);
	return true;
}

void
service_retire(void)
{
	delay_stop();
	service_unlink();
	if (!listener_retire(&sockets.mta))
		log_say(LEVEL_WARNING, "the socket stays open: %s",
		    strerror(errno));
}
