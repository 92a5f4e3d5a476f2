#include "compiler/passes.h"

/* ---- reply codes ------------------------------------------------------- */

/* 1 to 3 digits without a zero in front. */
static bool
is_xcode_part(struct str s)
{
	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* RFC 3463 section 2; success (2) is no refusal. */
static bool
is_xcode(struct str s)
{
	size_t dot = str_find(s, '.'), second;
	struct str rest;

	if (dot != 1 || dot == s.n || (s.p[0] != '4' && s.p[0] != '5'))
		return false;
	rest = str_skip(s, 2);
	second = str_find(rest, '.');
	return second < rest.n && is_xcode_part(str_head(rest, second)) &&
	       is_xcode_part(str_skip(rest, second + 1));
}

void
check_reply_codes(struct checker *k, enum milt_action verdict, unsigned code,
    struct span code_span, struct str xcode, struct span xcode_span)
{
	bool reject = verdict == ACTION_REJECT;
	unsigned class = reject ? 5 : 4;
	const char *verb = reject ? "reject" : "tempfail";
	struct diag *d;

	if (verdict != ACTION_REJECT && verdict != ACTION_TEMPFAIL)
		return;
	if (code && (code < 400 || code > 599)) {
		d = diag_at(k->diags, D_CODE_RANGE, code_span,
		    "`%u` refuses nothing", code);
		diag_help(k->diags, d, "%s answers with %uxx", verb, class);
		return;
	}
	if (code && code / 100 != class) {
		d = diag_at(k->diags, D_CODE_VERB, code_span,
		    "`%s` answers with %uxx, not %u", verb, class, code);
		diag_help(k->diags, d, "write: %s %u",
		    reject ? "tempfail" : "reject", code);
		return;
	}
	if (xcode.n > 0 && !is_xcode(xcode)) {
		d = diag_at(k->diags, D_BAD_XCODE, xcode_span,
		    "`%.*s` is no enhanced status code", STR_ARG(xcode));
		diag_help(k->diags, d, "such a code is written %u.7.1", class);
		return;
	}
	if (xcode.n > 0 && xcode.p[0] != (char)('0' + class)) {
		d = diag_at(k->diags, D_XCODE_CODE, xcode_span,
		    "`%s` goes with %u.X.X, not %.*s", verb, class,
		    STR_ARG(xcode));
		diag_help(k->diags, d, "write: %u%.*s", class,
		    STR_ARG(str_skip(xcode, 1)));
	}
}

/* ---- texts ------------------------------------------------------------- */

static bool
is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static void
check_reply_line(struct checker *k, const struct ast_template *t)
{
	size_t octets = 0;

	for (size_t i = 0; i < t->pieces.n; i++) {
		const struct ast_piece *p = &t->pieces.v[i];

		if (p->kind != PIECE_TEXT)
			continue;
		octets += p->text.n;
		if (is_printable(p->text))
			continue;

		struct diag *d = diag_at(k->diags, D_REPLY_OCTETS, t->span,
		    "a reply is printable ASCII, this text is not");

		diag_help(k->diags, d,
		    str_find(p->text, '\n') < p->text.n
			? "write a text of its own for each line"
			: "write it without accents, signs of other "
			  "scripts and control characters");
		return;
	}
	if (octets > (size_t)LIMIT_VALUE_REPLY_LINE) {
		struct diag *d = diag_at(k->diags, D_REPLY_LENGTH, t->span,
		    "a line of a reply has %u octets at most, this "
		    "one has %zu",
		    (unsigned)LIMIT_VALUE_REPLY_LINE, octets);

		diag_help(k->diags, d, "several texts are several lines");
	}
}

/* As written: what could not be read is not empty. */
static bool
is_empty(const struct ast_template *t)
{
	return t->pieces.n == 0 && t->span.end - t->span.begin <= 2;
}

static void
check_reply(struct checker *k, const struct ast_action *a)
{
	struct diag *d;

	check_reply_codes(
	    k, a->action, a->code, a->code_span, a->xcode, a->xcode_span);
	/* Behind `on failure` there may be none. */
	if (a->texts.n == 1 && is_empty(a->texts.v[0])) {
		d = diag_at(k->diags, D_REPLY_TEXT, a->texts.v[0]->span,
		    "the refusal says nothing");
		diag_help(k->diags, d,
		    "write why: the text is what the sender reads");
	}
	if (a->texts.n > (size_t)LIMIT_VALUE_REPLY_LINES)
		diag_at(k->diags, D_REPLY_LINES,
		    a->texts.v[LIMIT_VALUE_REPLY_LINES]->span,
		    "a reply has %u lines at most, this one has %zu",
		    (unsigned)LIMIT_VALUE_REPLY_LINES, a->texts.n);
	for (size_t i = 0; i < a->texts.n; i++)
		check_reply_line(k, a->texts.v[i]);
}

/* A template without values, as text; false if it has some. */
static bool
literal_text(struct checker *k, const struct ast_template *t, struct str *out)
{
	struct str s = STR("");

	for (size_t i = 0; i < t->pieces.n; i++) {
		if (t->pieces.v[i].kind != PIECE_TEXT)
			return false;
		s = i == 0 ? t->pieces.v[i].text
			   : arena_printf(k->arena, "%.*s%.*s", STR_ARG(s),
				 STR_ARG(t->pieces.v[i].text));
	}
	*out = s;
	return true;
}

static void
check_field_name(struct checker *k, const struct ast_template *t)
{
	struct str name;
	struct diag *d;

	if (!literal_text(k, t, &name)) {
		diag_at(k->diags, D_FIELD_NAME, t->span,
		    "the name of a header field has no values in it");
		return;
	}
	if (field_name_is_valid(name))
		return;
	d = diag_at(k->diags, D_FIELD_NAME, t->span,
	    "this is no name of a header field");
	if (name.n > 1 && name.p[name.n - 1] == ':' &&
	    field_name_is_valid(str_head(name, name.n - 1)))
		diag_help(k->diags, d, "write it without the colon");
	else
		diag_help(k->diags, d,
		    "a name is printable ASCII without blanks and "
		    "colons");
}

static void
check_address(struct checker *k, const struct ast_action *a)
{
	struct str s;

	if (!literal_text(k, a->address, &s))
		return;
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct str){ s.p + 1, s.n - 2 };
	if (s.n == 0 ? a->action == ACTION_SET_SENDER : mailbox_is_valid(s))
		return;

	struct diag *d = diag_at(k->diags, D_BAD_ADDRESS, a->address->span,
	    "`%.*s` is not a mail address",
	    STR_ARG(source_words(k->c, a->address->span)));

	diag_help(k->diags, d, "an address is written <amy@example.com>");
}

