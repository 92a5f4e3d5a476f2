/*
 * Rules of which a session holds a value: those that were looked at and are
 * not false.  All others are false, or pending (image.h).
 */
#ifndef RUNTIME_LIVE_H
#define RUNTIME_LIVE_H

#include "dsl/str.h"
#include "dsl/truth.h"

struct live {
	uint32_t rule;
	uint8_t value; /* enum truth; in struct milt_session.any a set of them,
			  bit v for value v */
	bool noted;    /* its notes are written for this message */
};

/* Ascending by rule.  All zero is an empty list. */
struct lives {
	struct live *v; /* owned; malloc */
	uint32_t n, cap;
};

/* Behind the last one.  False with no memory. */
bool lives_push(struct lives *, struct live);

/* *to gets what `from` has. */
bool lives_copy(struct lives *to, const struct lives *from);

/* Is there a value of the rule? */
bool lives_have(const struct lives *, uint32_t rule);

/* Adds the values in `set` to those of a rule.  False with no memory. */
bool lives_merge(struct lives *, uint32_t rule, uint8_t set);

/* Empties it, and gives back more memory than is needed mostly. */
void lives_clear(struct lives *);

void lives_free(struct lives *);

#endif
