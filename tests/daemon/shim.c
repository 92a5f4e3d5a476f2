/*
 * The world as a test wants it, for LD_PRELOAD.  While the file exists that an
 * environment variable names,
 *	SHIM_NO_THREADS   no thread can be started
 *	SHIM_CLOCK        the time of day is off by the seconds in it
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int starter(
    pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int clock_reader(clockid_t, struct timespec *);

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg)
{
	const char *file = getenv("SHIM_NO_THREADS");
	starter *next = (starter *)dlsym(RTLD_NEXT, "pthread_create");

	if (file && access(file, F_OK) == 0)
		return EAGAIN;
	return next(thread, attr, run, arg);
}

static long
offset(void)
{
	const char *name = getenv("SHIM_CLOCK");
	FILE *f = name ? fopen(name, "re") : NULL;
	long seconds = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%ld", &seconds) != 1)
		seconds = 0;
	fclose(f);
	return seconds;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	clock_reader *next = (clock_reader *)dlsym(RTLD_NEXT, "clock_gettime");
	int r = next(clock, out);

	if (clock == CLOCK_REALTIME)
		out->tv_sec += offset();
	return r;
}

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
