/*
 * Signals belong to the main thread: all are blocked before the first thread
 * starts, and taken with sigtimedwait.  HUP and USR1 reload, TERM and INT
 * stop.
 */
#ifndef RUNTIME_SIGNALS_H
#define RUNTIME_SIGNALS_H

enum signal_event { SIGNAL_NONE, SIGNAL_RELOAD, SIGNAL_STOP };

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
