/*
 * Questions of js rules and their answers as octets, for hosts that run the
 * JavaScript elsewhere.  A sequence of records: the lengths of a key and of a
 * value, four octets each, least significant first, then both.
 *
 * A question: `stage` and `rule` (their names), `recipient-rule` if it is one,
 * `capture` (its name) and `capture.text`, `macro` (its name) and
 * `macro.value`, then facts under their attributes' names, in text form.  Of a
 * collection, a record with its name and no value begins each element:
 * `headers` (then `headers.name` and `raw header`), and for a rule that needs
 * the body `file`.  Addresses have their `.name` behind them.  `body.partial`:
 * not all of the body was looked at.
 *
 * An answer: `verdict` (accept, reject, tempfail, discard), `code`, `xcode`,
 * `line`s, `log`s; `change` (an action's name) begins each change, `name`,
 * `value` and `index` belong to the last one; or `failure` with one of the
 * words below alone.  No record: nothing, the rule does not match.
 */
#ifndef RUNTIME_EXCHANGE_H
#define RUNTIME_EXCHANGE_H

#include "runtime/session.h"

/*
 * FAILURE(ID, "word", "what is logged")
 */
#define EXCHANGE_FAILURES(FAILURE)                                            \
	FAILURE(THREW, "threw", "the function threw an error")                \
	FAILURE(MALFORMED, "malformed", "the function's answer is malformed") \
	FAILURE(MISSING, "missing", "there is no such function")              \
	FAILURE(ENDED, "ended", "the thread of the function has ended")

/*
 * Packs the question in malloc'ed octets, the caller's.  False with no memory.
 */
bool question_pack(struct milt_session *, const struct milt_question *,
    char **octets, size_t *count);

/*
 * The answer's texts are borrowed from the octets, its arrays from the arena.
 * What is no answer is a failure.
 */
void reply_unpack(struct arena *, struct str octets, struct milt_reply *out);

#endif
