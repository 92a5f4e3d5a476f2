#include "tests/mta/letter.h"

#include <stdlib.h>

enum { TIMEOUT_MS = 30000 };

static struct str
or_default(const char *given, const char *otherwise)
{
	return str_from(given ? given : otherwise);
}

/* Answers at CONNECT and HELO show in the outcome of the messages. */
static void
say_hello(struct mta *m, const struct letter *l)
{
	struct str ip = or_default(l->client, "203.0.113.1");
	struct str host;

	mta_macro(m, STR("j"), STR("server.invalid"));
	mta_macro(m, STR("v"), STR("Postfix 3.7.11"));
	mta_macro(m, STR("{daemon_name}"), STR("smtpd"));
	mta_macro(m, STR("{daemon_addr}"), STR("198.51.100.1"));
	mta_macro(m, STR("{daemon_port}"), STR("25"));
	mta_macro(m, STR("{client_addr}"), ip);
	mta_macro(m, STR("{client_name}"), or_default(l->name, "unknown"));
	if (ip.n == 0) {
		mta_connect(m, STR("localhost"), SMFIA_UNKNOWN, 0, ip);
	} else {
		host = l->name ? str_from(l->name)
			       : arena_printf(&m->fixed, "[%.*s]", STR_ARG(ip));
		mta_connect(m, host,
		    strchr(ip.p, ':') ? SMFIA_INET6 : SMFIA_INET, 4567, ip);
	}
	mta_helo(m, or_default(l->helo, "client.invalid"));
}

bool
letter_open(struct mta *m, const char *where, const struct letter *l)
{
	if (!mta_open(m, where, TIMEOUT_MS) ||
	    !mta_negotiate(m, &mta_offer_postfix))
		return false;
	say_hello(m, l);
	return m->state != MTA_BROKEN;
}

static size_t
split_header(struct mta *m, struct str text, struct mta_pair **out)
{
	VEC(struct mta_pair) fields = { 0 };

	while (text.n > 0) {
		size_t end = str_find(text, '\n'), colon, blank;
		struct str line;

		while (end + 1 < text.n && text.p[end + 1] == '\t')
			end += 1 + str_find(str_skip(text, end + 1), '\n');
		line = str_head(text, end);
		colon = str_find(line, ':');
		blank = colon + 1 < line.n && line.p[colon + 1] == ' ';
		if (colon == line.n ||
		    !vec_push(&m->fixed, &fields,
			((struct mta_pair){ str_head(line, colon),
			    str_skip(line, colon + 1 + blank) })))
			abort();
		text = str_skip(text, end < text.n ? end + 1 : end);
	}
	*out = fields.v;
	return fields.n;
}

void
letter_send(struct mta *m, const struct letter *l, struct mta_outcome *o)
{
	struct mta_address to[6] = { { STR("<recipient@server.invalid>"), NULL,
	    0 } };
	struct str sender = or_default(l->sender, "<sender@client.invalid>");
	struct str header = str_from(l->header);
	struct mta_message msg = {
		.sender = { sender, NULL, 0 },
		.recipients = to,
		.recipient_count = 1,
		.queue_id = STR("4XyZ123456z9aB"),
		.body = str_from(l->body),
	};
	struct mta_pair *fields;

	for (size_t i = 0; i < 6 && l->to[i]; i++) {
		to[i] = (struct mta_address){ str_from(l->to[i]), NULL, 0 };
		msg.recipient_count = i + 1;
	}
	if (!l->header)
		header =
		    arena_printf(&m->fixed, "From: %.*s\n", STR_ARG(sender));
	msg.header_count = split_header(m, header, &fields);
	msg.headers = fields;
	mta_deliver(m, &msg, o);
}

static const char *
stage_name(int stage)
{
	switch (stage) {
	case SMFIC_MAIL:
		return "mail";
	case SMFIC_RCPT:
		return "rcpt";
	case SMFIC_DATA:
		return "data";
	case SMFIC_HEADER:
		return "header";
	case SMFIC_EOH:
		return "eoh";
	case SMFIC_BODY:
		return "body";
	case SMFIC_BODYEOB:
		return "eom";
	default:
		return "?";
	}
}

static void
add_text(struct bytes *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char hex[8];

		if (c == '\n')
			bytes_add(b, "\\n", 2);
		else if (c == '\r')
			bytes_add(b, "\\r", 2);
		else if (c < ' ' || c > '~')
			bytes_add(b, hex,
			    (size_t)snprintf(hex, sizeof(hex), "\\x%02x", c));
		else
			bytes_add(b, s.p + i, 1);
	}
}

