#include "compiler/passes.h"

#include "runtime/match.h"

/* The group of a regex that a field asks for. */
static bool
regex_has_group(struct resolver *r, const struct ast_value *regex,
    struct str field, unsigned number)
{
	char message[256];
	uint32_t flags, captures;
	size_t offset;

	if (!regex_flags(regex->flags, false, &flags) ||
	    !match_check(regex->text, flags, &offset, message, &captures))
		return true; /* it has an error of its own */
	if (number > 0)
		return number <= captures;
	for (uint32_t g = 1; g <= captures; g++)
		if (str_eq(match_group_name(r->arena, regex->text, flags, g),
			field))
			return true;
	return false;
}

/* How many regexes have the group. */
static size_t
count_captures(struct resolver *r, const struct capture_scope *scope,
    struct str field, unsigned number)
{
	size_t n = 0;

	for (size_t i = 0; scope && i < scope->regexes.n; i++)
		n += regex_has_group(r, scope->regexes.v[i], field, number);
	return n;
}

/* A group's number, beginning with 1; 0 where `field` is no number. */
static unsigned
group_number(struct str field)
{
	long long n;

	if (!literal_number(field, &n))
		return 0;
	return n >= 1 && n <= (long long)LIMIT_VALUE_REGEX_CAPTURES
		   ? (unsigned)n
		   : UINT32_MAX;
}

/* A definition of a value puts in what it stands for. */
static bool
put_in_let(struct ast_piece *p, struct ast_value *v)
{
	for (size_t i = 0; v->let && i <= LIMIT_VALUE_NESTING; i++) {
		if (!v->let->expr || v->let->expr->kind != EXPR_VALUE)
			return false;
		v = v->let->expr->left;
	}
	if (v->bad || v->attr != ATTR_NONE) {
		p->value = v;
		return true;
	}
	if (v->kind != VALUE_STRING && v->kind != VALUE_ADDRESS)
		return false;
	p->kind = PIECE_TEXT;
	p->text = v->text;
	return true;
}

static void
report_field(struct resolver *r, const struct ast_piece *p, unsigned number,
    bool any_regex)
{
	struct str field = p->text;
	names_vec names = { 0 };
	struct diag *d;

	if (number > 0 || !any_regex) {
		d = diag_at(r->diags,
		    number > 0 ? D_NO_CAPTURE : D_UNKNOWN_NAME, p->span,
		    number > 0 ? "no regex of the rule has a group `%.*s`"
			       : "there is no attribute `%.*s`",
		    STR_ARG(field));
		if (number > 0 && !any_regex)
			diag_help(r->diags, d,
			    "captures are those of a regex in the rule's "
			    "own condition");
	} else {
		d = diag_at(r->diags, D_NO_CAPTURE, p->span,
		    "`%.*s` is neither an attribute nor a group of the "
		    "rule's regex",
		    STR_ARG(field));
	}
	if (number > 0 || !suggestions_wanted(r->diags))
		return;
	add_attr_names(r->arena, &names);
	help_nearest(r->diags, d, field, &names);
}

static void
report_no_value(struct resolver *r, struct ast_piece *p)
{
	struct diag *d = diag_at(r->diags, D_FIELD_VALUE, p->span,
	    "`%.*s` is no value that can be put in", STR_ARG(p->text));

	diag_help(r->diags, d, "a brace itself is written {{");
	p->value = NULL;
}

/* A name that is no attribute: a capture or a definition. */
static void
resolve_word(
    struct resolver *r, struct ast_piece *p, const struct capture_scope *scope)
{
	unsigned number = group_number(p->text);
	size_t captures = count_captures(r, scope, p->text, number);
	struct ast_item *item;

	if (captures > 0) {
		p->value = NULL;
		p->capture = true;
		p->choice = captures > 1 && number > 0;
		return;
	}
	item = number > 0 ? NULL : name_find(&r->values, p->text);
	if (item && item->kind == ITEM_LET) {
		p->value->let = (struct item_let *)item;
		p->value->let->used = true;
		if (!put_in_let(p, p->value))
			report_no_value(r, p);
		return;
	}
	p->value = NULL;
	if (reserved_find(p->text, false).n > 0) {
		if (!r->reserved_seen)
			report_reserved(r->diags, p->span, p->text);
		return;
	}
	if ((item && item->kind == ITEM_RESERVED) ||
	    (r->partial && number == 0 && str_find(p->text, '.') == p->text.n))
		return;
	report_field(r, p, number, scope && scope->regexes.n > 0);
}

static void
resolve_field(
    struct resolver *r, struct ast_piece *p, const struct capture_scope *scope)
{
	struct ast_value *v = p->value;

	if (!v) {
		/* Not a value; if the parser took it, a name with `_`. */
		if (p->text.n == 0 || str_find(p->text, '.') < p->text.n ||
		    str_find(p->text, '(') < p->text.n)
			return;
		v = p->value = ARENA_NEW(r->arena, struct ast_value);
		v->kind = VALUE_NAME;
		v->text = p->text;
		v->span = p->span;
	}
	switch (v->kind) {
	case VALUE_NAME:
		if (attr_find(v->text) == ATTR_NONE)
			resolve_word(r, p, scope);
		else
			resolve_left(r, v, NULL);
		break;
	case VALUE_ATOM:
		if (group_number(p->text) > 0)
			resolve_word(r, p, scope);
		else
			report_no_value(r, p);
		break;
	case VALUE_KEYED:
	case VALUE_COUNT:
	case VALUE_INDEX:
	case VALUE_CALL:
		resolve_left(r, v, NULL);
		break;
	case VALUE_STRING:
	case VALUE_ADDRESS:
	case VALUE_REGEX:
	case VALUE_SET:
		report_no_value(r, p);
		break;
	}
}

static void
resolve_template(struct resolver *r, struct ast_template *t,
    const struct capture_scope *scope)
{
	for (size_t i = 0; t && i < t->pieces.n; i++)
		if (t->pieces.v[i].kind == PIECE_FIELD)
			resolve_field(r, &t->pieces.v[i], scope);
}

void
resolve_action(
    struct resolver *r, struct ast_action *a, const struct capture_scope *scope)
{
	if (a->action == ACTION_NONE) {
		diag_at(r->diags, D_RESERVED_ACTION, a->word,
		    "`%.*s` is not available in this version",
		    STR_ARG(a->refused.n ? a->refused
					 : source_words(r->c, a->word)));
		return;
	}
	for (size_t i = 0; i < a->texts.n; i++)
		resolve_template(r, a->texts.v[i], scope);
	resolve_template(r, a->name, scope);
	resolve_template(r, a->address, scope);
	if (a->where) {
		struct block b = { NULL,
			a->action == ACTION_REMOVE_RECIPIENT ? ATTR_RECIPIENTS
							     : ATTR_ALL_HEADERS,
			0 };

		resolve_condition(r, a->where, &b);
	}
}
