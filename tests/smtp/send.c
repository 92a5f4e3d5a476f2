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
 *	data FILE          the message; left out while no recipient is accepted
 *	                   Lines may end in LF.
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
#include <stdlib.h>
#include <string.h>

#include "client.h"

struct state {
	struct client client;
	bool mail;      /* the sender was accepted */
	unsigned rcpts; /* recipients accepted */
	bool refused;   /* a message was not accepted */
};

static char *
read_file(const char *name, size_t *n)
{
	FILE *f = fopen(name, "r");
	size_t room = 1 << 16;
	char *text = malloc(room);

	if (!f || !text)
		die(name);
	for (*n = 0;;) {
		size_t got = fread(text + *n, 1, room - *n, f);

		*n += got;
		if (got == 0)
			break;
		if (*n == room) {
			text = realloc(text, room *= 2);
			if (!text)
				die("memory");
		}
	}
	fclose(f);
	return text;
}

static void
step_data(struct state *s, const char *name, bool as_it_is)
{
	struct client *c = &s->client;
	size_t n;
	char *text = read_file(name, &n);
	bool taken = false;

	if (s->rcpts && client_say(c, "DATA") == 354) {
		client_text(c, text, n, as_it_is);
		taken = client_end(c) / 100 == 2;
	}
	free(text);
	s->refused |= !taken;
	s->mail = false;
	s->rcpts = 0;
}

static void
step_wait(void)
{
	int ch;

	while ((ch = getchar()) != '\n' && ch != EOF)
		continue;
}

/* Carries out one step; how many arguments it took. */
static int
carry_out(struct state *s, const char *step, const char *word)
{
	struct client *c = &s->client;

	if (strcmp(step, "wait") == 0) {
		step_wait();
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
		s->rcpts = 0;
		s->mail = client_path(c, "MAIL FROM", word) / 100 == 2;
	} else if (strcmp(step, "rcpt") == 0) {
		if (s->mail && client_path(c, "RCPT TO", word) / 100 == 2)
			s->rcpts++;
	} else if (strcmp(step, "data") == 0) {
		step_data(s, word, false);
	} else if (strcmp(step, "raw") == 0) {
		step_data(s, word, true);
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
	static struct state s;

	if (argc < 2) {
		fputs("usage: send PORT STEP...\n", stderr);
		return 2;
	}
	s.client.print = stdout;
	client_open(&s.client, argv[1]);
	client_reply(&s.client, "connect");
	for (int i = 2; i < argc && !s.client.closed;)
		i += carry_out(&s, argv[i], argv[i + 1]);
	if (!s.client.closed)
		client_say(&s.client, "QUIT");
	else
		s.refused = true;
	client_close(&s.client);
	return s.refused ? 1 : 0;
}
