#include "tests/mta/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int
connect_to(const struct filter *f, const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", f->dir, name);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		perror(sa.sun_path);
		abort();
	}
	return fd;
}

char *
ask(const struct filter *f, const char *name, const char *question, int lines)
{
	int fd = connect_to(f, name);
	size_t n = 0, room = 1 << 16;
	char *all = malloc(room);
	ssize_t r;

	if (send(fd, question, strlen(question), MSG_NOSIGNAL) < 0 || !all)
		abort();
	while (lines > 0 && (r = recv(fd, all + n, room - n - 1, 0)) > 0) {
		for (ssize_t i = 0; i < r; i++)
			lines -= all[n + (size_t)i] == '\n';
		n += (size_t)r;
		if (room - n < 2 && !(all = realloc(all, room *= 2)))
			abort();
	}
	all[n] = 0;
	close(fd);
	return all;
}

char *
ask_metrics(const struct filter *f)
{
	return ask(f, "metrics",
	    "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    1000000);
}

long long
metric_value(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, name, n) == 0 && text[n] == ' ')
			return atoll(text + n + 1);
	}
	return -1;
}

bool
ask_until(const struct filter *f, const char *name, long long value)
{
	enum { TRIES = 1200, REST_NS = 50000000 };
	long long got = -1;

	for (int i = 0; i < TRIES && got != value; i++) {
		char *page = ask_metrics(f);

		got = metric_value(page, name);
		free(page);
		if (got != value)
			nanosleep(&(struct timespec){ 0, REST_NS }, NULL);
	}
	if (got != value)
		printf("# %s is %lld, not %lld\n", name, got, value);
	return got == value;
}
