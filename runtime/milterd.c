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
#include "runtime/log.h"
#include "runtime/milter.h"
#include "runtime/nudge.h"
#include "runtime/policy.h"
#include "runtime/signals.h"

/* Descriptors for all but sessions; the fewest with which we start. */
enum { FILES_RESERVED = 64, FILES_NEEDED = 256, FILES_WANTED = 4096 };

static const char default_socket[] = "unix:/run/milt/milt.sock";

/* ---- the policy ---------------------------------------------------------- */

static enum milt_status
compile(const char *path, FILE *diagnostics, void **image, size_t *size)
{
	static const struct compile_options options = { .lint = false };
	struct compilation c;
	enum milt_status s = milt_compile(&c, path, &options);

	diags_print(&c.diags, diagnostics,
	    diagnostics == stderr && isatty(STDERR_FILENO));
	if (s == MILT_NO_MEMORY)
		fprintf(diagnostics, "%s: error: not enough memory\n", path);
	if (s == MILT_OK) {
		*image = c.image;
		*size = c.image_size;
		c.image = NULL;
	}
	milt_compile_free(&c);
	return s;
}

static void
log_policy(const char *what, const struct policy *p)
{
	const struct milt_image *im = p->image;
	char regexes[200] = "";

	if (im->count[SECTION_REGEXES] > 0)
		snprintf(regexes, sizeof(regexes), ", %u regexes%s%s",
		    (unsigned)im->count[SECTION_REGEXES],
		    im->jit ? " as machine code" : " interpreted: ",
		    im->jit         ? ""
		    : im->jit_error ? im->jit_error
				    : "no JIT");
	log_say(LEVEL_INFO, "%s %s: %u rules, hash %016llx%s", what, p->path,
	    (unsigned)im->count[SECTION_RULES] - 1,
	    (unsigned long long)im->header->policy, regexes);
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

static void
log_lines(char *text)
{
	char *rest = NULL;

	for (char *l = strtok_r(text, "\n", &rest); l;
	     l = strtok_r(NULL, "\n", &rest))
		log_say(LEVEL_ERROR, "%s", l);
}

static void
reload(const struct arguments *o)
{
	struct policy *p = NULL;
	char *text = NULL;
	size_t n = 0;
	FILE *diagnostics = open_memstream(&text, &n);
	enum milt_status s = MILT_NO_MEMORY;

	if (diagnostics) {
		s = policy_load(o->policy, compile, diagnostics, &p);
		if (fclose(diagnostics) != 0)
			text = NULL;
	}
	if (text)
		log_lines(text);
	free(text);
	if (s != MILT_OK) {
		log_say(LEVEL_ERROR,
		    "%s is not used: the policy read before stays", o->policy);
		return;
	}
	log_policy("policy", p);
	policy_set(p);
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

/*
 * libmilter's own way to stop drops open sessions.  Ours: no new connections,
 * wait for the open ones, leave without libmilter's knowledge.
 */
static _Noreturn void
drain(const struct arguments *o, const struct listener *l)
{
	enum { TICK = 100 };
	unsigned long ticks = o->drain * 1000 / TICK;
	unsigned quiet = 0;

	log_say(LEVEL_INFO, "stopping: %lu open sessions, at most %lu s",
	    milter_sessions(), o->drain);
	process_notify("STOPPING=1");
	listener_unlink(l);
	if (!listener_retire(l))
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

static _Noreturn void
govern(const struct arguments *o, const struct listener *l)
{
	bool replaced = false;

	for (;;) {
		switch (signals_wait(replaced ? 1000 : -1)) {
		case SIGNAL_RELOAD:
			reload(o);
			break;
		case SIGNAL_STOP:
			drain(o, l);
		case SIGNAL_NONE:
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

static struct listener
open_listener(const struct arguments *o, const char **spec)
{
	struct listener l;
	char why[512];
	int passed = process_passed_sockets();

	*spec = o->socket;
	if (!*spec && passed > 1)
		milterd_fail(EXIT_SYSTEM,
		    "systemd passed %d sockets; one is wanted", passed);
	if (!*spec)
		*spec = passed == 1 ? "fd:3" : default_socket;
	if (!listener_open(*spec, &o->listen, &l, why, sizeof(why)))
		milterd_fail(EXIT_SYSTEM, "%s", why);
	if (l.path[0] && o->listen.mode & S_IWOTH)
		log_say(LEVEL_WARNING,
		    "every user of this machine can speak as the MTA on %s",
		    *spec);
	return l;
}

/* From here on a failure leaves no socket behind. */
static _Noreturn void
give_up(const struct listener *l, const char *what, const char *why)
{
	listener_unlink(l);
	pidfile_remove();
	milterd_fail(EXIT_SYSTEM, "%s: %s", what, why);
}

int
main(int argc, char **argv)
{
	struct arguments o;
	struct listener l;
	struct policy *p;
	const char *spec, *why;

	if (!process_standard_files())
		return EXIT_SYSTEM;
	o = arguments_parse(argc, argv);
	p = first_policy(&o);
	if (o.check) {
		policy_free(p);
		return EXIT_OK;
	}
	raise_files();
	l = open_listener(&o, &spec);
	if (o.daemon && !process_detach(EXIT_SYSTEM))
		give_up(&l, "cannot go into the background", strerror(errno));
	if (o.pidfile && !pidfile_write(o.pidfile))
		give_up(&l, o.pidfile, strerror(errno));
	if (!identity_become(&o.user))
		give_up(&l, "cannot become the user", strerror(errno));
	signals_block();
	log_open(o.log, o.verbose);
	if (geteuid() == 0)
		log_say(LEVEL_WARNING, "running as root; --user is safer");
	log_policy("milterd " MILT_VERSION ", policy", p);
	policy_set(p);
	if (!milter_open(l.fd, &why))
		give_up(&l, spec, why);
	start_serving();
	nudge_start(l.fd);
	log_say(LEVEL_INFO, "listening on %s", spec);
	process_ready(!o.log_given || o.log == LOG_TO_SYSLOG);
	govern(&o, &l);
}
