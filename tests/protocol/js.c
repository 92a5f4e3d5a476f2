/*
 * js rules on the wire: a host in a process of its own answers by the name of
 * the function that is called.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/policy_text.h"
#include "runtime/js_host.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/milter.h"
#include "runtime/policy.h"
#include "runtime/socket.h"
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

#define CALL(function) "call \"hooks.mjs#" function "\" timeout 1s "

static const char policy[] =
    "milt 1\n"
    "js rule client { at connect when client.ip in 192.0.2.0/24\n"
    "  " CALL(
	"refuse") "on failure ignore may reject }\n"
		  "js rule helo { when helo is \"x\" " CALL(
		      "later") "\n"
			       "  on failure ignore may tempfail }\n"
			       "js rule to { when recipient.local matches "
			       "/^user-(?<n>\\d+)$/\n"
			       "  " CALL(
				   "odd") "on failure tempfail \"no answer for "
					  "{n}\"\n"
					  "  may reject }\n"
					  "js rule again { when header.subject "
					  "is \"again\" " CALL(
					      "count") "\n"
						       "  on failure ignore }\n"
						       "js rule effects { when "
						       "header.subject is "
						       "\"effects\"\n"
						       "  " CALL(
							   "effects") "on "
								      "failure "
								      "tempfail"
								      " needs "
								      "body }\n"
								      "js rule "
								      "late { "
								      "when "
								      "header."
								      "subject "
								      "is "
								      "\"late\""
								      " " CALL(
									  "noth"
									  "ing_"
									  "at_"
									  "all") " on failure reject 554 5.6.0 \"failed\" }\n"
										 "js rule bad { when header.subject is \"bad\" " CALL(
										     "crlf") " on failure reject 554 \"failed\" may reject }\n";

/* ---- the host -------------------------------------------------------------
 */

static struct str
capture(const struct milt_question *q, const char *name)
{
	for (size_t i = 0; i < q->capture_count; i++)
		if (str_eq(q->capture_names[i], str_from(name)))
			return q->captures[i];
	return STR("");
}

/* Refuses users with odd numbers; the number 13 has no answer. */
static void
answer_odd(const struct milt_question *q, struct milt_reply *r)
{
	struct str n = capture(q, "n");

	if (str_eq(n, STR("13")))
		*r = (struct milt_reply){ .kind = REPLY_FAILURE,
			.failure = "timeout" };
	else if (n.n && n.p[n.n - 1] % 2)
		r->verdict = ACTION_REJECT;
	else
		r->kind = REPLY_NOTHING;
}

/* The body of the question's message, as a value of a header field. */
static struct str
body_text(struct milt_session *s)
{
	struct fact_value v;

	if (facts_get(milt_session_facts(s), ATTR_BODY_RAW, STR(""), 0, &v) !=
	    FACT_THERE)
		return STR("none");
	return v.text;
}

static void
answer_effects(struct milt_session *s)
{
	const struct milt_change changes[] = {
		{ .action = ACTION_ADD_HEADER,
		    .name = STR("X-Body"),
		    .value = body_text(s) },
		{ .action = ACTION_REMOVE_RECIPIENT, .value = STR("b@d.test") },
		{ .action = ACTION_REPLACE_BODY, .value = STR("new") },
	};
	struct milt_reply r = {
		.kind = REPLY_ANSWER, .changes = changes, .change_count = 3
	};

	(void)milt_session_reply(s, &r);
}

static _Atomic int calls;

static void
ask(const void *connection, struct milt_session *s,
    const struct milt_question *q)
{
	struct str f = image_text(milt_session_image(s), q->js->function);
	struct str lines[2] = { STR("a\r\n250 b"), q->recipient };
	struct milt_reply r = { .kind = REPLY_ANSWER, .lines = lines };

	if (str_eq(f, STR("effects"))) {
		answer_effects(s);
		return;
	}
	if (str_eq(f, STR("nothing_at_all")) || !connection)
		return;
	if (str_eq(f, STR("odd")))
		answer_odd(q, &r);
	else if (str_eq(f, STR("later")))
		r.verdict = ACTION_TEMPFAIL;
	else if (str_eq(f, STR("count")))
		r.verdict = ++calls > 1 ? ACTION_DISCARD : ACTION_ACCEPT;
	else
		r.verdict = ACTION_REJECT;
	r.line_count = str_eq(f, STR("crlf"));
	(void)milt_session_reply(s, &r);
}

static void
closed(const void *connection)
{
	log_say(LEVEL_INFO, "closed %d", connection != NULL);
}

static const struct js_host host = { .ask = ask, .closed = closed };