/* A record has no text. */
static void
check_fields(struct checker *k, const struct ast_template *t)
{
	for (size_t i = 0; t && i < t->pieces.n; i++) {
		struct ast_piece *p = &t->pieces.v[i];

		if (p->kind != PIECE_FIELD || !p->value)
			continue;

		const struct ast_value *v = check_operand(k, p->value);

		if (v && v->type == TYPE_RECORD)
			diag_at(k->diags, D_FIELD_VALUE, p->span,
			    "`%.*s` is a record, its fields are values",
			    STR_ARG(p->text));
	}
}

void
check_delay(struct checker *k, struct ast_action *a)
{
	const struct ast_value *v = a->duration;
	struct diag *d;

	if (!literal_duration(v->text, &a->milliseconds) ||
	    a->milliseconds < 0) {
		d = diag_at(k->diags, D_BAD_DURATION, v->span,
		    "`%.*s` is not a duration", STR_ARG(v->text));
		diag_help(k->diags, d, "a delay is written: delay 10s");
		a->milliseconds = 0;
	} else if (a->milliseconds > (long long)LIMIT_VALUE_DELAY) {
		d = diag_at(k->diags, D_DELAY_LONG, v->span,
		    "a message is delayed by %d s at most",
		    (int)(LIMIT_VALUE_DELAY / 1000));
		diag_help(
		    k->diags, d, "the MTA gives up waiting for an answer");
	}
}

void
check_action(struct checker *k, struct ast_action *a)
{
	for (size_t i = 0; i < a->texts.n; i++)
		check_fields(k, a->texts.v[i]);
	check_fields(k, a->address);
	if (a->action == ACTION_REJECT || a->action == ACTION_TEMPFAIL)
		check_reply(k, a);
	if (a->name)
		check_field_name(k, a->name);
	if (a->address)
		check_address(k, a);
	if (a->duration)
		check_delay(k, a);
	/* The element is loop 0. */
	if (a->where)
		check_condition(k, a->where, 1);
}

/* ---- actions together -------------------------------------------------- */

static void
report_second(struct checker *k, enum diag_id id, const struct ast_action *at,
    const struct ast_action *other, const char *message)
{
	struct diag *d = diag_at(k->diags, id, at->word, message,
	    STR_ARG(action_rows[at->action].name),
	    STR_ARG(action_rows[other->action].name));

	diag_label(k->diags, d, other->word, "the verdict");
}

void
check_actions(struct checker *k, struct item_rule *rule)
{
	const struct ast_action *verdict = NULL;

	for (size_t i = 0; i < rule->actions.n; i++) {
		struct ast_action *a = rule->actions.v[i];

		check_action(k, a);
		if (action_rows[a->action].kind != ACTION_VERDICT ||
		    a->action == ACTION_NONE)
			continue;
		if (verdict)
			report_second(k, D_TWO_VERDICTS, a, verdict,
			    "`%.*s` cannot be given: `%.*s` has "
			    "ended the evaluation");
		else
			verdict = a;
	}
	if (!verdict || verdict->action == ACTION_ACCEPT)
		return;
	for (size_t i = 0; i < rule->actions.n; i++) {
		const struct ast_action *a = rule->actions.v[i];

		if (a->action != ACTION_NONE &&
		    action_rows[a->action].kind == ACTION_CHANGE)
			report_second(k, D_EFFECT_LOST, a, verdict,
			    "`%.*s` has no effect beside `%.*s`");
	}
}
