/*
 * Messages that wait for their answer (the action `delay`).  Each one keeps a
 * thread of libmilter's, so there are only so many at a time; nudge.h is what
 * keeps them from delaying other sessions.
 */
#ifndef RUNTIME_DELAY_H
#define RUNTIME_DELAY_H

#include <libmilter/mfapi.h>
#include <stdbool.h>

enum delay_end {
	DELAY_OVER,    /* waited, or the daemon stops */
	DELAY_CROWDED, /* too many wait already: not waited */
	DELAY_LEFT,    /* the MTA has left */
};

/* At the end of a message; tells the MTA from time to time that we live. */
enum delay_end delay_wait(SMFICTX *, long long milliseconds);

/* How many wait.  Any thread, as all here. */
unsigned long delay_waiting(void);

/* The daemon stops: ends all waits, and those that would begin. */
void delay_stop(void);

#endif
