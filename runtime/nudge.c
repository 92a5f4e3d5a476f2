#include "runtime/nudge.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/log.h"

/* Milliseconds between nudges; each one frees one of those who wait. */
enum { REST_MS = 100, BUSY_MS = 25 };

/* Only libmilters with a pool have it. */
extern int mi_pool_controller_init(void) __attribute__((weak));

/*
 * libmilter gives up after some connections of a family other than that of the
 * socket with which it began: draining puts another socket in its place.
 */
static sa_family_t family;

static unsigned long (*open_sessions)(void);

/* Connects and leaves, over TCP without a trace (no TIME-WAIT). */
static bool
nudge(int listener)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct sockaddr_storage address;
	socklen_t n = sizeof(address);
	bool ok;
	int fd;

	if (getsockname(listener, (struct sockaddr *)&address, &n) != 0 ||
	    (family != AF_UNSPEC && address.ss_family != family))
		return false;
	family = address.ss_family;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	ok = connect(fd, (struct sockaddr *)&address, n) == 0 ||
	     errno == EINPROGRESS;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	return ok;
}

/* Without sessions, too: the first ones may wait before we hear of them. */
static void *
run(void *arg)
{
	for (;;) {
		long ms = open_sessions() ? BUSY_MS : REST_MS;

		nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
		(void)nudge((int)(intptr_t)arg);
	}
	return NULL;
}

void
nudge_start(int fd, unsigned long (*sessions)(void))
{
	pthread_t thread;
	int e;

	if (!mi_pool_controller_init)
		return;
	open_sessions = sessions;
	if (!nudge(fd)) {
		log_say(LEVEL_WARNING,
		    "the socket is closed to ourselves (%s): a session "
		    "that is busy can delay others",
		    strerror(errno));
		return;
	}
	e = pthread_create(&thread, NULL, run, (void *)(intptr_t)fd);
	if (e != 0)
		log_say(
		    LEVEL_WARNING, "cannot start a thread: %s", strerror(e));
	else
		pthread_detach(thread);
}
