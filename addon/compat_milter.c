#include "addon/compat_milter.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "addon/compat_peer.h"
#include "addon/compat_callbacks.h"
#include "runtime/milter.h"
#include "runtime/nudge.h"
#include "runtime/signals.h"
#include "runtime/socket.h"

/* Written before libmilter's threads start. */
static struct {
	struct queue *queue; /* borrowed */
	struct listener listener;
	bool open;
} milter = { .listener = { .fd = -1 } };

static _Atomic int backlog;
static _Atomic bool ending; /* libmilter's end is no news */

int
compat_set_backlog(int n)
{
	if (smfi_setbacklog(n) != MI_SUCCESS)
		return MI_FAILURE;
	backlog = n;
	if (milter.open && !ending && listen(milter.listener.fd, n) < 0)
		return MI_FAILURE;
	return MI_SUCCESS;
}

static void *
serve(void *arg)
{
	(void)arg;
	milter_serve();
	if (!ending)
		peer_report(0, "libmilter", "has given up: nothing is served");
	return NULL;
}

static bool
start_thread(void)
{
	pthread_t thread;
	int e;

	signals_hide();
	e = pthread_create(&thread, NULL, serve, NULL);
	if (e == 0)
		pthread_detach(thread);
	nudge_start(milter.listener.fd, callbacks_peers);
	signals_show();
	errno = e;
	return e == 0;
}

/* libmilter's `inet:PORT` is every address of this machine. */
static const char *
whole_spec(const char *spec, char *room, size_t size)
{
	const char *port = strncmp(spec, "inet:", 5) == 0    ? spec + 5
			   : strncmp(spec, "inet6:", 6) == 0 ? spec + 6
							     : NULL;

	if (!port || strpbrk(port, "@:"))
		return spec;
	snprintf(room, size, "%s@*", spec);
	return room;
}

bool
compat_start(const char *spec, mode_t mode, unsigned long flags,
    struct queue *queue, char *why, size_t why_size)
{
	struct listen_options options = {
		.mode = mode, .uid = -1, .gid = -1, .allow_world = true
	};
	const char *reason = NULL;
	char room[300];

	spec = whole_spec(spec, room, sizeof(room));
	if (!listener_open(spec, &options, &milter.listener, why, why_size))
		return false;
	peer_open(queue);
	milter.queue = queue;
	milter.open = true;
	if (backlog > 0)
		(void)listen(milter.listener.fd, backlog);
	if (milter_attach(callbacks_new(flags), milter.listener.fd, &reason) &&
	    start_thread())
		return true;
	snprintf(why, why_size, "%s", reason ? reason : strerror(errno));
	listener_unlink(&milter.listener);
	close(milter.listener.fd);
	milter.open = false;
	return false;
}

void
compat_stop(void)
{
	if (!milter.open || ending)
		return;
	ending = true;
	listener_unlink(&milter.listener);
	(void)listener_retire(&milter.listener);
}

static void
rest(long ms)
{
	(void)nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

void
compat_shutdown(void)
{
	bool busy;

	if (!milter.open)
		return;
	compat_stop();
	busy = callbacks_run();
	queue_close(milter.queue);
	if (!busy)
		return;
	for (int i = 0; callbacks_run() && i < 50; i++)
		rest(2);
	/* libmilter writes the answer after the callback. */
	rest(20);
}
