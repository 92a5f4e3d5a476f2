#include "runtime/delay.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "dsl/tables.h"
#include "runtime/conn.h"
#include "runtime/metrics.h"
#include "runtime/limits.h"

/* Between signs of life; a peer that has left is noticed at the second one. */
enum { SIGN_MS = 3000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stop = PTHREAD_COND_INITIALIZER;
static unsigned long waiting; /* under the lock, and `stopping` */
static bool stopping;

static bool
enter(void)
{
	bool ok;

	pthread_mutex_lock(&lock);
	ok = waiting < LIMIT_VALUE_DELAYED;
	waiting += ok;
	pthread_mutex_unlock(&lock);
	return ok;
}

static void
leave(void)
{
	pthread_mutex_lock(&lock);
	waiting--;
	pthread_mutex_unlock(&lock);
}

/* Until then on the monotonic clock, in nanoseconds.  True: we stop. */
static bool
rest(uint64_t until)
{
	struct timespec end = {
		.tv_sec = (time_t)(until / 1000000000u),
		.tv_nsec = (long)(until % 1000000000u),
	};
	int e = 0;
	bool stopped;

	pthread_mutex_lock(&lock);
	while (!stopping && e == 0)
		e = pthread_cond_clockwait(&stop, &lock, CLOCK_MONOTONIC, &end);
	stopped = stopping;
	pthread_mutex_unlock(&lock);
	return stopped;
}

enum delay_end
delay_wait(SMFICTX *ctx, long long milliseconds)
{
	uint64_t now = conn_clock();
	uint64_t end = now + (uint64_t)milliseconds * 1000000u;
	enum delay_end result = DELAY_OVER;

	if (!enter()) {
		limit_hit(LIMIT_DELAYED);
		return DELAY_CROWDED;
	}
	metric_add(METRIC_DELAYS);
	while (now < end) {
		uint64_t sign = now + SIGN_MS * (uint64_t)1000000u;

		if (rest(sign < end ? sign : end))
			break;
		now = conn_clock();
		if (now < end && smfi_progress(ctx) != MI_SUCCESS) {
			result = DELAY_LEFT;
			break;
		}
	}
	leave();
	return result;
}

unsigned long
delay_waiting(void)
{
	unsigned long n;

	pthread_mutex_lock(&lock);
	n = waiting;
	pthread_mutex_unlock(&lock);
	return n;
}

void
delay_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&stop);
	pthread_mutex_unlock(&lock);
}
