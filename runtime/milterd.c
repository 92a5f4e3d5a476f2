/*
 * milterd: decides mail by a policy, attached to an MTA as a milter.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/compile.h"
#include "runtime/arguments.h"
#include "runtime/control.h"
#include "runtime/delay.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/milter.h"
#include "runtime/nudge.h"
#include "runtime/policy.h"
#include "runtime/reload.h"
#include "runtime/signals.h"
#include "runtime/limits.h"

/* Descriptors for all but sessions; the fewest with which we start. */
enum { FILES_RESERVED = 64, FILES_NEEDED = 256, FILES_WANTED = 4096 };

static const char default_socket[] = "unix:/run/milt/milt.sock";

/* ---- the policy ---------------------------------------------------------- */

static bool strict; /* before there are threads */

/* Paths of the lists that are watched; false with no memory. */
static bool
watched_lists(const struct compilation *c, char **out)
{
	size_t n = 0;
	FILE *f = open_memstream(out, &n);

	if (!f)
		return false;
	for (size_t i = 0; i < c->watched.n; i++) {
		fwrite(c->watched.v[i].p, 1, c->watched.v[i].n, f);
		putc(0, f);
	}
	putc(0, f);
	return fclose(f) == 0;
}

static enum milt_status
compile(const char *path, FILE *diagnostics, struct policy_text *out)
{
	struct compile_options options = { .lint = strict };
	struct compilation c;
	enum milt_status s = milt_compile(&c, path, &options);

	diags_print(&c.diags, diagnostics,
	    diagnostics == stderr && isatty(STDERR_FILENO));
	if (s == MILT_OK && strict && c.diags.warnings)
		s = MILT_INVALID;
	if (s == MILT_OK && !watched_lists(&c, &out->watched))
		s = MILT_NO_MEMORY;
	if (s == MILT_NO_MEMORY)
		fprintf(diagnostics, "%s: error: not enough memory\n", path);
	if (s == MILT_OK) {
		out->image = c.image;
		out->size = c.image_size;
		c.image = NULL;
	}
	milt_compile_free(&c);
	return s;
}

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

static void *
serve(void *arg)
{
	(void)arg;
	milter_serve();
	/* It never ends by itself, and nothing would answer any more. */
	log_say(LEVEL_ERROR, "libmilter has given up");
	_exit(EXIT_SYSTEM);
}

static void
start_serving(void)
{
	pthread_t thread;
	int e = pthread_create(&thread, NULL, serve, NULL);

	if (e != 0)
		milterd_fail(
		    EXIT_SYSTEM, "cannot start a thread: %s", strerror(e));
	pthread_detach(thread);
}

/* The sockets that are ours to close and remove. */
static struct {
	struct listener mta, metrics, control;
} sockets = {
	.mta = { .fd = -1 }, .metrics = { .fd = -1 }, .control = { .fd = -1 }
};

static void
unlink_sockets(void)
{
	listener_unlink(&sockets.mta);
	listener_unlink(&sockets.metrics);
	listener_unlink(&sockets.control);
}

/*
 * libmilter's own way to stop drops open sessions.  Ours: no new connections,
 * wait for the open ones, leave without libmilter's knowledge.
 */
static _Noreturn void
drain(const struct arguments *o)
{
	enum { TICK = 100 };
	unsigned long ticks = o->drain * 1000 / TICK;
	unsigned quiet = 0;

	log_say(LEVEL_INFO, "stopping: %lu open sessions, at most %lu s",
	    milter_sessions(), o->drain);
	process_notify("STOPPING=1");
	delay_stop();
	unlink_sockets();
	if (!listener_retire(&sockets.mta))
		log_say(LEVEL_WARNING, "the socket stays open: %s",
		    strerror(errno));
	/* A connection that was accepted is a session a moment later. */
	for (unsigned long i = 0; i < ticks && quiet < 2; i++) {
		if (signals_wait(TICK) == SIGNAL_STOP) {
			log_say(LEVEL_WARNING, "stopping at once");
			break;
		}
		quiet = milter_sessions() == 0 ? quiet + 1 : 0;
	}
	if (milter_sessions() > 0)
		log_say(LEVEL_WARNING, "%lu sessions are cut off",
		    milter_sessions());
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
			reload_watched();
			break;
		}
		replaced = policy_reap();
	}
}

