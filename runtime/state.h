/*
 * Inside a session: shared by session.c (stages and answers), decide.c (who
 * speaks), outcome.c (changes and notes), answers.c, questions.c and
 * take_reply.c (js rules), ignored.c (failures) and trace.c (what each rule
 * came to).  Nothing else includes it.
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include "runtime/index.h"
#include "runtime/live.h"
#include "runtime/insert.h"
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

/* What decide() may look at. */
enum reading {
	READ_SHARED,    /* before RCPT: for all recipients alike */
	READ_RECIPIENT, /* at RCPT: for the current recipient */
	READ_OPEN,      /* after RCPT: recipient verdict rules are false */
};

/* What a js rule was answered.  Texts are safe for where they go. */
struct js_answer {
	uint32_t rule;
	uint32_t recipient; /* index among the accepted, of a recipient rule */
	enum milt_reply_kind kind;
	enum milt_action verdict;
	unsigned code;
	struct str xcode;
	struct str *lines;
	unsigned line_count;
	struct milt_change *changes;
	size_t change_count;
	struct str *logs;
	size_t log_count;
	const char *failure;
};

/* Ascending by recipient, then by rule. */
struct js_answers {
	struct js_answer *v; /* owned; malloc */
	size_t n, cap;
};

struct milt_session {
	const struct milt_image *image; /* borrowed */
	struct facts *facts;            /* owned */
	struct interp interp;           /* its memo is owned */
	uint32_t rules;                 /* `otherwise` included */

	/*
	 * The rules' conditions, as far as the stages up to `done` tell.  After
	 * CONNECT and HELO they are saved: later HELO and MAIL commands start
	 * from there.  `spare` is what is being made.
	 */
	struct lives value, after_connect, after_helo, spare;
	/*
	 * Only in images with recipient rules.  `recipient`: for the current
	 * recipient, with the shared rules among them.  `any`: of recipient
	 * rules, the values seen for accepted recipients in whose reading the
	 * rule stands.
	 */
	struct lives recipient, any;
	struct rule_numbers hits; /* of a stage's probes */
	uint8_t *guards;          /* owned; bit i: guard i is unknown */

	bool begun, asked;  /* a stage began; the clock was asked for */
	enum milt_stage at; /* stage that began last */
	int done;           /* stage evaluated last, -1 for none */
	int ran; /* stage whose conditions were run last: done, or the next */
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
	uint8_t *ignored; /* bit i: noted of rule i; in the message's arena */
	/*
	 * What js rules were answered.  Those of the session keep what they
	 * hold in arenas of their own, by the rule's stage; the message's lie
	 * in its arena.
	 */
	struct js_answers shared, own; /* own: of recipient rules */
	struct arena connect_answers, helo_answers;
	uint32_t current; /* the recipient that own answers are for */
	bool waiting;     /* for the reply to `question` */
	struct milt_question question;
	enum milt_reply_kind reply_kind; /* of the last reply, as taken */
	const char *reply_failure;
	const char *change_failure; /* an effect could not be computed */
	bool no_memory;             /* a stage could not be evaluated */
	bool insertable_known;      /* of this message */
	enum insert_status insertable;
};

static inline bool
is_js(const struct milt_session *s, uint32_t rule)
{
	return s->image->rules[rule].flags & RULE_JS;
}

/* ---- js rules: answers.c, questions.c ---------------------------------- */

/* For recipient rules that of the current recipient.  NULL: none yet. */
const struct js_answer *answer_find(const struct milt_session *, uint32_t rule);
/* Room for one more; false with no memory. */
bool answers_reserve(struct milt_session *, uint32_t rule);
/* Behind answers_reserve. */
void answers_put(struct milt_session *, const struct js_answer *);
/* Where an answer to the rule keeps its texts. */
struct arena *answer_arena(struct milt_session *, uint32_t rule);
/* What belongs to a stage that begins; RCPT: to recipients not accepted. */
void answers_forget(struct milt_session *, enum milt_stage);
void answers_free(struct milt_session *);

/*
 * Does the rule match, for its effects and notes?  `v` is what its condition
 * came to; for a rule without questions that is the answer.
 */
