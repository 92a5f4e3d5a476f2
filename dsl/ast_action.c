#include "dsl/parse.h"
#include "grammar.h"

/* ---- templates ------------------------------------------------------- */

/* A string literal while it is taken apart. */
struct cut {
	struct parser *ps;
	struct ast_template *template;
	struct str text;     /* decoded */
	const uint32_t *map; /* place of each byte */
	char *literal;       /* text since the last field */
	size_t n, begin;     /* its length, and where in `text` it began */
};

static struct span
cut_span(const struct cut *c, size_t begin, size_t end)
{
	return (struct span){ c->template->span.source, c->map[begin],
		c->map[end] };
}

static void
cut_literal(struct cut *c, size_t end)
{
	struct ast_piece piece = { .kind = PIECE_TEXT };

	if (c->n == 0)
		return;
	piece.text = arena_dup(c->ps->arena, (struct str){ c->literal, c->n });
	piece.span = cut_span(c, c->begin, end);
	vec_push(c->ps->arena, &c->template->pieces, piece);
	c->n = 0;
}

/* Where the field that begins behind `at` ends: a brace not in quotes. */
static size_t
field_end(struct str text, size_t at)
{
	bool quoted = false;

	for (; at < text.n; at++) {
		if (text.p[at] == '"')
			quoted = !quoted;
		else if (text.p[at] == '}' && !quoted)
			break;
	}
	return at;
}

/* A word or number without dots: resolve says what it is. */
static bool
may_be_capture(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '_' && c != '-')
			return false;
	}
	return s.n != 0;
}

/* The field whose brace stands at `at`; returns where it ends. */
static size_t
cut_field(struct cut *c, size_t at)
{
	struct parser *ps = c->ps;
	size_t end = field_end(c->text, at + 1);
	struct str inside = { c->text.p + at + 1, end - at - 1 };
	struct ast_piece piece = { .kind = PIECE_FIELD,
		.text = str_trim(inside) };

	if (end == c->text.n) {
		diag_help(ps->diags,
		    diag_at(ps->diags, D_BAD_FIELD, cut_span(c, at, at + 1),
			"the brace is not closed in this text"),
		    "a field is written {client.ip}, a brace {{");
		return end;
	}
	piece.span = cut_span(c, at, end + 1);
	piece.value = parse_value(ps, inside, c->map + at + 1);
	if (!piece.value && !may_be_capture(piece.text))
		diag_help(ps->diags,
		    diag_at(ps->diags, D_BAD_FIELD, piece.span,
			"`{%.*s}` is not a field", STR_ARG(piece.text)),
		    "in the braces stands an attribute, such as "
		    "{client.ip}, or a capture, such as {1}; a brace is "
		    "written {{");
	vec_push(ps->arena, &c->template->pieces, piece);
	return end + 1;
}

static struct ast_template *
literal_template(struct parser *ps, struct token t)
{
	struct ast_template *template =
	    ARENA_NEW(ps->arena, struct ast_template);
	struct ast_piece piece = {
		.kind = PIECE_TEXT, .span = t.span, .text = t.text
	};

	template->span = t.span;
	if (t.text.n)
		vec_push(ps->arena, &template->pieces, piece);
	return template;
}

struct ast_template *
ast_template(struct parser *ps, struct token string)
{
	struct source *s = ps->diags->sources->list.v[ps->source];
	struct cut c = { .ps = ps };
	uint32_t *map;

	if (ps->literal)
		return literal_template(ps, string);
	c.template = ARENA_NEW(ps->arena, struct ast_template);
	c.template->span = string.span;
	c.text = string_decode(ps->arena, s, string.span, &map);
	c.map = map;
	c.literal = arena_alloc(ps->arena, c.text.n + 1);
	for (size_t i = 0; i < c.text.n;) {
		char at = c.text.p[i];
		bool twice = i + 1 < c.text.n && c.text.p[i + 1] == at;

		if (at == '{' && !twice) {
			cut_literal(&c, i);
			i = cut_field(&c, i);
			c.begin = i;
			continue;
		}
		if (c.n == 0)
			c.begin = i;
		c.literal[c.n++] = at;
		i += (at == '{' || at == '}') && twice ? 2 : 1;
	}
	cut_literal(&c, c.text.n);
	return c.template;
}

struct texts *
texts_add(struct parser *ps, struct texts *texts, struct token string)
{
	if (!texts)
		texts = ARENA_NEW(ps->arena, struct texts);
	vec_push(ps->arena, &texts->list, ast_template(ps, string));
	return texts;
}

/* ---- actions --------------------------------------------------------- */

struct ast_action *
ast_action(struct parser *ps, enum milt_action action, struct token first,
    struct token last)
{
	struct ast_action *x = ARENA_NEW(ps->arena, struct ast_action);

	x->action = action;
	x->span = span2(first, last);
	x->word = x->span;
	return x;
}

