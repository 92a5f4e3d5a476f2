#include "runtime/edits.h"

#include "runtime/insert.h"
#include "runtime/state.h"

/* A header field of the message as it arrived, and what becomes of it. */
struct field {
	struct str name;
	uint32_t of_name; /* from 1, among the fields of that name */
	bool deleted;
	bool changed;
	struct str value; /* changed */
};

struct plan {
	struct milt_session *session;
	struct arena *arena;
	struct field *fields;
	size_t field_count;
	VEC(struct edit) edits;
	struct str body; /* p NULL: it stays */
};

static bool
push(struct plan *p, enum edit_kind kind, uint32_t index, struct str name,
    struct str value)
{
	struct edit e = { kind, index, name, value };

	return vec_push(p->arena, &p->edits, e);
}

static bool
wants_fields(const struct milt_change *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].action == ACTION_SET_HEADER ||
		    c[i].action == ACTION_REMOVE_HEADER ||
		    action_changes_body(c[i].action))
			return true;
	return false;
}

/* Names in the arena of the message, so they may be kept. */
static bool
read_fields(struct plan *p)
{
	struct facts *f = milt_session_facts(p->session);
	size_t n;

	if (facts_count(f, ATTR_ALL_HEADERS, STR(""), &n) != FACT_THERE)
		return false;
	p->fields = ARENA_ARRAY(p->arena, n, struct field);
	if (n && !p->fields)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct fact_value v;

		if (facts_get(f, ATTR_ALL_HEADERS_NAME, STR(""), i, &v) !=
		    FACT_THERE)
			return false;
		p->fields[i].name = v.text;
	}
	p->field_count = n;
	return true;
}

/* Leave one field of that name with that value; add it if there is none. */
static bool
set_field(struct plan *p, struct str name, struct str value)
{
	uint32_t found = 0;

	for (size_t i = 0; i < p->field_count; i++) {
		struct field *f = &p->fields[i];

		if (!str_eq_ascii(f->name, name))
			continue;
		f->of_name = ++found;
		f->deleted = found > 1;
		f->changed = found == 1;
		f->value = value;
	}
	return found || push(p, EDIT_ADD_HEADER, 0, name, value);
}

static void
remove_fields(struct plan *p, const struct milt_change *c)
{
	uint32_t found = 0;

	for (size_t i = 0; i < p->field_count; i++) {
		struct field *f = &p->fields[i];

		if (!str_eq_ascii(f->name, c->name))
			continue;
		f->of_name = ++found;
		f->deleted |= !c->chosen || c->chosen[i];
	}
}

/* ---- the body ---------------------------------------------------------- */

/* The texts of all actions of a kind, in file order. */
static struct str
texts_of(struct plan *p, const struct milt_change *c, size_t n,
    enum milt_action action)
{
	VEC(char) out = { 0 };

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; c[i].action == action && k < c[i].value.n;
		     k++)
			if (!vec_push(p->arena, &out, c[i].value.p[k]))
				return (struct str){ NULL, 0 };
	return (struct str){ out.v ? out.v : "", out.n };
}

static void
drop_fields(struct plan *p, struct str name)
{
	uint32_t found = 0;

	for (size_t i = 0; i < p->field_count; i++) {
		if (!str_eq_ascii(p->fields[i].name, name))
			continue;
		p->fields[i].of_name = ++found;
		p->fields[i].deleted = true;
	}
}

/* The new body is plain text, whatever the old one was (RFC 2045, RFC 2183). */
static bool
describe_body(struct plan *p, const struct inserted *new)
{
	static const struct str old[] = { STR("Content-Disposition"),
		STR("Content-ID"), STR("Content-Description"),
		STR("Content-Location"), STR("Content-Language"),
		STR("Content-MD5") };

	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++)
		drop_fields(p, old[i]);
	return set_field(p, STR("MIME-Version"), STR("1.0")) &&
	       set_field(p, STR("Content-Type"), new->type) &&
	       set_field(p, STR("Content-Transfer-Encoding"), new->encoding);
}

