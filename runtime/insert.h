/*
 * Texts put into a message: before or behind what a reader sees first or last,
 * in each of its alternatives, in the charset and transfer encoding of each.
 * All other octets of the body stay as they are.
 */
#ifndef RUNTIME_INSERT_H
#define RUNTIME_INSERT_H

#include "runtime/facts.h"

enum insert_status {
	INSERT_OK,
	INSERT_SEALED,  /* signed or encrypted: not to be changed */
	INSERT_NO_TEXT, /* nothing to read in it */
	INSERT_UNSOUND, /* not encoded as it says, or nobody knows how */
	INSERT_FAILED,  /* header or body is not there: facts_failure() */
	INSERT_PARTS,   /* more parts than are looked at */
	INSERT_NO_MEMORY,
};

/* May the body be changed, and is there a text to put another one into? */
enum insert_status insert_check(struct facts *);

/* May it be changed at all, as far as it can be looked at? */
bool insert_is_sealed(struct facts *);

/* A changed message; in the message's arena. */
struct inserted {
	struct str body;
	/* New values of the outermost fields, {NULL, 0} where they stay. */
	struct str type, encoding;
};

/*
 * `before` and `after` are valid UTF-8 in lines that end in CRLF; either may
 * be empty.
 */
enum insert_status insert_texts(
    struct facts *, struct str before, struct str after, struct inserted *out);

/*
 * A body of that text alone, which is like those above, and both values.  In
 * the arena; false with no memory.
 */
bool insert_new_body(struct arena *, struct str text, struct inserted *out);

#endif
