/*
 * Who answers js rules in a program that serves an MTA.  The program installs
 * it before it reads its policy: a policy with js rules is refused where there
 * is nobody (policy_load).
 */
#ifndef RUNTIME_JS_HOST_H
#define RUNTIME_JS_HOST_H

#include "runtime/session.h"

struct js_host {
	/*
	 * Answers by milt_session_reply before it returns, which it does
	 * within question->js->timeout milliseconds.  Without a reply the rule
	 * fails ("no answer").  Facts may be read (facts_get), nothing else of
	 * the session may be touched.
	 *
	 * Called on libmilter's threads, for several connections at a time,
	 * for one never twice at a time.  `connection` is a token: the same
	 * pointer until `closed`, and of no other connection so long.
	 */
	void (*ask)(const void *connection, struct milt_session *,
	    const struct milt_question *);
	/*
	 * The connection has ended: what still runs for it can be given up.
	 * On any thread, under libmilter's lock perhaps: it must not wait.
	 * Called for connections that were never asked for, too.  May be NULL.
	 */
	void (*closed)(const void *connection);
};

/* Borrowed for good.  Before there are sessions; NULL: nobody. */
void conn_set_js(const struct js_host *);
bool conn_has_js(void);

/* Gives every js rule its on failure: milterd --js=failure. */
extern const struct js_host js_host_failure;

#endif
