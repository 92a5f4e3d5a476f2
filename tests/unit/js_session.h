/* A session of a policy with js rules, and a transaction for it. */
#ifndef TESTS_UNIT_JS_SESSION_H
#define TESTS_UNIT_JS_SESSION_H

#include "compiler/compile.h"
#include "runtime/session.h"
#include "tests/unit/test.h"

static struct compilation compiled;
static struct milt_image *image;
static struct milt_session *session;

static inline bool
start(const char *policy)
{
	CHECK(milt_compile_text(
		  &compiled, STR("p.milt"), str_from(policy), NULL) == MILT_OK);
	CHECK(milt_image_load(compiled.image, compiled.image_size, &image,
		  NULL) == MILT_OK);
	session = milt_session_new(image);
	return session != NULL;
}

static inline void
stop(void)
{
	milt_session_free(session);
	milt_image_free(image);
	milt_compile_free(&compiled);
}

static inline enum milt_status
evaluate(struct milt_answer *out)
{
	return milt_session_answer(session, out);
}

/* A stage with its usual facts; the status of its evaluation. */
static inline enum milt_status
stage(enum milt_stage at, struct milt_answer *out)
{
	struct facts *f = milt_session_facts(session);
	struct ip ip;

	milt_session_begin(session, at);
	switch (at) {
	case STAGE_CONNECT:
		(void)ip_parse(STR("192.0.2.1"), &ip);
		(void)facts_client(f, STR("mx.test"), true, &ip, 25);
		break;
	case STAGE_HELO:
		(void)facts_helo(f, STR("mx.test"));
		break;
	case STAGE_MAIL:
		(void)facts_mail(f, STR("<a@b.test>"), NULL, 0);
		break;
	case STAGE_RCPT:
		(void)facts_rcpt(f, STR("<c@d.test>"), NULL, 0);
		break;
	case STAGE_HEADERS:
		(void)facts_header(f, STR("Subject"), STR("invoice 12 of A"));
		(void)facts_header(f, STR("X-Old"), STR("1"));
		(void)facts_header(f, STR("X-Deep"),
		    STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"));
		break;
	case STAGE_MESSAGE:
		(void)facts_body(f, STR("text\r\n"));
		break;
	case STAGE_DATA:
	case STAGE_COUNT:
		break;
	}
	return evaluate(out);
}

/* From CONNECT to `last`; the status of that one. */
static inline enum milt_status
upto(enum milt_stage last, struct milt_answer *out)
{
	enum milt_status s = MILT_OK;

	for (int i = STAGE_CONNECT; i <= (int)last && s == MILT_OK; i++)
		s = stage((enum milt_stage)i, out);
	return s;
}

static inline const char *
asked(void)
{
	const struct milt_question *q = milt_session_question(session);

	CHECK(milt_session_is_waiting(session));
	CHECK(q->kind == QUESTION_JS);
	return image_text(image, image->rules[q->rule].name).p;
}

/* Is that rule asked? */
static inline bool
asks(const char *rule)
{
	return strncmp(asked(), rule, strlen(rule)) == 0;
}

/* Why the reply is a failure; or an empty string. */
static inline struct str
reply(const struct milt_reply *r)
{
	const char *why;

	CHECK(milt_session_reply(session, r) == MILT_OK);
	CHECK(!milt_session_is_waiting(session));
	why = milt_session_reply_failure(session);
	CHECK((milt_session_reply_kind(session) == REPLY_FAILURE) ==
	      (why != NULL));
	return str_from(why ? why : "");
}

static inline void
reply_nothing(void)
{
	CHECK_STR(reply(&(struct milt_reply){ .kind = REPLY_NOTHING }), "");
}

#define ONE(name, when, more)                                             \
	"milt 1\njs rule " name " { " when                                \
	" call \"hooks/a.mjs#check\" timeout 2s on failure tempfail 451 " \
	"4.7.5 \"later {client.name}\" " more " }\n"

#endif
