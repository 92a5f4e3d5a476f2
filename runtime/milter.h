/*
 * The libmilter side: facts in, answers out.  libmilter may call from another
 * thread at each event of a session, so all state hangs on the session's
 * private pointer.
 */
#ifndef RUNTIME_MILTER_H
#define RUNTIME_MILTER_H

#include <libmilter/mfapi.h>
#include <stdbool.h>

/*
 * Registers the callbacks and hands the listening socket over.  False, with
 * a sentence in *why, where this libmilter cannot.
 */
bool milter_open(int fd, const char **why);

/* The same with callbacks of another host. */
bool milter_attach(struct smfiDesc callbacks, int fd, const char **why);

/* Serves; returns only if libmilter gives up. */
void milter_serve(void);

/* Sessions that are open, and those of them within a message. */
unsigned long milter_sessions(void);
unsigned long milter_messages(void);

/* Sessions beyond so many are put off: each takes a descriptor. */
void milter_limit(unsigned long sessions);

#endif
