/*
 * Plays the transaction of a `test` block against an image, the way an MTA
 * would: the host of `milterc test`.  The same session that milterd drives
 * gives the answers.
 */
#ifndef COMPILER_PLAY_H
#define COMPILER_PLAY_H

#include "dsl/ast.h"
#include "runtime/edits.h"
#include "runtime/session.h"

struct play_macro {
	enum milt_stage stage;
	struct str name, value;
};

struct play_field {
	struct str name, value; /* folded with LF, no blank in front */
};

struct play_recipient {
	struct str path; /* with angle brackets */
	VEC(struct str) parameters;
};

/* What a js rule answers. */
struct play_given {
	struct str rule;
	struct milt_reply reply;
	struct span span; /* for diagnostics */
};

/* A transaction as an MTA sees it; texts live in the arena it was made in. */
struct transaction {
	bool has_ip;
	struct ip ip;
	unsigned port;
	struct str client_name; /* verified; empty if there is none */
	struct str helo;
	struct str sender; /* with angle brackets */
	VEC(struct str) parameters;
	VEC(struct play_recipient) recipients;
	VEC(struct play_macro) macros;
	VEC(struct play_field) fields;
	struct str body;
	long long now; /* milliseconds since 1970, UTC */
	VEC(struct play_given) given;
};

/* The final outcome for one recipient. */
struct play_verdict {
	enum milt_answer_kind kind; /* ACCEPT, REJECT, TEMPFAIL or DISCARD */
	enum milt_stage stage;      /* at which the answer was given */
	unsigned code;
	struct str xcode;
	struct str text; /* lines joined with LF */
	struct milt_speaker speaker;
};

struct outcome {
	struct play_verdict *verdicts; /* one for each recipient, in order */
	size_t count;
	VEC(struct milt_change) changes;
	VEC(struct milt_note) notes;
	VEC(struct edit) edits; /* what libmilter would be told */
	bool *asked;            /* by number of the given: it was needed */
	uint32_t unanswered;    /* the first js rule that was asked and has no
				   given, or IMAGE_NONE: the rest is as if it had
				   failed */
};

/*
 * From a test block, with the defaults of LANGUAGE 3 put in.  Message files
 * are relative to `directory`.  NULL, or why it cannot be made (a file that
 * cannot be read), in the arena.
 */
const char *transaction_make(struct arena *, const struct item_test *,
    struct str directory, struct transaction *out);

/* MILT_NO_MEMORY, or MILT_OK and *out in the arena. */
enum milt_status transaction_play(struct arena *, const struct milt_image *,
    const struct transaction *, struct outcome *out);

#endif
