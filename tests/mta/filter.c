#include "tests/mta/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Sanitizers and valgrind start slowly. */
enum { START_MS = 30000, STOP_MS = 60000, LOG_MS = 20000 };

static void
nap(void)
{
	nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
}

static struct bytes
slurp(const char *path)
{
	struct bytes b = { 0 };
	char part[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	while (f && (n = fread(part, 1, sizeof(part), f)) > 0)
		bytes_add(&b, part, n);
	if (f)
		fclose(f);
	return b;
}

void
filter_print_log(const struct filter *f)
{
	struct bytes b = slurp(f->log);
	struct str rest = { b.p, b.n };

	while (rest.n > 0) {
		size_t n = str_find(rest, '\n');

		printf("# log: %.*s\n", (int)n, rest.p);
		rest = str_skip(rest, n < rest.n ? n + 1 : n);
	}
	bytes_free(&b);
}

size_t
filter_log_count(const struct filter *f, const char *text)
{
	struct bytes b = slurp(f->log);
	size_t n = 0, length = strlen(text);

	for (const char *p = b.p, *end = b.p + b.n;
	     p && (p = memmem(p, (size_t)(end - p), text, length)); n++)
		p += length;
	bytes_free(&b);
	return n;
}

bool
filter_wait_log(struct filter *f, const char *text, size_t count)
{
	for (int i = 0; i < LOG_MS / 5; i++) {
		if (filter_log_count(f, text) >= count)
			return true;
		nap();
	}
	return false;
}

void
filter_write(struct filter *f, const char *policy)
{
	char next[300];
	FILE *out;

	snprintf(next, sizeof(next), "%s.new", f->policy);
	out = fopen(next, "w");
	if (!out || fputs(policy, out) < 0 || fclose(out) != 0 ||
	    rename(next, f->policy) != 0) {
		perror(f->policy);
		exit(3);
	}
}

bool
filter_is_alive(const struct filter *f)
{
	return f->pid > 0 && waitpid(f->pid, NULL, WNOHANG) == 0;
}

static const char *
milterd(void)
{
	static char path[512];
	const char *build = getenv("BUILD");

	if (getenv("MILTERD"))
		return getenv("MILTERD");
	snprintf(path, sizeof(path), "%s/milterd", build ? build : "build");
	return path;
}

bool
filter_memory_is_real(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
	if (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
		return false;
#endif
	return !strstr(milterd(), "valgrind");
}

/* MILTERD may be a command with arguments (valgrind ... milterd). */
static void
run(const struct filter *f)
{
	char command[8192];
	int out = open(f->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	snprintf(command, sizeof(command),
	    "exec %s -p %s --metrics %s/metrics --control %s/control %s",
	    milterd(), f->where, f->dir, f->dir, f->policy);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static bool
answers(const struct filter *f)
{
	struct mta m;
	bool ok = mta_open(&m, f->where, START_MS) &&
		  mta_negotiate(&m, &mta_offer_postfix);

	mta_close(&m);
	return ok;
}

static bool
make_place(struct filter *f)
{
	*f = (struct filter){ 0 };
	strcpy(f->dir, "/tmp/milt-test.XXXXXX");
	if (!mkdtemp(f->dir)) {
		perror(f->dir);
		return false;
	}
	snprintf(f->where, sizeof(f->where), "unix:%s/socket", f->dir);
	snprintf(f->policy, sizeof(f->policy), "%s/policy.milt", f->dir);
	snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	return true;
}

static bool
start(struct filter *f)
{
	fflush(stdout);
	f->pid = fork();
	if (f->pid == 0)
		run(f);
	for (int i = 0; f->pid > 0 && i < START_MS / 5; i++) {
		if (!filter_is_alive(f))
			break;
		if (access(f->where + 5, F_OK) == 0 && answers(f))
			return true;
		nap();
	}
	printf("# the filter does not start\n");
	filter_print_log(f);
	filter_stop(f);
	return false;
}

bool
filter_start(struct filter *f, const char *policy)
{
	if (!make_place(f))
		return false;
	filter_write(f, policy);
	return start(f);
}

bool
filter_start_file(struct filter *f, const char *path)
{
	if (!make_place(f))
		return false;
	snprintf(f->policy, sizeof(f->policy), "%s", path);
	return start(f);
}

static void
remove_files(const struct filter *f)
{
	char path[128];

	unlink(f->where + 5);
	if (strncmp(f->policy, f->dir, strlen(f->dir)) == 0)
		unlink(f->policy);
	unlink(f->log);
	/* A filter that was killed leaves its sockets. */
	snprintf(path, sizeof(path), "%s/metrics", f->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/control", f->dir);
	unlink(path);
	rmdir(f->dir);
}

static bool
has_findings(const struct filter *f)
{
	return filter_log_count(f, "Sanitizer") > 0 ||
	       filter_log_count(f, "runtime error:") > 0 ||
	       filter_log_count(f, "Invalid read") > 0 ||
	       filter_log_count(f, "Invalid write") > 0 ||
	       filter_log_count(f, "uninitialised") > 0;
}

int
filter_stop(struct filter *f)
{
	int status = 0, result = -1;

	if (f->pid > 0 && kill(f->pid, SIGTERM) == 0) {
		for (int i = 0; i < STOP_MS / 5; i++) {
			if (waitpid(f->pid, &status, WNOHANG) == f->pid) {
				result = WIFEXITED(status) ? WEXITSTATUS(status)
							   : -1;
				f->pid = 0;
				break;
			}
			nap();
		}
		if (f->pid > 0) {
			printf("# the filter does not end\n");
			kill(f->pid, SIGKILL);
			waitpid(f->pid, NULL, 0);
			f->pid = 0;
		}
	}
	if (result == 0 && has_findings(f))
		result = -2;
	if (result != 0)
		filter_print_log(f);
	remove_files(f);
	return result;
}

static size_t
status_field(pid_t pid, const char *name)
{
	char path[64], line[256];
	size_t value = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	in = fopen(path, "r");
	while (in && fgets(line, sizeof(line), in))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoul(line + strlen(name), NULL, 10);
	if (in)
		fclose(in);
	return value;
}

size_t
process_rss(pid_t pid)
{
	return status_field(pid, "VmRSS:");
}

size_t
process_threads(pid_t pid)
{
	return status_field(pid, "Threads:");
}

long long
process_cpu(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) != 0)
		return 0;
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}
