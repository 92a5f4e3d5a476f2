/*
 * The socket on which the MTA reaches us.  We open it ourselves and hand it to
 * libmilter as `fd:N`: so the mode and owner are right from the first moment,
 * a live socket is never stolen, and draining can take it away.
 */
#ifndef RUNTIME_SOCKET_H
#define RUNTIME_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>
#include <time.h>

#include "dsl/str.h"

struct listen_options {
	mode_t mode; /* unix sockets */
	uid_t uid;   /* unix sockets; -1: as it is */
	gid_t gid;
	/*
	 * Inet sockets that are not on a loopback address, and sockets handed
	 * over that everybody reaches.
	 */
	bool allow_world;
	const char *can; /* what who reaches it can do; NULL: be the MTA */
};

struct listener {
	int fd;
	/* A unix socket that we made; empty for others. */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t device;
	ino_t inode;
	struct timespec changed; /* numbers of inodes are used again */
};

/*
 * Opens the socket of a specification (runtime/socket_spec.h).  On failure
 * false, with a sentence in `why`.  Before there are threads (the umask is
 * changed for a moment).
 */
bool listener_open(const char *spec, const struct listen_options *,
    struct listener *out, char *why, size_t why_size);

/* Removes the name of a unix socket that we made, if it is still ours. */
void listener_unlink(const struct listener *);

/*
 * Ends the coming of connections without a word to libmilter: puts a socket
 * that is never ready into the descriptor's place.
 */
bool listener_retire(const struct listener *);

#endif
