/*
 * Signals belong to the main thread: all are blocked before the first thread
 * starts, and taken with sigtimedwait.  HUP and USR1 reload, TERM and INT
 * stop.  What comes while they are blocked is taken later.
 */
#ifndef RUNTIME_SIGNALS_H
#define RUNTIME_SIGNALS_H

enum signal_event { SIGNAL_NONE, SIGNAL_RELOAD, SIGNAL_STOP };

/*
 * While the first policy is read: TERM and INT end the process, which has made
 * nothing yet.
 */
void signals_hold_reloads(void);
/* Before what TERM would leave behind is made: sockets, the pid file. */
void signals_block(void);
/* Waits at most so many milliseconds; for ever if negative. */
enum signal_event signals_wait(int ms);

/*
 * For a host whose signals are not ours: threads that are started in between
 * get none.
 */
void signals_hide(void);
void signals_show(void);

#endif
