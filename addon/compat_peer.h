/*
 * Peers of the older API, and what JavaScript says to their events.  Any
 * thread of libmilter; one at a time for each peer.
 */
#ifndef ADDON_COMPAT_PEER_H
#define ADDON_COMPAT_PEER_H

#include <libmilter/mfapi.h>

#include "addon/compat_event.h"
#include "addon/compat_milter.h"

/* A connection of the MTA, on libmilter's private pointer. */
struct peer {
	uint64_t id;
	unsigned long actions, steps; /* SMFIF_, SMFIP_ that were agreed */
	bool in_message;              /* abort has something to end */
	bool failed;                  /* all is put off */
	bool failed_message;          /* so is the rest of the message */
};

/* Once, before the first event. */
void peer_open(struct queue *);

/* Something of libmilter's went wrong; session 0: of none. */
void peer_report(uint64_t session, const char *what, const char *sentence);

/* NULL with no memory. */
struct compat_event *peer_event(struct peer *, SMFICTX *, enum compat_kind,
    const struct str *texts, size_t count);

/*
 * What the callback returns, after the event was answered, or was not; `e` may
 * be NULL: no memory.  Takes it.
 */
sfsistat peer_ask(
    SMFICTX *, struct peer *, enum compat_kind, struct compat_event *e);

/* The same for NEGOTIATE; *wanted is what was asked for. */
sfsistat peer_negotiate(
    struct peer *, struct compat_event *, unsigned long wanted[4]);

/* An event of which JavaScript does not hear is put off; `p` may be NULL. */
sfsistat peer_put_off(struct peer *p, enum compat_kind);

/* An event that is told, and not waited for. */
void peer_post(struct peer *, enum compat_kind);

/* It is about a message, and in one. */
bool kind_is_of_message(enum compat_kind);

#endif
