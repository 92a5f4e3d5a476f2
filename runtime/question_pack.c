/* Questions as octets: exchange.h. */
#include <stdlib.h>

#include "runtime/exchange.h"
#include "runtime/facts_decode.h"
#include "runtime/facts_state.h"

struct packer {
	char *p; /* owned */
	size_t n, room;
	struct facts *facts;
	struct arena *arena;
	bool failed; /* no memory */
};

/* ---- records ------------------------------------------------------------- */

static bool
reserve(struct packer *k, size_t more)
{
	size_t room = k->room ? k->room : 1024;
	char *p;

	while (room - k->n < more)
		room *= 2;
	if (room == k->room)
		return true;
	p = realloc(k->p, room);
	if (!p) {
		k->failed = true;
		return false;
	}
	k->p = p;
	k->room = room;
	return true;
}

static void
put_length(struct packer *k, size_t n)
{
	for (int i = 0; i < 4; i++)
		k->p[k->n++] = (char)(n >> 8 * i & 0xff);
}

static void
put_octets(struct packer *k, struct str s)
{
	if (s.n)
		memcpy(k->p + k->n, s.p, s.n);
	k->n += s.n;
}

static void
put(struct packer *k, struct str key, struct str value)
{
	if (k->failed || value.n > UINT32_MAX ||
	    !reserve(k, 8 + key.n + value.n))
		return;
	put_length(k, key.n);
	put_length(k, value.n);
	put_octets(k, key);
	put_octets(k, value);
}

/* ---- facts --------------------------------------------------------------- */

