#include "tests/mta/mta.h"

#include <stdlib.h>

/* A copy of the message on which the changes are made. */
struct draft {
	struct arena *arena;
	struct mta_outcome *out;
	size_t recipient_cap, header_cap;
	bool body_begun, body_done;
};

static void *
need(void *p)
{
	if (!p)
		abort();
	return p;
}

static void
grow(struct draft *d, void *vp, size_t n, size_t *cap, size_t size)
{
	if (n == *cap && !vec_grow(d->arena, vp, cap, size))
		abort();
}

static void
header_insert(struct draft *d, size_t at, struct mta_pair field)
{
	struct mta_outcome *o = d->out;

	grow(d, (void *)&o->headers, o->header_count, &d->header_cap,
	    sizeof(*o->headers));
	memmove(o->headers + at + 1, o->headers + at,
	    (o->header_count - at) * sizeof(*o->headers));
	o->headers[at] = field;
	o->header_count++;
}

/* The MTA's own field is not counted: filters do not see it. */
static size_t
header_find(const struct draft *d, struct str name, uint32_t index)
{
	const struct mta_outcome *o = d->out;
	bool own = true;

	for (size_t i = 0; i < o->header_count; i++) {
		if (own && str_eq(o->headers[i].name, STR("Received"))) {
			own = false;
			continue;
		}
		if (str_eq_ascii(o->headers[i].name, name) && --index == 0)
			return i;
	}
	return o->header_count;
}

static void
header_change(struct draft *d, const struct mta_edit *e)
{
	struct mta_outcome *o = d->out;
	size_t at = header_find(d, e->name, e->index ? e->index : 1);
	struct mta_pair field = { e->name, e->value };

	if (e->value.n > 0 && at == o->header_count) {
		header_insert(d, at, field);
	} else if (e->value.n > 0) {
		o->headers[at] = field;
	} else if (at < o->header_count) {
		memmove(o->headers + at, o->headers + at + 1,
		    (o->header_count - at - 1) * sizeof(*o->headers));
		o->header_count--;
	}
}

static struct str
without_brackets(struct str path)
{
	if (path.n >= 2 && path.p[0] == '<' && path.p[path.n - 1] == '>')
		return (struct str){ path.p + 1, path.n - 2 };
	return path;
}

static void
recipient_add(struct draft *d, struct str address)
{
	struct mta_outcome *o = d->out;

	grow(d, (void *)&o->recipients, o->recipient_count, &d->recipient_cap,
	    sizeof(*o->recipients));
	o->recipients[o->recipient_count++] = without_brackets(address);
}

static void
recipient_remove(struct draft *d, struct str address)
{
	struct mta_outcome *o = d->out;
	size_t n = 0;

	address = without_brackets(address);
	for (size_t i = 0; i < o->recipient_count; i++)
		if (!str_eq_ascii(o->recipients[i], address))
			o->recipients[n++] = o->recipients[i];
	o->recipient_count = n;
}

/* Chunks of a new body follow each other; Postfix fails otherwise. */
static bool
body_replace(struct draft *d, const struct mta_edit *e)
{
	struct str *body = &d->out->body;
	struct str joined;

	if (d->body_done)
		return false;
	if (!d->body_begun)
		*body = STR("");
	d->body_begun = true;
	joined.p = need(arena_alloc(d->arena, body->n + e->value.n + 1));
	joined.n = body->n + e->value.n;
	if (body->n)
		memcpy((char *)joined.p, body->p, body->n);
	if (e->value.n)
		memcpy((char *)joined.p + body->n, e->value.p, e->value.n);
	*body = joined;
	return true;
}

static bool
apply(struct draft *d, const struct mta_edit *e)
{
	struct mta_outcome *o = d->out;
	struct mta_pair field = { e->name, e->value };

	if (e->kind != SMFIR_REPLBODY)
		d->body_done = d->body_begun;
	switch (e->kind) {
	case SMFIR_ADDHEADER:
		header_insert(d, o->header_count, field);
		return true;
	case SMFIR_INSHEADER:
		header_insert(d,
		    e->index < o->header_count ? e->index : o->header_count,
		    field);
		return true;
	case SMFIR_CHGHEADER:
		header_change(d, e);
		return true;
	case SMFIR_ADDRCPT:
	case SMFIR_ADDRCPT_PAR:
		recipient_add(d, e->name);
		return true;
	case SMFIR_DELRCPT:
		recipient_remove(d, e->name);
		return true;
	case SMFIR_CHGFROM:
		o->sender = without_brackets(e->name);
		return true;
	case SMFIR_QUARANTINE:
		o->quarantined = true;
		o->quarantine_reason = e->name;
		return true;
	default:
		return body_replace(d, e);
	}
}

static void
draft_make(struct mta *m, const struct mta_message *msg, struct draft *d)
{
	struct mta_outcome *o = d->out;

	o->sender = without_brackets(msg->sender.path);
	o->body = msg->body;
	header_insert(
	    d, 0, (struct mta_pair){ STR("Received"), STR("by mta.invalid") });
	for (size_t i = 0; i < msg->header_count; i++)
		header_insert(d, o->header_count, msg->headers[i]);
	for (size_t i = 0; i < m->edit_count; i++)
		if (!apply(d, &m->edits[i])) {
			mta_fail(m, "new body in more than one run");
			o->reply.verdict = MTA_FAILED;
			return;
		}
}

