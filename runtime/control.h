/*
 * The control socket, for milterctl: a line of JSON asks, lines of JSON
 * answer.
 *
 *	{"command":"status"}	what is running
 *	{"command":"rules"}	the rules of the policy, with their counts
 *	{"command":"reload"}	read the policy again; answers when it is done
 *	{"command":"trace","count":N,"client":P,"sender":P,"recipient":P,
 *	    "rule":P}		the next N transactions that match, a line each
 *
 * Each answer is an object with the member "ok"; where that is false, "error"
 * says why.
 */
#ifndef RUNTIME_CONTROL_H
#define RUNTIME_CONTROL_H

#include <stdbool.h>

/*
 * Serves a listening socket from threads of its own.  Called once signals are
 * blocked.  False if there can be none.
 */
bool control_serve(int fd);

#endif
