/* js rules: who is asked what, and when. */
#include "tests/unit/js_session.h"
#include "runtime/limits.h"

/* ---- questions ------------------------------------------------------------
 */

static void
test_question(void)
{
	const struct milt_question *q;
	struct milt_answer a;

	if (!start(ONE("r",
		"when header.subject matches /(?<what>\\w+) (\\d+)( x)?/",
		"may reject")))
		return;
	CHECK(
	    milt_session_reply(session,
		&(struct milt_reply){ .kind = REPLY_NOTHING }) == MILT_INVALID);
	CHECK(upto(STAGE_HEADERS, &a) == MILT_QUESTION);
	q = milt_session_question(session);
	CHECK(asks("r"));
	CHECK(q->stage == STAGE_HEADERS);
	CHECK_STR(image_text(image, q->js->file), "hooks/a.mjs");
	CHECK_STR(image_text(image, q->js->function), "check");
	CHECK(q->js->code == IMAGE_NONE);
	CHECK(q->js->timeout == 2000);
	CHECK(q->js->flags == 0);
	CHECK(q->js->may == (1 << ACTION_REJECT));
	CHECK_STR(q->recipient, "");
	CHECK(q->capture_count == 4);
	CHECK_STR(q->captures[0], "invoice");
	CHECK_STR(q->captures[1], "12");
	CHECK_STR(q->captures[2], "");
	CHECK_STR(q->captures[3], "invoice");
	CHECK_STR(q->capture_names[1], "2");
	CHECK_STR(q->capture_names[3], "what");
	/* Asked again, it asks the same. */
	CHECK(evaluate(&a) == MILT_QUESTION);
	CHECK(milt_session_question(session)->rule == 0);
	reply_nothing();
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_ACCEPT);
	CHECK(
	    milt_session_reply(session,
		&(struct milt_reply){ .kind = REPLY_NOTHING }) == MILT_INVALID);
	stop();
}

static void
test_recipient(void)
{
	struct milt_reply refuse = { .kind = REPLY_ANSWER,
		.verdict = ACTION_REJECT };
	struct milt_answer a;

	if (!start(ONE("r", "when recipient.domain under d.test", "")))
		return;
	CHECK(upto(STAGE_RCPT, &a) == MILT_QUESTION);
	CHECK_STR(milt_session_question(session)->recipient, "c@d.test");
	CHECK(milt_session_question(session)->js->may ==
	      (1 << ACTION_ACCEPT | 1 << ACTION_REJECT | 1 << ACTION_TEMPFAIL));
	CHECK_STR(reply(&refuse), "");
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_REJECT && a.code == 550);
	CHECK_STR(a.xcode, "5.7.1");
	CHECK(a.line_count == 1);
	CHECK_STR(a.lines[0], "Refused");
	/* The next one, and the refused one again, are asked anew. */
	CHECK(stage(STAGE_RCPT, &a) == MILT_QUESTION);
	reply_nothing();
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_CONTINUE);
	CHECK(stage(STAGE_RCPT, &a) == MILT_QUESTION);
	reply_nothing();
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(stage(STAGE_DATA, &a) == MILT_OK);
	stop();
}

/* Another stage begins instead: the question is void. */
static void
test_given_up(void)
{
	struct milt_answer a;

	if (!start(ONE("early", "when helo exists", "may reject")))
		return;
	CHECK(upto(STAGE_HELO, &a) == MILT_QUESTION);
	milt_session_begin(session, STAGE_HELO);
	CHECK(!milt_session_is_waiting(session));
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_CONTINUE);
	CHECK(stage(STAGE_HELO, &a) == MILT_QUESTION);
	/* The MTA goes on: it is asked where the answer is needed next. */
	CHECK(stage(STAGE_MAIL, &a) == MILT_QUESTION);
	CHECK(milt_session_question(session)->stage == STAGE_HELO);
	milt_session_abort(session);
	CHECK(stage(STAGE_MAIL, &a) == MILT_QUESTION);
	reply_nothing();
	CHECK(evaluate(&a) == MILT_OK);
	/* Known for the session. */
	CHECK(stage(STAGE_MAIL, &a) == MILT_OK);
	CHECK(stage(STAGE_RCPT, &a) == MILT_OK);
	milt_session_abort(session);
	CHECK(stage(STAGE_MAIL, &a) == MILT_OK);
	/* Until the client says HELO again. */
	CHECK(stage(STAGE_HELO, &a) == MILT_QUESTION);
	stop();
}

/* What an answer said at CONNECT is said for all messages. */
static void
test_session(void)
{
	const char *text = "not you";
	struct str line = str_from(text);
	struct milt_reply refuse = { .kind = REPLY_ANSWER,
		.verdict = ACTION_REJECT,
		.code = 554,
		.xcode = STR("5.7.9"),
		.lines = &line,
		.line_count = 1 };
	struct milt_answer a;

	if (!start(ONE("r", "when client.ip in 192.0.2.0/24", "")))
		return;
	CHECK(upto(STAGE_CONNECT, &a) == MILT_QUESTION);
	CHECK_STR(reply(&refuse), "");
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_CONTINUE);
	for (int i = 0; i < 3; i++) {
		CHECK(stage(STAGE_HELO, &a) == MILT_OK);
		CHECK(stage(STAGE_MAIL, &a) == MILT_OK);
		CHECK(stage(STAGE_RCPT, &a) == MILT_OK);
		CHECK(a.kind == ANSWER_REJECT && a.code == 554);
		CHECK_STR(a.xcode, "5.7.9");
		CHECK_STR(a.lines[0], "not you");
		CHECK(a.speaker.rule == 0);
		CHECK(!a.speaker.failure);
	}
	stop();
}