enum truth effect_value(
    const struct milt_session *, uint32_t rule, enum reading, enum truth v);

/*
 * Is a js rule to be asked at `stage`, whose conditions are run?  Then its
 * question is made, and the result is false; also with s->no_memory set.
 */
bool questions_over(struct milt_session *, enum milt_stage);

/* ---- who speaks: decide.c ----------------------------------------------- */

/* What a rule's verdict is in a reading. */
struct judged {
	enum truth value; /* FALSE_, TRUE_ or UNKNOWN_ */
	unsigned kinds;   /* bit ACTION_...: that it gives, or can give */
	bool failure;     /* these as in struct milt_speaker */
	const char *what;
	bool reply;
};
/* `v`: what its condition came to. */
struct judged judge(const struct milt_session *, uint32_t rule, enum milt_stage,
    enum reading, enum truth v);
/* The same without regard to stages; a js rule's answer. */
struct judged judge_js(
    const struct milt_session *, uint32_t rule, enum truth v);

/* Is it a verdict that the rule's author wrote, or its function gave? */
static inline bool
speaks_itself(const struct milt_session *s, const struct milt_speaker *who)
{
	return !who->failure || is_js(s, who->rule);
}

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

/*
 * The rules with a value in a reading, in file order, the recipients' rules as
 * they were seen together.  False behind the last one.
 */
struct walk {
	const struct milt_session *s;
	enum reading reading;
	uint32_t shared, any; /* next in s->value or s->recipient; in s->any */
};
bool walk_next(struct walk *, uint32_t *rule, enum truth *);

/* stage.c: false if suspended, or with s->no_memory set. */
bool stage_run_shared(struct milt_session *, enum milt_stage);
bool stage_run_recipient(struct milt_session *);

/* Are all accepted recipients sure of their verdict? */
bool all_settled(const struct milt_session *);

/* The verdict that is certain for the whole message, or an unset one. */
const struct decision *standing(const struct milt_session *);

/*
 * speak.c: the answer at the present stage, whose evaluation is done.  False
 * with no memory.
 */
bool speak(struct milt_session *, struct milt_answer *out);
/* The answer that ended the session or message, again. */
enum milt_status answer_again(struct milt_session *, struct milt_answer *out);
/* That nothing could be decided. */
void answer_failure(struct milt_answer *out);

/*
 * Has the rule changes; notes (log actions, or it is a shadow rule)?  A js rule
 * without an answer may have both.
 */
bool rule_has_changes(const struct milt_session *, uint32_t rule);
bool rule_has_notes(const struct milt_session *, uint32_t rule);

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

/* ---- failures: ignored.c ------------------------------------------------ */

bool ignores_failures(const struct milt_session *);
/* Counts and notes it, once for each rule of a message. */
void ignore_failure(struct milt_session *, uint32_t rule, const char *why);
/* The condition failed: does the policy go on?  Then as above. */
bool condition_ignored(struct milt_session *, uint32_t rule);
/* Fails the message, unless the policy says that failures are ignored. */
bool effect_failed(struct milt_session *, uint32_t rule, const char *why);

/* ---- what follows: outcome.c, changes.c ---------------------------------- */

/* With no memory a note is lost. */
void push_note(struct milt_session *, uint32_t rule, enum milt_note_kind,
    struct str text, bool recipient);

/*
 * Puts the changes of a rule that matches behind s->changes.  False as
 * collect_changes.
 */
bool push_changes(struct milt_session *, uint32_t rule);

/* Notes of a refused recipient's reading; of a message's. */
void note_refusal(struct milt_session *, uint32_t speaker, bool recipient);
void note_message(struct milt_session *, const struct decision *);

/*
 * s->changes for an accepted message.  False with no memory or where an effect
 * cannot be computed (s->change_failure says what).
 */
bool collect_changes(struct milt_session *);

/* Does the rule match, and has it a verdict? */
bool gives_verdict(const struct milt_session *, const struct live *);

/* The rule whose verdict a reading of the whole message meets first. */
uint32_t reading_cut(const struct milt_session *, const struct accepted *);

#endif
