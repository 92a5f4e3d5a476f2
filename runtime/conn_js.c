/* The questions of a connection's session. */
#include "runtime/conn.h"
#include "runtime/decision.h"
#include "runtime/js_host.h"
#include "runtime/metrics.h"

static const struct js_host *host;

void
conn_set_js(const struct js_host *h)
{
	host = h;
}

bool
conn_has_js(void)
{
	return host != NULL;
}

static void
fail(struct milt_session *s, const char *why)
{
	struct milt_reply r = { .kind = REPLY_FAILURE, .failure = why };

	(void)milt_session_reply(s, &r);
}

static void
ask_nobody(const void *connection, struct milt_session *s,
    const struct milt_question *q)
{
	(void)connection;
	(void)q;
	fail(s, "no host");
}

const struct js_host js_host_failure = { .ask = ask_nobody };

void
conn_closed(const struct conn *c)
{
	if (host && host->closed)
		host->closed(c);
}

/* A reply that is none of the reply's affair makes the rule fail. */
static void
answer_js(struct conn *c, const struct milt_question *q)
{
	uint32_t rule = q->rule;
	uint64_t since = conn_clock(), ns;
	enum milt_reply_kind kind;
	const char *failure;

	(host ? host : &js_host_failure)->ask(c, c->session, q);
	if (milt_session_is_waiting(c->session))
		fail(c->session, "no answer");
	ns = conn_clock() - since;
	kind = milt_session_reply_kind(c->session);
	metric_question(kind, ns);
	failure = milt_session_reply_failure(c->session);
	if (!failure)
		return;
	metric_failure(failure);
	counts_add(c->policy->counts, rule, RULE_FAILED);
	log_question(c->session, (struct str){ c->id, c->id_length }, rule,
	    failure, (double)ns / 1e6);
}

void
conn_answer_question(struct conn *c)
{
	const struct milt_question *q = milt_session_question(c->session);

	switch (q->kind) {
	case QUESTION_CLOCK:
		metric_add(METRIC_QUESTIONS_CLOCK);
		facts_clock(
		    milt_session_facts(c->session), conn_milliseconds_utc());
		return;
	case QUESTION_JS:
		answer_js(c, q);
		return;
	}
}
