/*
 * Some builds of libmilter (Debian's) serve sessions from a pool of workers.
 * Sessions that become ready at the same moment may all be left to one worker;
 * if that one is busy, or reads a packet of which half has come, the others
 * wait until something new connects.  So we connect, at short intervals, while
 * there are sessions: what waits is then served within moments.
 */
#ifndef RUNTIME_NUDGE_H
#define RUNTIME_NUDGE_H

/*
 * Starts the thread that does it, if this libmilter needs it.  `fd` is the
 * listening socket; what is in its place later is nudged, too.  `sessions` says
 * how many are open.
 */
void nudge_start(int fd, unsigned long (*sessions)(void));

#endif
