#include "runtime/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dsl/tables.h"
#include "runtime/socket_spec.h"

static const char default_socket[] = "unix:/run/milt/milt.sock";

static const char usage[] =
    "usage: milterd [options] FILE.milt|FILE.miltc\n"
    "\n"
    "Decides mail by a policy.  The MTA reaches it on a socket.\n"
    "\n"
    "  -p, --socket SOCKET     unix:/PATH, inet:PORT@HOST, inet6:PORT@HOST or\n"
    "                          fd:NUMBER (unix:/run/milt/milt.sock)\n"
    "  -m, --mode MODE         mode of a unix socket, octal (0660)\n"
    "  -o, --owner USER[:GROUP]  owner of a unix socket\n"
    "  -u, --user USER[:GROUP] run as this user\n"
    "  -P, --pid-file FILE     write the process id\n"
    "  -d, --daemon            go into the background\n"
    "      --check             read the policy and exit\n"
    "      --drain SECONDS     how long TERM waits for messages (20)\n"
    "      --strict            warnings of the policy are errors\n"
    "      --metrics SOCKET    serve metrics: inet:PORT@HOST or unix:/PATH\n"
    "      --memory MB         what all sessions may hold together (2048;\n"
    "                          0: no limit)\n"
    "      --js failure        give each js rule its on failure\n"
    "      --control PATH      unix socket for milterctl\n"
    "      --log stderr|syslog|journald\n"
    "                          where to log (stderr; with -d syslog)\n"
    "      --log-format plain|json\n"
    "      --allow-world       permit a socket that is not on loopback, and "
    "policies\n"
    "                          to which everybody may write\n"
    "  -v, --verbose           log more\n"
    "      --help, --version\n"
    "\n"
    "HUP and USR1 read the policy again, TERM finishes open sessions and "
    "exits.\n"
    "Exit: 0 ok, 1 the policy has errors, 2 usage, 3 the system.\n";

void
milterd_fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("milterd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(code == EXIT_USAGE ? "\nTry `milterd --help`.\n" : "\n", stderr);
	exit(code);
}

static unsigned long
number(const char *name, const char *text, int base, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, base);
	if (*text < '0' || *text > '9' || *end != 0 || errno != 0 || n > max)
		milterd_fail(EXIT_USAGE,
		    base == 8 ? "%s: `%s` is not an octal number up to %lo"
			      : "%s: `%s` is not a number up to %lu",
		    name, text, max);
	return n;
}

static struct identity
identity(const char *name, const char *text)
{
	struct identity who;
	char why[200];

	if (!identity_parse(text, &who, why, sizeof(why)))
		milterd_fail(EXIT_USAGE, "%s: %s", name, why);
	return who;
}

enum {
	OPT_CHECK = 256,
	OPT_CONTROL,
	OPT_DRAIN,
	OPT_JS,
	OPT_LOG,
	OPT_LOG_FORMAT,
	OPT_MEMORY,
	OPT_METRICS,
	OPT_STRICT,
	OPT_WORLD,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 'p' },
	{ "mode", required_argument, NULL, 'm' },
	{ "owner", required_argument, NULL, 'o' },
	{ "user", required_argument, NULL, 'u' },
	{ "pid-file", required_argument, NULL, 'P' },
	{ "daemon", no_argument, NULL, 'd' },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "control", required_argument, NULL, OPT_CONTROL },
	{ "js", required_argument, NULL, OPT_JS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "drain", required_argument, NULL, OPT_DRAIN },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "log-format", required_argument, NULL, OPT_LOG_FORMAT },
	{ "allow-world", no_argument, NULL, OPT_WORLD },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void
set_log(struct arguments *o, const char *text)
{
	o->log_given = true;
	if (strcmp(text, "syslog") == 0)
		o->log = LOG_TO_SYSLOG;
	else if (strcmp(text, "journald") == 0)
		o->log = LOG_TO_JOURNALD;
	else if (strcmp(text, "stderr") == 0)
		o->log = LOG_TO_STDERR;
	else
		milterd_fail(EXIT_USAGE,
		    "--log: `%s` is none of stderr, syslog and journald", text);
}

static void
set_format(struct arguments *o, const char *text)
{
	if (strcmp(text, "json") == 0)
		o->format = LOG_JSON;
	else if (strcmp(text, "plain") == 0)
		o->format = LOG_PLAIN;
	else
		milterd_fail(EXIT_USAGE,
		    "--log-format: `%s` is neither plain nor json", text);
}