static bool
has_field(const struct plan *p, struct str name)
{
	for (size_t i = 0; i < p->field_count; i++)
		if (str_eq_ascii(p->fields[i].name, name))
			return true;
	return false;
}

static bool
put_texts(struct plan *p, struct str before, struct str after)
{
	struct inserted out;

	if (insert_texts(p->session->facts, before, after, &out) != INSERT_OK)
		return false;
	p->body = out.body;
	if (!out.type.p && !out.encoding.p)
		return true;
	if (!has_field(p, STR("MIME-Version")) &&
	    !set_field(p, STR("MIME-Version"), STR("1.0")))
		return false;
	return (!out.type.p || set_field(p, STR("Content-Type"), out.type)) &&
	       (!out.encoding.p ||
		   set_field(
		       p, STR("Content-Transfer-Encoding"), out.encoding));
}

/* The last new body, with all texts around it; or the old one with them. */
static bool
plan_body(struct plan *p, const struct milt_change *c, size_t n)
{
	const struct milt_change *body = NULL;
	struct str before = texts_of(p, c, n, ACTION_PREPEND_TEXT);
	struct str after = texts_of(p, c, n, ACTION_APPEND_TEXT);
	struct inserted new;
	struct str text;

	if (!before.p || !after.p)
		return false;
	for (size_t i = 0; i < n; i++)
		if (c[i].action == ACTION_REPLACE_BODY)
			body = &c[i];
	if (!body)
		return (!before.n && !after.n) || put_texts(p, before, after);
	text = arena_printf(p->arena, "%.*s%.*s%.*s", STR_ARG(before),
	    STR_ARG(body->value), STR_ARG(after));
	if (!text.p || !insert_new_body(p->arena, text, &new))
		return false;
	p->body = new.body;
	return describe_body(p, &new);
}

/* ---- all fields -------------------------------------------------------- */

/*
 * Changes and deletions first, of each name the last field first: behind a
 * deleted field the MTA counts the others of that name anew.
 */
static bool
push_fields(struct plan *p)
{
	for (size_t i = p->field_count; i-- > 0;) {
		struct field *f = &p->fields[i];

		if (f->deleted) {
			if (!push(p, EDIT_DELETE_HEADER, f->of_name, f->name,
				STR("")))
				return false;
		} else if (f->changed) {
			if (!push(p, EDIT_CHANGE_HEADER, f->of_name, f->name,
				f->value))
				return false;
		}
	}
	return true;
}

/*
 * Insertions: the largest index first, so that none moves another's place; of
 * equal ones the last in the file first, so that the first ends up on top.
 */
static bool
push_insertions(struct plan *p, const struct milt_change *c, size_t n)
{
	long long below = 0;
	bool more = false;

	for (size_t i = 0; i < n; i++)
		if (c[i].action == ACTION_INSERT_HEADER) {
			more = true;
			if (c[i].index > below)
				below = c[i].index;
		}
	while (more) {
		long long next = -1;
		uint32_t gone = 0;

		for (size_t i = 0;
		     i < p->field_count && (long long)i + 1 < below; i++)
			gone += p->fields[i].deleted;
		for (size_t i = n; i-- > 0;) {
			if (c[i].action != ACTION_INSERT_HEADER)
				continue;
			if (c[i].index < below && c[i].index > next)
				next = c[i].index;
			if (c[i].index == below &&
			    !push(p, EDIT_INSERT_HEADER, (uint32_t)below - gone,
				c[i].name, c[i].value))
				return false;
		}
		more = next >= 0;
		below = next;
	}
	return true;
}