static struct str
text_form(struct packer *k, const struct fact_value *v)
{
	switch (v->type) {
	case TYPE_TEXT:
	case TYPE_DOMAIN:
	case TYPE_ADDRESS:
		return v->text;
	case TYPE_IP:
		return ip_print(k->arena, v->range.first);
	case TYPE_NUMBER:
	case TYPE_SIZE:
	case TYPE_BOOLEAN:
	case TYPE_TIME:
		return arena_printf(k->arena, "%lld", v->number);
	case TYPE_NETWORK:
	case TYPE_DURATION:
	case TYPE_DATE:
	case TYPE_WEEKDAY:
	case TYPE_RESULT:
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return STR("");
}

static void
put_value(struct packer *k, enum milt_attr attr, size_t i)
{
	struct fact_value v;
	struct str text;

	switch (facts_get(k->facts, attr, STR(""), i, &v)) {
	case FACT_MISSING:
	case FACT_FAILED:
	case FACT_ASK:
		return;
	case FACT_THERE:
	case FACT_PARTIAL:
		break;
	}
	text = text_form(k, &v);
	if (text.p)
		put(k, attr_rows[attr].name, text);
	else
		k->failed = true;
}

/* How many there are; fewer than there were where a limit was hit. */
static size_t
count(struct packer *k, enum milt_attr attr)
{
	size_t n;

	switch (facts_count(k->facts, attr, STR(""), &n)) {
	case FACT_THERE:
	case FACT_PARTIAL:
		return n;
	case FACT_MISSING:
	case FACT_FAILED:
	case FACT_ASK:
		break;
	}
	return 0;
}

/* For each element the attributes of the list, which ends with ATTR_NONE. */
static void
put_all(struct packer *k, const enum milt_attr *list)
{
	size_t n = count(k, list[0]);

	for (size_t i = 0; i < n && !k->failed; i++)
		for (const enum milt_attr *a = list; *a != ATTR_NONE; a++)
			put_value(k, *a, i);
}

/* The elements of a collection of records, which a record begins. */
static void
put_records(struct packer *k, enum milt_attr whole, const enum milt_attr *list)
{
	size_t n = count(k, whole);

	for (size_t i = 0; i < n && !k->failed; i++) {
		put(k, attr_rows[whole].name, STR(""));
		for (const enum milt_attr *a = list; *a != ATTR_NONE; a++)
			put_value(k, *a, i);
	}
}

/* Decoded (RFC 2047) where there may be something to decode. */
static void
put_decoded(struct packer *k, struct field *f)
{
	struct str text;

	if (f->raw.text.n < 2 || !memmem(f->raw.text.p, f->raw.text.n, "=?", 2))
		return;
	text = facts_field_value(k->facts, f);
	if (text.p)
		text = decode_words(k->arena, text);
	if (text.p)
		put(k, attr_rows[ATTR_ALL_HEADERS_VALUE].name, text);
	else
		k->failed = true;
}

static void
put_fields(struct packer *k)
{
	struct header *h = k->facts->message ? k->facts->message->header : NULL;

	for (size_t i = 0; h && i < h->fields.n && !k->failed; i++) {
		struct field *f = &h->fields.v[i];

		put(k, attr_rows[ATTR_ALL_HEADERS].name, STR(""));
		put(k, attr_rows[ATTR_ALL_HEADERS_NAME].name, f->name.text);
		put(k, attr_rows[ATTR_RAW_HEADER].name, f->raw.text);
		put_decoded(k, f);
	}
}

static void
put_macros(struct packer *k, const struct macro *m)
{
	for (; m; m = m->next) {
		put(k, STR("macro"), m->name);
		put(k, STR("macro.value"), m->value.text);
	}
}

/* ---- a question ---------------------------------------------------------- */

#define LIST(...) ((const enum milt_attr[]){ __VA_ARGS__, ATTR_NONE })

static void
put_session(struct packer *k)
{
	const struct facts *f = k->facts;

	put_all(k, LIST(ATTR_CLIENT_IP));
	for (const enum milt_attr *a = LIST(ATTR_CLIENT_PORT, ATTR_CLIENT_NAME,
		 ATTR_CLIENT_REVERSE_NAME, ATTR_DAEMON_NAME, ATTR_DAEMON_IP,
		 ATTR_DAEMON_PORT, ATTR_MTA_NAME, ATTR_MTA_VERSION, ATTR_HELO,
		 ATTR_TLS_PROTOCOL, ATTR_TLS_CIPHER, ATTR_TLS_BITS,
		 ATTR_TLS_VERIFIED, ATTR_TLS_CLIENT_SUBJECT,
		 ATTR_TLS_CLIENT_ISSUER);
	     *a != ATTR_NONE; a++)
		put_value(k, *a, 0);
	put_macros(k, f->connect_macros);
	put_macros(k, f->helo_macros);
}

static void
put_envelope(struct packer *k, const struct milt_question *q)
{
	const struct message *m = k->facts->message;

	if (!m)
		return;
	for (const enum milt_attr *a =
		 LIST(ATTR_SENDER, ATTR_DECLARED_SIZE, ATTR_SASL_USERNAME,
		     ATTR_SASL_METHOD, ATTR_SASL_SENDER, ATTR_QUEUE_ID);
	     *a != ATTR_NONE; a++)
		put_value(k, *a, 0);
	put_all(k, LIST(ATTR_SENDER_PARAMETERS));
	put_macros(k, m->macros);
	if (q->recipient.n) {
		put(k, attr_rows[ATTR_RECIPIENT].name, q->recipient);
		put_all(k, LIST(ATTR_RECIPIENT_PARAMETERS));
		if (m->recipient)
			put_macros(k, m->recipient->macros);
	}
	put_all(k, LIST(ATTR_RECIPIENTS));
}

static void
put_header(struct packer *k)
{
	put_fields(k);
	put_all(k, LIST(ATTR_HEADER_FROM, ATTR_HEADER_FROM_NAME));
	put_all(k, LIST(ATTR_HEADER_SENDER, ATTR_HEADER_SENDER_NAME));
	put_all(k, LIST(ATTR_HEADER_REPLY_TO, ATTR_HEADER_REPLY_TO_NAME));
	put_all(k, LIST(ATTR_HEADER_TO, ATTR_HEADER_TO_NAME));
	put_all(k, LIST(ATTR_HEADER_CC, ATTR_HEADER_CC_NAME));
	put_value(k, ATTR_HEADER_SUBJECT, 0);
	put_value(k, ATTR_HEADER_MESSAGE_ID, 0);
	put_value(k, ATTR_HEADER_LIST_ID, 0);
	put_value(k, ATTR_HEADER_DATE, 0);
}

static void
put_body(struct packer *k)
{
	struct fact_value v;

	for (const enum milt_attr *a = LIST(ATTR_BODY_RAW, ATTR_BODY_SIZE,
		 ATTR_MESSAGE_SIZE, ATTR_BODY_TEXT, ATTR_BODY_HTML);
	     *a != ATTR_NONE; a++)
		put_value(k, *a, 0);
	put_records(k, ATTR_FILE,
	    LIST(ATTR_FILE_NAME, ATTR_FILE_EXTENSION, ATTR_FILE_TYPE,
		ATTR_FILE_KIND, ATTR_FILE_SIZE, ATTR_FILE_SHA256,
		ATTR_FILE_TEXT, ATTR_FILE_ENCRYPTED, ATTR_FILE_HAS_MACROS,
		ATTR_FILE_DEPTH));
	if (facts_get(k->facts, ATTR_BODY_TRUNCATED, STR(""), 0, &v) ==
		FACT_THERE &&
	    v.number)
		put(k, STR("body.partial"), STR("1"));
}

bool
question_pack(struct milt_session *s, const struct milt_question *q,
    char **octets, size_t *n)
{
	const struct milt_image *im = milt_session_image(s);
	struct packer k = { .facts = milt_session_facts(s) };

	k.arena = facts_arena(k.facts);
	put(&k, STR("stage"), stage_rows[q->stage].name);
	put(&k, STR("rule"), image_text(im, im->rules[q->rule].name));
	if (im->rules[q->rule].flags & RULE_RECIPIENT)
		put(&k, STR("recipient-rule"), STR(""));
	for (size_t i = 0; i < q->capture_count; i++) {
		put(&k, STR("capture"), q->capture_names[i]);
		put(&k, STR("capture.text"), q->captures[i]);
	}
	put_session(&k);
	put_envelope(&k, q);
	if (q->stage >= STAGE_HEADERS)
		put_header(&k);
	if (q->js->flags & JS_BODY)
		put_body(&k);
	if (k.failed) {
		free(k.p);
		return false;
	}
	*octets = k.p;
	*n = k.n;
	return true;
}
