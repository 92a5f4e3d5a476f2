/*
 * The interpreter: runs fragments over facts.  It never waits, does no I/O,
 * has no threads and no callbacks.  Where the clock is needed and has not been
 * asked, it is suspended: the host answers and calls again; what was already
 * decided is in the memo and is not evaluated twice.
 */
#ifndef RUNTIME_INTERP_H
#define RUNTIME_INTERP_H

#include "runtime/facts.h"
#include "runtime/memo.h"

struct match_scratch; /* PCRE2 match data and JIT stack of one call's thread */

struct interp {
	const struct milt_image *image;
	struct facts *facts;
	struct memo memo;              /* values of nodes (enum truth); owned */
	enum milt_stage stage;         /* texts name no facts of later ones */
	struct match_scratch *scratch; /* borrowed, for one call */
	bool plain;          /* without indexes, for tests: each regex is
				tried */
	bool asking;         /* the clock's answer is needed: suspended.
				Cleared when a call starts */
	const char *failure; /* what the last ERROR_ was about; static text */
	unsigned long steps; /* instructions run, for tests and benches */
};

/*
 * Value of the fragment at `code`.  With ip->asking set on return the value
 * means nothing: answer (facts_clock) and call again.
 */
enum truth interp_run(struct interp *, uint32_t code);

/* The same for the body of a `where`: loop 0 is at element `index`. */
enum truth interp_where(
    struct interp *, uint32_t code, enum milt_attr, size_t index);

/*
 * A template filled in, in the message's arena: octets as they are, not yet
 * made safe for anything.  {NULL, 0} with no memory, or with ip->asking set.
 *
 * A note of an early refusal is written before all facts are there; what is
 * looked at too early would stay missing, so it is not looked at.
 */
struct str interp_text(struct interp *, uint32_t template_index);

/*
 * Index of the element that makes the loop of the fragment at `code` true, or
 * IMAGE_NONE.
 */
uint32_t interp_find(struct interp *, uint32_t code);

#endif