static struct mta_reply
send_path(struct mta *m, bool mail, const struct mta_address *a)
{
	struct str args[1 + 32];
	size_t n = a->count < 32 ? a->count : 32;

	args[0] = a->path;
	for (size_t i = 0; i < n; i++)
		args[1 + i] = a->parameters[i];
	return mail ? mta_mail(m, args, n + 1) : mta_rcpt(m, args, n + 1);
}

static bool
ends(const struct mta_reply *r)
{
	return r->verdict == MTA_REJECT || r->verdict == MTA_TEMPFAIL ||
	       r->verdict == MTA_FAILED;
}

/* An accept or discard is final, but the SMTP transaction goes on. */
static bool
step(struct mta_outcome *o, int stage, struct mta_reply r)
{
	if (o->reply.verdict == MTA_ACCEPT || o->reply.verdict == MTA_DISCARD)
		return true;
	if (r.verdict == MTA_CONTINUE)
		return true;
	o->reply = r;
	o->stage = stage;
	return !ends(&r);
}

static bool
send_recipients(struct mta *m, const struct mta_message *msg, struct draft *d)
{
	struct mta_outcome *o = d->out;

	o->recipient_replies = need(arena_array(&m->arena,
	    msg->recipient_count + 1, sizeof(*o->recipient_replies)));
	for (size_t i = 0; i < msg->recipient_count; i++) {
		const struct mta_address *a = &msg->recipients[i];
		struct mta_reply r;

		mta_macro(m, STR("{rcpt_addr}"), without_brackets(a->path));
		r = send_path(m, false, a);
		o->recipient_replies[i] = r;
		o->recipient_total = i + 1;
		if (r.verdict == MTA_FAILED)
			return step(o, SMFIC_RCPT, r);
		if (ends(&r))
			continue;
		step(o, SMFIC_RCPT, r);
		o->accepted++;
		recipient_add(d, a->path);
		if (msg->queue_id.p)
			mta_macro(m, STR("i"), msg->queue_id);
	}
	if (o->accepted > 0 || msg->recipient_count == 0)
		return true;
	o->reply = o->recipient_replies[msg->recipient_count - 1];
	o->stage = SMFIC_RCPT;
	return false;
}

static bool
send_content(
    struct mta *m, const struct mta_message *msg, struct mta_outcome *o)
{
	struct str body = msg->body;

	for (size_t i = 0; i < msg->header_count && m->state == MTA_READY; i++)
		if (!step(o, SMFIC_HEADER,
			mta_header(
			    m, msg->headers[i].name, msg->headers[i].value)))
			return false;
	if (!step(o, SMFIC_EOH, mta_eoh(m)))
		return false;
	while (body.n > 0 && m->state == MTA_READY) {
		struct str chunk = str_head(body, MTA_CHUNK);

		if (!step(o, SMFIC_BODY, mta_body(m, chunk)))
			return false;
		body = str_skip(body, chunk.n);
	}
	return step(o, SMFIC_BODYEOB, mta_eom(m));
}

static bool
transaction(struct mta *m, const struct mta_message *msg, struct draft *d)
{
	struct mta_outcome *o = d->out;

	mta_macro(m, STR("i"), (struct str){ NULL, 0 });
	mta_macro(m, STR("{mail_addr}"), without_brackets(msg->sender.path));
	o->stage = SMFIC_MAIL;
	if (!step(o, SMFIC_MAIL, send_path(m, true, &msg->sender)))
		return false;
	if (!send_recipients(m, msg, d) || !step(o, SMFIC_DATA, mta_data(m)))
		return false;
	/* Another process of the MTA goes on with the same connection. */
	if (m->state == MTA_READY && !mta_flush(m))
		return step(
		    o, SMFIC_DATA, (struct mta_reply){ .verdict = MTA_FAILED });
	return send_content(m, msg, o);
}

void
mta_deliver(struct mta *m, const struct mta_message *msg, struct mta_outcome *o)
{
	struct draft d = { .arena = &m->arena, .out = o };

	*o = (struct mta_outcome){ 0 };
	arena_reset(&m->arena);
	m->edits = NULL;
	m->edit_count = m->edit_cap = 0;
	if (transaction(m, msg, &d)) {
		if (o->reply.verdict == MTA_CONTINUE) {
			o->reply.verdict = MTA_ACCEPT;
			o->stage = SMFIC_BODYEOB;
		}
		draft_make(m, msg, &d);
	}
	o->edits = m->edits;
	o->edit_count = m->edit_count;
	/* smtpd forgets the sender, and tells the filter, wanted or not. */
	if (o->stage != SMFIC_MAIL || !ends(&o->reply))
		mta_abort(m);
}

struct str
mta_delivered(const struct mta_outcome *o, const char *name, size_t i)
{
	for (size_t k = 0; k < o->header_count; k++)
		if (str_eq_ascii(o->headers[k].name, str_from(name)) &&
		    i-- == 0)
			return o->headers[k].value;
	return (struct str){ NULL, 0 };
}

size_t
mta_delivered_count(const struct mta_outcome *o, const char *name)
{
	size_t n = 0;

	while (mta_delivered(o, name, n).p)
		n++;
	return n;
}
