#include "tests/mta/mta.h"
#include "tests/mta/reply.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	NO_SEND = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT |
		  SMFIP_NOBODY | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOUNKNOWN |
		  SMFIP_NODATA,
	NO_LIST = -1,
	PARTS = 64,
};

struct event {
	char command;
	int list; /* SMFIM_, or NO_LIST */
	uint32_t no, no_reply;
};

/* What Postfix sends to a filter that does not ask for lists of its own. */
static const char *const default_lists[MTA_LISTS] = {
	[SMFIM_CONNECT] = "j {daemon_name} {daemon_addr} v _",
	[SMFIM_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} "
		       "{cert_issuer}",
	[SMFIM_ENVFROM] = "i {auth_type} {auth_authen} {auth_author} "
			  "{mail_addr} {mail_host} {mail_mailer}",
	[SMFIM_ENVRCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
	[SMFIM_DATA] = "i",
	[SMFIM_EOM] = "i",
	[SMFIM_EOH] = "i",
};

static const struct str nul = { "", 1 };

void
mta_macro(struct mta *m, struct str name, struct str value)
{
	size_t i = 0;

	while (i < m->macro_count && !str_eq(m->macros[i].name, name))
		i++;
	if (!value.p) {
		if (i < m->macro_count)
			m->macros[i] = m->macros[--m->macro_count];
		return;
	}
	if (i == MTA_MACROS)
		abort();
	m->macros[i] = (struct mta_pair){ name, value };
	if (i == m->macro_count)
		m->macro_count++;
}

static const struct mta_pair *
macro_find(const struct mta *m, struct str name)
{
	for (size_t i = 0; i < m->macro_count; i++)
		if (str_eq(m->macros[i].name, name))
			return &m->macros[i];
	return NULL;
}

/* Macros precede an event even if the event itself is not wanted. */
static bool
put_macros(struct mta *m, const struct event *e)
{
	struct str parts[1 + 4 * PARTS], names;
	size_t n = 0;

	parts[n++] = (struct str){ &e->command, 1 };
	if (!m->has_lists)
		names = str_from(default_lists[e->list]);
	else if (m->has_list[e->list])
		names = m->lists[e->list];
	else
		names = STR("");
	while (names.n > 0 && n + 4 <= sizeof(parts) / sizeof(*parts)) {
		size_t end = 0;
		const struct mta_pair *found;

		while (end < names.n && !strchr(" ,\t", names.p[end]))
			end++;
		found = macro_find(m, str_head(names, end));
		if (found) {
			parts[n++] = found->name;
			parts[n++] = nul;
			parts[n++] = found->value;
			parts[n++] = nul;
		}
		names = str_skip(names, end < names.n ? end + 1 : end);
	}
	return mta_put(m, SMFIC_MACRO, parts, n);
}

static struct mta_reply
plain(enum mta_verdict v, char packet)
{
	struct mta_reply r = { .verdict = v, .packet = packet };

	if (v == MTA_REJECT) {
		r.code = 550;
		r.xcode = STR("5.7.1");
		r.text = STR("Command rejected");
	} else if (v == MTA_TEMPFAIL) {
		r.code = 451;
		r.xcode = STR("4.7.1");
		r.text = STR("Service unavailable - try again later");
	}
	return r;
}

static bool
is_session_event(const struct event *e)
{
	return e->command == SMFIC_CONNECT || e->command == SMFIC_HELO;
}

/* Moves the connection on and gives the answer that belongs to the packet. */
static struct mta_reply
settle(struct mta *m, const struct event *e, struct mta_reply r)
{
	if (r.verdict == MTA_ACCEPT)
		m->state = is_session_event(e) ? MTA_ACCEPTED_SESSION
					       : MTA_ACCEPTED_MESSAGE;
	else if (r.verdict == MTA_DISCARD)
		m->state = MTA_ACCEPTED_MESSAGE;
	else if ((r.verdict == MTA_REJECT || r.verdict == MTA_TEMPFAIL) &&
		 is_session_event(e)) {
		m->state = MTA_REFUSED_SESSION;
		m->session = r;
		m->session.xcode = arena_dup(&m->fixed, r.xcode);
		m->session.text = arena_dup(&m->fixed, r.text);
	}
	if (m->state == MTA_ACCEPTED_SESSION ||
	    m->state == MTA_REFUSED_SESSION) {
		close(m->fd);
		m->fd = -1;
	}
	return r;
}

static struct mta_reply
read_reply(struct mta *m, const struct event *e)
{
	for (;;) {
		char command;
		struct str data;

		if (!mta_read(m, &command, &data))
			return plain(MTA_FAILED, 0);
		if (data.n > 0 && strchr("pcadrts", command)) {
			mta_fail(m, "answer '%c' with data", command);
			return plain(MTA_FAILED, command);
		}
		switch (command) {
		case SMFIR_PROGRESS:
			m->progress++;
			continue;
		case SMFIR_CONTINUE:
			return plain(MTA_CONTINUE, command);
		case SMFIR_SKIP:
			m->skipped = e->command;
			return plain(MTA_CONTINUE, command);
		case SMFIR_ACCEPT:
			return settle(m, e, plain(MTA_ACCEPT, command));
		case SMFIR_REJECT:
			return settle(m, e, plain(MTA_REJECT, command));
		case SMFIR_TEMPFAIL:
			return settle(m, e, plain(MTA_TEMPFAIL, command));
		case SMFIR_DISCARD:
			if (is_session_event(e)) {
				mta_fail(m, "discard of a session");
				return plain(MTA_FAILED, command);
			}
			return settle(m, e, plain(MTA_DISCARD, command));
		case SMFIR_REPLYCODE:
			return settle(m, e, mta_reply_code(m, data));
		default:
			if (e->command != SMFIC_BODYEOB) {
				mta_fail(m, "answer '%c' to '%c'", command,
				    e->command);
				return plain(MTA_FAILED, command);
			}
			if (!mta_edit_read(m, command, data))
				return plain(MTA_FAILED, command);
		}
	}
}

static struct mta_reply
event(struct mta *m, const struct event *e, const struct str *parts, size_t n)
{
	switch (m->state) {
	case MTA_READY:
		break;
	case MTA_ACCEPTED_MESSAGE:
		if (e->command == SMFIC_HELO)
			break;
		return plain(MTA_CONTINUE, 0);
	case MTA_ACCEPTED_SESSION:
		return plain(MTA_CONTINUE, 0);
	case MTA_REFUSED_SESSION:
		return m->session;
	case MTA_CLOSED:
	case MTA_OPEN:
	case MTA_BROKEN:
		return plain(MTA_FAILED, 0);
	}
	if (e->no & NO_SEND & ~m->offer.protocol)
		return plain(MTA_CONTINUE, 0);
	if (m->skipped == e->command)
		return plain(MTA_CONTINUE, 0);
	m->skipped = 0;
	if (e->list != NO_LIST && !put_macros(m, e))
		return plain(MTA_FAILED, 0);
	if (m->protocol & e->no)
		return plain(MTA_CONTINUE, 0);
	if (!mta_put(m, e->command, parts, n))
		return plain(MTA_FAILED, 0);
	if (m->protocol & e->no_reply)
		return plain(MTA_CONTINUE, 0);
	return read_reply(m, e);
}

struct mta_reply
mta_connect(struct mta *m, struct str host, char family, unsigned port,
    struct str address)
{
	static const struct event e = { SMFIC_CONNECT, SMFIM_CONNECT,
		SMFIP_NOCONNECT, SMFIP_NR_CONN };
	uint16_t wire = htons((uint16_t)port);
	struct str parts[] = { host, nul, { &family, 1 },
		{ (const char *)&wire, 2 }, address, nul };

	return event(m, &e, parts, family == SMFIA_UNKNOWN ? 3 : 6);
}

struct mta_reply
mta_helo(struct mta *m, struct str name)
{
	static const struct event e = { SMFIC_HELO, SMFIM_HELO, SMFIP_NOHELO,
		SMFIP_NR_HELO };
	struct str parts[] = { name, nul };

	return event(m, &e, parts, 2);
}

static struct mta_reply
path_event(
    struct mta *m, const struct event *e, const struct str *args, size_t n)
{
	struct str parts[2 * PARTS];

	if (n > PARTS)
		abort();
	for (size_t i = 0; i < n; i++) {
		parts[2 * i] = args[i];
		parts[2 * i + 1] = nul;
	}
	return event(m, e, parts, 2 * n);
}

struct mta_reply
mta_mail(struct mta *m, const struct str *args, size_t n)
{
	static const struct event e = { SMFIC_MAIL, SMFIM_ENVFROM, SMFIP_NOMAIL,
		SMFIP_NR_MAIL };

	return path_event(m, &e, args, n);
}

struct mta_reply
mta_rcpt(struct mta *m, const struct str *args, size_t n)
{
	static const struct event e = { SMFIC_RCPT, SMFIM_ENVRCPT, SMFIP_NORCPT,
		SMFIP_NR_RCPT };

	return path_event(m, &e, args, n);
}

struct mta_reply
mta_data(struct mta *m)
{
	static const struct event e = { SMFIC_DATA, SMFIM_DATA, SMFIP_NODATA,
		SMFIP_NR_DATA };

	return event(m, &e, NULL, 0);
}

struct mta_reply
mta_unknown(struct mta *m, struct str command)
{
	static const struct event e = { SMFIC_UNKNOWN, NO_LIST, SMFIP_NOUNKNOWN,
		SMFIP_NR_UNKN };
	struct str parts[] = { command, nul };

	return event(m, &e, parts, 2);
}

struct mta_reply
mta_header(struct mta *m, struct str name, struct str value)
{
	static const struct event e = { SMFIC_HEADER, SMFIM_EOH, SMFIP_NOHDRS,
		SMFIP_NR_HDR };
	struct str blank = STR(" "), none = STR("");
	struct str parts[] = { name, nul,
		m->protocol & SMFIP_HDR_LEADSPC ? blank : none, value, nul };

	/* Without a callback for it Postfix does not even send macros. */
	if (m->protocol & SMFIP_NOHDRS)
		return plain(MTA_CONTINUE, 0);
	return event(m, &e, parts, 5);
}

struct mta_reply
mta_eoh(struct mta *m)
{
	static const struct event e = { SMFIC_EOH, SMFIM_EOH, SMFIP_NOEOH,
		SMFIP_NR_EOH };

	if (m->protocol & SMFIP_NOEOH)
		return plain(MTA_CONTINUE, 0);
	return event(m, &e, NULL, 0);
}

struct mta_reply
mta_body(struct mta *m, struct str chunk)
{
	static const struct event e = { SMFIC_BODY, SMFIM_EOM, SMFIP_NOBODY,
		SMFIP_NR_BODY };

	if (m->protocol & SMFIP_NOBODY)
		return plain(MTA_CONTINUE, 0);
	return event(m, &e, &chunk, 1);
}

struct mta_reply
mta_eom(struct mta *m)
{
	static const struct event e = { SMFIC_BODYEOB, SMFIM_EOM, 0, 0 };

	m->edits = NULL;
	m->edit_count = m->edit_cap = 0;
	return event(m, &e, NULL, 0);
}

void
mta_abort(struct mta *m)
{
	if (m->state != MTA_READY && m->state != MTA_ACCEPTED_MESSAGE)
		return;
	m->skipped = 0;
	if (mta_put(m, SMFIC_ABORT, NULL, 0))
		m->state = MTA_READY;
}

void
mta_quit(struct mta *m)
{
	if (m->fd >= 0 && mta_put(m, SMFIC_QUIT, NULL, 0))
		mta_flush(m);
	mta_close(m);
}

void
mta_quit_nc(struct mta *m)
{
	if (m->fd < 0 || !mta_put(m, SMFIC_QUIT_NC, NULL, 0))
		return;
	m->skipped = 0;
	m->macro_count = 0;
	m->state = MTA_READY;
}