enum milt_action
verdict_action(struct token word)
{
	for (int i = 1; i < ACTION_COUNT; i++)
		if (str_eq(action_rows[i].name, word.text))
			return (enum milt_action)i;
	return ACTION_NONE;
}

static bool
is_number(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n != 0;
}

static unsigned
reply_code(struct parser *ps, struct token t)
{
	unsigned code = 0;

	if (!is_number(t.text) || t.text.n != 3) {
		diag_help(ps->diags,
		    diag_at(ps->diags, D_BAD_CODE, t.span,
			"`%.*s` is not a reply code", STR_ARG(t.text)),
		    "a reply is written: reject 550 5.7.1 \"text\"");
		return 0;
	}
	for (size_t i = 0; i < 3; i++)
		code = code * 10 + (unsigned)(t.text.p[i] - '0');
	return code;
}

void
read_codes(struct parser *ps, struct codes c, unsigned *code,
    struct span *code_span, struct str *xcode, struct span *xcode_span)
{
	if (c.code.kind && !c.xcode.kind &&
	    str_find(c.code.text, '.') < c.code.text.n) {
		c.xcode = c.code;
		c.code.kind = 0;
	}
	if (c.code.kind) {
		*code = reply_code(ps, c.code);
		*code_span = c.code.span;
	}
	if (c.xcode.kind) {
		*xcode = c.xcode.text;
		*xcode_span = c.xcode.span;
	}
}

struct ast_action *
ast_reply(struct parser *ps, enum milt_action action, struct token word,
    struct codes codes, struct texts *texts)
{
	struct ast_action *x = ast_action(ps, action, word, word);

	read_codes(
	    ps, codes, &x->code, &x->code_span, &x->xcode, &x->xcode_span);
	if (!texts) {
		x->span = span2(word, later(codes.code, codes.xcode));
		return x;
	}
	x->texts.v = texts->list.v;
	x->texts.n = texts->list.n;
	x->texts.cap = texts->list.cap;
	x->span.end = texts->list.v[texts->list.n - 1]->span.end;
	return x;
}

struct ast_action *
ast_text(struct parser *ps, enum milt_action action, struct token first,
    struct token text)
{
	struct ast_action *x = ast_action(ps, action, first, first);

	x->span = span2(first, text);
	vec_push(ps->arena, &x->texts, ast_template(ps, text));
	return x;
}

/* The name is the action's text. */
struct ast_action *
ast_metric(struct parser *ps, struct token word, struct token name)
{
	struct ast_action *x = ast_action(ps, ACTION_METRIC, word, word);

	x->span = span2(word, name);
	vec_push(ps->arena, &x->texts, literal_template(ps, name));
	return x;
}

struct ast_action *
ast_delay(struct parser *ps, struct token word, struct ast_value *duration)
{
	struct ast_action *x = ast_action(ps, ACTION_DELAY, word, word);

	x->span.end = duration->span.end;
	x->duration = duration;
	return x;
}

struct ast_action *
ast_header(struct parser *ps, enum milt_action action, struct token first,
    struct token second, struct token name, struct token value)
{
	struct ast_action *x = ast_action(ps, action, first, second);

	x->span = span2(first, later(name, value));
	x->name = ast_template(ps, name);
	if (value.kind)
		vec_push(ps->arena, &x->texts, ast_template(ps, value));
	return x;
}

struct ast_action *
ast_where(struct parser *ps, struct ast_action *x, struct ast_expr *where)
{
	(void)ps;
	x->where = where;
	x->span.end = where->span.end;
	return x;
}

/* An address stands in brackets and is no template, or in quotes. */
struct ast_action *
ast_address(struct parser *ps, enum milt_action action, struct token first,
    struct token second, struct token address)
{
	struct ast_action *x = ast_action(ps, action, first, second);

	x->span = span2(first, address);
	x->address = address.kind == TOKEN_STRING
			 ? ast_template(ps, address)
			 : literal_template(ps, address);
	return x;
}

struct ast_action *
ast_refused(
    struct parser *ps, struct token first, struct token word, struct token last)
{
	struct ast_action *x = ast_action(ps, ACTION_NONE, first, word);

	x->span = span2(first, last);
	x->refused =
	    first.kind == TOKEN_SCORED ? STR("change of a score") : first.text;
	if (word.span.begin != first.span.begin)
		x->refused = arena_printf(ps->arena, "%.*s %.*s",
		    STR_ARG(first.text), STR_ARG(word.text));
	return x;
}

long long
ast_index(struct parser *ps, struct token t)
{
	long long n = 0;

	if (!is_number(t.text) || t.text.n > 9) {
		diag_help(ps->diags,
		    diag_at(ps->diags, D_BAD_INDEX, t.span,
			"`%.*s` is not an index of a header field",
			STR_ARG(t.text)),
		    "0 stands for a place above all fields, 1 for one "
		    "above the first that the policy sees");
		return 0;
	}
	for (size_t i = 0; i < t.text.n; i++)
		n = n * 10 + (t.text.p[i] - '0');
	return n;
}
