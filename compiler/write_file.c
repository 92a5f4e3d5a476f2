#include "compiler/write_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* Closes fd whatever happens. */
static bool
write_and_close(int fd, const void *data, size_t size, bool sync)
{
	bool ok = write_all(fd, data, size) && (!sync || fsync(fd) == 0);
	int saved = errno;

	if (close(fd) < 0 && ok)
		return false;
	errno = saved;
	return ok;
}

static bool
write_in_place(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);

	return fd >= 0 && write_and_close(fd, data, size, false);
}

/* `old` is what is replaced, or NULL. */
static bool
replace(const char *path, const struct stat *old, const void *data, size_t size)
{
	char *part;
	bool ok;
	int fd, saved;

	if (asprintf(&part, "%s.part.%ld", path, (long)getpid()) < 0)
		return false;
	fd = open(
	    part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old ? 0600 : 0666);
	if (fd < 0) {
		saved = errno;
		free(part);
		errno = saved;
		return false;
	}
	/* Who may not give the file away writes into the one that is there. */
	if (old && (fchown(fd, old->st_uid, old->st_gid) < 0 ||
		       fchmod(fd, old->st_mode & 07777) < 0)) {
		close(fd);
		unlink(part);
		free(part);
		return write_in_place(path, data, size);
	}
	ok = write_and_close(fd, data, size, true) && rename(part, path) == 0;
	saved = errno;
	if (!ok)
		unlink(part);
	free(part);
	errno = saved;
	return ok;
}

bool
write_file(const char *path, const void *data, size_t size)
{
	struct stat st;
	char *real;
	bool ok;

	if (stat(path, &st) < 0)
		return errno == ENOENT && replace(path, NULL, data, size);
	if (!S_ISREG(st.st_mode))
		return write_in_place(path, data, size);
	real = realpath(path, NULL);
	ok = real && replace(real, &st, data, size);
	free(real);
	return ok;
}
