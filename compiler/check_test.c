#include "compiler/passes.h"

/* ---- facts ------------------------------------------------------------- */

static bool
has_many_values(enum milt_attr attr)
{
	return attr == ATTR_SENDER_PARAMETERS ||
	       attr == ATTR_RECIPIENT_PARAMETERS;
}

/* Why a test cannot state the attribute, and what to write; NULL: it can. */
static const char *
derived_help(enum milt_attr attr)
{
	const struct attr_row *row = &attr_rows[attr];

	if (attr == ATTR_CLIENT_NETWORK)
		return "it is made from the address: client.ip 192.0.2.1";
	if (attr == ATTR_CLIENT_ORG_DOMAIN)
		return "it is made from the name: client.name "
		       "\"mx.example.com\"";
	if (attr == ATTR_HELO_ORG_DOMAIN)
		return "it is made from the argument: helo \"mx.example.com\"";
	if (row->source == SOURCE_CLOCK)
		return "write: given now \"2026-01-31T12:00:00Z\"";
	if (attr == ATTR_MACRO)
		return "write: macro \"name\" \"value\"";
	if (row->from >= STAGE_HEADERS)
		return "what the message says is stated by `header`, `body` "
		       "or `message`";
	if (row->source == SOURCE_MACRO || has_many_values(attr) ||
	    attr == ATTR_SENDER || attr == ATTR_RECIPIENT)
		return NULL;
	if (row->from == STAGE_DATA || row->scope == SCOPE_RECIPIENT)
		return "write a line for each recipient: recipient "
		       "<amy@example.com>";
	if (str_starts(row->name, STR("sender.")))
		return "it is made from the sender: sender <amy@example.com>";
	return NULL;
}

/* Addresses, names and arguments may be as bad as a client makes them. */
static void
check_fact_value(
    struct checker *k, const struct ast_fact *f, struct ast_value *v)
{
	enum milt_type type = attr_rows[f->attr].type;
	bool text = v->kind == VALUE_STRING;

	if (type == TYPE_ADDRESS && (text || v->kind == VALUE_ADDRESS))
		return;
	if (type == TYPE_DOMAIN && text)
		return;
	check_literal(k, v, v->span, type, false, NULL);
}

static void
check_fact(struct checker *k, const struct ast_fact *f)
{
	const char *help;

	if ((f->kind != FACT_ATTRIBUTE && f->kind != FACT_RECIPIENT) ||
	    f->attr == ATTR_NONE)
		return;
	help = derived_help(f->attr);
	if (help) {
		struct diag *d = diag_at(k->diags, D_FACT_DERIVED, f->name.span,
		    "a test cannot state `%.*s`", STR_ARG(f->name.text));

		diag_help(k->diags, d, "%s", help);
		return;
	}
	if (f->values.n > 1 && !has_many_values(f->attr)) {
		diag_at(k->diags, D_FACT_VALUES, f->values.v[1]->span,
		    "`%.*s` has one value", STR_ARG(f->name.text));
		return;
	}
	for (size_t i = 0; i < f->values.n; i++)
		check_fact_value(k, f, f->values.v[i]);
}

static void
check_given(struct checker *k, const struct ast_fact *f)
{
	if (f->kind == FACT_GIVEN_NOW && f->values.n > 0)
		check_literal(k, f->values.v[0], f->values.v[0]->span,
		    TYPE_TIME, false, NULL);
	if (f->kind == FACT_GIVEN_JS && f->verdict)
		check_action(k, f->verdict);
	if (f->kind == FACT_HEADER && !field_name_is_valid(f->name.text))
		diag_at(k->diags, D_FIELD_NAME, f->name.span,
		    "this is no name of a header field");
}

/* A rule has one answer. */
static void
check_given_twice(struct checker *k, const struct item_test *t, size_t i)
{
	const struct ast_fact *f = t->facts.v[i];
	struct diag *d;

	for (size_t n = 0; n < i; n++) {
		const struct ast_fact *first = t->facts.v[n];

		if (f->kind != FACT_GIVEN_JS || first->kind != FACT_GIVEN_JS ||
		    !str_eq(f->name.text, first->name.text))
			continue;
		d = diag_at(k->diags, D_DUPLICATE_FACT, f->span,
		    "the answer of `%.*s` is stated already",
		    STR_ARG(f->name.text));
		diag_label(k->diags, d, first->span, "first stated here");
		return;
	}
}

