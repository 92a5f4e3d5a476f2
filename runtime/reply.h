/*
 * From an answer to what a libmilter callback returns.  The only place that
 * sets replies (one that is set sticks in libmilter until a refusal takes it)
 * and the only one that says which answers an event may have: a wrong one
 * hangs or panics the MTA.
 */
#ifndef RUNTIME_REPLY_H
#define RUNTIME_REPLY_H

#include <libmilter/mfapi.h>

#include "runtime/session.h"

enum milter_event {
	EVENT_CONNECT,
	EVENT_HELO,
	EVENT_MAIL,
	EVENT_RCPT,
	EVENT_DATA,
	EVENT_HEADER,
	EVENT_EOH,
	EVENT_BODY,
	EVENT_EOM,
	EVENT_UNKNOWN,
	EVENT_COUNT
};

enum { REPLY_LINES = 32 }; /* that libmilter takes */

/*
 * Sets a reply as libmilter does; `count` is at most REPLY_LINES,
 * NUL-terminated lines in which `%` is doubled.  MI_SUCCESS or MI_FAILURE.
 */
int reply_set(SMFICTX *, const char *code, const char *xcode,
    const char *const *lines, size_t count);

/* `steps`: the SMFIP_ flags that were negotiated. */
bool reply_expected(enum milter_event, unsigned long steps);

/*
 * Sets the reply and returns the value for libmilter.  An answer that the
 * event cannot have becomes a tempfail; one at an event without reply is not
 * given.
 */
sfsistat reply_give(SMFICTX *, enum milter_event, unsigned long steps,
    const struct milt_answer *);

#endif
