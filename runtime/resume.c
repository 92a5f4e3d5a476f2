#include "runtime/resume.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* A later connection takes an earlier one's place: it is then put off. */
enum { PLACES = 1024 };

struct entry {
	const void *context; /* NULL: none */
	struct agreement agreement;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry table[PLACES]; /* under the lock */

/* Contexts come from malloc: the lowest bits say nothing. */
static struct entry *
place(const void *context)
{
	uint64_t h = (uint64_t)(uintptr_t)context * 0x9e3779b97f4a7c15u;

	return &table[h >> 32 & (PLACES - 1)];
}

void
resume_keep(const void *context, const struct agreement *a)
{
	pthread_mutex_lock(&lock);
	*place(context) = (struct entry){ context, *a };
	pthread_mutex_unlock(&lock);
}

bool
resume_find(const void *context, unsigned long policy, struct agreement *out)
{
	const struct entry *e = place(context);
	bool found;

	pthread_mutex_lock(&lock);
	found = e->context == context && e->agreement.policy == policy;
	if (found)
		*out = e->agreement;
	pthread_mutex_unlock(&lock);
	return found;
}