/* As the policy compares addresses. */
static bool
same_mailbox(struct plan *p, struct str address, size_t recipient)
{
	struct mailbox a = mailbox_parse(p->arena, address);
	struct mailbox b = mailbox_parse(
	    p->arena, facts_recipient(p->session->facts, recipient));
	bool exact = p->session->image->needs->options[OPTION_LOCAL_PARTS] ==
		     LOCAL_PARTS_EXACT;

	return str_eq(mailbox_normal(p->arena, &a, exact),
	    mailbox_normal(p->arena, &b, exact));
}

static bool
remove_recipients(struct plan *p, const struct milt_change *c)
{
	struct facts *f = milt_session_facts(p->session);

	for (size_t i = 0; i < facts_recipients(f); i++) {
		if (c->value.n && !same_mailbox(p, c->value, i))
			continue;
		if (c->chosen && !c->chosen[i])
			continue;
		if (!push(p, EDIT_REMOVE_RECIPIENT, 0, STR(""),
			facts_recipient(f, i)))
			return false;
	}
	return true;
}

/* Sender and recipients, in file order. */
static bool
push_envelope(struct plan *p, const struct milt_change *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool ok = true;

		if (c[i].action == ACTION_SET_SENDER)
			ok = push(p, EDIT_SET_SENDER, 0, STR(""), c[i].value);
		else if (c[i].action == ACTION_REMOVE_RECIPIENT)
			ok = remove_recipients(p, &c[i]);
		if (!ok)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (c[i].action == ACTION_ADD_RECIPIENT &&
		    !push(p, EDIT_ADD_RECIPIENT, 0, STR(""), c[i].value))
			return false;
	return true;
}

/* Additions, planned from `planned` on, are sent behind the other edits. */
static bool
send_additions_last(
    struct plan *p, size_t planned, const struct milt_change *c, size_t n)
{
	size_t count = p->edits.n - planned;
	struct edit *adds = ARENA_ARRAY(p->arena, count, struct edit);

	if (!adds)
		return false;
	if (count)
		memcpy(adds, p->edits.v + planned, count * sizeof(*adds));
	p->edits.n = planned;
	if (!push_fields(p) || !push_insertions(p, c, n))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!vec_push(p->arena, &p->edits, adds[i]))
			return false;
	return true;
}

static bool
plan_header(struct plan *p, const struct milt_change *c, size_t n)
{
	size_t planned = p->edits.n;

	if (!plan_body(p, c, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool ok = true;

		if (c[i].action == ACTION_SET_HEADER)
			ok = set_field(p, c[i].name, c[i].value);
		else if (c[i].action == ACTION_ADD_HEADER)
			ok = push(p, EDIT_ADD_HEADER, 0, c[i].name, c[i].value);
		else if (c[i].action == ACTION_REMOVE_HEADER)
			remove_fields(p, &c[i]);
		if (!ok)
			return false;
	}
	return send_additions_last(p, planned, c, n);
}

/* Quarantine with the first reason; the new body. */
static bool
push_rest(struct plan *p, const struct milt_change *c, size_t n)
{
	const struct milt_change *hold = NULL;

	for (size_t i = 0; i < n; i++)
		if (c[i].action == ACTION_QUARANTINE && !hold)
			hold = &c[i];
	if (hold && !push(p, EDIT_QUARANTINE, 0, STR(""), hold->value))
		return false;
	return !p->body.p || push(p, EDIT_REPLACE_BODY, 0, STR(""), p->body);
}

enum milt_status
milt_edits(struct milt_session *s, const struct edit **out, size_t *count)
{
	const struct milt_change *c;
	size_t n = milt_session_changes(s, &c);
	struct plan p = { .session = s, .arena = facts_arena(s->facts) };

	if (wants_fields(c, n) && !read_fields(&p))
		return MILT_NO_MEMORY;
	if (!push_envelope(&p, c, n) || !plan_header(&p, c, n) ||
	    !push_rest(&p, c, n))
		return MILT_NO_MEMORY;
	*out = p.edits.v;
	*count = p.edits.n;
	return MILT_OK;
}
