/*
 * The libmilter side of the older API: each callback of libmilter becomes an
 * event in the queue and waits for its answer, with a deadline.
 */
#ifndef ADDON_COMPAT_MILTER_H
#define ADDON_COMPAT_MILTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "addon/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options; any time, any thread. */
struct compat_terms {
	unsigned command_ms, content_ms; /* deadlines */
	int verdict;                     /* SMFIS_: what is said after them */
};
void compat_set_terms(struct compat_terms);

/* smfi_setbacklog, which also tells a socket that is open already. */
int compat_set_backlog(int n);

/*
 * Listens (`spec` as for listener_open, sockets with `mode`) and serves on a
 * thread of its own.  False with a sentence in `why`.  Events are matters of
 * the queue, answers are struct compat_answer.
 */
bool compat_start(const char *spec, mode_t mode, unsigned long flags,
    struct queue *, char *why, size_t why_size);

/*
 * No connections from here on; what is open goes on.  A moment; idempotent.
 */
void compat_stop(void);

/*
 * The process ends: closes the queue and waits, at most a moment, until the
 * MTAs have heard that their messages are put off.
 */
void compat_shutdown(void);

/* ---- by libmilter's thread, for events that wait; MI_ ---------------------
 */

struct compat_event;

/* smfi_setreply, smfi_setmlreply; a reply that MTAs would not take is refused.
 */
int compat_reply(const struct compat_event *, const char *code,
    const char *xcode, const char *const *lines, size_t count);

/*
 * Has the MTA wait on; at most once a second, so that the MTA need not read for
 * it.
 */
int compat_progress(struct compat_event *);

#ifdef __cplusplus
}
#endif

#endif
