/* js rules: what a host may answer, and what becomes of it. */
#include "runtime/edits.h"
#include "tests/unit/js_session.h"

/* A reply that is a failure, whatever it is called. */
struct bad {
	const char *why;
	struct milt_reply reply;
};

#define CHANGE(...) \
	(const struct milt_change[]){ { __VA_ARGS__ } }, .change_count = 1

/* Each gives the rule's on failure, whatever it was called. */
static void
test_bad(void)
{
	const struct str a_line = STR("text");
	const struct milt_change header = {
		.action = ACTION_ADD_HEADER, .name = STR("X"), .value = STR("y")
	};
	const struct bad bad[] = {
		{ "not permitted by may",
		    { .kind = REPLY_ANSWER, .verdict = ACTION_DISCARD } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER, .verdict = ACTION_LOG } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER, .verdict = ACTION_COUNT } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_REJECT,
					  .code = 450 } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_REJECT,
					  .code = 5 } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_TEMPFAIL,
					  .code = 550 } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_REJECT,
					  .xcode = STR("4.7.1") } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_REJECT,
					  .xcode = STR("5.7.1 x") } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_ACCEPT,
					  .code = 250 } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .lines = &a_line,
					  .line_count = 1 } },
		{ "malformed answer", { .kind = REPLY_ANSWER,
					  .verdict = ACTION_REJECT,
					  .changes = &header,
					  .change_count = 1 } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_REJECT) } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_NONE) } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_SET_HEADER,
			    .value = STR("y")) } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_INSERT_HEADER,
			    .name = STR("X"), .index = -1) } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_ADD_RECIPIENT,
			    .value = STR("no")) } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_ADD_RECIPIENT,
			    .value = STR("<>")) } },
		{ "malformed answer",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_DELAY,
			    .milliseconds = 1) } },
		{ "changes a body that it does not need",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_PREPEND_TEXT,
			    .value = STR("x")) } },
		{ "the answer is too large", { .kind = REPLY_ANSWER,
						 .verdict = ACTION_REJECT,
						 .lines = &a_line,
						 .line_count = 33 } },
		{ "the answer is too large", { .kind = REPLY_ANSWER,
						 .logs = &a_line,
						 .log_count = 1001 } },
		{ "the answer is too large",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_ADD_HEADER,
			    .name = STR("X"),
			    .value = { "", (size_t)17 << 20 }) } },
		{ "the answer is too large",
		    { .kind = REPLY_ANSWER,
			.changes = CHANGE(.action = ACTION_ADD_HEADER,
			    .name = STR("X"), .value = { "", SIZE_MAX }) } },
		{ "malformed answer", { .kind = REPLY_FAILURE } },
	};
	struct milt_answer a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (!start(ONE("r", "", "may accept, reject, tempfail")))
			return;
		CHECK(upto(STAGE_CONNECT, &a) == MILT_QUESTION);
		CHECK_STR(reply(&bad[i].reply), bad[i].why);
		CHECK(upto(STAGE_RCPT, &a) == MILT_QUESTION);
		CHECK_STR(reply(&bad[i].reply), bad[i].why);
		for (int s = STAGE_HELO; s <= STAGE_RCPT; s++)
			CHECK(stage((enum milt_stage)s, &a) == MILT_OK);
		CHECK(a.kind == ANSWER_TEMPFAIL && a.speaker.failure);
		CHECK_STR(a.xcode, "4.7.5");
		stop();
	}
}

/* ---- effects --------------------------------------------------------------
 */

/* As a line each: kind, index, name, value. */
static struct str
edits_text(struct arena *a)
{
	const struct edit *e;
	struct str s = STR("");
	size_t n = 0;

	CHECK(milt_edits(session, &e, &n) == MILT_OK);
	for (size_t i = 0; i < n; i++)
		s = arena_printf(a, "%.*s%d %u %.*s: %.*s\n", STR_ARG(s),
		    e[i].kind, (unsigned)e[i].index, STR_ARG(e[i].name),
		    STR_ARG(e[i].value));
	return s;
}

static void
test_effects(void)
{
	const struct milt_change every[] = {
		{ .action = ACTION_QUARANTINE, .value = STR("why\r\nnot") },
		{ .action = ACTION_ADD_HEADER,
		    .name = STR("X A:"),
		    .value = STR(" a\r\nBcc: b ") },
		{ .action = ACTION_INSERT_HEADER,
		    .name = STR("X-I"),
		    .value = STR("i"),
		    .index = 1 },
		{ .action = ACTION_SET_HEADER,
		    .name = STR("X-S"),
		    .value = STR("\xc3\xa4") },
		{ .action = ACTION_REMOVE_HEADER,
		    .name = STR("X-Old"),
		    .value = STR("ignored") },
		{ .action = ACTION_ADD_RECIPIENT, .value = STR("new@d.test") },
		{ .action = ACTION_REMOVE_RECIPIENT,
		    .value = STR("<C@D.test>") },
		{ .action = ACTION_SET_SENDER, .value = STR("<>") },
		{ .action = ACTION_REPLACE_BODY, .value = STR("a\nb\xff") },
	};
	struct str logs[] = { STR("one\n"), STR("two") };
	struct milt_reply r = { .kind = REPLY_ANSWER,
		.verdict = ACTION_ACCEPT,
		.changes = every,
		.change_count = sizeof(every) / sizeof(*every),
		.logs = logs,
		.log_count = 2 };
	const struct milt_change *changes;
	const struct milt_note *notes;
	struct milt_answer a;
	struct arena arena;

	if (!start(ONE("r", "", "needs body")))
		return;
	CHECK(upto(STAGE_MESSAGE, &a) == MILT_QUESTION);
	CHECK(milt_session_question(session)->js->flags == JS_BODY);
	CHECK_STR(reply(&r), "");
	CHECK(evaluate(&a) == MILT_OK);
	CHECK(a.kind == ANSWER_ACCEPT);
	CHECK(milt_session_changes(session, &changes) == r.change_count);
	CHECK_STR(changes[0].value, "why  not");
	CHECK_STR(changes[1].name, "X-A-");
	CHECK_STR(changes[8].value, "a\r\nb\xef\xbf\xbd\r\n");
	CHECK(milt_session_notes(session, &notes) == 2);
	CHECK_STR(notes[0].text, "one\\x0a");
	CHECK(notes[1].kind == NOTE_LOG);
	arena_init(&arena, 0, NULL);
	CHECK_STR(edits_text(&arena),
	    "2 0 : c@d.test\n0 0 : <>\n1 0 : new@d.test\n4 1 X-Old: \n"
	    "5 1 X-I: i\n6 0 MIME-Version: 1.0\n"
	    "6 0 Content-Type: text/plain; charset=utf-8\n"
	    "6 0 Content-Transfer-Encoding: 8bit\n6 0 X-A-: a  Bcc: b\n"
	    "6 0 X-S: =?UTF-8?b?w6Q=?=\n7 0 : why  not\n"
	    "8 0 : a\r\nb\xef\xbf\xbd\r\n\n");
	arena_free(&arena);
	stop();
}

int
main(void)
{
	facts_init();
	test_bad();
	test_effects();
	TEST_DONE();
}
