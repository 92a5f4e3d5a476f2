#include "compiler/passes.h"

static const struct {
	struct str name, what;
} reserved_rows[] = {
#define RESERVED(name, what) { STR(name), STR(what) },
#include "dsl/reserved.def"
#undef RESERVED
};

static const size_t reserved_count =
    sizeof(reserved_rows) / sizeof(reserved_rows[0]);

static uint64_t
name_hash(struct str s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h ^ h >> 32;
}

/* The slot of `name`, or the free one where it belongs. */
static struct ast_item **
name_slot(const struct name_table *t, struct str name)
{
	size_t i = name_hash(name) & (t->size - 1);

	while (t->slots[i] && !str_eq(t->slots[i]->name.text, name))
		i = (i + 1) & (t->size - 1);
	return &t->slots[i];
}

static void
name_grow(struct name_table *t)
{
	struct name_table old = *t;

	t->size = old.size ? old.size * 2 : 64;
	t->slots = ARENA_ARRAY(t->arena, t->size, struct ast_item *);
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i])
			*name_slot(t, old.slots[i]->name.text) = old.slots[i];
}

struct ast_item *
name_add(struct name_table *t, struct ast_item *item)
{
	if (t->count * 2 >= t->size)
		name_grow(t);

	struct ast_item **slot = name_slot(t, item->name.text);

	if (*slot)
		return *slot;
	*slot = item;
	t->count++;
	return NULL;
}

struct ast_item *
name_find(const struct name_table *t, struct str name)
{
	return t->size ? *name_slot(t, name) : NULL;
}

/* Has `name` the form PREFIX.rest?  Then *rest is that. */
static bool
name_split(struct str name, struct str prefix, struct str *rest)
{
	if (name.n < prefix.n + 2 || !str_starts(name, prefix) ||
	    name.p[prefix.n] != '.')
		return false;
	*rest = str_skip(name, prefix.n + 1);
	return true;
}

enum milt_attr
attr_find(struct str name)
{
	enum milt_attr attr = attr_by_name(name);
	struct str rest;

	for (size_t i = 0; attr == ATTR_NONE && i < collection_row_count; i++)
		if (name_split(name, collection_rows[i].singular, &rest) ||
		    name_split(name, collection_rows[i].plural, &rest))
			attr = field_find(collection_rows[i].attr, rest);
	return attr;
}

const struct collection_row *
collection_find(struct str name)
{
	for (size_t i = 0; i < collection_row_count; i++)
		if (str_eq(name, collection_rows[i].singular) ||
		    str_eq(name, collection_rows[i].plural))
			return &collection_rows[i];
	return NULL;
}

enum milt_attr
field_find(enum milt_attr collection, struct str field)
{
	struct str rest;

	for (int a = ATTR_NONE + 1; a < ATTR_COUNT; a++)
		if (name_split(
			attr_rows[a].name, attr_rows[collection].name, &rest) &&
		    str_eq(rest, field))
			return (enum milt_attr)a;
	return ATTR_NONE;
}

struct str
reserved_find(struct str name, bool whole)
{
	struct str rest;

	for (size_t i = 0; i < reserved_count; i++)
		if (str_eq(name, reserved_rows[i].name) ||
		    (!whole && name_split(name, reserved_rows[i].name, &rest)))
			return reserved_rows[i].what;
	return STR("");
}

int
stage_find(struct str name)
{
	for (int s = 0; s < STAGE_COUNT; s++)
		if (str_eq(name, stage_rows[s].name))
			return s;
	return -1;
}

void
add_attr_names(struct arena *arena, names_vec *names)
{
	for (int a = ATTR_NONE + 1; a < ATTR_COUNT; a++)
		vec_push(arena, names, attr_rows[a].name);
}

void
add_field_names(
    struct arena *arena, names_vec *names, enum milt_attr collection)
{
	struct str rest;

	for (int a = ATTR_NONE + 1; a < ATTR_COUNT; a++)
		if (name_split(
			attr_rows[a].name, attr_rows[collection].name, &rest))
			vec_push(arena, names, rest);
}