static void
add(struct bytes *b, const char *fixed)
{
	bytes_add(b, fixed, strlen(fixed));
}

static void
add_number(struct bytes *b, unsigned long n)
{
	char text[24];

	bytes_add(b, text, (size_t)snprintf(text, sizeof(text), "%lu", n));
}

static void
add_code(struct bytes *b, const struct mta_reply *r)
{
	add_number(b, r->code);
	add(b, " ");
	if (r->xcode.n) {
		add_text(b, r->xcode);
		add(b, " ");
	}
	add_text(b, r->text);
}

static void
add_reply(struct bytes *b, const struct mta *m, const struct mta_reply *r)
{
	static const char *const words[] = {
		[MTA_CONTINUE] = "continue",
		[MTA_ACCEPT] = "accept",
		[MTA_REJECT] = "reject ",
		[MTA_TEMPFAIL] = "tempfail ",
		[MTA_DISCARD] = "discard",
		[MTA_FAILED] = "failed: ",
	};

	add(b, words[r->verdict]);
	if (r->verdict == MTA_REJECT || r->verdict == MTA_TEMPFAIL)
		add_code(b, r);
	if (r->verdict == MTA_FAILED)
		add(b, m->error);
}

static void
add_field(struct bytes *b, const struct mta_edit *e)
{
	add_text(b, e->name);
	add(b, ": ");
	add_text(b, e->value);
}

static void
add_edit(struct bytes *b, const struct mta_edit *e)
{
	switch (e->kind) {
	case SMFIR_ADDHEADER:
		add(b, "add ");
		add_field(b, e);
		break;
	case SMFIR_INSHEADER:
		add(b, "insert ");
		add_number(b, e->index);
		add(b, " ");
		add_field(b, e);
		break;
	case SMFIR_CHGHEADER:
		add(b, e->value.n ? "change " : "delete ");
		add_number(b, e->index);
		add(b, " ");
		if (e->value.n)
			add_field(b, e);
		else
			add_text(b, e->name);
		break;
	case SMFIR_ADDRCPT:
	case SMFIR_ADDRCPT_PAR:
		add(b, "to +");
		add_text(b, e->name);
		break;
	case SMFIR_DELRCPT:
		add(b, "to -");
		add_text(b, e->name);
		break;
	case SMFIR_CHGFROM:
		add(b, "from ");
		add_text(b, e->name);
		break;
	case SMFIR_QUARANTINE:
		add(b, "quarantine ");
		add_text(b, e->name);
		break;
	default:
		add(b, "body ");
		add_text(b, e->value);
	}
}

/* Answers at RCPT tell more than the outcome if one of them is a refusal. */
static bool
replies_differ(const struct mta_outcome *o)
{
	for (size_t i = 0; o->recipient_replies && i < o->recipient_total; i++)
		if (o->recipient_replies[i].code != 0)
			return o->accepted > 0 || o->recipient_total > 1;
	return false;
}

/* What was built, now the message's. */
static struct str
taken(struct mta *m, struct bytes *b)
{
	struct str text = arena_dup(&m->arena, (struct str){ b->p, b->n });

	bytes_free(b);
	return text;
}

struct str
outcome_text(struct mta *m, const struct mta_outcome *o)
{
	struct bytes b = { 0 };

	add_reply(&b, m, &o->reply);
	add(&b, " at ");
	add(&b, stage_name(o->stage));
	for (size_t i = 0; replies_differ(o) && i < o->recipient_total; i++) {
		add(&b, i ? "; " : " | ");
		if (o->recipient_replies[i].code)
			add_code(&b, &o->recipient_replies[i]);
		else
			add(&b, "ok");
	}
	for (size_t i = 0; i < o->edit_count; i++) {
		add(&b, i ? "; " : " | ");
		add_edit(&b, &o->edits[i]);
	}
	return taken(m, &b);
}

struct str
letter_text(const struct filter *f, const struct letter *l)
{
	static struct bytes kept;
	struct mta m;
	struct mta_outcome o;
	struct str text;

	if (!letter_open(&m, f->where, l))
		printf("# %s\n", m.error);
	letter_send(&m, l, &o);
	text = outcome_text(&m, &o);
	kept.n = 0;
	bytes_add(&kept, text.p, text.n);
	mta_quit(&m);
	return (struct str){ kept.p, kept.n };
}

struct str
reply_text(struct mta *m, struct mta_reply r)
{
	struct bytes b = { 0 };

	add_reply(&b, m, &r);
	return taken(m, &b);
}
