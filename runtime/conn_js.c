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

unsigned long
js_generation(const void *connection)
{
	return ((const struct conn *)connection)->policy->serial;
}

bool
js_is_waited_for(const void *connection)
{
	SMFICTX *ctx = ((const struct conn *)connection)->waiting;

	return !ctx || smfi_progress(ctx) == MI_SUCCESS;
}

void
conn_closed(const struct conn *c)
{
	if (host && host->closed)
		host->closed(c);
}

static void
note_failure(struct conn *c, const struct question_record *q)
{
	metric_failure(q->failure);
	counts_add(c->policy->counts, q->rule, RULE_FAILED);
	log_question(q);
}

static void
answer_js(struct conn *c, const struct milt_question *q)
{
	uint64_t since = conn_clock(), ns;
	struct question_record record = {
		.session = c->session,
		.queue_id = { c->id, c->id_length },
		.rule = q->rule,
		.recipient = q->recipient,
	};

	(host ? host : &js_host_failure)->ask(c, c->session, q);
	if (milt_session_is_waiting(c->session))
		fail(c->session, "no answer");
	ns = conn_clock() - since;
	metric_question(milt_session_reply_kind(c->session), ns);
	record.failure = milt_session_reply_failure(c->session);
	record.ms = (double)ns / 1e6;
	if (record.failure)
		note_failure(c, &record);
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
