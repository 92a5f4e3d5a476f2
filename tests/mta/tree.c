#include "tests/mta/filter.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH = 8, STILL_MS = 5, TRIES = 200 };

/* Time of the children that it has waited for.  The kernel tells ticks. */
static long long
waited_for(pid_t pid)
{
	char path[64], line[1024], *rest;
	unsigned long user, system;
	long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	/* The name, in parentheses, may hold anything. */
	if (fgets(line, sizeof(line), f) && (rest = strrchr(line, ')')) &&
	    sscanf(rest,
		") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
		"%lu %lu",
		&user, &system) == 2)
		ns = (long long)(user + system) *
		     (1000000000LL / sysconf(_SC_CLK_TCK));
	fclose(f);
	return ns;
}

static long long
tree_cpu(pid_t pid, int depth)
{
	long long ns = process_cpu(pid) + waited_for(pid);
	char path[320];
	struct dirent *task;
	DIR *tasks;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = depth > 0 ? opendir(path) : NULL;
	if (!tasks)
		return ns;
	while ((task = readdir(tasks))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/children",
		    (int)pid, task->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		while (fscanf(f, "%d", &child) == 1)
			ns += tree_cpu((pid_t)child, depth - 1);
		fclose(f);
	}
	closedir(tasks);
	return ns;
}

long long
process_tree_cpu(pid_t pid)
{
	long long before, now = tree_cpu(pid, DEPTH);

	for (int i = 0; i < TRIES; i++) {
		before = now;
		nanosleep(&(struct timespec){ 0, STILL_MS * 1000000 }, NULL);
		now = tree_cpu(pid, DEPTH);
		if (now == before)
			break;
	}
	return now;
}