/* ---- starting ------------------------------------------------------------ */

static void
raise_files(void)
{
	unsigned long files = process_raise_files();

	if (files < FILES_NEEDED)
		milterd_fail(EXIT_SYSTEM,
		    "the limit on open files is %lu; %d is the least", files,
		    FILES_NEEDED);
	if (files < FILES_WANTED)
		log_say(LEVEL_WARNING,
		    "the limit on open files is %lu: each session needs "
		    "one, %d is a good value",
		    files, FILES_WANTED);
	milter_limit(files - FILES_RESERVED);
}

static void
open_sockets(const struct arguments *o, const char **spec)
{
	/* Whoever may speak to the control socket may stop mail. */
	struct listen_options control = {
		.mode = 0600, .uid = o->user.uid, .gid = o->user.gid
	};
	int passed = process_passed_sockets();
	char why[512];

	*spec = o->socket;
	if (!*spec && passed > 1)
		milterd_fail(EXIT_SYSTEM,
		    "systemd passed %d sockets; one is wanted", passed);
	if (!*spec)
		*spec = passed == 1 ? "fd:3" : default_socket;
	if (!listener_open(*spec, &o->listen, &sockets.mta, why, sizeof(why)) ||
	    (o->metrics && !listener_open(o->metrics, &o->listen,
			       &sockets.metrics, why, sizeof(why))) ||
	    (o->control && !listener_open(o->control, &control,
			       &sockets.control, why, sizeof(why)))) {
		unlink_sockets();
		milterd_fail(EXIT_SYSTEM, "%s", why);
	}
	if (sockets.mta.path[0] && o->listen.mode & S_IWOTH)
		log_say(LEVEL_WARNING,
		    "every user of this machine can speak as the MTA on %s",
		    *spec);
}

/* From here on a failure leaves no socket behind. */
static _Noreturn void
give_up(const char *what, const char *why)
{
	unlink_sockets();
	pidfile_remove();
	milterd_fail(EXIT_SYSTEM, "%s: %s", what, why);
}

static void
start_services(const struct arguments *o)
{
	if (o->metrics && !metrics_serve(sockets.metrics.fd))
		give_up(o->metrics, "cannot be served");
	if (o->control && !control_serve(sockets.control.fd))
		give_up(o->control, "cannot be served");
}

int
main(int argc, char **argv)
{
	struct arguments o;
	struct policy *p;
	const char *spec, *why;

	if (!process_standard_files())
		return EXIT_SYSTEM;
	o = arguments_parse(argc, argv);
	strict = o.strict;
	p = first_policy(&o);
	if (o.check) {
		policy_free(p);
		return EXIT_OK;
	}
	raise_files();
	open_sockets(&o, &spec);
	if (o.daemon && !process_detach(EXIT_SYSTEM))
		give_up("cannot go into the background", strerror(errno));
	if (o.pidfile && !pidfile_write(o.pidfile))
		give_up(o.pidfile, strerror(errno));
	if (!identity_become(&o.user))
		give_up("cannot become the user", strerror(errno));
	signals_block();
	log_open(o.log, o.format, o.verbose);
	if (geteuid() == 0)
		log_say(LEVEL_WARNING, "running as root; --user is safer");
	facts_budget.limit = o.memory;
	facts_budget.refused = limit_counter(LIMIT_TOTAL_MEMORY);
	reload_open(o.policy, compile);
	reload_first(p);
	if (!milter_open(sockets.mta.fd, &why))
		give_up(spec, why);
	start_services(&o);
	start_serving();
	nudge_start(sockets.mta.fd);
	log_say(LEVEL_INFO, "listening on %s", spec);
	process_ready(!o.log_given || o.log != LOG_TO_STDERR);
	govern(&o);
}
