/*
 * Serving a policy inside Node: what milterd's main file is for the daemon.
 * C alone; serve.cc makes JavaScript's functions of it.
 *
 * Two kinds of threads: the one of JavaScript, which calls what is below, and
 * libmilter's, which wait in the queue for the answers to js rules.
 */
#ifndef ADDON_HOST_H
#define ADDON_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "addon/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what waits in the queue --------------------------------------------- */

enum matter_kind {
	MATTER_QUESTION, /* octets: runtime/exchange.h */
	MATTER_DECISION, /* octets: JSON, as in the log */
	MATTER_RELOAD,   /* the control socket asks for it */
	MATTER_GAVE_UP,  /* libmilter serves no more */
};

struct matter {
	enum matter_kind kind;
	unsigned long long id;    /* of a question; never used again */
	unsigned long generation; /* of its policy */
	unsigned rule;            /* index in its policy */
	size_t count;
	char *octets; /* owned */
};

void matter_free(void *);

/* What answers a call: octets for runtime/exchange.h.  NULL with no memory. */
void *host_answer(const char *octets, size_t count);
void host_answer_free(void *);

/* ---- a start, step by step ------------------------------------------------
 */

/*
 * The options are JSON, written by lib/options.mjs.  Claims the process: false
 * with a sentence in `why` where it is taken, or with no memory.
 */
bool host_configure(const char *options, void (*bell)(void *), void *bell_arg,
    struct queue **out, char *why, size_t why_size);
/* Gives the process back; nothing was started. */
void host_unconfigure(void);

struct host_policy; /* a policy that was read */

/*
 * Reads the policy, the first time or again; in any thread, one at a time.
 * NULL with no memory.
 */
struct host_policy *host_read(void);
/* Lines, empty if there are none; whether there is a policy. */
const char *host_diagnostics(const struct host_policy *);
bool host_is_valid(const struct host_policy *);
/* Its js rules as JSON, malloc'ed; NULL with no memory. */
char *host_rules(const struct host_policy *);

/*
 * Opens the sockets and serves.  Takes the policy.  False with a sentence in
 * `why`: if `*again`, host_unconfigure may be called.
 */
bool host_start(struct host_policy *, unsigned long *generation, bool *again,
    char *why, size_t why_size);
/*
 * The policy takes the place of the one before it, unless there is an
 * objection (lines) or none was read: 0.  Takes the policy.
 */
unsigned long host_use(struct host_policy *, const char *objection);
void host_discard(struct host_policy *); /* before host_start */

/* A macro of the MTA that a hook wants; before host_start and host_use. */
bool host_want_macro(struct host_policy *, const char *name);

/* ---- while it serves ------------------------------------------------------
 */

/* Has a watched list changed? */
bool host_reload_is_due(void);
/*
 * Frees policies that are no longer used; in any thread, never beside
 * host_read.  True if there are more to come.
 */
bool host_reap(void);
/* Takes the generation of a policy that was freed; 0: there is none. */
unsigned long host_next_freed(void);

unsigned long host_sessions(void);
void host_log(bool error, const char *text);

/* No new connections; the open ones go on. */
void host_retire(void);
/*
 * The end of the process is near: each waiting question gets its failure, and
 * for a moment there is time to tell the MTA.  Idempotent.
 */
void host_end(void);

#ifdef __cplusplus
}
#endif

#endif
