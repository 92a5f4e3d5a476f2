/* Values that come from addresses, the header and the body. */
#include "runtime/facts_get.h"

/* ---- addresses --------------------------------------------------------- */

/* How many addresses; false with f->failure set. */
static bool
addresses_of(struct facts *f, unsigned holder, size_t *out)
{
	const struct message *m = f->message;
	struct addresses *a;

	*out = 0;
	if (holder < HOLDER_FIELDS && !m)
		return true;
	if (holder == HOLDER_SENDER) {
		*out = m->sender != NULL;
	} else if (holder == HOLDER_RECIPIENT) {
		*out = m->recipient && m->recipient->has_path;
	} else if (holder == HOLDER_RECIPIENTS) {
		*out = m->recipients.n;
	} else {
		a = facts_addresses(f, holder - HOLDER_FIELDS);
		if (!a)
			return false;
		*out = a->list.n;
	}
	return true;
}

/* Number i of those that addresses_of has counted. */
static struct address *
address_at(struct facts *f, unsigned holder, size_t i)
{
	struct message *m = f->message;

	if (holder == HOLDER_SENDER)
		return m->sender;
	if (holder == HOLDER_RECIPIENT)
		return &m->recipient->address;
	if (holder == HOLDER_RECIPIENTS)
		return &m->recipients.v[i]->address;
	return m->header->addresses[holder - HOLDER_FIELDS].list.v[i];
}

enum fact_state
facts_count_address(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	enum part part;

	(void)key;
	return addresses_of(f, facts_holder(attr, &part), out) ? FACT_THERE
							       : FACT_FAILED;
}

enum fact_state
facts_get_address(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	enum part part;
	unsigned holder = facts_holder(attr, &part);
	size_t n;

	(void)key;
	if (!addresses_of(f, holder, &n))
		return FACT_FAILED;
	if (i >= n)
		return FACT_MISSING;
	return facts_cell_value(
	    facts_part(f, address_at(f, holder, i), part), out);
}

/* ---- fields ------------------------------------------------------------ */

enum fact_state
facts_count_header(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	const struct index *x;

	(void)attr;
	if (!facts_fields(f, key, &x))
		return FACT_FAILED;
	*out = x ? x->n : 0;
	return FACT_THERE;
}

static enum fact_state
field_value(struct facts *f, struct field *field, struct fact_value *out)
{
	if (!facts_field_value(f, field).p)
		return FACT_FAILED;
	return facts_cell_value(&field->value, out);
}

enum fact_state
facts_get_header(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	const struct index *x;
	struct field *field;

	if (!facts_fields(f, key, &x))
		return FACT_FAILED;
	if (!x || i >= x->n)
		return FACT_MISSING;
	field = &f->message->header->fields.v[x->fields[i]];
	return attr == ATTR_RAW_HEADER ? facts_cell_value(&field->raw, out)
				       : field_value(f, field, out);
}

enum fact_state
facts_count_fields(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	const struct header *h = f->message ? f->message->header : NULL;

	(void)attr;
	(void)key;
	*out = h ? h->fields.n : 0;
	if (!h || !h->over)
		return FACT_THERE;
	f->failure = facts_header_over;
	return FACT_FAILED;
}

enum fact_state
facts_get_field(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct field *field;
	size_t n;

	if (facts_count_fields(f, attr, key, &n) == FACT_FAILED)
		return FACT_FAILED;
	if (i >= n)
		return FACT_MISSING;
	field = &f->message->header->fields.v[i];
	if (attr == ATTR_ALL_HEADERS_VALUE)
		return field_value(f, field, out);
	return facts_cell_value(&field->name, out);
}

/* ---- fields with a meaning --------------------------------------------- */

enum fact_state
facts_get_named(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct named *named = attr == ATTR_HEADER_SUBJECT ? facts_subject(f)
			      : attr == ATTR_HEADER_LIST_ID
				  ? facts_list_id(f)
				  : facts_message_id(f);

	(void)key;
	(void)i;
	return named ? facts_cell_value(&named->text, out) : FACT_FAILED;
}

enum fact_state
facts_get_date(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct named *date = facts_date(f);

	(void)key;
	(void)i;
	if (!date)
		return FACT_FAILED;
	if (!date->text.text.p)
		return FACT_MISSING;
	out->number = date->number;
	if (attr == ATTR_HEADER_DATE)
		return FACT_THERE;
	if (!f->clock)
		return FACT_ASK;
	out->number = f->clock->now - date->number;
	return FACT_THERE;
}

/* ---- the body ---------------------------------------------------------- */

enum fact_state
facts_get_body(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct message *m = f->message;
	enum fact_state state;

	(void)attr;
	(void)key;
	(void)i;
	if (!m)
		return FACT_MISSING;
	if (m->body.text.n != f->body_length || !m->body.text.p)
		m->body = (struct cell){ .text = { f->body ? f->body : "",
					     f->body_length },
			.arena = &f->message_arena };
	state = facts_cell_value(&m->body, out);
	if (!f->body_over)
		return state;
	f->failure = facts_body_over;
	return FACT_PARTIAL;
}
