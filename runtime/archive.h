/* Archives and compressed files, by libarchive, inside bounds. */
#ifndef RUNTIME_ARCHIVE_H
#define RUNTIME_ARCHIVE_H

#include <glib.h>

#include "dsl/str.h"

/* What may still be unpacked, of all archives of a message. */
struct archive_budget {
	size_t members;
	size_t octets;
};

struct archive_member {
	struct str name; /* any octets; p NULL: it has none */
	bool packed;     /* in no archive: only gzip may keep a name */
	struct str contents;
	bool encrypted; /* and so without contents */
	bool too_large; /* contents incomplete */
	bool malformed; /* contents incomplete */
};

struct archive_state {
	bool encrypted; /* some member is, or their list */
	bool too_large; /* there is more than the budget allows */
	bool too_many;  /* it is the members */
	bool malformed; /* broken, or in a way unknown to libarchive */
	bool too_deep;  /* compressed more than once: not looked at */
};

/*
 * Calls `each` for each member that is not a folder; contents and name are
 * borrowed for the call.  False where `s` is no archive.
 */
typedef void archive_each(void *data, const struct archive_member *);
bool archive_walk(struct str s, struct archive_budget *, archive_each *each,
    void *data, struct archive_state *out);

/* Would archive_walk say so?  Nothing is unpacked. */
bool archive_is(struct str s);

/* Does a RAR stand behind something else?  Called .rar, it would be opened. */
bool archive_has_rar(struct str s);

#endif
