#include "runtime/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/socket_spec.h"
#include "runtime/why.h"

struct attempt {
	const char *spec;
	const struct listen_options *options;
	struct listener *out;
	char *why;
	size_t why_size;
};

static bool
refuse_errno(const struct attempt *t, const char *what)
{
	return why_not(
	    t->why, t->why_size, "%s: %s: %s", t->spec, what, strerror(errno));
}

static bool
refuse_world(const struct attempt *t, const char *what)
{
	return why_not(t->why, t->why_size,
	    "%s %s: who reaches it can %s; --allow-world permits it", t->spec,
	    what, t->options->can ? t->options->can : "speak as the MTA");
}

static void
pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

/* ---- unix ---------------------------------------------------------------- */

/*
 * A lock on the socket's directory: between the question whether a socket is
 * alive and the bind no other milterd may do the same.  -1 and errno.
 */
static int
lock_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash == dir)
		slash++;
	*slash = 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int tries = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || ++tries > 100) {
			int saved = errno;

			close(fd);
			errno = saved;
			return -1;
		}
		pause_ms(50);
	}
	return fd;
}

/* Is somebody behind the socket?  errno tells where the answer is not sure. */
enum probe { PROBE_STALE, PROBE_LIVE, PROBE_UNSURE };

static enum probe
probe(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum probe result = PROBE_LIVE;

	if (fd < 0)
		return PROBE_UNSURE;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0) {
		if (errno == ECONNREFUSED || errno == ENOENT)
			result = PROBE_STALE;
		else if (errno != EAGAIN && errno != EINPROGRESS &&
			 errno != EPROTOTYPE)
			result = PROBE_UNSURE;
	}
	close(fd);
	return result;
}

/* With the directory locked: makes way for the new socket. */
static bool
clear_path(const struct attempt *t, const struct sockaddr_un *sa)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) < 0) {
		if (errno == ENOENT)
			return true;
		return refuse_errno(t, "cannot look");
	}
	if (!S_ISSOCK(st.st_mode))
		return why_not(t->why, t->why_size,
		    "%s exists and is not a socket", sa->sun_path);
	switch (probe(sa)) {
	case PROBE_LIVE:
		return why_not(t->why, t->why_size,
		    "another process listens on %s", t->spec);
	case PROBE_UNSURE:
		return refuse_errno(t, "cannot tell whether another process "
				       "listens there");
	case PROBE_STALE:
		break;
	}
	if (unlink(sa->sun_path) < 0 && errno != ENOENT)
		return refuse_errno(t, "cannot remove the stale socket");
	return true;
}

/* So that it can be told from one that somebody else makes later. */
static bool
remember(struct listener *l, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	l->changed = st.st_ctim;
	snprintf(l->path, sizeof(l->path), "%s", path);
	return true;
}

static bool
bind_unix(const struct attempt *t, int fd, const struct sockaddr_un *sa)
{
	mode_t mask = umask(0777 & ~t->options->mode);
	int r = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));

	umask(mask);
	if (r < 0)
		return refuse_errno(t, "cannot make the socket");
	if (!remember(t->out, sa->sun_path))
		return refuse_errno(t, "cannot find the socket again");
	if ((t->options->uid != (uid_t)-1 || t->options->gid != (gid_t)-1) &&
	    fchownat(AT_FDCWD, sa->sun_path, t->options->uid, t->options->gid,
		AT_SYMLINK_NOFOLLOW) < 0)
		return refuse_errno(t, "cannot change the socket's owner");
	if (listen(fd, SOMAXCONN) < 0)
		return refuse_errno(t, "cannot listen");
	return remember(t->out, sa->sun_path) ||
	       refuse_errno(t, "cannot find the socket again");
}

static bool
open_unix(const struct attempt *t, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, dir;
	bool ok;

	strcpy(sa.sun_path, path);
	dir = lock_directory(path);
	if (dir < 0)
		return refuse_errno(t, "cannot use the directory");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		ok = refuse_errno(t, "cannot open a socket");
	else
		ok = clear_path(t, &sa) && bind_unix(t, fd, &sa);
	if (ok)
		t->out->fd = fd;
	else if (fd >= 0) {
		listener_unlink(t->out);
		close(fd);
	}
	close(dir);
	return ok;
}

/* ---- inet ---------------------------------------------------------------- */

static bool
is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *a =
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(a) ||
		       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
	}
	return false;
}

