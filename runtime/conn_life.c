/* When connections and their messages begin and end, and how many there are. */
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/conn.h"
#include "runtime/metrics.h"

static atomic_ulong connections, messages;

void
conn_begin_message(struct conn *c)
{
	conn_end_message(c);
	c->spent = 0;
	c->in_message = true;
	atomic_fetch_add(&messages, 1);
	metric_add(METRIC_MESSAGES);
}

void
conn_end_message(struct conn *c)
{
	if (c->session && c->in_message)
		milt_session_abort(c->session);
	if (c->in_message)
		atomic_fetch_sub(&messages, 1);
	c->in_message = c->headers = c->body = false;
	c->failed_message = NULL;
	c->id_length = 0;
	c->gathering = c->delayed = 0;
	free(c->held);
	c->held = NULL;
}

struct conn *
conn_new(void)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->policy = policy_get();
	atomic_fetch_add(&connections, 1);
	metric_add(METRIC_SESSIONS);
	return c;
}

void
conn_free(struct conn *c)
{
	if (!c)
		return;
	conn_closed(c);
	conn_end_message(c);
	milt_session_free(c->session);
	policy_put(c->policy);
	free(c);
	atomic_fetch_sub(&connections, 1);
}

unsigned long
conn_count(void)
{
	return atomic_load(&connections);
}

unsigned long
conn_messages(void)
{
	return atomic_load(&messages);
}
