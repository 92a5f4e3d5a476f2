/*
 * milterd: decides mail by a policy, attached to an MTA as a milter.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/policy_text.h"
#include "dsl/source.h"
#include "runtime/arguments.h"
#include "runtime/facts.h"
#include "runtime/js_host.h"
#include "runtime/limits.h"
#include "runtime/log.h"
#include "runtime/milter.h"
#include "runtime/policy.h"
#include "runtime/reload.h"
#include "runtime/service.h"
#include "runtime/signals.h"

/* ---- the policy ---------------------------------------------------------- */

static policy_compiler *compile; /* before there are threads */

/* Read with the rights with which it will be read again at HUP. */
static struct policy *
first_policy(const struct arguments *o)
{
	struct policy *p = NULL;
	enum milt_status s;

	if (!identity_borrow(&o->user))
		milterd_fail(
		    EXIT_SYSTEM, "cannot become the user: %s", strerror(errno));
	s = policy_load(o->policy, compile, stderr, &p);
	if (!identity_return())
		milterd_fail(EXIT_SYSTEM, "cannot become root again: %s",
		    strerror(errno));
	if (s == MILT_OK)
		return p;
	exit(s == MILT_INVALID || s == MILT_OTHER_TABLES ? EXIT_POLICY
							 : EXIT_SYSTEM);
}

/* ---- serving ------------------------------------------------------------- */

/* The main thread, to reload. */
static void
wake(void)
{
	(void)kill(getpid(), SIGUSR1);
}

static void
gave_up(void)
{
	_exit(EXIT_SYSTEM);
}

/*
 * Until no session is within a message, and a moment longer: one session whose
 * client is idle must not keep away the milterd that comes next.
 */
static void
wait_for_sessions(unsigned long seconds)
{
	enum { TICK = 100, IDLE = 2000 };
	unsigned long ticks = seconds * 1000 / TICK;
	unsigned quiet = 0, idle = 0;

	/* A connection that was accepted is a session a moment later. */
	for (unsigned long i = 0; i < ticks && quiet < 2 && idle < IDLE / TICK;
	     i++) {
		if (signals_wait(TICK) == SIGNAL_STOP) {
			log_say(LEVEL_WARNING, "stopping at once");
			return;
		}
		quiet = milter_sessions() == 0 ? quiet + 1 : 0;
		idle = milter_messages() == 0 ? idle + 1 : 0;
	}
}

/* Ends in good order, and leaves without libmilter's knowledge. */
static _Noreturn void
drain(const struct arguments *o)
{
	log_say(LEVEL_INFO,
	    "stopping: %lu open sessions, %lu within a message, at most %lu s",
	    milter_sessions(), milter_messages(), o->drain);
	process_notify("STOPPING=1");
	service_retire();
	wait_for_sessions(o->drain);
	if (milter_sessions() > 0)
		log_say(LEVEL_WARNING,
		    "%lu sessions are cut off, %lu within a message",
		    milter_sessions(), milter_messages());
	pidfile_remove();
	log_say(LEVEL_INFO, "stopped");
	/* Other threads still run: nothing is torn down under them. */
	_exit(EXIT_OK);
}

/* Milliseconds between looks at what waits for nobody's signal. */
enum { LOOK = 1000 };

static _Noreturn void
govern(const struct arguments *o)
{
	bool replaced = false;

	for (;;) {
		bool look = replaced || reload_is_watching();

		switch (signals_wait(look ? LOOK : -1)) {
		case SIGNAL_RELOAD:
			reload_now();
			break;
		case SIGNAL_STOP:
			drain(o);
		case SIGNAL_NONE:
			if (reload_is_due())
				reload_now();
			break;
		}
		replaced = policy_reap();
	}
}

/* ---- starting ------------------------------------------------------------ */

/* From here on a failure leaves no socket behind. */
static _Noreturn void
give_up(const char *what, const char *why)
{
	service_unlink();
	pidfile_remove();
	milterd_fail(EXIT_SYSTEM, "%s: %s", what, why);
}

int
main(int argc, char **argv)
{
	struct arguments o;
	struct service service;
	struct policy *p;
	char why[512];

	if (!process_standard_files())
		return EXIT_SYSTEM;
	o = arguments_parse(argc, argv);
	source_guard = !o.listen.allow_world;
	compile = o.strict ? compile_policy_strict : compile_policy;
	if (o.js_failure)
		conn_set_js(&js_host_failure);
	if (!o.check)
		signals_hold_reloads();
	p = first_policy(&o);
	if (o.check) {
		policy_free(p);
		return EXIT_OK;
	}
	signals_block();
	service = (struct service){ o.socket, o.metrics, o.control, o.listen,
		o.user.uid, o.user.gid };
	if (!service_raise_files(why, sizeof(why)) ||
	    !service_open(&service, why, sizeof(why)))
		milterd_fail(EXIT_SYSTEM, "%s", why);
	if (o.daemon && !process_detach(EXIT_SYSTEM))
		give_up("cannot go into the background", strerror(errno));
	if (o.pidfile && !pidfile_write(o.pidfile))
		give_up(o.pidfile, strerror(errno));
	if (!identity_become(&o.user))
		give_up("cannot become the user", strerror(errno));
	log_open(o.log, o.format, o.verbose);
	if (geteuid() == 0)
		log_say(LEVEL_WARNING, "running as root; --user is safer");
	facts_budget.limit = o.memory;
	facts_budget.refused = limit_counter(LIMIT_TOTAL_MEMORY);
	reload_open(o.policy, compile, wake);
	reload_first("milterd", p);
	if (!service_start(&service, gave_up, why, sizeof(why))) {
		pidfile_remove();
		milterd_fail(EXIT_SYSTEM, "%s", why);
	}
	process_ready(!o.log_given || o.log != LOG_TO_STDERR);
	govern(&o);
}
