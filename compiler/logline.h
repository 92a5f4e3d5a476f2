/*
 * Lines that milterd logs (runtime/decision.h), read again.
 */
#ifndef COMPILER_LOGLINE_H
#define COMPILER_LOGLINE_H

#include "dsl/arena.h"
#include "dsl/tables.h"

/* A rule, and what it changed: add header. */
struct logline_effect {
	struct str rule, action;
};

struct logline {
	struct str id;      /* the queue id, NOQUEUE or empty */
	struct str verdict; /* reject; of what is noted: shadow, note, ignored,
			       question */
	bool decision;      /* and not a note */
	enum milt_stage stage;
	struct str rule, place; /* place: FILE:LINE or empty */
	struct str client, helo, sender;
	bool has_helo, has_sender;
	VEC(struct str) recipients;
	bool all_recipients;                /* none was left out of the line */
	VEC(struct logline_effect) effects; /* the first ones */
	struct str reply, failure, text;
};

/*
 * In plain form or as JSON, whatever stands before it (a date, a host's name).
 * Texts are in the arena, which has an on_fail.  False: it is no such line.
 */
bool logline_read(struct arena *, struct str line, struct logline *out);

#endif
