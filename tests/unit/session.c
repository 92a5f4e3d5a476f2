/* Sessions as a host drives them: what the text cases cannot say. */
#include "compiler/compile.h"
#include "runtime/session.h"
#include "tests/unit/test.h"

static struct compilation compiled;
static struct milt_image *image;
static struct milt_session *session;

static bool
start(const char *policy)
{
	CHECK(milt_compile_text(
		  &compiled, STR("p.milt"), str_from(policy), NULL) == MILT_OK);
	CHECK(milt_image_load(compiled.image, compiled.image_size, &image,
		  NULL) == MILT_OK);
	session = milt_session_new(image);
	return session != NULL;
}

static void
stop(void)
{
	milt_session_free(session);
	milt_image_free(image);
	milt_compile_free(&compiled);
}

static struct milt_answer
answer(void)
{
	struct milt_answer a;

	while (milt_session_answer(session, &a) == MILT_QUESTION)
		facts_clock(milt_session_facts(session), 0);
	return a;
}

static struct milt_answer
mail(void)
{
	milt_session_begin(session, STAGE_MAIL);
	(void)facts_mail(
	    milt_session_facts(session), STR("<a@b.test>"), NULL, 0);
	return answer();
}

static struct milt_answer
rcpt(const char *path)
{
	milt_session_begin(session, STAGE_RCPT);
	(void)facts_rcpt(milt_session_facts(session), str_from(path), NULL, 0);
	return answer();
}

static struct milt_answer
stage(enum milt_stage at)
{
	milt_session_begin(session, at);
	return answer();
}

/* RFC 5321 4.5.3.1.10: beyond the limit 452. */
static void
too_many_recipients(void)
{
	struct milt_answer a = { .kind = ANSWER_CONTINUE };

	if (!start("milt 1\nrule r { when count(recipients) > 3 discard }\n"))
		return;
	mail();
	for (size_t i = 0; i < LIMIT_VALUE_RECIPIENTS; i++)
		if (a.kind == ANSWER_CONTINUE)
			a = rcpt("<c@d.test>");
	CHECK(a.kind == ANSWER_CONTINUE);
	a = rcpt("<c@d.test>");
	CHECK(a.kind == ANSWER_TEMPFAIL && a.code == 452);
	CHECK_STR(a.xcode, "4.5.3");
	CHECK_STR(a.lines[0], "Too many recipients");
	CHECK(a.decided && a.speaker.failure);
	CHECK(stage(STAGE_DATA).kind == ANSWER_DISCARD);
	stop();
}

/* A refusal that ended the session is given again, whatever comes. */
static void
refused_session(void)
{
	struct milt_answer a;

	if (!start("milt 1\nrule r { at connect when client.ip in "
		   "192.0.2.0/24 reject 554 5.7.1 \"no {client.ip}\" }\n"))
		return;
	for (int round = 0; round < 2; round++) {
		struct ip ip;

		CHECK(ip_parse(STR("192.0.2.7"), &ip));
		milt_session_begin(session, STAGE_CONNECT);
		(void)facts_client(
		    milt_session_facts(session), STR(""), false, &ip, 1);
		a = answer();
		CHECK(a.kind == ANSWER_REJECT && a.decided);
		a = mail();
		CHECK(a.kind == ANSWER_REJECT && !a.decided);
		CHECK_STR(a.lines[0], "no 192.0.2.7");
		a = rcpt("<c@d.test>");
		CHECK(a.kind == ANSWER_REJECT && a.code == 554);
	}
	stop();
}

/* A peer may leave out and repeat what it wants. */
static void
any_order(void)
{
	static const enum milt_stage order[] = { STAGE_MESSAGE, STAGE_DATA,
		STAGE_DATA, STAGE_RCPT, STAGE_HEADERS, STAGE_RCPT, STAGE_MAIL,
		STAGE_MESSAGE, STAGE_HELO, STAGE_HEADERS, STAGE_CONNECT,
		STAGE_RCPT, STAGE_MESSAGE, STAGE_MESSAGE };
	size_t n = sizeof(order) / sizeof(*order);

	if (!start("milt 1\n"
		   "rule a { when recipient.local is \"x\" accept }\n"
		   "rule b { when header.subject is \"x\" log \"x\" }\n"
		   "rule c { when helo is \"x\" reject 550 5.7.1 \"no\" }\n"
		   "rule d { when body.size > 1 add header \"X\" \"y\" }\n"))
		return;
	for (size_t i = 0; i < n * n; i++) {
		struct milt_answer a = stage(order[i % n]);

		a = stage(order[(i * 5 + i / n) % n]);
		CHECK(a.kind == ANSWER_CONTINUE || a.kind == ANSWER_ACCEPT);
	}
	stop();
}

int
main(void)
{
	too_many_recipients();
	refused_session();
	any_order();
	TEST_DONE();
}
