/* The fields of the header that have a meaning of their own, parsed once. */
#include "runtime/facts_state.h"
#include "runtime/limits.h"

static const struct {
	struct str name;
	bool first;  /* only the first field counts */
	bool needed; /* a message must have it, with an address (5322 3.6) */
	bool single; /* a second one is an error */
} address_fields[FIELD_COUNT] = {
	[FIELD_FROM] = { STR("From"), false, true, true },
	[FIELD_SENDER] = { STR("Sender"), true, false, true },
	[FIELD_REPLY_TO] = { STR("Reply-To"), false, false, false },
	[FIELD_TO] = { STR("To"), false, false, false },
	[FIELD_CC] = { STR("Cc"), false, false, false },
};

/* What is asked for before there is a header: nothing was sent. */
static struct header *
header_of(struct facts *f)
{
	struct message *m = facts_message(f);

	if (m && !m->header)
		m->header = ARENA_NEW(&f->message_arena, struct header);
	if (m && m->header)
		return m->header;
	f->failure = facts_no_memory;
	return NULL;
}

/* The n fields of a kind; false with f->failure set. */
static bool
fields_of(struct facts *f, struct str name, const uint32_t **out, size_t *n)
{
	const struct index *x;

	if (!facts_fields(f, name, &x))
		return false;
	*out = x ? x->fields : NULL;
	*n = x ? x->n : 0;
	return true;
}

static bool
parse_addresses(struct facts *f, struct header *h, struct addresses *a,
    enum address_field field)
{
	const uint32_t *fields;
	size_t n, bytes = 0;

	if (!fields_of(f, address_fields[field].name, &fields, &n))
		return false;
	a->malformed = n == 0 ? address_fields[field].needed
			      : n > 1 && address_fields[field].single;
	for (size_t i = 0; i < n; i++) {
		struct str s = facts_field_value(f, &h->fields.v[fields[i]]);

		if (!s.p)
			return false;
		bytes += s.n;
		if (bytes > (size_t)LIMIT_VALUE_ADDRESS_BYTES) {
			limit_hit(LIMIT_ADDRESS_BYTES);
			a->failure = "an address field of the header is larger "
				     "than what is looked at";
			a->list.n = 0;
			return true;
		}
		if (!decode_addresses(f, s, &a->list, &a->malformed)) {
			f->failure = facts_no_memory;
			return false;
		}
		if (address_fields[field].first)
			break;
	}
	if (address_fields[field].first && a->list.n > 1)
		a->list.n = 1;
	a->malformed |= address_fields[field].needed && a->list.n == 0;
	return true;
}

struct addresses *
facts_addresses(struct facts *f, enum address_field field)
{
	struct header *h = header_of(f);
	struct addresses *a = h ? &h->addresses[field] : NULL;

	if (!a)
		return NULL;
	if (!a->parsed) {
		a->list.n = 0;
		if (!parse_addresses(f, h, a, field))
			return NULL;
		a->parsed = true;
	}
	if (!a->failure)
		return a;
	f->failure = a->failure;
	return NULL;
}

/*
 * The value of the first field called `name`: {NULL, 0} where there is none.
 * False with f->failure set.
 */
static bool
first_value(struct facts *f, struct header *h, const char *name,
    struct str *out, size_t *count)
{
	const uint32_t *fields;

	*out = (struct str){ NULL, 0 };
	if (!fields_of(f, str_from(name), &fields, count))
		return false;
	if (*count == 0)
		return true;
	*out = facts_field_value(f, &h->fields.v[fields[0]]);
	return out->p != NULL;
}

static void
set_text(struct facts *f, struct named *named, struct str s)
{
	named->text = (struct cell){ .text = s, .arena = &f->message_arena };
	named->parsed = true;
}

struct named *
facts_subject(struct facts *f)
{
	struct header *h = header_of(f);
	struct str s;
	size_t n;

	if (!h || h->subject.parsed)
		return h ? &h->subject : NULL;
	if (!first_value(f, h, "Subject", &s, &n))
		return NULL;
	if (s.p) {
		s = decode_words(&f->message_arena, s);
		if (!s.p) {
			f->failure = facts_no_memory;
			return NULL;
		}
	}
	set_text(f, &h->subject, s);
	return &h->subject;
}

/* "<id>" and what is around it: the identifier. */
struct named *
facts_message_id(struct facts *f)
{
	struct header *h = header_of(f);
	struct str s;
	size_t n, open;

	if (!h || h->message_id.parsed)
		return h ? &h->message_id : NULL;
	if (!first_value(f, h, "Message-ID", &s, &n))
		return NULL;
	open = str_find(s, '<');
	if (open < s.n) {
		s = str_skip(s, open + 1);
		s = str_trim(str_head(s, str_find(s, '>')));
	}
	set_text(f, &h->message_id, s);
	return &h->message_id;
}

/* RFC 2919 3: a phrase, then the identifier in the last brackets. */
struct named *
facts_list_id(struct facts *f)
{
	struct header *h = header_of(f);
	struct str s;
	size_t n;

	if (!h || h->list_id.parsed)
		return h ? &h->list_id : NULL;
	if (!first_value(f, h, "List-Id", &s, &n))
		return NULL;
	for (size_t i = s.n; i-- > 0;) {
		if (s.p[i] != '<')
			continue;
		s = str_skip(s, i + 1);
		s = str_trim(str_head(s, str_find(s, '>')));
		break;
	}
	set_text(f, &h->list_id, s);
	return &h->list_id;
}

struct named *
facts_date(struct facts *f)
{
	struct header *h = header_of(f);
	bool readable;
	struct str s;
	size_t n;

	if (!h || h->date.parsed)
		return h ? &h->date : NULL;
	if (!first_value(f, h, "Date", &s, &n))
		return NULL;
	readable = s.p && decode_date(s, &h->date.number);
	h->date.malformed = n > 1 || (n == 1 && !readable);
	set_text(f, &h->date, readable ? s : (struct str){ NULL, 0 });
	return &h->date;
}
