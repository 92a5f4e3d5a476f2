#include "compiler/passes.h"

static bool
has_any(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] && strchr(set, s.p[i]))
			return true;
	return false;
}

/*
 * Could a word that stands for nothing be defined in what was not read?
 * Definitions have no dots in their names.
 */
static bool
may_be_elsewhere(const struct resolver *r, struct str name)
{
	return r->partial && !has_any(name, ".:/@");
}

static bool
find_field(struct ast_value *v, const struct block *b)
{
	for (; b && v->attr == ATTR_NONE; b = b->outer) {
		v->attr = field_find(b->collection, v->text);
		v->element = v->attr != ATTR_NONE;
		v->loop = b->loop;
	}
	return v->element;
}

static void
report_key_missing(struct resolver *r, struct ast_value *v)
{
	struct str name = attr_rows[v->attr].name;
	struct diag *d = diag_at(r->diags, D_KEY_MISSING, v->span,
	    "`%.*s` needs a name in parentheses", STR_ARG(name));

	diag_help(r->diags, d,
	    v->attr == ATTR_MACRO ? "write: %.*s(\"i\")"
				  : "write: %.*s(\"List-Id\")",
	    STR_ARG(name));
	if (v->attr == ATTR_HEADER)
		diag_help(r->diags, d, "all fields are `headers`");
	v->bad = true;
}

/* An attribute, a definition, or a list; false where there is none. */
static bool
find_name(struct resolver *r, struct ast_value *v, const struct block *b)
{
	struct ast_item *item;

	if (find_field(v, b))
		return true;
	v->attr = attr_find(v->text);
	if (v->attr != ATTR_NONE) {
		if (attr_rows[v->attr].keyed)
			report_key_missing(r, v);
		return true;
	}
	item = name_find(&r->values, v->text);
	if (!item)
		return false;
	if (item->kind == ITEM_LET) {
		v->let = (struct item_let *)item;
		v->let->used = true;
		if (r->let)
			vec_push(r->arena, &r->let->uses, v);
	} else if (item->kind == ITEM_LIST) {
		v->list = (struct item_list *)item;
		v->list->used = true;
	} else {
		v->bad = true; /* reserved: reported where it is declared */
	}
	return true;
}

static void
report_unknown(struct resolver *r, struct ast_value *v, const struct block *b)
{
	names_vec names = { 0 };
	struct diag *d;

	v->bad = true;
	if (may_be_elsewhere(r, v->text))
		return;
	if (b && !has_any(v->text, ".")) {
		d = diag_at(r->diags, D_UNKNOWN_FIELD, v->span,
		    "`%.*s` has no field `%.*s`",
		    STR_ARG(attr_rows[b->collection].name), STR_ARG(v->text));
	} else {
		d = diag_at(r->diags, D_UNKNOWN_NAME, v->span,
		    "there is no attribute or definition `%.*s`",
		    STR_ARG(v->text));
	}
	if (!suggestions_wanted(r->diags))
		return;
	for (; b; b = b->outer)
		add_field_names(r->arena, &names, b->collection);
	add_attr_names(r->arena, &names);
	add_item_names(r->arena, &names, &r->items, ITEM_LET);
	help_nearest(r->diags, d, v->text, &names);
}

static bool
refuse_reserved(struct resolver *r, struct ast_value *v, bool whole)
{
	if (reserved_find(v->text, whole).n == 0)
		return false;
	report_reserved(r->diags, v->span, v->text);
	r->reserved_seen = true;
	v->bad = true;
	return true;
}

static void
resolve_keyed(struct resolver *r, struct ast_value *v)
{
	v->attr = attr_by_name(v->text);
	if (v->attr == ATTR_NONE) {
		if (!refuse_reserved(r, v, false))
			report_unknown(r, v, NULL);
		return;
	}
	if (!attr_rows[v->attr].keyed) {
		diag_at(r->diags, D_KEY_UNEXPECTED, v->key_span,
		    "`%.*s` takes no name in parentheses",
		    STR_ARG(attr_rows[v->attr].name));
		v->bad = true;
	} else if (v->key.n == 0) {
		diag_at(r->diags, D_KEY_MISSING, v->key_span,
		    "the name in parentheses is empty");
		v->bad = true;
	} else if (v->attr != ATTR_MACRO && !field_name_is_valid(v->key)) {
		diag_at(r->diags, D_FIELD_NAME, v->key_span,
		    "this is no name of a header field");
		v->bad = true;
	}
}