void
add_item_names(struct arena *arena, names_vec *names,
    const struct policy_items *items, enum item_kind kind)
{
	for (size_t i = 0; i < items->n; i++) {
		if (items->v[i]->kind == kind)
			vec_push(arena, names, items->v[i]->name.text);
		if (items->v[i]->kind != ITEM_GROUP || kind != ITEM_RULE)
			continue;

		const struct item_group *g = (struct item_group *)items->v[i];

		for (size_t k = 0; k < g->rules.n; k++)
			vec_push(arena, names, g->rules.v[k]->item.name.text);
	}
}

bool
suggestions_wanted(const struct diags *ds)
{
	return ds->errors <= (size_t)LIMIT_VALUE_ERRORS;
}

void
help_nearest(
    struct diags *ds, struct diag *d, struct str name, const names_vec *names)
{
	struct str near = nearest_name(name, names->v, names->n);

	if (near.n > 0)
		diag_help(ds, d, "the nearest name is `%.*s`", STR_ARG(near));
}

void
report_reserved(struct diags *ds, struct span span, struct str name)
{
	struct str what = reserved_find(name, false);
	struct diag *d = diag_at(ds, D_RESERVED_NAME, span,
	    "`%.*s` is not available in this version", STR_ARG(name));

	diag_primary_label(ds, d, "%.*s", STR_ARG(what));
}

struct policy_items
policy_items(struct compilation *c)
{
	VEC(struct ast_item *) list = { 0 };
	/* Files that are open, and how far each has been walked. */
	struct {
		const struct ast_file *file;
		size_t next;
	} *stack = arena_array(&c->arena, c->files.n + 1, sizeof(*stack));
	size_t depth = 0;

	if (c->file)
		stack[depth++].file = c->file;
	while (depth > 0) {
		const struct ast_file *file = stack[depth - 1].file;

		if (stack[depth - 1].next == file->items.n) {
			depth--;
			continue;
		}

		struct ast_item *item = file->items.v[stack[depth - 1].next++];

		vec_push(&c->arena, &list, item);
		if (item->kind != ITEM_INCLUDE)
			continue;

		const struct item_include *inc = (struct item_include *)item;

		/* Each file is included once, so the stack cannot run over. */
		if (inc->file && depth <= c->files.n) {
			stack[depth].file = inc->file;
			stack[depth++].next = 0;
		}
	}
	return (struct policy_items){ list.v, list.n };
}

const struct ast_value *
value_behind(const struct ast_value *v)
{
	while (v->kind == VALUE_NAME && v->let && !v->let->is_condition &&
	       v->let->expr->kind == EXPR_VALUE)
		v = v->let->expr->left;
	return v;
}

bool
has_error_in(const struct compilation *c, struct span span)
{
	if (!c->diags.errors)
		return false;
	for (size_t i = 0; i < c->diags.list.n; i++) {
		const struct diag *d = c->diags.list.v[i];

		if (diag_rows[d->id].severity == SEVERITY_ERROR &&
		    d->has_span && span_holds(span, d->span))
			return true;
	}
	return false;
}

struct str
source_words(const struct compilation *c, struct span span)
{
	struct str text = c->sources.list.v[span.source]->text;
	size_t most = 60;

	if (span.begin > text.n || span.end > text.n || span.end < span.begin)
		return STR("");

	struct str s = { text.p + span.begin, span.end - span.begin };

	s = str_head(s, str_find(s, '\n'));
	if (s.n <= most)
		return s;
	/* Not in the middle of a character. */
	while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80)
		most--;
	return str_head(s, most);
}

struct str
place_words(struct compilation *c, struct span place, struct span from)
{
	const struct source *s = c->sources.list.v[place.source];
	unsigned line, column;

	source_place(s, place.begin, &line, &column);
	if (place.source == from.source)
		return arena_printf(&c->arena, "line %u", line);
	return arena_printf(&c->arena, "%.*s:%u", STR_ARG(s->path), line);
}
