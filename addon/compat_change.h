/*
 * Changes that the older API asks for at the end of a message.  They are
 * checked when they are asked for, kept, and sent in one go by libmilter's own
 * thread with the answer: a message that is put off half-way has no changes,
 * and JavaScript never waits for the MTA to read.
 */
#ifndef ADDON_COMPAT_CHANGE_H
#define ADDON_COMPAT_CHANGE_H

#include <libmilter/mfapi.h>

#include "dsl/str.h"

#ifdef __cplusplus
extern "C" {
#endif

enum change_kind {
#define CHANGE(id, flag) CHANGE_##id,
#include "addon/compat_changes.def"
#undef CHANGE
	CHANGE_KINDS
};

/* Borrowed texts. */
struct change {
	enum change_kind kind;
	double index;    /* of a header field */
	struct str what; /* name, address, reason, bytes */
	struct str with; /* value, ESMTP parameters; p NULL: none */
};

struct compat_changes;

/* NULL with no memory. */
struct compat_changes *changes_new(void);
void changes_free(struct compat_changes *);

/*
 * Copies a change to the end of the list.  False, and nothing is kept: it was
 * not negotiated (`actions`, SMFIF_), the protocol has no form for it, it would
 * smuggle a line into the message, or there is no memory.
 */
bool changes_add(
    struct compat_changes *, const struct change *, unsigned long actions);

/*
 * Sends all, the body last: MTAs want it in one run.  False at the first that
 * libmilter refuses; then the message must be put off.
 */
bool changes_send(SMFICTX *, const struct compat_changes *);

#ifdef __cplusplus
}
#endif

#endif
