/*
 * From changes, stated over the message as it arrived, to libmilter calls in
 * an order in which no index goes stale (facts: per-name indexes shift when a
 * field is deleted; replacebody must be contiguous and last).
 */
#ifndef RUNTIME_EDITS_H
#define RUNTIME_EDITS_H

#include "runtime/session.h"

enum edit_kind {
	EDIT_SET_SENDER,       /* value */
	EDIT_ADD_RECIPIENT,    /* value */
	EDIT_REMOVE_RECIPIENT, /* value */
	EDIT_CHANGE_HEADER,    /* name, index from 1 of that name, value */
	EDIT_DELETE_HEADER,    /* name, index from 1 of that name */
	EDIT_INSERT_HEADER,    /* index, name, value */
	EDIT_ADD_HEADER,       /* name, value */
	EDIT_QUARANTINE,       /* value */
	EDIT_REPLACE_BODY,     /* value: all of it */
};

struct edit {
	enum edit_kind kind;
	uint32_t index;
	struct str name, value;
};

/*
 * The edits for the session's changes, in the order in which to send them.
 * In the message's arena.  MILT_NO_MEMORY.
 */
enum milt_status milt_edits(
    struct milt_session *, const struct edit **out, size_t *count);

#endif
