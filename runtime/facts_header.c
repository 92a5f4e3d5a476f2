/* The header fields: kept as they came, found by name. */
#include "runtime/facts_state.h"
#include "runtime/limits.h"

/* Octets that the line ends of a value have on the wire beyond its own. */
static size_t
missing_cr(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r');
	return n;
}

/* FNV-1a of the name in lower case. */
uint32_t
facts_name_hash(struct str s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 16777619u;
	}
	return h;
}

/* What was found before all fields were there. */
static void
forget_parsed(struct header *h)
{
	h->index = NULL;
	h->authres = NULL;
	memset(h->addresses, 0, sizeof(h->addresses));
	h->subject = h->message_id = h->list_id = h->date =
	    (struct named){ .parsed = false };
}

static bool
keep_field(struct facts *f, struct header *h, struct str name, struct str value)
{
	struct arena *a = &f->message_arena;
	struct field field = { .raw = { .arena = a }, .value = { .arena = a } };

	field.raw.text = arena_dup(a, value);
	if (!field.raw.text.p || !facts_set_cell(&field.name, a, name))
		return false;
	field.hash = facts_name_hash(field.name.text);
	if (h->index)
		forget_parsed(h);
	return vec_push(a, &h->fields, field);
}

enum milt_status
facts_header(struct facts *f, struct str name, struct str value)
{
	struct message *m = facts_message(f);
	size_t n = name.n + value.n;

	if (!m)
		return MILT_NO_MEMORY;
	/* "Name: value" CRLF */
	m->header_size += (long long)(n + missing_cr(value) + 4);
	if (!(f->image->needs->flags & NEED_HEADERS))
		return MILT_OK;
	if (!m->header)
		m->header = ARENA_NEW(&f->message_arena, struct header);
	if (!m->header)
		return MILT_NO_MEMORY;
	if (m->header->over ||
	    m->header->fields.n >= (size_t)LIMIT_VALUE_HEADER_COUNT ||
	    n > (size_t)LIMIT_VALUE_HEADER_BYTES - m->header->bytes) {
		if (!m->header->over)
			limit_hit(m->header->fields.n >=
					  (size_t)LIMIT_VALUE_HEADER_COUNT
				      ? LIMIT_HEADER_COUNT
				      : LIMIT_HEADER_BYTES);
		m->header->over = true;
		return MILT_OK;
	}
	m->header->bytes += n;
	return keep_field(f, m->header, name, value) ? MILT_OK : MILT_NO_MEMORY;
}

static bool
has_name(const struct field *field, uint32_t hash, struct str name)
{
	return field->hash == hash && str_eq_ascii(field->name.text, name);
}

bool
facts_name_at(const struct facts *f, size_t i, uint32_t *hash)
{
	const struct header *h = f->message ? f->message->header : NULL;

	if (!h || i >= h->fields.n)
		return false;
	*hash = h->fields.v[i].hash;
	return true;
}

bool
facts_fields_over(const struct facts *f)
{
	return f->message && f->message->header && f->message->header->over;
}

static struct index *
make_index(struct facts *f, struct header *h, struct str name, uint32_t hash)
{
	struct index *x = ARENA_NEW(&f->message_arena, struct index);
	size_t n = 0;

	if (!x)
		return NULL;
	for (size_t i = 0; i < h->fields.n; i++)
		n += has_name(&h->fields.v[i], hash, name);
	x->name = arena_dup(&f->message_arena, name);
	x->hash = hash;
	x->fields = ARENA_ARRAY(&f->message_arena, n ? n : 1, uint32_t);
	if (!x->fields || !x->name.p)
		return NULL;
	for (size_t i = 0; i < h->fields.n; i++)
		if (has_name(&h->fields.v[i], hash, name))
			x->fields[x->n++] = (uint32_t)i;
	return x;
}

bool
facts_fields(struct facts *f, struct str name, const struct index **out)
{
	struct header *h = f->message ? f->message->header : NULL;
	uint32_t hash;
	struct index **bucket, *x;

	*out = NULL;
	if (!h)
		return true;
	f->failure = h->over ? facts_header_over : facts_no_memory;
	if (h->over)
		return false;
	if (!h->index)
		h->index = ARENA_ARRAY(
		    &f->message_arena, INDEX_BUCKETS, struct index *);
	if (!h->index)
		return false;
	hash = facts_name_hash(name);
	bucket = &h->index[hash % INDEX_BUCKETS];
	for (x = *bucket; x; x = x->next)
		if (x->hash == hash && str_eq_ascii(x->name, name))
			break;
	if (!x) {
		x = make_index(f, h, name, hash);
		if (!x)
			return false;
		x->next = *bucket;
		*bucket = x;
	}
	*out = x;
	return true;
}

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 2.2.3: a line end before a blank goes; the blank stays. */
static struct str
unfold(struct arena *a, struct str s)
{
	size_t n = 0;
	char *p;

	if (str_find(s, '\n') == s.n)
		return s;
	p = arena_alloc(a, s.n);
	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.n; i++) {
		size_t end = i + (s.p[i] == '\r');

		if (end + 1 < s.n && s.p[end] == '\n' && is_wsp(s.p[end + 1]))
			i = end;
		else
			p[n++] = s.p[i];
	}
	return (struct str){ p, n };
}

struct str
facts_field_value(struct facts *f, struct field *field)
{
	struct arena *a = &f->message_arena;
	struct str s;

	if (field->value.text.p)
		return field->value.text;
	s = utf8_make_valid(a, field->raw.text);
	if (s.p)
		s = unfold(a, s);
	if (s.p)
		field->value.text = str_trim(s);
	else
		f->failure = facts_no_memory;
	return field->value.text;
}
