/*
 * A session: one connection of an MTA, evaluated stage by stage.  The one rule
 * of evaluation (LANGUAGE.md, section 2) lives here and nowhere else; every
 * host (milterd, milterc test, the addon) drives sessions through these calls
 * and gives the answers that they return.
 *
 * Stages may be left out and repeated in any order that a peer can produce:
 * HELO twice, MAIL without an end of the message before it, DATA without RCPT.
 * One thread at a time.
 *
 * Where the policy asks what is no fact, milt_session_answer gives
 * MILT_QUESTION.  The host looks at milt_session_question, answers (facts_clock
 * or milt_session_reply) and calls milt_session_answer again, as often as it
 * asks.  Another stage may begin instead: then the question is void.
 */
#ifndef RUNTIME_SESSION_H
#define RUNTIME_SESSION_H

#include "runtime/facts.h"

struct milt_session;

enum milt_answer_kind {
	ANSWER_CONTINUE,
	ANSWER_ACCEPT,
	ANSWER_REJECT,
	ANSWER_TEMPFAIL,
	ANSWER_DISCARD,
	ANSWER_SKIP, /* body: no more chunks are needed */
};

/* Who gave a verdict. */
struct milt_speaker {
	uint32_t rule; /* index in the image; `otherwise` is the last */
	/*
	 * The rule could not be decided: option on-failure; or it is a js rule
	 * and gives what it says for this case.
	 */
	bool failure;
	const char *what; /* failure: static text */
	bool reply; /* failure: of a js rule's reply, as that call has told */
};

struct milt_answer {
	enum milt_answer_kind kind;
	enum milt_stage stage; /* at which it is given */
	unsigned code;         /* REJECT, TEMPFAIL */
	struct str xcode;
	struct str lines[32]; /* safe for SMTP: printable ASCII, not
				 empty, within the length of a line; `%`
				 is not yet doubled */
	unsigned line_count;
	bool decided; /* `speaker` is set: log this decision */
	struct milt_speaker speaker;
};

/* What is done to an accepted message, in file order. */
struct milt_change {
	enum milt_action action;
	uint32_t rule;
	long long index;        /* insert header */
	long long milliseconds; /* delay */
	struct str name;        /* header's name, valid (RFC 5322 2.2) */
	struct str value;       /* header's value, safe, folded with LF;
				   address; reason; body with CRLF */
	const bool *chosen;     /* remove header, remove recipient: for each
				   field or recipient whether it is meant; NULL:
				   all of that name or, with a value, address */
};

/* ---- questions --------------------------------------------------------- */

enum milt_question_kind { QUESTION_CLOCK, QUESTION_JS };

/*
 * QUESTION_JS has all members; facts are taken from milt_session_facts: those
 * of `stage` and of earlier ones, of the body only with JS_BODY.
 */
struct milt_question {
	enum milt_question_kind kind;
	enum milt_stage stage;     /* at which it is asked */
	uint32_t rule;             /* index in the image */
	const struct image_js *js; /* what is asked, and how long it may take */
	struct str recipient;      /* the current one, of a recipient rule; else
				      empty */
	/*
	 * The captures of the regexes in the rule's condition: {1} and so on,
	 * then those with names once more.  Empty where a group has not
	 * matched.
	 */
	const struct str *captures;
	const struct str *capture_names; /* "1", "2", "amount" */
	size_t capture_count;
};

/* After MILT_QUESTION: what is asked; borrowed until the reply. */
const struct milt_question *milt_session_question(const struct milt_session *);

enum milt_reply_kind {
	REPLY_NOTHING, /* the rule does not match */
	REPLY_ANSWER,
	REPLY_FAILURE, /* no answer: the rule's on failure */
};

/*
 * REPLY_ANSWER: a verdict, effects, log lines; effects beside accept or none
 * only.  Values are made safe as those of templates are.  Of a change count
 * action, name, value and index: remove header removes all of that name, remove
 * recipient the one that is its value, or all.  There is no delay: a function
 * waits by itself.  The body may be changed by rules that need it (JS_BODY)
 * only.
 */
struct milt_reply {
	enum milt_reply_kind kind;
	enum milt_action verdict; /* ACTION_NONE: effects only */
	unsigned code;            /* reject, tempfail; 0: the default */
	struct str xcode;         /* empty: the default */
	const struct str *lines;
	unsigned line_count; /* 0: the default */
	const struct milt_change *changes;
	size_t change_count;
	const struct str *logs;
	size_t log_count;
	const char *failure; /* REPLY_FAILURE: why; static text */
};

/*
 * Answers the question; copies everything.  Then call milt_session_answer
 * again.  An answer that the rule may not give, or that cannot be (a reject
 * with a code of 4xx, an address that is none ...), is a failure, whatever it
 * was called.  MILT_INVALID: no js rule is asked.
 */
enum milt_status milt_session_reply(
    struct milt_session *, const struct milt_reply *);

/* Is a js rule asked, and not answered yet? */
bool milt_session_is_waiting(const struct milt_session *);

/*
 * What the last reply was taken for; REPLY_FAILURE: why, static text, else
 * NULL.
 */
enum milt_reply_kind milt_session_reply_kind(const struct milt_session *);
const char *milt_session_reply_failure(const struct milt_session *);

/* What is noted whatever the verdict. */
enum milt_note_kind {
	NOTE_SHADOW,
	NOTE_LOG,
	NOTE_METRIC,
	NOTE_IGNORED /* option on-failure: the rule's first failure */
};

struct milt_note {
	uint32_t rule;
	enum milt_note_kind kind;
	/* log: printable, one line; metric: its name; ignored: why */
	struct str text;
	struct str recipient; /* recipient rules; else empty */
};

/* The session does not own the image, which must outlive it. */
struct milt_session *milt_session_new(const struct milt_image *);
void milt_session_free(struct milt_session *);

const struct milt_image *milt_session_image(const struct milt_session *);
struct facts *milt_session_facts(struct milt_session *);

/*
 * A stage begins: forgets what belonged to earlier runs of it (facts too).
 * Call it, then give its facts, then milt_session_answer.
 */
void milt_session_begin(struct milt_session *, enum milt_stage);

/*
 * Evaluates the stage that began last, whose facts are complete.
 *	MILT_OK: *out is the answer to the MTA.
 *	MILT_QUESTION: see above.
 *	MILT_NO_MEMORY: *out is a tempfail by failure.
 * An answer other than CONTINUE and SKIP at RCPT concerns that recipient, at
 * CONNECT and HELO the session, elsewhere the message.  Texts in *out live
 * until the next begin.
 */
enum milt_status milt_session_answer(
    struct milt_session *, struct milt_answer *out);

/* Between HEADERS and MESSAGE: may the MTA stop sending body chunks? */
bool milt_session_skip_body(const struct milt_session *);

/*
 * After an answer at MESSAGE that accepts: the changes, in file order; and
 * after any answer: the notes since the last call.  Borrowed until the next
 * begin of HELO or MAIL.
 */
size_t milt_session_changes(
    struct milt_session *, const struct milt_change **out);
size_t milt_session_notes(struct milt_session *, const struct milt_note **out);

/* Milliseconds that changes delay the answer together, within the limit. */
long long milt_delay(const struct milt_change *, size_t n);

/* The message was given up: forget it. Idempotent. */
void milt_session_abort(struct milt_session *);

/* The verdict for accepted recipient i after MESSAGE (settled: its own). */
struct milt_speaker milt_session_speaker(
    const struct milt_session *, size_t recipient);

#endif
