/*
 * milterctl: asks a running milterd.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/milterctl_show.h"

enum { EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_SYSTEM };

static const char default_socket[] = "/run/milt/control.sock";

static const char usage[] =
    "usage: milterctl [-s SOCKET] [--json] COMMAND\n"
    "\n"
    "Asks a running milterd that has --control.\n"
    "\n"
    "  status            what runs\n"
    "  rules             the rules, and how often each came about\n"
    "  reload            read the policy again\n"
    "  trace [-n COUNT] [client=P] [sender=P] [recipient=P] [rule=P]\n"
    "                    the next transactions that match, rule by rule\n"
    "\n"
    "  -s, --socket PATH the control socket (/run/milt/control.sock)\n"
    "      --json        print the answers as they come\n"
    "      --help, --version\n"
    "\n"
    "Exit: 0 ok, 1 refused (reload: the policy has errors), 2 usage, 3 "
    "milterd\ncannot be reached.\n";

struct options {
	const char *socket;
	bool json;
	unsigned long count;
};

static _Noreturn void fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static _Noreturn void
fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("milterctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(
	    code == EXIT_USAGE ? "\nTry `milterctl --help`.\n" : "\n", stderr);
	exit(code);
}

/* ---- asking -------------------------------------------------------------- */

/*
 * A milterd that refuses has answered and left already: what cannot be sent is
 * no failure yet, and no signal.
 */
static void
send_line(int fd, const char *line)
{
	size_t left = strlen(line);

	while (left > 0) {
		ssize_t n = send(fd, line, left, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		left -= (size_t)n;
	}
	(void)send(fd, "\n", 1, MSG_NOSIGNAL);
}

static FILE *
ask(const char *path, json_t *question)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char *line = json_line(question);
	FILE *f;
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		fail(EXIT_USAGE, "%s: the path is too long", path);
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		fail(EXIT_SYSTEM, "%s: %s", path, strerror(errno));
	f = fdopen(fd, "r");
	if (!f || !line)
		fail(EXIT_SYSTEM, "not enough memory");
	send_line(fd, line);
	free(line);
	return f;
}

/* NULL at the end. */
static json_t *
read_answer(FILE *f, const struct options *o)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, f);
	json_t *answer = NULL;

	if (n > 0) {
		answer = json_loadb(line, (size_t)n, 0, NULL);
		if (!answer)
			fail(EXIT_SYSTEM, "the answer is no JSON");
		if (o->json)
			fwrite(line, 1, (size_t)n, stdout);
	}
	free(line);
	return answer;
}

static json_t *
first_answer(FILE *f, const struct options *o)
{
	json_t *answer = read_answer(f, o);

	if (!answer)
		fail(EXIT_SYSTEM, "milterd has not answered: %s",
		    ferror(f) ? strerror(errno) : "it closed the connection");
	return answer;
}

/* ---- commands ------------------------------------------------------------ */

static json_t *
command(const char *name)
{
	json_t *o = json_object();

	json_put(o, "command", json_string(name));
	return o;
}

static bool
refused(const json_t *answer)
{
	if (json_truth(answer, "ok"))
		return false;
	fprintf(stderr, "milterctl: %s\n", json_member(answer, "error"));
	return true;
}

static int
ask_once(const char *name, const struct options *o,
    void (*show_answer)(const json_t *))
{
	FILE *f = ask(o->socket, command(name));
	json_t *a = first_answer(f, o);
	int code = refused(a) ? EXIT_REFUSED : EXIT_OK;

	if (code == EXIT_OK && !o->json)
		show_answer(a);
	json_decref(a);
	fclose(f);
	return code;
}

static int
reload(const struct options *o)
{
	FILE *f = ask(o->socket, command("reload"));
	json_t *a = first_answer(f, o);
	int code;

	if (!o->json)
		fputs(json_member(a, "diagnostics"), stderr);
	code = refused(a) ? EXIT_REFUSED : EXIT_OK;
	if (code == EXIT_OK && !o->json)
		puts("the policy was read and is in use");
	json_decref(a);
	fclose(f);
	return code;
}

static void
add_filter(json_t *question, const char *argument)
{
	static const char *const names[] = { "client", "sender", "recipient",
		"rule" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(argument, names[i], n) != 0 || argument[n] != '=')
			continue;
		json_put_text(question, names[i], str_from(argument + n + 1));
		return;
	}
	fail(EXIT_USAGE,
	    "`%s`: write client=, sender=, recipient= or rule= and a pattern",
	    argument);
}

static int
trace(const struct options *o, char **arguments, int n)
{
	json_t *question = command("trace"), *a;
	FILE *f;
	bool bad;

	json_put_number(question, "count", o->count);
	for (int i = 0; i < n; i++)
		add_filter(question, arguments[i]);
	f = ask(o->socket, question);
	a = first_answer(f, &(struct options){ .json = false });
	bad = refused(a);
	json_decref(a);
	while (!bad && (a = read_answer(f, o))) {
		if (!o->json)
			show_transaction(a);
		json_decref(a);
		fflush(stdout);
	}
	fclose(f);
	return bad ? EXIT_REFUSED : EXIT_OK;
}

static int
run(const struct options *o, char **words, int n)
{
	if (n == 0)
		fail(EXIT_USAGE, "status, rules, reload or trace?");
	if (strcmp(words[0], "trace") == 0)
		return trace(o, words + 1, n - 1);
	if (n > 1)
		fail(EXIT_USAGE, "`%s` takes no argument", words[0]);
	if (strcmp(words[0], "status") == 0)
		return ask_once("status", o, show_status);
	if (strcmp(words[0], "rules") == 0)
		return ask_once("rules", o, show_rules);
	if (strcmp(words[0], "reload") == 0)
		return reload(o);
	fail(EXIT_USAGE, "there is no command `%s`", words[0]);
}

static unsigned long
count(const char *s)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || n < 1 || n > 1000000)
		fail(EXIT_USAGE, "-n: `%s` is not a number up to 1000000", s);
	return n;
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .socket = default_socket, .count = 1 };
	int c, code = EXIT_OK;

	while ((c = getopt_long(argc, argv, "s:n:", long_options, NULL)) != -1)
		switch (c) {
		case 's':
			o.socket = optarg;
			break;
		case 'n':
			o.count = count(optarg);
			break;
		case 'j':
			o.json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			goto out;
		case 'V':
			puts("milterctl " MILT_VERSION);
			goto out;
		default:
			fputs("Try `milterctl --help`.\n", stderr);
			return EXIT_USAGE;
		}
	code = run(&o, argv + optind, argc - optind);
out:
	return fflush(stdout) == 0 ? code : EXIT_SYSTEM;
}
