/*
 * An MTA may end a session and begin the next one on the same connection
 * without negotiating again (SMFIC_QUIT_NC).  libmilter tells us of a close and
 * then of a new client; whether the connection stays, it does not tell.  So
 * what was agreed is kept for a while under the connection's context.
 *
 * Any thread; nothing waits.
 */
#ifndef RUNTIME_RESUME_H
#define RUNTIME_RESUME_H

#include <stdbool.h>

struct agreement {
	unsigned long policy; /* serial number of the policy it was made for */
	unsigned long actions, steps; /* SMFIF_, SMFIP_ */
};

void resume_keep(const void *context, const struct agreement *);

/*
 * What was agreed on this connection, if it is still known and was agreed for
 * this very policy.
 */
bool resume_find(
    const void *context, unsigned long policy, struct agreement *out);

#endif