static void
set_option(struct arguments *o, int c)
{
	switch (c) {
	case 'p':
		o->socket = optarg;
		break;
	case 'm':
		o->listen.mode = (mode_t)number("--mode", optarg, 8, 0777);
		break;
	case 'o': {
		struct identity who = identity("--owner", optarg);

		o->listen.uid = who.uid;
		o->listen.gid = who.gid;
		break;
	}
	case 'u':
		o->user = identity("--user", optarg);
		if (o->user.uid == (uid_t)-1)
			milterd_fail(EXIT_USAGE, "--user: a user is missing");
		break;
	case 'P':
		o->pidfile = optarg;
		break;
	case 'd':
		o->daemon = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case OPT_CHECK:
		o->check = true;
		break;
	case OPT_CONTROL:
		if (optarg[0] != '/')
			milterd_fail(EXIT_USAGE,
			    "--control: `%s` is no path that begins with /",
			    optarg);
		o->control = optarg;
		break;
	case OPT_JS:
		if (strcmp(optarg, "failure") != 0)
			milterd_fail(EXIT_USAGE,
			    "--js: `%s` is not `failure`; JavaScript itself is "
			    "run by `npx milt serve`",
			    optarg);
		o->js_failure = true;
		break;
	case OPT_MEMORY:
		o->memory = number("--memory", optarg, 10, 1 << 20) << 20;
		break;
	case OPT_METRICS:
		o->metrics = optarg;
		break;
	case OPT_STRICT:
		o->strict = true;
		break;
	case OPT_DRAIN:
		o->drain = number("--drain", optarg, 10, 86400);
		break;
	case OPT_LOG:
		set_log(o, optarg);
		break;
	case OPT_LOG_FORMAT:
		set_format(o, optarg);
		break;
	case OPT_WORLD:
		o->listen.allow_world = true;
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		exit(fflush(stdout) == 0 ? EXIT_OK : EXIT_SYSTEM);
	case OPT_VERSION:
		puts("milterd " MILT_VERSION);
		exit(fflush(stdout) == 0 ? EXIT_OK : EXIT_SYSTEM);
	default:
		fputs("Try `milterd --help`.\n", stderr);
		exit(EXIT_USAGE);
	}
}

/* In the background the working directory is another one. */
static const char *
absolute(const char *path)
{
	char cwd[PATH_MAX], *out;
	size_t n;

	if (!path || path[0] == '/')
		return path;
	if (!getcwd(cwd, sizeof(cwd)))
		milterd_fail(
		    EXIT_SYSTEM, "the working directory: %s", strerror(errno));
	n = strlen(cwd) + strlen(path) + 2;
	out = malloc(n);
	if (!out)
		milterd_fail(EXIT_SYSTEM, "not enough memory");
	snprintf(out, n, "%s/%s", cwd, path);
	return out;
}

static const char *
usual_socket(void)
{
	int passed = process_passed_sockets();

	if (passed > 1)
		milterd_fail(EXIT_SYSTEM,
		    "systemd passed %d sockets; one is wanted", passed);
	return passed == 1 ? "fd:3" : default_socket;
}

static struct socket_spec
parsed_socket(const char *name, const char *text)
{
	struct socket_spec spec;
	char why[700];

	if (!socket_spec_parse(text, &spec, why, sizeof(why)))
		milterd_fail(EXIT_USAGE, "%s: %s", name, why);
	return spec;
}

static void
check_sockets(const struct arguments *o)
{
	struct socket_spec mta = parsed_socket("--socket", o->socket), metrics;

	if (!o->metrics)
		return;
	metrics = parsed_socket("--metrics", o->metrics);
	if (mta.kind == SOCKET_GIVEN && metrics.kind == SOCKET_GIVEN &&
	    mta.fd == metrics.fd)
		milterd_fail(EXIT_USAGE,
		    "--metrics: fd:%d is the socket for the MTA already",
		    mta.fd);
}

struct arguments
arguments_parse(int argc, char **argv)
{
	struct arguments o = {
		.listen = { .mode = 0660, .uid = (uid_t)-1, .gid = (gid_t)-1 },
		.user = { .uid = (uid_t)-1, .gid = (gid_t)-1 },
		.drain = 20,
		.memory = LIMIT_VALUE_TOTAL_MEMORY,
	};
	int c;

	while ((c = getopt_long(
		    argc, argv, "p:m:o:u:P:dv", long_options, NULL)) != -1)
		set_option(&o, c);
	if (optind == argc)
		milterd_fail(EXIT_USAGE, "which policy?  Name its file");
	if (optind + 1 < argc)
		milterd_fail(EXIT_USAGE, "one policy, please: `%s` is too many",
		    argv[optind + 1]);
	o.policy = argv[optind];
	if (!o.socket)
		o.socket = o.check ? default_socket : usual_socket();
	check_sockets(&o);
	if (o.daemon && !o.log_given)
		o.log = LOG_TO_SYSLOG;
	if (o.daemon) {
		o.policy = absolute(o.policy);
		o.pidfile = absolute(o.pidfile);
	}
	return o;
}