static bool
bind_inet(const struct attempt *t, const struct addrinfo *ai)
{
	int on = 1;
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return refuse_errno(t, "cannot open a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, SOMAXCONN) == 0) {
		t->out->fd = fd;
		return true;
	}
	if (errno == EADDRINUSE)
		why_not(t->why, t->why_size, "another process listens on %s",
		    t->spec);
	else
		refuse_errno(t, "cannot listen");
	close(fd);
	return false;
}

static bool
open_inet(const struct attempt *t, const struct socket_spec *spec)
{
	struct addrinfo hints = {
		.ai_family = spec->kind == SOCKET_INET ? AF_INET : AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	const char *host = spec->host[0] ? spec->host : NULL;
	struct addrinfo *ai;
	bool ok;
	int e;

	/* Without AI_PASSIVE no host means loopback. */
	if (host && strcmp(host, "*") == 0) {
		host = NULL;
		hints.ai_flags |= AI_PASSIVE;
	}
	e = getaddrinfo(host, spec->port, &hints, &ai);
	if (e != 0)
		return why_not(t->why, t->why_size, "%s: %s", t->spec,
		    e == EAI_SYSTEM ? strerror(errno) : gai_strerror(e));
	if (!t->options->allow_world && !is_loopback(ai->ai_addr))
		ok = refuse_world(t, "is not a loopback address");
	else
		ok = bind_inet(t, ai);
	freeaddrinfo(ai);
	return ok;
}

/* ---- descriptors --------------------------------------------------------- */

/* Is the socket one that others than its owner chose can reach? */
static const char *
world_reaches(int fd)
{
	struct sockaddr_storage any = { 0 };
	const struct sockaddr_un *sa = (const void *)&any;
	socklen_t n = sizeof(any);
	struct stat st;

	if (getsockname(fd, (struct sockaddr *)&any, &n) < 0)
		return "has no address";
	if (any.ss_family != AF_UNIX)
		return is_loopback((struct sockaddr *)&any)
			   ? NULL
			   : "is not bound to a loopback address";
	if (sa->sun_path[0] == 0)
		return "has an abstract name, open to every user";
	if (stat(sa->sun_path, &st) < 0)
		return "is a unix socket whose mode cannot be seen";
	return st.st_mode & S_IWOTH
		   ? "is a unix socket that every user may write to"
		   : NULL;
}

static bool
open_given(const struct attempt *t, int fd)
{
	int listening = 0, flags;
	socklen_t n = sizeof(listening);
	const char *world;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) < 0)
		return refuse_errno(t, "not a socket");
	if (!listening)
		return why_not(t->why, t->why_size,
		    "%s is not a listening socket", t->spec);
	world = t->options->allow_world ? NULL : world_reaches(fd);
	if (world)
		return refuse_world(t, world);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return refuse_errno(t, "cannot prepare it");
	t->out->fd = fd;
	return true;
}

/* ---- public -------------------------------------------------------------- */

bool
listener_open(const char *text, const struct listen_options *options,
    struct listener *out, char *why, size_t why_size)
{
	struct attempt t = { text, options, out, why, why_size };
	struct socket_spec spec;

	*out = (struct listener){ .fd = -1 };
	if (!socket_spec_parse(text, &spec, why, why_size))
		return false;
	switch (spec.kind) {
	case SOCKET_UNIX:
		return open_unix(&t, spec.path);
	case SOCKET_INET:
	case SOCKET_INET6:
		return open_inet(&t, &spec);
	case SOCKET_GIVEN:
		return open_given(&t, spec.fd);
	}
	return false;
}

void
listener_unlink(const struct listener *l)
{
	struct stat st;

	if (!l->path[0] || lstat(l->path, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    st.st_dev != l->device || st.st_ino != l->inode ||
	    st.st_ctim.tv_sec != l->changed.tv_sec ||
	    st.st_ctim.tv_nsec != l->changed.tv_nsec)
		return;
	(void)unlink(l->path);
}

bool
listener_retire(const struct listener *l)
{
	struct sockaddr_un nowhere = { .sun_family = AF_UNIX };
	struct pollfd waiting = { .fd = l->fd, .events = POLLIN };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok;

	if (fd < 0)
		return false;
	/* With the family alone the kernel chooses an abstract name. */
	ok = bind(fd, (struct sockaddr *)&nowhere,
		 sizeof(nowhere.sun_family)) == 0 &&
	     listen(fd, 0) == 0;
	/* Those who already knocked are let in: a matter of microseconds. */
	for (int i = 0; ok && l->path[0] && i < 20; i++) {
		if (poll(&waiting, 1, 0) <= 0)
			break;
		pause_ms(5);
	}
	ok = ok && dup2(fd, l->fd) == l->fd;
	close(fd);
	return ok;
}
