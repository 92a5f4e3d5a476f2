#include "compiler/passes.h"

#include "runtime/match.h"

enum right_kind { RIGHT_VALUE, RIGHT_LIST, RIGHT_ATTR, RIGHT_REGEX };

/* `helo` is text that has the domain operators: a column of its own. */
enum { TYPE_HELO = TYPE_COUNT };

static const struct compare_row {
	enum compare_op op;
	unsigned left;
	enum right_kind kind;
	unsigned right;
	bool exactly;
} compare_rows[] = {
#define EXACT true
#define PLAIN false
#define COMPARE(op, left, kind, right, exactly) \
	{ OP_##op, TYPE_##left, RIGHT_##kind, TYPE_##right, exactly },
#include "dsl/comparisons.def"
#undef COMPARE
#undef EXACT
#undef PLAIN
};

static const size_t compare_count =
    sizeof(compare_rows) / sizeof(compare_rows[0]);

/* The row for these operands; `right` TYPE_NONE: any. */
static const struct compare_row *
find_row(
    enum compare_op op, const struct ast_value *left, int kind, unsigned right)
{
	bool helo = left->kind != VALUE_COUNT && left->attr == ATTR_HELO;

	for (size_t i = 0; i < compare_count; i++) {
		const struct compare_row *row = &compare_rows[i];

		if (row->op == op &&
		    (row->left == left->type ||
			(helo && row->left == TYPE_HELO)) &&
		    (kind < 0 || row->kind == (enum right_kind)kind) &&
		    (right == TYPE_NONE || row->right == right))
			return row;
	}
	return NULL;
}

/* ---- messages ---------------------------------------------------------- */

static struct str
right_words(struct checker *k, const struct ast_value *v, bool plural_list)
{
	if (v->list && plural_list)
		return arena_printf(k->arena, "a list of %.*s",
		    STR_ARG(type_rows[v->list->type].plural));
	if (v->attr != ATTR_NONE)
		return type_rows[v->type].phrase;
	return literal_words(v);
}

static enum milt_type
right_type(const struct ast_value *v)
{
	struct ip_range range;
	bool masked;

	if (v->list)
		return v->list->type;
	if (v->attr != ATTR_NONE)
		return v->type;
	if (v->kind == VALUE_ADDRESS)
		return TYPE_ADDRESS;
	if (v->kind == VALUE_ATOM && network_parse(v->text, &range, &masked))
		return TYPE_NETWORK;
	if (str_find(v->text, '.') < v->text.n && domain_is_valid(v->text))
		return TYPE_DOMAIN;
	return TYPE_NONE;
}

/* `sender` of `sender.address` and `sender.domain`. */
static struct str
address_name(enum milt_attr attr)
{
	struct str name = attr_rows[attr].name;

	if (str_ends(name, STR(".address")))
		name.n -= STR(".address").n;
	else if (str_ends(name, STR(".domain")))
		name.n -= STR(".domain").n;
	return name;
}

/* What was meant, where the types let one guess. */
static void
help_mismatch(struct checker *k, struct diag *d, const struct ast_value *left,
    const struct ast_value *right, struct str words)
{
	enum milt_type want = right_type(right);
	enum milt_type have = left->type;

	if (left->attr == ATTR_CLIENT_IP && want == TYPE_DOMAIN)
		diag_help(k->diags, d,
		    "to test the client's verified name write: "
		    "client.name under %.*s",
		    STR_ARG(words));
	else if (have == TYPE_ADDRESS && want == TYPE_DOMAIN)
		diag_help(k->diags, d,
		    "to test its domain write: %.*s.domain in %.*s",
		    STR_ARG(address_name(left->attr)), STR_ARG(words));
	else if (have == TYPE_DOMAIN && want == TYPE_ADDRESS &&
		 str_ends(attr_rows[left->attr].name, STR(".domain")))
		diag_help(k->diags, d,
		    "to test the whole address write: %.*s in %.*s",
		    STR_ARG(address_name(left->attr)), STR_ARG(words));
	else if ((left->attr == ATTR_CLIENT_NAME ||
		     left->attr == ATTR_CLIENT_REVERSE_NAME ||
		     left->attr == ATTR_HELO) &&
		 want == TYPE_NETWORK)
		diag_help(k->diags, d,
		    "to test the client's address write: client.ip in "
		    "%.*s",
		    STR_ARG(words));
}

struct diag *
report_mismatch(struct checker *k, const struct ast_value *left,
    const struct ast_value *right, struct span at)
{
	struct str l = source_words(k->c, left->span);
	struct str r = source_words(k->c, at);
	struct diag *d = diag_at(k->diags, D_TYPE_MISMATCH, left->span,
	    "`%.*s` is %.*s, `%.*s` is %.*s", STR_ARG(l),
	    STR_ARG(type_rows[left->type].phrase), STR_ARG(r),
	    STR_ARG(right_words(k, right, 1)));

	if (right->list)
		diag_label(k->diags, d, at, "list of %.*s, declared at %.*s",
		    STR_ARG(type_rows[right->list->type].plural),
		    STR_ARG(
			place_words(k->c, right->list->item.name.span, at)));
	else
		diag_label(
		    k->diags, d, at, "%.*s", STR_ARG(right_words(k, right, 0)));
	help_mismatch(k, d, left, right, r);
	return d;
}

static void
report_operator(struct checker *k, const struct ast_expr *e,
    const struct ast_value *left, struct span left_span)
{
	struct str words = source_words(k->c, left_span);
	struct diag *d;

	if (left->type == TYPE_RECORD) {
		d = diag_at(k->diags, D_OPERATOR, left_span,
		    "`%.*s` is a record, its fields are compared",
		    STR_ARG(words));
		diag_help(k->diags, d, "write: %.*s.value contains \"x\"",
		    STR_ARG(words));
		return;
	}
	d = diag_at(k->diags, D_OPERATOR, left_span,
	    "`%.*s` is %.*s, `%s` is for %s", STR_ARG(words),
	    STR_ARG(type_rows[left->type].phrase), operator_rows[e->op].words.p,
	    operator_rows[e->op].takes.p);
	diag_label(k->diags, d, e->op_span, "not for %.*s",
	    STR_ARG(type_rows[left->type].plural));
	if (e->op != OP_UNDER)
		return;
	if (left->type == TYPE_ADDRESS)
		diag_help(k->diags, d, "write: %.*s.domain under %.*s",
		    STR_ARG(address_name(left->attr)),
		    STR_ARG(source_words(k->c, e->right->span)));
	else if (right_type(e->right) == TYPE_NETWORK)
		diag_help(k->diags, d, "write: %.*s in %.*s", STR_ARG(words),
		    STR_ARG(source_words(k->c, e->right->span)));
	else if (left->attr == ATTR_CLIENT_IP)
		diag_help(k->diags, d,
		    "to test the client's verified name write: "
		    "client.name under %.*s",
		    STR_ARG(source_words(k->c, e->right->span)));
}

static void
report_unknown_word(struct checker *k, struct ast_value *v)
{
	struct diag *d = diag_at(k->diags, D_UNKNOWN_NAME, v->span,
	    "there is no attribute or definition `%.*s`", STR_ARG(v->text));
	struct policy_items items;
	names_vec names = { 0 };

	v->bad = true;
	if (!suggestions_wanted(k->diags))
		return;
	add_attr_names(k->arena, &names);
	items = policy_items(k->c);
	add_item_names(k->arena, &names, &items, ITEM_LET);
	help_nearest(k->diags, d, v->text, &names);
	if (d->helps.n == 0)
		diag_help(k->diags, d, "text stands in quotes: \"%.*s\"",
		    STR_ARG(v->text));
}

/* ---- regexes ----------------------------------------------------------- */

/* Text between the slashes, if it is what is compiled: then offsets agree. */
static struct span
regex_place(struct checker *k, const struct ast_value *v, size_t offset)
{
	struct str text = k->c->sources.list.v[v->span.source]->text;
	struct span s = v->span;

	if (s.begin + 1 + v->text.n > text.n ||
	    !str_eq((struct str){ text.p + s.begin + 1, v->text.n }, v->text))
		return s;
	if (offset > v->text.n)
		offset = v->text.n;
	s.begin += 1 + (uint32_t)offset;
	s.end = s.begin + 1;
	return s;
}

static void
check_group_names(
    struct checker *k, struct ast_value *v, uint32_t flags, uint32_t captures)
{
	for (uint32_t g = 1; g <= captures; g++) {
		struct str name = match_group_name(k->arena, v->text, flags, g);

		if (name.n == 0 || attr_by_name(name) == ATTR_NONE)
			continue;
		diag_at(k->diags, D_CAPTURE_NAME, v->span,
		    "the group `%.*s` has the name of an attribute",
		    STR_ARG(name));
	}
}

static void
check_regex(
    struct checker *k, const struct ast_value *left, struct ast_value *v)
{
	uint32_t flags, captures = 0;
	char message[256];
	size_t offset = 0;

	if (!regex_flags(v->flags, attr_is_raw(left->attr), &flags)) {
		struct diag *d = diag_at(k->diags, D_REGEX_FLAG, v->span,
		    "`%.*s` are not all flags of a regex", STR_ARG(v->flags));

		diag_help(k->diags, d, "the flags are i, m, s, x and u");
		return;
	}
	v->type = TYPE_TEXT;
	if (!match_check(v->text, flags, &offset, message, &captures)) {
		diag_at(k->diags, D_BAD_REGEX, regex_place(k, v, offset),
		    "the regex does not compile: %s", message);
		return;
	}
	if (captures > (uint32_t)LIMIT_VALUE_REGEX_CAPTURES) {
		struct diag *d = diag_at(k->diags, D_REGEX_CAPTURES, v->span,
		    "the regex has %u groups, %u are the most",
		    (unsigned)captures, (unsigned)LIMIT_VALUE_REGEX_CAPTURES);

		diag_help(k->diags, d, "(?:...) groups without capturing");
		return;
	}
	check_group_names(k, v, flags, captures);
}

/* ---- operands ---------------------------------------------------------- */

static void
check_exactly(
    struct checker *k, const struct ast_expr *e, const struct compare_row *row)
{
	if (!e->exactly || row->exactly)
		return;

	struct diag *d = diag_at(k->diags, D_EXACTLY, e->op_span,
	    "`exactly` has no meaning in this comparison");

	diag_help(k->diags, d, "write it without `exactly`");
}

/* `helo in { ... }`: domains, if all of them are. */
static enum milt_type
literal_type(const struct ast_expr *e, const struct ast_value *left,
    const struct ast_value *right)
{
	if (e->op == OP_IN && left->attr == ATTR_HELO &&
	    left->kind != VALUE_COUNT) {
		for (size_t i = 0; i < right->items.n; i++)
			if (!domain_is_valid(right->items.v[i]->text))
				return TYPE_TEXT;
		return right->kind == VALUE_SET || domain_is_valid(right->text)
			   ? TYPE_DOMAIN
			   : TYPE_TEXT;
	}

	const struct compare_row *row =
	    find_row(e->op, left, RIGHT_VALUE, TYPE_NONE);

	return row ? (enum milt_type)row->right : TYPE_NONE;
}

static void
check_right_list(struct checker *k, const struct ast_expr *e,
    const struct ast_value *left, const struct ast_value *right)
{
	const struct compare_row *row;

	if (right->list->type == TYPE_NONE)
		return; /* its declaration was refused */
	row = find_row(e->op, left, RIGHT_LIST, right->list->type);
	if (row) {
		check_exactly(k, e, row);
		return;
	}

	struct diag *d = report_mismatch(k, left, right, e->right->span);

	if (e->op == OP_IS &&
	    find_row(OP_IN, left, RIGHT_LIST, right->list->type))
		diag_help(k->diags, d, "write: %.*s in %.*s",
		    STR_ARG(source_words(k->c, left->span)),
		    STR_ARG(source_words(k->c, e->right->span)));
}

static void
check_right_set(struct checker *k, const struct ast_expr *e,
    const struct ast_value *left, struct ast_value *right)
{
	enum milt_type type = literal_type(e, left, right);
	const struct compare_row *row = find_row(e->op, left, RIGHT_LIST, type);

	if (!row)
		return;
	right->type = type;
	check_exactly(k, e, row);
	for (size_t i = 0; i < right->items.n; i++) {
		struct ast_value *item = right->items.v[i];

		if (!item->bad)
			check_literal(k, item, item->span, type, true, left);
	}
}

static void
check_right_attr(struct checker *k, const struct ast_expr *e,
    const struct ast_value *left, const struct ast_value *right)
{
	const struct compare_row *row =
	    find_row(e->op, left, RIGHT_ATTR, right->type);

	if (!row && right->attr == ATTR_HELO && right->kind != VALUE_COUNT)
		row = find_row(e->op, left, RIGHT_ATTR, TYPE_HELO);
	if (row)
		check_exactly(k, e, row);
	else
		report_mismatch(k, left, right, e->right->span);
}

static void
check_right_literal(struct checker *k, const struct ast_expr *e,
    const struct ast_value *left, struct ast_value *right)
{
	enum milt_type type = literal_type(e, left, right);
	bool member = e->op == OP_IN || e->op == OP_UNDER;
	bool word =
	    type == TYPE_WEEKDAY || type == TYPE_RESULT || type == TYPE_BOOLEAN;
	const struct compare_row *row =
	    find_row(e->op, left, RIGHT_VALUE, type);

	if (right->kind == VALUE_NAME && !member && !word && type != TYPE_IP &&
	    type != TYPE_NETWORK) {
		report_unknown_word(k, right);
		return;
	}
	if (!row)
		return;
	if (check_literal(k, right, e->right->span, type, member, left))
		check_exactly(k, e, row);
}

/* The left operand, followed to its attribute; NULL: reported. */
static struct ast_value *
check_left(struct checker *k, const struct ast_expr *e)
{
	struct ast_value *left = check_operand(k, e->left);
	struct diag *d;

	if (!left)
		return NULL;
	if (left->attr != ATTR_NONE)
		return left;
	d = diag_at(k->diags, D_NO_ATTRIBUTE, e->left->span,
	    left->list ? "`%.*s` is a list, not an attribute"
		       : "`%.*s` is a literal, not an attribute",
	    STR_ARG(source_words(k->c, e->left->span)));
	if (e->op == OP_IS && e->right->attr != ATTR_NONE)
		diag_help(k->diags, d, "write: %.*s is %.*s",
		    STR_ARG(source_words(k->c, e->right->span)),
		    STR_ARG(source_words(k->c, e->left->span)));
	return NULL;
}

/* A number of values has no text. */
static bool
operator_fits(const struct ast_expr *e, const struct ast_value *left)
{
	bool order = e->op == OP_IS || e->op == OP_IN || e->op >= OP_LT;

	if (left->kind == VALUE_COUNT && !order)
		return false;
	return find_row(e->op, left, -1, TYPE_NONE) != NULL;
}

void
check_compare(struct checker *k, struct ast_expr *e)
{
	struct ast_value *left = check_left(k, e), *right;

	if (!left || e->right->bad)
		return;
	if (!operator_fits(e, left)) {
		report_operator(k, e, left, e->left->span);
		return;
	}
	/* As written, for messages. */
	struct ast_value shown = *left;

	shown.span = e->left->span;
	right = check_operand(k, e->right);
	if (!right)
		return;
	if (right->kind == VALUE_REGEX)
		check_regex(k, left, right);
	else if (right->kind == VALUE_SET)
		check_right_set(k, e, &shown, right);
	else if (right->list)
		check_right_list(k, e, &shown, right);
	else if (right->attr != ATTR_NONE)
		check_right_attr(k, e, &shown, right);
	else
		check_right_literal(k, e, &shown, right);
}
