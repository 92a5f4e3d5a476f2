#include "runtime/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static sigset_t ours;
static _Thread_local sigset_t shown;

/*
 * libmilter has a thread that waits for HUP, TERM and INT and stops at each of
 * them, in a way that drops open sessions.  It waits with sigwait(3), which an
 * executable may define itself (ELF interposition), as may a module that holds
 * libmilter: here that thread sleeps for ever.
 */
int
sigwait(const sigset_t *set, int *sig)
{
	(void)set;
	(void)sig;
	for (;;)
		pause();
}

void
signals_hold_reloads(void)
{
	sigemptyset(&ours);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
}

void
signals_block(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	signals_hold_reloads();
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

void
signals_hide(void)
{
	sigset_t all;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &shown);
}

void
signals_show(void)
{
	(void)pthread_sigmask(SIG_SETMASK, &shown, NULL);
}

enum signal_event
signals_wait(int ms)
{
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };
	int sig = ms < 0 ? sigwaitinfo(&ours, NULL)
			 : sigtimedwait(&ours, NULL, &wait);

	switch (sig) {
	case SIGHUP:
	case SIGUSR1:
		return SIGNAL_RELOAD;
	case SIGTERM:
	case SIGINT:
		return SIGNAL_STOP;
	default:
		return SIGNAL_NONE;
	}
}
