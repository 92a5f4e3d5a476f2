#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/why.h"

static const char *pidfile; /* written; borrowed */
static struct stat pidfile_made;
static int ready_pipe = -1; /* to the process that was started */

bool
process_standard_files(void)
{
	for (;;) {
		int fd = open("/dev/null", O_RDWR);

		if (fd < 0)
			return false;
		if (fd > STDERR_FILENO) {
			close(fd);
			return true;
		}
	}
}

unsigned long
process_raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return 0;
	if (r.rlim_cur < r.rlim_max) {
		struct rlimit more = { r.rlim_max, r.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			r = more;
	}
	return r.rlim_cur;
}

/* ---- users --------------------------------------------------------------- */

static bool
parse_id(const char *text, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return *end == 0 && errno == 0 && *out < (uid_t)-1;
}

static bool
find_user(const char *text, struct identity *out)
{
	const struct passwd *pw = getpwnam(text);
	unsigned long id;

	if (!pw && parse_id(text, &id)) {
		pw = getpwuid((uid_t)id);
		out->uid = (uid_t)id;
		out->gid = (gid_t)id;
		if (!pw)
			return true;
	}
	if (!pw)
		return false;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	snprintf(out->name, sizeof(out->name), "%s", pw->pw_name);
	return true;
}

static bool
find_group(const char *text, struct identity *out)
{
	const struct group *gr = getgrnam(text);
	unsigned long id;

	if (gr)
		out->gid = gr->gr_gid;
	else if (parse_id(text, &id))
		out->gid = (gid_t)id;
	else
		return false;
	return true;
}

bool
identity_parse(
    const char *text, struct identity *out, char *why, size_t why_size)
{
	const char *colon = strchr(text, ':');
	char user[64];
	size_t n = colon ? (size_t)(colon - text) : strlen(text);

	*out = (struct identity){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (n >= sizeof(user))
		return why_not(why, why_size, "the user's name is too long");
	memcpy(user, text, n);
	user[n] = 0;
	if ((n == 0 && !colon) || (n > 0 && !find_user(user, out)))
		return why_not(why, why_size, "there is no user `%s`", user);
	if (colon && !find_group(colon + 1, out))
		return why_not(
		    why, why_size, "there is no group `%s`", colon + 1);
	return true;
}

/* While another identity is borrowed: root's supplementary groups. */
static gid_t *own_groups; /* owned */
static int own_group_count;

static bool
keep_groups(void)
{
	own_group_count = getgroups(0, NULL);
	if (own_group_count < 0)
		return false;
	own_groups = calloc((size_t)own_group_count + 1, sizeof(*own_groups));
	return own_groups &&
	       getgroups(own_group_count, own_groups) == own_group_count;
}

static bool
set_groups(const struct identity *who)
{
	return (who->name[0] ? initgroups(who->name, who->gid)
			     : setgroups(0, NULL)) == 0;
}

bool
identity_borrow(const struct identity *who)
{
	if (geteuid() != 0 || who->uid == (uid_t)-1)
		return true;
	return keep_groups() && set_groups(who) && setegid(who->gid) == 0 &&
	       seteuid(who->uid) == 0;
}

bool
identity_return(void)
{
	bool ok;

	if (!own_groups)
		return true;
	ok = seteuid(0) == 0 && setegid(getgid()) == 0 &&
	     setgroups((size_t)own_group_count, own_groups) == 0;
	free(own_groups);
	own_groups = NULL;
	return ok;
}

bool
identity_become(const struct identity *who)
{
	if (who->uid == (uid_t)-1)
		return true;
	if (geteuid() != 0) {
		if (who->uid == getuid())
			return true;
		errno = EPERM;
		return false;
	}
	if (!set_groups(who))
		return false;
	if (setresgid(who->gid, who->gid, who->gid) < 0 ||
	    setresuid(who->uid, who->uid, who->uid) < 0)
		return false;
	/* There must be no way back. */
	if (who->uid != 0 && setuid(0) == 0) {
		errno = EPERM;
		return false;
	}
	return true;
}

/* ---- background ---------------------------------------------------------- */

static _Noreturn void
wait_for_child(int fd, pid_t child, int failure)
{
	char byte;
	ssize_t n;
	int status;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	_exit(failure);
}

bool
process_detach(int failure)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid < 0)
		return false;
	if (pid > 0) {
		close(ends[1]);
		wait_for_child(ends[0], pid, failure);
	}
	close(ends[0]);
	ready_pipe = ends[1];
	return setsid() >= 0 && chdir("/") == 0;
}

void
process_ready(bool silence)
{
	ssize_t n;
	int null;

	process_notify("READY=1");
	if (ready_pipe < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		if (silence)
			(void)dup2(null, STDERR_FILENO);
		close(null);
	}
	do
		n = write(ready_pipe, "1", 1);
	while (n < 0 && errno == EINTR);
	close(ready_pipe);
	ready_pipe = -1;
}

void
process_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n == 0 || n >= sizeof(sa.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(sa.sun_path, path, n);
	if (path[0] == '@')
		sa.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

int
process_passed_sockets(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");

	if (!pid || !fds || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	return (int)strtol(fds, NULL, 10);
}

bool
pidfile_write(const char *path)
{
	char text[32];
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	bool ok;

	if (fd < 0)
		return false;
	if (fstat(fd, &pidfile_made) < 0 || !S_ISREG(pidfile_made.st_mode)) {
		close(fd);
		errno = ENOTSUP;
		return false;
	}
	ok = ftruncate(fd, 0) == 0 && write(fd, text, (size_t)n) == n;
	pidfile = path;
	return close(fd) == 0 && ok;
}

/*
 * The one that was written: another process may have put its own there.  Who
 * wrote it may not be the one who may remove it: then it stays.
 */
void
pidfile_remove(void)
{
	struct stat st;

	if (pidfile && lstat(pidfile, &st) == 0 &&
	    st.st_dev == pidfile_made.st_dev &&
	    st.st_ino == pidfile_made.st_ino)
		(void)unlink(pidfile);
}
