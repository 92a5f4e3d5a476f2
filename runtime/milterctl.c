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

#include "runtime/json.h"

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
	f = fdopen(fd, "r+");
	if (!f || !line || fprintf(f, "%s\n", line) < 0 || fflush(f) != 0)
		fail(EXIT_SYSTEM, "%s: %s", path, strerror(errno));
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
		fail(EXIT_SYSTEM, "milterd has not answered");
	return answer;
}

/* ---- showing ------------------------------------------------------------- */

/* From the network's side of the world: no control character gets through. */
static void
show(const char *s, int width)
{
	int n = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		putchar(c < ' ' || c == 127 ? '?' : c);
		/* Bytes that go on with a character take no place. */
		n += (c & 0xc0) != 0x80;
	}
	for (; n < width; n++)
		putchar(' ');
}

static const char *
text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static long long
number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static bool
is_true(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

static void
show_duration(long long s)
{
	if (s >= 86400)
		printf("%lldd ", s / 86400);
	if (s >= 3600)
		printf("%lldh ", s / 3600 % 24);
	if (s >= 60)
		printf("%lldm ", s / 60 % 60);
	printf("%llds", s % 60);
}

static void
show_status(const json_t *a)
{
	const json_t *p = json_object_get(a, "policy");
	const json_t *s = json_object_get(a, "sessions");
	const json_t *r = json_object_get(a, "reloads");

	printf("milterd   %s, process %lld, up ", text(a, "version"),
	    number(a, "pid"));
	show_duration(number(a, "uptime"));
	printf("\npolicy    ");
	show(text(p, "file"), 0);
	printf("\n          %lld rules, hash %s, for ", number(p, "rules"),
	    text(p, "hash"));
	show_duration(number(p, "age"));
	if (number(p, "regexes") > 0)
		printf("\n          %lld regexes, %s", number(p, "regexes"),
		    is_true(p, "jit") ? "as machine code" : "interpreted");
	printf("\nreloads   %lld, %lld failed\n", number(r, "ok"),
	    number(r, "failed"));
	printf("sessions  %lld open, %lld in all", number(s, "open"),
	    number(s, "total"));
	if (number(s, "put_off") > 0)
		printf(", %lld put off", number(s, "put_off"));
	printf("\nmessages  %lld\nmemory    %.1f MB\n", number(a, "messages"),
	    (double)number(a, "memory") / (1 << 20));
}

static int
widest(const json_t *list, const char *name, int least)
{
	int width = least;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		int n = (int)strlen(text(o, name));

		if (n > width && n <= 40)
			width = n;
	}
	return width;
}

static void
show_place(const json_t *o)
{
	if (number(o, "line") == 0)
		return;
	show(text(o, "file"), 0);
	printf(":%lld", number(o, "line"));
}

static void
show_rules(const json_t *a)
{
	const json_t *rules = json_object_get(a, "rules"), *o;
	const json_t *counts = json_object_get(a, "counts");
	int width = widest(rules, "rule", 4), wide;

	printf("%-*s  %-8s %10s %10s %8s  %s\n", width, "RULE", "VERDICT",
	    "DECIDED", "EFFECTS", "FAILED", "WHERE");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		o = json_array_get(rules, i);
		show(text(o, "rule"), width);
		printf("  %-8s",
		    is_true(o, "shadow") ? "shadow" : text(o, "verdict"));
		printf(" %10lld %10lld %8lld  ",
		    number(o, "decided") + number(o, "shadow_hits"),
		    number(o, "effects"), number(o, "failed"));
		show_place(o);
		putchar('\n');
	}
	if (json_array_size(counts) == 0)
		return;
	wide = widest(counts, "name", 5);
	printf("\n%-*s  %10s\n", wide, "COUNT", "");
	for (size_t i = 0; i < json_array_size(counts); i++) {
		o = json_array_get(counts, i);
		show(text(o, "name"), wide);
		printf("  %10lld\n", number(o, "count"));
	}
}

static void
show_pair(const char *name, const char *value)
{
	if (!value[0])
		return;
	printf("  %-10s ", name);
	show(value, 0);
	putchar('\n');
}

/* Lines such as `      false  client.ip in partners: 192.0.2.1`. */
static void
show_parts(const json_t *parts)
{
	size_t i;
	json_t *p;

	json_array_foreach(parts, i, p)
	{
		printf("    %-8s ", text(p, "value"));
		show(text(p, "part"), 0);
		if (strcmp(text(p, "value"), "unknown") != 0) {
			fputs(json_object_get(p, "is") ? ": " : ": missing",
			    stdout);
			show(text(p, "is"), 0);
		}
		putchar('\n');
	}
}

static void
show_transaction(const json_t *t)
{
	const json_t *rules = json_object_get(t, "rules");
	const json_t *to = json_object_get(t, "recipients");
	const json_t *lines = json_object_get(t, "text");
	int width = widest(rules, "rule", 4);
	bool colour = isatty(STDOUT_FILENO);

	show(text(t, "id")[0] ? text(t, "id") : "NOQUEUE", 0);
	printf(": %s at %s, %.2f ms\n", text(t, "verdict"), text(t, "stage"),
	    json_number_value(json_object_get(t, "ms")));
	show_pair("client", text(t, "client"));
	show_pair("helo", text(t, "helo"));
	show_pair("sender", text(t, "sender"));
	for (size_t i = 0; i < json_array_size(to); i++)
		show_pair(i ? "" : "recipient",
		    json_string_value(json_array_get(to, i)));
	for (size_t i = 0; i < json_array_size(lines); i++)
		show_pair(i ? "" : "reply",
		    json_string_value(json_array_get(lines, i)));
	show_pair("failure", text(t, "failure"));
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *r = json_array_get(rules, i);
		bool decided = is_true(r, "decided");

		printf("%s%s ", colour && decided ? "\033[1m" : "",
		    decided ? "*" : " ");
		printf("%-8s ", text(r, "value"));
		show(text(r, "rule"), width);
		printf("  ");
		show_place(r);
		if (text(r, "why")[0]) {
			printf("  ");
			show(text(r, "why"), 0);
		}
		puts(colour && decided ? "\033[0m" : "");
		printf("    %s\n", text(r, "because"));
		show_parts(json_object_get(r, "parts"));
	}
	putchar('\n');
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
	if (is_true(answer, "ok"))
		return false;
	fprintf(stderr, "milterctl: %s\n", text(answer, "error"));
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
		fputs(text(a, "diagnostics"), stderr);
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
