/*
 * Reading the policy again: at a signal, when it is asked for on the control
 * socket, or when a watched list has changed.  The main thread does it.
 */
#ifndef RUNTIME_RELOAD_H
#define RUNTIME_RELOAD_H

#include <time.h>

#include "runtime/policy.h"

/*
 * Before there are threads; all is borrowed.  `wake` has the main thread
 * reload; any thread calls it.
 */
void reload_open(const char *path, policy_compiler *, void (*wake)(void));

/* The policy that was read at the start becomes the current one. */
void reload_first(const char *program, struct policy *);

/*
 * Two halves, for hosts that look at a policy before they use it.  Between them
 * there is no other reading.
 */
struct reading {
	enum milt_status status;
	struct policy *policy; /* MILT_OK: owned */
	char *diagnostics;     /* owned; NULL: no memory for them */
	unsigned long question;
	struct timespec since;
};
/* Changes nothing; in any thread. */
void reload_read(struct reading *);
/*
 * The main thread: takes all of it, and uses the policy unless there is an
 * `objection`, lines that say why not.
 */
void reload_finish(struct reading *, const char *objection);

/* The main thread, at a signal: both. */
void reload_now(void);

/*
 * The main thread, now and then: has a watched list changed, and is it written
 * no more?  Then reload.
 */
bool reload_is_due(void);
/* Is there a list to watch? */
bool reload_is_watching(void);

/*
 * Any other thread: has the policy read, and waits for it.  The result is that
 * of policy_load, MILT_INVALID where the host objects; *diagnostics is
 * malloc'ed, NULL with no memory.  MILT_SYSTEM with EINTR: it took too long.
 */
enum milt_status reload_ask(char **diagnostics);

#endif