static void
resolve_count(struct resolver *r, struct ast_value *v)
{
	const struct collection_row *row = collection_find(v->text);

	if (v->keyed) {
		resolve_keyed(r, v);
	} else if (row) {
		v->attr = row->attr;
	} else if ((v->attr = attr_find(v->text)) == ATTR_NONE) {
		if (!refuse_reserved(r, v, false))
			report_unknown(r, v, NULL);
	} else if (attr_rows[v->attr].keyed) {
		report_key_missing(r, v);
	}
	if (v->bad || attr_rows[v->attr].many)
		return;

	struct diag *d = diag_at(r->diags, D_NO_COLLECTION, v->span,
	    "`%.*s` has one value at most", STR_ARG(attr_rows[v->attr].name));

	diag_help(r->diags, d, "to ask whether it is there write: %.*s exists",
	    STR_ARG(attr_rows[v->attr].name));
	v->bad = true;
}

static void
resolve_form(struct resolver *r, struct ast_value *v)
{
	struct ast_item *item = name_find(&r->values, v->text);

	v->bad = true;
	if ((item && item->kind == ITEM_RESERVED) ||
	    refuse_reserved(r, v, false))
		return;
	diag_at(r->diags, D_RESERVED_FORM, v->span,
	    v->kind == VALUE_INDEX
		? "a map is not available in this version"
		: "a function is not available in this version");
	r->reserved_seen = true;
}

/* Names in braces behind `in` and `under` are literals. */
static void
resolve_set(struct resolver *r, struct ast_value *v)
{
	for (size_t i = 0; i < v->items.n; i++) {
		struct ast_value *item = v->items.v[i];

		if (item->kind == VALUE_INDEX || item->kind == VALUE_CALL ||
		    item->kind == VALUE_KEYED || item->kind == VALUE_COUNT)
			resolve_form(r, item);
	}
}

void
resolve_left(struct resolver *r, struct ast_value *v, const struct block *b)
{
	switch (v->kind) {
	case VALUE_NAME:
		if (!find_name(r, v, b) && !refuse_reserved(r, v, false))
			report_unknown(r, v, b);
		break;
	case VALUE_KEYED:
		resolve_keyed(r, v);
		break;
	case VALUE_COUNT:
		resolve_count(r, v);
		break;
	case VALUE_INDEX:
	case VALUE_CALL:
		resolve_form(r, v);
		break;
	case VALUE_SET:
		resolve_set(r, v);
		break;
	case VALUE_STRING:
	case VALUE_ADDRESS:
	case VALUE_ATOM:
	case VALUE_REGEX:
		break;
	}
}

static void
report_unknown_list(struct resolver *r, struct ast_value *v)
{
	names_vec names = { 0 };

	v->bad = true;
	if (may_be_elsewhere(r, v->text))
		return;

	struct diag *d = diag_at(r->diags, D_UNKNOWN_LIST, v->span,
	    "there is no list `%.*s`", STR_ARG(v->text));

	if (!suggestions_wanted(r->diags))
		return;
	add_item_names(r->arena, &names, &r->items, ITEM_LIST);
	add_item_names(r->arena, &names, &r->items, ITEM_LET);
	add_attr_names(r->arena, &names);
	help_nearest(r->diags, d, v->text, &names);
}

void
resolve_right(
    struct resolver *r, struct ast_value *v, const struct block *b, bool member)
{
	long long word;

	if (v->kind != VALUE_NAME) {
		resolve_left(r, v, b);
		return;
	}
	if (find_name(r, v, b) || refuse_reserved(r, v, true))
		return;
	/* Whether these are literals depends on the left side: check knows. */
	if (literal_weekday(v->text, &word) || literal_result(v->text, &word) ||
	    literal_boolean(v->text, &word))
		return;
	if (member && !has_any(v->text, ".:/@"))
		report_unknown_list(r, v);
	else if (!member && may_be_elsewhere(r, v->text))
		v->bad = true;
}
