/*
 * What a filter says, taken apart.  Malformed answers are failures.
 */
#ifndef TESTS_MTA_REPLY_H
#define TESTS_MTA_REPLY_H

#include "tests/mta/mta.h"

/* The data of a REPLYCODE: "550 5.7.1 text", one or more lines. */
struct mta_reply mta_reply_code(struct mta *, struct str data);

/* A change at the end of the message: one more in m->edits. */
bool mta_edit_read(struct mta *, char kind, struct str data);

#endif
