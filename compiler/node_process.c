#include "compiler/node_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dsl/tables.h"
#include "runtime/json.h"
#include "runtime/why.h"

struct node_process {
	pid_t pid;
	int fd;
	char *line; /* owned; what has come of the next one */
	size_t n, room;
};

/* ---- where it is --------------------------------------------------------- */

static bool
join(char out[PATH_MAX], const char *directory, size_t n, const char *name)
{
	int length =
	    snprintf(out, PATH_MAX, "%.*s/%s", (int)n, directory, name);

	return length > 0 && length < PATH_MAX;
}

static bool
find_in_path(char out[PATH_MAX], const char *name)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");

		if (n && join(out, path, n, name) && access(out, X_OK) == 0)
			return true;
		path += n;
		path += *path == ':';
	}
	return false;
}

static bool
find_node(char out[PATH_MAX], const char *wanted)
{
	if (!strchr(wanted, '/'))
		return find_in_path(out, wanted);
	return realpath(wanted, out) && access(out, X_OK) == 0;
}

static bool
script_in(char out[PATH_MAX], const char *directory)
{
	static const char script[] = "lib/piped.mjs";
	char path[PATH_MAX];

	return join(path, directory, strlen(directory), script) &&
	       realpath(path, out);
}

/* Beside PREFIX/bin, or beside the build's folder in the sources. */
static bool
find_script(char out[PATH_MAX])
{
	static const char *const places[] = { "../lib/milt", "../addon" };
	const char *given = getenv("MILT_ADDON");
	char here[PATH_MAX], directory[PATH_MAX];
	ssize_t n;

	if (given && *given)
		return script_in(out, given);
	n = readlink("/proc/self/exe", here, sizeof(here));
	while (n > 0 && here[n - 1] != '/')
		n--;
	for (size_t i = 0; n > 1 && i < sizeof(places) / sizeof(*places); i++)
		if (join(directory, here, (size_t)n - 1, places[i]) &&
		    script_in(out, directory))
			return true;
	return false;
}

bool
node_find(
    struct node_program *p, const char *wanted, char *why, size_t why_size)
{
	const char *name = wanted ? wanted : "node";

	if (!find_node(p->node, name))
		return why_not(why, why_size, "there is no `%s`%s", name,
		    strchr(name, '/') ? "" : " in PATH; --node names another");
	if (!find_script(p->script))
		return why_not(why, why_size,
		    "the JavaScript of milt is not found; MILT_ADDON names the "
		    "folder of the npm package");
	return true;
}

/* ---- its life ------------------------------------------------------------ */

/* In the child.  It must not outlive us, whatever it computes. */
static void
become_node(const struct node_program *p, int fd, pid_t parent)
{
	char *const argv[] = { (char *)p->node,
		(char *)"--experimental-vm-modules", (char *)"--no-warnings",
		(char *)p->script, NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(127);
	/* dup2 of a descriptor on itself would leave it closed on exec. */
	if (fd == 3 ? dup2(dup(fd), 3) < 0 : dup2(fd, 3) < 0)
		_exit(127);
	execv(p->node, argv);
	_exit(127);
}

struct node_process *
node_start(const struct node_program *p)
{
	struct node_process *n = calloc(1, sizeof(*n));
	pid_t self = getpid();
	int fds[2];

	if (!n)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		free(n);
		return NULL;
	}
	n->fd = fds[0];
	n->pid = fork();
	if (n->pid == 0)
		become_node(p, fds[1], self);
	close(fds[1]);
	if (n->pid > 0)
		return n;
	close(fds[0]);
	free(n);
	return NULL;
}

void
node_end(struct node_process *n)
{
	if (!n)
		return;
	close(n->fd);
	if (n->pid > 0) {
		kill(n->pid, SIGKILL);
		waitpid(n->pid, NULL, 0);
	}
	free(n->line);
	free(n);
}

