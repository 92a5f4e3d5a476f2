/*
 * A transaction in few words, and what became of it as one line of text: the
 * form in which the protocol tests state what they expect.
 */
#ifndef TESTS_MTA_LETTER_H
#define TESTS_MTA_LETTER_H

#include "tests/mta/filter.h"

/* What is NULL has the default of LANGUAGE, section 3. */
struct letter {
	const char *client; /* 203.0.113.1; "" is a local socket */
	const char *name;   /* verified name; none */
	const char *helo;   /* client.invalid */
	const char *sender; /* <sender@client.invalid> */
	const char *to[6];  /* <recipient@server.invalid> */
	/* "Name: value\n", folded lines begin with a tab; From: the sender */
	const char *header;
	const char *body; /* CRLF; empty */
};

/* Connects, negotiates, and says CONNECT and HELO. */
bool letter_open(struct mta *, const char *where, const struct letter *);

/* Sends it over an open connection.  Texts live until the next one. */
void letter_send(struct mta *, const struct letter *, struct mta_outcome *);

/*
 *	reject 550 5.7.1 no at rcpt
 *	accept at eom | ok; 550 5.1.1 unknown | add X-A: yes; from <a@b>
 * The answers at RCPT if they differ, changes if there are any.  Not printable
 * bytes as \xHH.  Lives as long as the outcome.
 */
struct str outcome_text(struct mta *, const struct mta_outcome *);

/* All of it, over a connection of its own.  Lives until the next call. */
struct str letter_text(const struct filter *, const struct letter *);

/* "continue", "reject 550 5.7.1 no": an answer alone, in the arena. */
struct str reply_text(struct mta *, struct mta_reply);

#endif