/* Facts of the same kind that can stand once. */
static bool
is_once(const struct ast_fact *f)
{
	return f->kind == FACT_BODY || f->kind == FACT_MESSAGE ||
	       f->kind == FACT_MESSAGE_FILE || f->kind == FACT_GIVEN_NOW ||
	       (f->kind == FACT_ATTRIBUTE && f->attr != ATTR_NONE &&
		   !derived_help(f->attr) &&
		   attr_rows[f->attr].scope != SCOPE_RECIPIENT);
}

static bool
is_whole(const struct ast_fact *f)
{
	return f->kind == FACT_MESSAGE || f->kind == FACT_MESSAGE_FILE;
}

static void
check_twice(
    struct checker *k, const struct ast_fact *first, const struct ast_fact *f)
{
	struct diag *d = diag_at(k->diags, D_DUPLICATE_FACT, f->span,
	    "`%.*s` is stated already",
	    STR_ARG(f->kind == FACT_ATTRIBUTE ? f->name.text
		    : is_whole(f)             ? STR("message")
		    : f->kind == FACT_BODY    ? STR("body")
					      : STR("now")));

	diag_label(k->diags, d, first->span, "first stated here");
}

static void
check_facts_together(struct checker *k, const struct item_test *t)
{
	const struct ast_fact *seen[ATTR_COUNT] = { NULL };
	const struct ast_fact *whole = NULL, *part = NULL, *body = NULL,
			      *now = NULL;

	for (size_t i = 0; i < t->facts.n; i++) {
		const struct ast_fact *f = t->facts.v[i];
		const struct ast_fact **first = f->kind == FACT_ATTRIBUTE
						    ? &seen[f->attr]
						: is_whole(f)          ? &whole
						: f->kind == FACT_BODY ? &body
								       : &now;

		if (f->kind == FACT_HEADER || f->kind == FACT_BODY)
			part = part ? part : f;
		if (!is_once(f))
			continue;
		if (*first)
			check_twice(k, *first, f);
		else
			*first = f;
	}
	if (!whole || !part)
		return;

	struct diag *d = diag_at(k->diags, D_TWO_MESSAGES, part->span,
	    "the message is stated as a whole, too");

	diag_label(k->diags, d, whole->span, "the whole message");
}

/* ---- expectations ------------------------------------------------------ */

static struct str
recipient_key(struct checker *k, struct str text)
{
	struct mailbox m = mailbox_parse(k->arena, text);

	return mailbox_normal(k->arena, &m, false);
}

static void
check_expect_recipient(
    struct checker *k, const struct item_test *t, const struct ast_expect *e)
{
	struct str key = recipient_key(k, e->recipient->text);
	bool any = false;

	for (size_t i = 0; i < t->facts.n; i++) {
		const struct ast_fact *f = t->facts.v[i];

		if (f->kind != FACT_RECIPIENT || f->values.n == 0)
			continue;
		any = true;
		if (str_eq(recipient_key(k, f->values.v[0]->text), key))
			return;
	}
	if (!any && str_eq(key, STR("recipient@server.invalid")))
		return;
	diag_at(k->diags, D_EXPECT_NEVER, e->recipient->span,
	    "`%.*s` is no recipient of this test", STR_ARG(e->recipient->text));
}

static void
check_expect(
    struct checker *k, const struct item_test *t, const struct ast_expect *e)
{
	if (e->kind == EXPECT_VERDICT) {
		/* The AST has one place for the codes. */
		check_reply_codes(
		    k, e->verdict, e->code, e->span, e->xcode, e->span);
	}
	if (e->recipient)
		check_expect_recipient(k, t, e);
	if (e->effect && e->effect->duration)
		check_delay(k, e->effect);
}

void
check_test(struct checker *k, struct item_test *t)
{
	for (size_t i = 0; i < t->facts.n; i++) {
		check_fact(k, t->facts.v[i]);
		check_given(k, t->facts.v[i]);
		check_given_twice(k, t, i);
	}
	check_facts_together(k, t);
	for (size_t i = 0; i < t->expects.n; i++)
		check_expect(k, t, t->expects.v[i]);
}
