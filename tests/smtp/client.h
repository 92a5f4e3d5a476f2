/*
 * The client's side of an SMTP connection to 127.0.0.1.
 */
#ifndef TESTS_SMTP_CLIENT_H
#define TESTS_SMTP_CLIENT_H

#include <stdbool.h>
#include <stdio.h>

struct client {
	FILE *in, *out;
	FILE *print; /* each reply line as COMMAND TAB LINE; NULL: nowhere */
	bool closed; /* the server hung up, or said 421 */
	char text[8192]; /* the last reply: its lines joined with LF */
};

/* Connects, or ends the program with status 2.  The greeting is not read. */
void client_open(struct client *, const char *port);
void client_close(struct client *);

/* Reads a reply; its code, or 0 when the server hung up. */
int client_reply(struct client *, const char *command);

/* Sends one line and reads its reply. */
int client_say(struct client *, const char *line);

/* The same for `VERB WORD`, and for `VERB:<ADDRESS>`. */
int client_verb(struct client *, const char *verb, const char *word);
int client_path(struct client *, const char *verb, const char *address);

/*
 * Between DATA and its end: a line that begins with a dot gets another
 * (RFC 5321 section 4.5.2), a bare LF becomes CRLF unless `as_it_is`.
 */
void client_text(struct client *, const char *text, size_t n, bool as_it_is);

/* Ends the text; the reply to the message. */
int client_end(struct client *);

/* Says so on stderr with errno and ends the program with status 2. */
_Noreturn void die(const char *what);

#endif