/* ---- who is asked ---------------------------------------------------------
 */

static void
test_order(void)
{
	struct milt_reply refuse = { .kind = REPLY_ANSWER,
		.verdict = ACTION_TEMPFAIL };
	struct milt_answer a;

	if (!start("milt 1\n"
		   "js rule a { call \"x#f\" timeout 1s on failure ignore }\n"
		   "rule never { when helo is \"no\" reject \"no\" }\n"
		   "js rule b { call \"x#f\" timeout 1s on failure ignore }\n"
		   "js rule c { when helo exists ``` code ``` timeout 1s\n"
		   "  on failure ignore }\n"
		   "rule yes { when helo is \"mx.test\" reject \"no\" }\n"
		   "js rule d { when helo exists call \"x#f\" timeout 1s\n"
		   "  on failure ignore }\n"))
		return;
	CHECK(upto(STAGE_CONNECT, &a) == MILT_QUESTION);
	CHECK(asks("a"));
	reply_nothing();
	CHECK(evaluate(&a) == MILT_QUESTION);
	CHECK(asks("b"));
	reply_nothing();
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(stage(STAGE_HELO, &a) == MILT_QUESTION);
	CHECK(asks("c"));
	CHECK_STR(image_text(image, milt_session_question(session)->js->code),
	    " code ");
	CHECK_STR(reply(&refuse), "");
	/* The rule behind it has no say any more. */
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(stage(STAGE_MAIL, &a) == MILT_OK);
	CHECK(stage(STAGE_RCPT, &a) == MILT_OK);
	CHECK(a.kind == ANSWER_TEMPFAIL && a.code == 451);
	CHECK(a.speaker.rule == 3);
	stop();
}

/* ---- failures -------------------------------------------------------------
 */

static void
test_failure(void)
{
	struct milt_answer a;

	if (!start(ONE("r", "when header.subject exists", "may accept")))
		return;
	CHECK(upto(STAGE_HEADERS, &a) == MILT_QUESTION);
	CHECK_STR(reply(&(struct milt_reply){
		      .kind = REPLY_FAILURE, .failure = "threw" }),
	    "threw");
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_TEMPFAIL && a.code == 451 && a.decided);
	CHECK_STR(a.xcode, "4.7.5");
	CHECK_STR(a.lines[0], "later mx.test");
	CHECK(a.speaker.failure && a.speaker.reply);
	CHECK_STR(str_from(a.speaker.what), "threw");
	stop();
}

/* A condition that cannot be decided fails the rule as its function does. */
static void
test_condition_fails(void)
{
	const struct milt_note *note;
	struct milt_answer a;

	if (!start("milt 1\noption regex-match-limit 100\n"
		   "option on-failure ignore\n"
		   "js rule r { when header(\"X-Deep\") matches /^(a|aa)+$/ "
		   "  call \"x#f\" timeout 1s on failure reject \"x\" }\n"))
		return;
	CHECK(upto(STAGE_HEADERS, &a) == MILT_OK);
	CHECK(a.kind == ANSWER_REJECT);
	CHECK(a.speaker.failure && !a.speaker.reply);
	CHECK(failures_ignored() == 0);
	stop();
	if (!start("milt 1\noption regex-match-limit 100\n"
		   "js rule r { when header(\"X-Deep\") matches /^(a|aa)+$/ "
		   "  call \"x#f\" timeout 1s on failure ignore }\n"))
		return;
	CHECK(upto(STAGE_HEADERS, &a) == MILT_OK);
	CHECK(!a.speaker.failure);
	CHECK(failures_ignored() == 1);
	CHECK(milt_session_notes(session, &note) == 1);
	CHECK(note->kind == NOTE_IGNORED && note->rule == 0);
	CHECK_STR(note->text, "a regular expression took too many steps");
	stop();
}

/* An accept waits for what a js rule above it may do. */
static void
test_accept_waits(void)
{
	const struct milt_change header = {
		.action = ACTION_ADD_HEADER, .name = STR("X"), .value = STR("y")
	};
	struct milt_reply effects = {
		.kind = REPLY_ANSWER, .changes = &header, .change_count = 1
	};
	struct milt_answer a;

	if (!start("milt 1\n"
		   "js rule a { when header.subject exists call \"x#f\"\n"
		   "  timeout 1s on failure ignore may accept }\n"
		   "rule ours { when client.ip in 192.0.2.0/24 accept }\n"
		   "js rule b { when header.subject exists call \"x#f\"\n"
		   "  timeout 1s on failure tempfail }\n"))
		return;
	CHECK(upto(STAGE_HEADERS, &a) == MILT_QUESTION);
	CHECK(asks("a"));
	CHECK_STR(reply(&effects), "");
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_CONTINUE);
	CHECK(stage(STAGE_MESSAGE, &a) == MILT_OK);
	CHECK(a.kind == ANSWER_ACCEPT);
	CHECK(a.speaker.rule == 1);
	/* With nothing to do, the accept is given at once. */
	milt_session_abort(session);
	for (int s = STAGE_MAIL; s < STAGE_HEADERS; s++)
		CHECK(stage((enum milt_stage)s, &a) == MILT_OK);
	CHECK(stage(STAGE_HEADERS, &a) == MILT_QUESTION);
	reply_nothing();
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_ACCEPT);
	stop();
}

int
main(void)
{
	facts_init();
	test_question();
	test_recipient();
	test_given_up();
	test_session();
	test_order();
	test_failure();
	test_condition_fails();
	test_accept_waits();
	TEST_DONE();
}
