#include "runtime/mime_names.h"

#include <gmime/gmime.h>
#include <pthread.h>
#include <stdatomic.h>

/* So many octets hold names of some twice their size. */
enum { OCTETS_MOST = 16 << 20 };

static pthread_rwlock_t lock =
    PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static atomic_size_t octets; /* since the table was made */

void
mime_names_enter(void)
{
	(void)pthread_rwlock_rdlock(&lock);
}

static void
make_anew(void)
{
	(void)pthread_rwlock_wrlock(&lock);
	if (atomic_load(&octets) >= OCTETS_MOST) {
		g_mime_charset_map_shutdown();
		g_mime_charset_map_init();
		atomic_store(&octets, 0);
	}
	(void)pthread_rwlock_unlock(&lock);
}

void
mime_names_leave(size_t octets_read)
{
	size_t now = atomic_fetch_add(&octets, octets_read) + octets_read;

	(void)pthread_rwlock_unlock(&lock);
	if (now >= OCTETS_MOST)
		make_anew();
}
