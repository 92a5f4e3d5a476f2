/*
 * Inside a session: shared by session.c (stages and answers), decide.c (who
 * speaks), outcome.c (changes and notes) and trace.c (what each rule came to).
 * Nothing else includes it.
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include "runtime/interp.h"
#include "runtime/session.h"

/* A verdict that is certain. */
struct decision {
	bool set;
	enum milt_action kind;
	struct milt_speaker speaker;
	enum milt_stage stage; /* at which it became certain */
};

struct accepted {
	uint32_t
	    settled; /* recipient verdict rule that accepts, or IMAGE_NONE */
	uint32_t speaker; /* settled or not: who accepts at RCPT; IMAGE_NONE */
};

struct milt_session {
	const struct milt_image *image; /* borrowed */
	struct facts *facts;            /* owned */
	struct interp interp;           /* memo and found are owned */
	uint32_t rules;                 /* `otherwise` included */

	/*
	 * Value of each rule's condition (enum truth), as far as the stages up
	 * to `done` tell.  After CONNECT and HELO it is saved: later HELO and
	 * MAIL commands start from there.
	 */
	uint8_t *value, *after_connect, *after_helo;
	/*
	 * Only in images with recipient rules.  `recipient`: values for the
	 * current recipient.  `any`: for rules with effects or notes, bit v
	 * says that value v was seen for an accepted recipient in whose reading
	 * the rule stands.
	 */
	uint8_t *recipient, *any;
	uint8_t *noted; /* rules whose notes are written for this message */

	bool begun, asked;  /* a stage began; the clock was asked for */
	enum milt_stage at; /* stage that began last */
	int done;           /* stage evaluated last, -1 for none */
	struct decision session, helo, message; /* decided at those levels */
	/* The answer that ended the session or message, and is given again. */
	bool final;
	enum milt_answer_kind final_kind;
	enum milt_stage final_stage;
	struct decision spoken;
	/* A discard that was certain at RCPT, for the recipients left open. */
	struct decision open;
	VEC(struct accepted) accepted; /* in the message's arena */
	VEC(struct milt_change) changes;
	VEC(struct milt_note) notes;
	size_t notes_given;
	const char *change_failure; /* an effect could not be computed */
};

/* What decide() may look at. */
enum reading {
	READ_SHARED,    /* before RCPT: for all recipients alike */
	READ_RECIPIENT, /* at RCPT: for the current recipient */
	READ_OPEN,      /* after RCPT: recipient verdict rules are false */
};

/*
 * The rule of evaluation: *out is the verdict that is certain at `stage`, if
 * there is one.
 */
bool decide(const struct milt_session *, enum milt_stage, enum reading,
    struct decision *out);

/*
 * Before RCPT: a pinned rule of that kind that is certain at `stage`, to speak
 * before an unpinned one that would be heard at RCPT only.
 */
bool decide_pinned(const struct milt_session *, enum milt_stage,
    enum milt_action kind, struct decision *out);

/* Value of rule `i`'s condition in a reading. */
enum truth rule_value(const struct milt_session *, uint32_t i, enum reading);

/* Has the rule changes; notes (log actions, or it is a shadow rule)? */
bool rule_has_changes(const struct milt_image *, uint32_t rule);
bool rule_has_notes(const struct milt_image *, uint32_t rule);

/*
 * What stands in the way of an accept by rule `speaker` that is certain:
 * effects or notes that may still come to be, or are due.
 */
struct pending {
	bool unknown; /* some rule with effects or notes is not known yet */
	bool changes, notes; /* due */
	bool body;           /* changes whose texts need the body or its size */
};
struct pending accept_pending(const struct milt_session *, uint32_t speaker);

/* Notes of a refused recipient's reading; of a message's. */
void note_refusal(struct milt_session *, uint32_t speaker, bool recipient);
void note_message(struct milt_session *, const struct decision *);

/*
 * s->changes for an accepted message.  False with no memory or where an effect
 * cannot be computed (s->change_failure says what).
 */
bool collect_changes(struct milt_session *);

/* The rule whose verdict a reading of the whole message meets first. */
uint32_t reading_cut(const struct milt_session *, const struct accepted *);

#endif
