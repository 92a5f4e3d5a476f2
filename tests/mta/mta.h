/*
 * The MTA's side of the milter protocol, in the way in which Postfix 3.7
 * speaks it: what it sends when, what it leaves out because the filter asked
 * for that, and what each answer does to the connection and the message.
 *
 * For tests and for the load generator.  Every read and write has a deadline.
 * A failure is kept in `error` and closes the connection; all later calls then
 * answer MTA_FAILED.  One thread at a time for each struct mta.
 */
#ifndef TESTS_MTA_MTA_H
#define TESTS_MTA_MTA_H

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "dsl/arena.h"

enum { MTA_CHUNK = 65535, MTA_LISTS = SMFIM_LAST + 1, MTA_MACROS = 48 };

/* A growable block of bytes, owned by whoever declared it. */
struct bytes {
	char *p;
	size_t n, cap;
};
void bytes_add(struct bytes *, const void *, size_t);
void bytes_free(struct bytes *);

/* A macro and its value, or a header field.  Borrowed texts. */
struct mta_pair {
	struct str name, value;
};

/* What the MTA says it can do. */
struct mta_offer {
	uint32_t version, actions, protocol;
};
extern const struct mta_offer mta_offer_postfix;

enum mta_state {
	MTA_CLOSED,           /* before mta_open, after mta_close */
	MTA_OPEN,             /* connected, nothing negotiated */
	MTA_READY,            /* events may be sent */
	MTA_ACCEPTED_MESSAGE, /* no more events of this message */
	MTA_ACCEPTED_SESSION, /* closed: all is accepted */
	MTA_REFUSED_SESSION,  /* closed: `session` is said to everything */
	MTA_BROKEN,           /* closed by a failure: see `error` */
};

enum mta_verdict {
	MTA_CONTINUE,
	MTA_ACCEPT,
	MTA_REJECT,
	MTA_TEMPFAIL,
	MTA_DISCARD,
	MTA_FAILED
};

/* An answer as the SMTP client gets it.  Texts live until the next message. */
struct mta_reply {
	enum mta_verdict verdict;
	char packet;      /* SMFIR_ that was read, 0 if none was asked for */
	unsigned code;    /* REJECT, TEMPFAIL */
	struct str xcode; /* "5.7.1" or empty */
	struct str text;  /* without codes; lines joined by LF */
	struct str raw;   /* REPLYCODE: the bytes as they came */
};

/* A change that the filter asks for at the end of the message. */
struct mta_edit {
	char kind; /* SMFIR_ */
	uint32_t index;
	struct str name, value; /* address and parameters; header; bytes */
};

struct mta {
	int fd;
	int timeout; /* milliseconds, for each packet */
	enum mta_state state;
	struct mta_offer offer;
	uint32_t version, actions, protocol; /* what the filter asked for */
	bool has_lists;
	bool has_list[MTA_LISTS];
	struct str lists[MTA_LISTS]; /* macro names the filter asked for */
	struct mta_pair macros[MTA_MACROS];
	size_t macro_count;
	char skipped; /* SMFIC_ of which no more is wanted */
	struct mta_reply session;
	struct mta_edit *edits; /* of the last end of message */
	size_t edit_count, edit_cap;
	struct arena fixed;   /* for the connection */
	struct arena arena;   /* for the message */
	struct bytes out, in; /* not yet sent; last packet */
	struct bytes *tap;    /* borrowed: also gets all that is sent */
	size_t progress;      /* packets that said so */
	char error[160];      /* empty: none */
};

/* ---- bytes and packets: wire.c ----------------------------------------- */

/* `where` in libmilter's form: unix:PATH, inet:PORT@HOST. */
bool mta_open(struct mta *, const char *where, int timeout);
void mta_set_timeout(struct mta *, int timeout);
/* Closes without a word; releases all. */
void mta_close(struct mta *);
bool mta_raw(struct mta *, const void *, size_t);
/* A packet of the parts, sent before the next read or by mta_flush. */
bool mta_put(struct mta *, char command, const struct str *, size_t);
bool mta_flush(struct mta *);
/* Data is borrowed until the next read. */
bool mta_read(struct mta *, char *command, struct str *data);
/* True if the filter closes the connection (after any packets) in time. */
bool mta_is_closed_by_peer(struct mta *);
/* Notes the failure and closes.  Returns false. */
bool mta_fail(struct mta *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool mta_negotiate(struct mta *, const struct mta_offer *);

/* ---- events: events.c -------------------------------------------------- */

/* Borrows both texts; replaces an earlier value; value.p NULL removes it. */
void mta_macro(struct mta *, struct str name, struct str value);
/* family: SMFIA_; address and port are not sent for SMFIA_UNKNOWN. */
struct mta_reply mta_connect(struct mta *, struct str host, char family,
    unsigned port, struct str address);
struct mta_reply mta_helo(struct mta *, struct str);
/* args[0] is the path, the others are ESMTP parameters. */
struct mta_reply mta_mail(struct mta *, const struct str *args, size_t);
struct mta_reply mta_rcpt(struct mta *, const struct str *args, size_t);
struct mta_reply mta_data(struct mta *);
struct mta_reply mta_unknown(struct mta *, struct str);
struct mta_reply mta_header(struct mta *, struct str name, struct str value);
struct mta_reply mta_eoh(struct mta *);
struct mta_reply mta_body(struct mta *, struct str chunk);
/* Fills m->edits. */
struct mta_reply mta_eom(struct mta *);
void mta_abort(struct mta *);
/* QUIT, and closes. */
void mta_quit(struct mta *);
/* QUIT_NC: the connection stays, for mta_connect. */
void mta_quit_nc(struct mta *);

/* ---- whole messages: deliver.c ------------------------------------------ */

struct mta_address {
	struct str path; /* with brackets, as the client sends it */
	const struct str *parameters;
	size_t count;
};

struct mta_message {
	struct mta_address sender;
	const struct mta_address *recipients;
	size_t recipient_count;
	struct str queue_id;
	const struct mta_pair *headers; /* values without the blank */
	size_t header_count;
	struct str body; /* lines end in CRLF */
};

/*
 * What became of a message; all texts live until the next one.  The header as
 * delivered begins with the MTA's own Received field, which filters do not
 * see.
 */
struct mta_outcome {
	struct mta_reply reply; /* of the whole message, at `stage` */
	int stage;              /* SMFIC_ */
	struct mta_reply *recipient_replies;
	size_t recipient_total; /* answers at RCPT */
	size_t accepted;        /* recipients */
	const struct mta_edit *edits;
	size_t edit_count;
	bool quarantined;
	struct str quarantine_reason;
	struct str sender;
	struct str *recipients; /* accepted and added, without removed */
	size_t recipient_count;
	struct mta_pair *headers;
	size_t header_count;
	struct str body;
};

/*
 * One transaction: MAIL to the end of the message, or to the answer that ends
 * it.  REJECT at SMFIC_RCPT means that no recipient was left.
 */
void mta_deliver(
    struct mta *, const struct mta_message *, struct mta_outcome *);

/* Value number i (from 0) of a delivered field, or {NULL, 0}. */
struct str mta_delivered(
    const struct mta_outcome *, const char *name, size_t i);
size_t mta_delivered_count(const struct mta_outcome *, const char *name);

#endif
