/*
 * A policy being served: the sockets, and the threads behind them.  What
 * milterd and the addon have in common; each has its own way to start, to take
 * signals and to end.
 */
#ifndef RUNTIME_SERVICE_H
#define RUNTIME_SERVICE_H

#include "runtime/socket.h"

struct service {
	const char *socket, *metrics, *control; /* the last two may be NULL */
	struct listen_options listen;           /* socket and metrics */
	uid_t uid; /* who may speak to the control socket; -1: as it is */
	gid_t gid;
};

/*
 * As many descriptors as are permitted; sessions beyond them are put off.
 * False, with a sentence in `why`, if they are too few to work with.
 */
bool service_raise_files(char *why, size_t why_size);

/* Opens the sockets.  False, with a sentence in `why`: none is open. */
bool service_open(const struct service *, char *why, size_t why_size);

/*
 * Registers with libmilter and starts the threads, which have all signals
 * blocked if the calling one has.  `gave_up` is called, in a thread of its own,
 * if libmilter stops serving.  False, with a sentence in `why`: no socket's
 * name is left, and the process cannot try again.
 */
bool service_start(
    const struct service *, void (*gave_up)(void), char *why, size_t why_size);

/* The names of the sockets that are ours to remove. */
void service_unlink(void);

/*
 * libmilter's own way to stop drops open sessions.  This one: no new
 * connections; those that are open go on.
 */
void service_retire(void);

#endif
