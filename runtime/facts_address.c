/* Addresses and their parts. */
#include "runtime/facts_state.h"

static struct cell
cell_of(struct facts *f, struct str s)
{
	return (struct cell){ .text = s, .arena = &f->message_arena };
}

static struct str
option_text(const struct facts *f, enum milt_option option)
{
	uint32_t text = f->image->needs->option_texts[option];

	return text == IMAGE_NONE ? option_rows[option].text
				  : image_text(f->image, text);
}

/*
 * As Postfix splits: an address that begins with the delimiter has no detail.
 */
static void
split_local(struct facts *f, struct address *a, struct str local)
{
	struct str delimiters = option_text(f, OPTION_RECIPIENT_DELIMITER);
	size_t i = 0;

	while (i < local.n && str_find(delimiters, local.p[i]) == delimiters.n)
		i++;
	if (i == 0)
		i = local.n;
	a->part[PART_USER] = cell_of(f, str_head(local, i));
	if (i < local.n)
		a->part[PART_DETAIL] = cell_of(f, str_skip(local, i + 1));
}

/* Empty domains are missing. */
static void
fill_parts(struct facts *f, struct address *a, const struct mailbox *m)
{
	a->part[PART_ADDRESS] = cell_of(f, m->text);
	if (m->null)
		return;
	a->part[PART_LOCAL] = cell_of(f, m->local.p ? m->local : STR(""));
	if (m->domain.n)
		a->part[PART_DOMAIN] = cell_of(f, m->domain);
	split_local(f, a, a->part[PART_LOCAL].text);
}

bool
facts_envelope_address(struct facts *f, struct address *a, struct str path)
{
	struct cell text;
	struct mailbox m;

	*a = (struct address){ .part = { { .arena = NULL } } };
	if (!facts_set_cell(&text, &f->message_arena, path))
		return false;
	m = mailbox_parse(&f->message_arena, text.text);
	if (!m.local.p)
		return false;
	fill_parts(f, a, &m);
	return true;
}

bool
facts_header_address(
    struct facts *f, struct address *a, struct str text, struct str name)
{
	struct cell c;

	if (!facts_envelope_address(f, a, text))
		return false;
	a->part[PART_USER] = a->part[PART_DETAIL] = (struct cell){ 0 };
	if (name.n == 0)
		return true;
	if (!facts_set_cell(&c, &f->message_arena, name))
		return false;
	a->part[PART_NAME] = c;
	return true;
}

struct cell *
facts_org(struct facts *f, struct cell *domain, struct cell *org)
{
	struct fact_value v = {
		.type = TYPE_DOMAIN, .text = domain->text, .memo = domain
	};
	struct str key, name;

	if (!org->arena && domain->text.p) {
		key = facts_key(f, &v, TYPE_DOMAIN);
		if (!key.p)
			return NULL;
		name = domain_org(domain->arena, key);
		*org = (struct cell){ .arena = domain->arena };
		if (name.n)
			org->text = name;
	}
	return org->text.p ? org : NULL;
}

struct cell *
facts_part(struct facts *f, struct address *a, enum part part)
{
	if (part == PART_ORG)
		return facts_org(f, &a->part[PART_DOMAIN], &a->part[part]);
	return a->part[part].text.p ? &a->part[part] : NULL;
}