static _Noreturn void
serve(const struct filter *f)
{
	struct listen_options options = {
		.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1
	};
	struct listener listener;
	struct policy *p;
	const char *what;
	char why[256];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!freopen(f->log, "a", stderr))
		_exit(3);
	log_open(LOG_TO_STDERR, LOG_PLAIN, false);
	conn_set_js(&host);
	if (policy_load(f->policy, compile_policy, stderr, &p) != MILT_OK ||
	    !listener_open(f->where, &options, &listener, why, sizeof(why)))
		_exit(3);
	policy_set(p);
	if (milter_open(listener.fd, &what))
		milter_serve();
	_exit(3);
}

static bool
answers(const struct filter *f)
{
	struct mta m;
	bool ok = mta_open(&m, f->where, 30000) &&
		  mta_negotiate(&m, &mta_offer_postfix);

	mta_close(&m);
	return ok;
}

static bool
start_host(struct filter *f)
{
	strcpy(f->dir, "/tmp/milt-test.XXXXXX");
	if (!mkdtemp(f->dir))
		return false;
	snprintf(f->where, sizeof(f->where), "unix:%s/socket", f->dir);
	snprintf(f->policy, sizeof(f->policy), "%s/policy.milt", f->dir);
	snprintf(f->log, sizeof(f->log), "%s/log", f->dir);
	filter_write(f, policy);
	fflush(stdout);
	f->pid = fork();
	if (f->pid == 0)
		serve(f);
	for (int i = 0; f->pid > 0 && i < 6000; i++) {
		if (access(f->where + 5, F_OK) == 0 && answers(f))
			return true;
		if (!filter_is_alive(f))
			break;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	filter_print_log(f);
	return false;
}

static void
stop_host(struct filter *f)
{
	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	unlink(f->where + 5);
	unlink(f->policy);
	unlink(f->log);
	rmdir(f->dir);
}

/* ---- what the MTA sees ----------------------------------------------------
 */

static struct filter f;

static void
gives(const struct letter *l, const char *want)
{
	CHECK_STR(letter_text(&f, l), want);
}

static void
test_verdicts(void)
{
	gives(&(struct letter){ 0 }, "accept at eoh");
	gives(&(struct letter){ .client = "192.0.2.1" },
	    "reject 550 5.7.1 Refused at mail");
	gives(&(struct letter){ .helo = "x" },
	    "tempfail 451 4.7.1 Temporary failure, try again later at rcpt");
	gives(&(struct letter){ .header = "Subject: bad\n" },
	    "reject 550 5.7.1 a  250 b at eoh");
}

static void
test_recipients(void)
{
	gives(&(struct letter){ .to = { "<user-1@d.test>", "<user-2@d.test>",
				    "<user-13@d.test>", "<x@d.test>" } },
	    "accept at eoh | 550 5.7.1 Refused; ok; 451 4.7.1 no answer for "
	    "13; ok");
	CHECK(filter_wait_log(&f, "question rule=to", 1));
	CHECK(filter_wait_log(
	    &f, " to=<user-13@d.test> failure=\"timeout\" time=", 1));
}

static void
test_effects(void)
{
	gives(&(struct letter){ .header = "Subject: effects\n",
		  .to = { "<a@d.test>", "<B@d.test>" },
		  .body = "old\r\n" },
	    "accept at eom | to -<B@d.test>; add MIME-Version: 1.0; add "
	    "Content-Type: text/plain; charset=utf-8; add "
	    "Content-Transfer-Encoding: 8bit; add X-Body: old; body new\\r\\n");
}

static void
test_no_answer(void)
{
	gives(&(struct letter){ .header = "Subject: late\n" },
	    "reject 554 5.6.0 failed at eoh");
	CHECK(filter_wait_log(&f, "failure=\"no answer\"", 1));
}

/* The next message is asked for anew. */
static void
test_again(void)
{
	struct letter l = { .header = "Subject: again\n" };
	struct mta_outcome o;
	struct mta m;

	CHECK(letter_open(&m, f.where, &l));
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o), "accept at eoh");
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o), "discard at eoh");
	mta_quit(&m);
	CHECK(filter_wait_log(&f, "closed 1", 1));
}

int
main(void)
{
	facts_init();
	CHECK(start_host(&f));
	if (test_failures)
		TEST_DONE();
	test_verdicts();
	test_recipients();
	test_effects();
	test_no_answer();
	test_again();
	CHECK(filter_is_alive(&f));
	if (getenv("JS_LOG"))
		filter_print_log(&f);
	stop_host(&f);
	TEST_DONE();
}