/* It has closed its end: it has ended, or is about to. */
static void
say_how_it_ended(struct node_process *n, char *why, size_t why_size)
{
	enum { PATIENCE = 2000 }; /* ms */
	pid_t got = 0;
	int status = 0;

	for (int i = 0; i < PATIENCE && got == 0; i++) {
		got = waitpid(n->pid, &status, WNOHANG);
		if (got == 0)
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	if (got != n->pid) {
		snprintf(why, why_size, "node has closed its connection");
		return;
	}
	n->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(why, why_size, "node was ended by signal %d",
		    WTERMSIG(status));
	else
		snprintf(why, why_size, "node has ended with status %d",
		    WEXITSTATUS(status));
}

/* ---- talking ------------------------------------------------------------- */

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* False: the deadline has passed. */
static bool
wait_for(struct node_process *n, short events, long long deadline)
{
	struct pollfd p = { .fd = n->fd, .events = events };

	for (;;) {
		long long left = deadline - now_ms();
		int got;

		if (left <= 0)
			return false;
		got = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (got > 0 || (got < 0 && errno != EINTR))
			return true;
	}
}

enum talk { TALK_OK, TALK_SILENCE, TALK_ENDED, TALK_NONSENSE };

static enum talk
send_line(struct node_process *n, const char *line, long long deadline)
{
	size_t left = strlen(line) + 1;
	char *text = strdup(line), *p = text;
	enum talk result = TALK_OK;

	if (!text)
		return TALK_NONSENSE;
	text[left - 1] = '\n';
	while (left && result == TALK_OK) {
		ssize_t sent;

		if (!wait_for(n, POLLOUT, deadline)) {
			result = TALK_SILENCE;
			break;
		}
		sent = send(n->fd, p, left, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			p += sent;
			left -= (size_t)sent;
		} else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			result = TALK_ENDED;
		}
	}
	free(text);
	return result;
}

static bool
make_room(struct node_process *n)
{
	/* An answer in base64, and what was thrown. */
	const size_t most = (size_t)LIMIT_VALUE_JS_ANSWER * 2;
	size_t room = n->room ? n->room * 2 : 4096;
	char *p;

	if (n->n < n->room)
		return true;
	p = n->room < most ? realloc(n->line, room) : NULL;
	if (!p)
		return false;
	n->line = p;
	n->room = room;
	return true;
}

/* A line in n->line, of *length octets. */
static enum talk
receive_line(struct node_process *n, long long deadline, size_t *length)
{
	const char *end;
	size_t seen = 0;

	for (;;) {
		ssize_t got;

		end = n->n > seen ? memchr(n->line + seen, '\n', n->n - seen)
				  : NULL;
		if (end) {
			*length = (size_t)(end - n->line);
			return TALK_OK;
		}
		seen = n->n;
		if (!make_room(n))
			return TALK_NONSENSE;
		if (!wait_for(n, POLLIN, deadline))
			return TALK_SILENCE;
		got = recv(n->fd, n->line + n->n, n->room - n->n, MSG_DONTWAIT);
		if (got > 0)
			n->n += (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return TALK_ENDED;
	}
}

static enum talk
talk(struct node_process *n, const char *line, long long deadline, json_t **out)
{
	size_t length;
	enum talk result = line ? send_line(n, line, deadline) : TALK_NONSENSE;

	if (result == TALK_OK)
		result = receive_line(n, deadline, &length);
	if (result != TALK_OK)
		return result;
	*out = json_loadb(n->line, length, 0, NULL);
	n->n -= length + 1;
	memmove(n->line, n->line + length + 1, n->n);
	return json_is_object(*out) ? TALK_OK : TALK_NONSENSE;
}

json_t *
node_ask(struct node_process *n, json_t *value, unsigned long milliseconds,
    char *why, size_t why_size)
{
	long long deadline = now_ms() + (long long)milliseconds;
	char *line = json_line(value);
	json_t *out = NULL;

	switch (talk(n, line, deadline, &out)) {
	case TALK_OK:
		free(line);
		return out;
	case TALK_SILENCE:
		snprintf(
		    why, why_size, "no answer within %lu ms", milliseconds);
		break;
	case TALK_ENDED:
		say_how_it_ended(n, why, why_size);
		break;
	case TALK_NONSENSE:
		snprintf(why, why_size, "node has answered nonsense");
		break;
	}
	free(line);
	json_decref(out);
	return NULL;
}
