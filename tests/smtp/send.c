/*
 * An SMTP client that says what it is told and prints what it hears.
 *
 *	send PORT STEP...
 *
 * Steps are carried out in order:
 *	xclient "A=B C=D"  XCLIENT with these attributes
 *	helo NAME, ehlo NAME
 *	mail ADDRESS       MAIL FROM; ADDRESS may bring brackets and parameters
 *	rcpt ADDRESS       RCPT TO; left out while MAIL is refused
 *	data FILE          the message, `-` for standard input; left out while
 *	                   no recipient is accepted.  Lines may end in LF.
 *	raw FILE           the same, with each line end as it stands
 *	say TEXT           any command
 *	wait               until a line comes on standard input
 *
 * Each reply line is printed as COMMAND TAB LINE; the greeting has the command
 * `connect`, the end of a message is `.`.  QUIT is said at the end.
 *
 * Exit: 0 if each message was accepted for some recipient (or none was
 * sent), 1 if not, 2 if the server could not be talked to.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REPLY_SECONDS = 120 };

struct client {
	FILE *in, *out;
	bool mail, closed; /* a sender was accepted; the server hung up */
	unsigned rcpts;    /* recipients accepted */
	bool refused;      /* a message was not accepted */
};

static void
die(const char *what)
{
	fflush(stdout);
	perror(what);
	exit(2);
}

static void
client_open(struct client *c, const char *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval tv = { .tv_sec = REPLY_SECONDS };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	int copy = dup(fd);
	if (copy < 0)
		die("dup");
	c->in = fdopen(fd, "r");
	c->out = fdopen(copy, "w");
	if (!c->in || !c->out)
		die("fdopen");
}

/* Reads one reply and prints it; its code, or 0 when the server hung up. */
static int
client_reply(struct client *c, const char *command)
{
	char *line = NULL;
	size_t room = 0;
	int code = 0;
	for (;;) {
		ssize_t n = getline(&line, &room, c->in);
		if (n <= 0) {
			printf("%s\tclosed\n", command);
			c->closed = true;
			code = 0;
			break;
		}
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = 0;
		printf("%s\t", command);
		fwrite(line, 1, (size_t)n, stdout);
		putchar('\n');
		code = atoi(line);
		if (n < 4 || line[3] != '-')
			break;
	}
	free(line);
	fflush(stdout);
	if (code == 421)
		c->closed = true;
	return code;
}

static int
client_say(struct client *c, const char *line)
{
	fprintf(c->out, "%s\r\n", line);
	fflush(c->out);
	return client_reply(c, line);
}

static int
client_path(struct client *c, const char *verb, const char *address)
{
	char *line = NULL;
	bool bare = address[0] != '<';
	if (asprintf(&line, "%s:%s%s%s", verb, bare ? "<" : "", address,
		     bare ? ">" : "") < 0)
		die("memory");
	int code = client_say(c, line);
	free(line);
	return code;
}

/* A line that begins with a dot gets another (RFC 5321 section 4.5.2). */
static void
client_send_text(struct client *c, FILE *f, bool as_it_is)
{
	int ch, last = '\n';
	while ((ch = getc(f)) != EOF) {
		if (last == '\n' && ch == '.')
			putc('.', c->out);
		if (ch == '\n' && last != '\r' && !as_it_is)
			putc('\r', c->out);
		putc(ch, c->out);
		last = ch;
	}
	if (last != '\n')
		fputs("\r\n", c->out);
}

static void
client_data(struct client *c, const char *name, bool as_it_is)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	if (!f)
		die(name);
	if (c->rcpts == 0) {
		c->refused = true;
	} else if (client_say(c, "DATA") == 354) {
		client_send_text(c, f, as_it_is);
		fputs(".\r\n", c->out);
		fflush(c->out);
		c->refused |= client_reply(c, ".") / 100 != 2;
	} else {
		c->refused = true;
	}
	if (f != stdin)
		fclose(f);
	c->mail = false;
	c->rcpts = 0;
}

static void
client_verb(struct client *c, const char *verb, const char *word)
{
	char *line = NULL;
	if (asprintf(&line, "%s %s", verb, word) < 0)
		die("memory");
	client_say(c, line);
	free(line);
}

/* Carries out one step; how many arguments it took. */
static int
client_step(struct client *c, const char *step, const char *word)
{
	if (strcmp(step, "wait") == 0) {
		int ch;
		while ((ch = getchar()) != '\n' && ch != EOF)
			continue;
		return 1;
	}
	if (!word) {
		fprintf(stderr, "send: `%s` needs an argument\n", step);
		exit(2);
	}
	if (strcmp(step, "xclient") == 0) {
		client_verb(c, "XCLIENT", word);
	} else if (strcmp(step, "helo") == 0) {
		client_verb(c, "HELO", word);
	} else if (strcmp(step, "ehlo") == 0) {
		client_verb(c, "EHLO", word);
	} else if (strcmp(step, "mail") == 0) {
		c->rcpts = 0;
		c->mail = client_path(c, "MAIL FROM", word) / 100 == 2;
	} else if (strcmp(step, "rcpt") == 0) {
		if (c->mail && client_path(c, "RCPT TO", word) / 100 == 2)
			c->rcpts++;
	} else if (strcmp(step, "data") == 0) {
		client_data(c, word, false);
	} else if (strcmp(step, "raw") == 0) {
		client_data(c, word, true);
	} else if (strcmp(step, "say") == 0) {
		client_say(c, word);
	} else {
		fprintf(stderr, "send: no step `%s`\n", step);
		exit(2);
	}
	return 2;
}

int
main(int argc, char **argv)
{
	struct client c = { 0 };
	if (argc < 2) {
		fputs("usage: send PORT STEP...\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	client_open(&c, argv[1]);
	client_reply(&c, "connect");
	for (int i = 2; i < argc && !c.closed;)
		i += client_step(&c, argv[i], argv[i + 1]);
	if (c.closed)
		return 1;
	client_say(&c, "QUIT");
	return c.refused ? 1 : 0;
}
