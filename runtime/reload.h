/*
 * Reading the policy again: at a signal, when it is asked for on the control
 * socket, or when a watched list has changed.  The main thread does it.
 */
#ifndef RUNTIME_RELOAD_H
#define RUNTIME_RELOAD_H

#include "runtime/policy.h"

/* Before there are threads; all is borrowed. */
void reload_open(const char *path, policy_compiler *);

/* The policy that was read at the start becomes the current one. */
void reload_first(struct policy *);

/* The main thread, at a signal. */
void reload_now(void);

/*
 * The main thread, now and then: reads the policy again where a watched list
 * has changed and is written no more.
 */
void reload_watched(void);
/* Is there a list to watch? */
bool reload_is_watching(void);

/*
 * Any other thread: has the policy read, and waits for it.  The result is that
 * of policy_load; *diagnostics is malloc'ed, NULL with no memory.
 * MILT_SYSTEM with EINTR: it took too long.
 */
enum milt_status reload_ask(char **diagnostics);

#endif
