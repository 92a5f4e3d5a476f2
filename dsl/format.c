#include "dsl/layout.h"

#include "grammar.h"

struct format {
	struct layout l;
	VEC(char) out;
	size_t column;  /* characters of the line so far */
	size_t begin;   /* column at which the clause begins */
	size_t operand; /* column of its second token, 0: not yet */
	size_t text;    /* of its first text in quotes, 0: none yet */
	enum continuation continuation;
	unsigned depth; /* of the clause */
	bool opened;    /* the last line opened a block */
};

/* ---- output ---------------------------------------------------------- */

static void
put(struct format *f, char c)
{
	vec_push(f->l.arena, &f->out, c);
	f->column = c == '\n' ? 0 : f->column + ((c & 0xC0) != 0x80);
}

static void
put_text(struct format *f, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		put(f, s.p[i]);
}

static void
put_blanks(struct format *f, size_t n)
{
	while (n-- > 0)
		put(f, ' ');
}

/* Ends the line, if one is begun, with an empty one below it if `blank`. */
static void
put_line_end(struct format *f, bool blank)
{
	if (f->out.n == 0)
		return;
	while (f->out.n && f->out.v[f->out.n - 1] == ' ')
		f->out.n--;
	put(f, '\n');
	if (blank && !f->opened)
		put(f, '\n');
	f->opened = false;
}

/* ---- comments -------------------------------------------------------- */

/* What stands between two tokens, while it is read. */
struct gap {
	struct str rest;
	size_t newlines; /* since the last token or comment */
	bool comment;    /* one was put */
};

static void
skip_gap(struct gap *g)
{
	while (g->rest.n && g->rest.p[0] != '#') {
		g->newlines += g->rest.p[0] == '\n';
		g->rest = str_skip(g->rest, 1);
	}
}

static size_t
continuation_column(const struct format *f)
{
	switch (f->continuation) {
	case CONTINUE_OPERAND:
		if (f->operand)
			return f->operand;
		break;
	case CONTINUE_TEXT:
		if (f->text)
			return f->text;
		break;
	case CONTINUE_SAME:
		return f->begin;
	case CONTINUE_DEEPER:
		break;
	}
	return f->begin + 2 * INDENT;
}

/* The comments before a token; `next` is NULL at the end of the file. */
static void
put_comments(struct format *f, struct gap *g, const struct place *next)
{
	size_t column = !next        ? 0
			: next->line ? (next->depth + next->closes) * INDENT
				     : continuation_column(f);

	for (skip_gap(g); g->rest.n; skip_gap(g)) {
		size_t n = str_find(g->rest, '\n');

		if (g->newlines == 0 && f->out.n && !g->comment) {
			put_blanks(f, 2);
		} else {
			put_line_end(f, g->newlines > 1);
			put_blanks(f, column);
		}
		put_text(f, str_trim(str_head(g->rest, n)));
		g->rest = str_skip(g->rest, n);
		g->newlines = 0;
		g->comment = true;
	}
}

/* ---- tokens ---------------------------------------------------------- */

static struct str
source_text(const struct format *f, uint32_t begin, uint32_t end)
{
	return (struct str){ f->l.source->text.p + begin, end - begin };
}

/*
 * A text between three quotes: its lines move with the closing quotes.  The
 * decoded text has the lines without what is taken off them.
 */
static void
put_block(struct format *f, const struct token *t)
{
	size_t column = f->depth * INDENT + INDENT;
	struct str text = t->text;

	put_text(f, STR("\"\"\""));
	while (text.n) {
		size_t n = str_find(text, '\n');
		struct str line = str_head(text, n ? n - 1 : 0);

		put(f, '\n');
		if (line.n) {
			put_blanks(f, column);
			put_text(f, line);
		}
		text = str_skip(text, n + 1);
	}
	put(f, '\n');
	put_blanks(f, column);
	put_text(f, STR("\"\"\""));
}

static void
put_token(struct format *f, size_t i)
{
	const struct token *t = &f->l.tokens.v[i];
	bool next = i + 1 < f->l.tokens.n && !f->l.places[i + 1].line;
	size_t column = f->column;

	if (t->kind == TOKEN_STRING && !f->text)
		f->text = column;
	if (t->kind == TOKEN_BLOCK && !f->l.places[i].verbatim) {
		put_block(f, t);
		return;
	}
	put_text(f, source_text(f, t->span.begin, t->span.end));
	if (next && f->column - column < f->l.places[i].pad)
		put_blanks(f, f->l.places[i].pad - (f->column - column));
}

/* Does a parenthesis behind such a token belong to it, as in header("X")? */
static bool
takes_key(int kind)
{
	return kind == TOKEN_WORD || kind == TOKEN_COUNT ||
	       kind == TOKEN_HEADER || kind == TOKEN_MACRO;
}

static size_t
blanks_between(const struct format *f, size_t i)
{
	int a = f->l.tokens.v[i - 1].kind, b = f->l.tokens.v[i].kind;

	if (a == TOKEN_LP || a == TOKEN_LSB || b == TOKEN_RP ||
	    b == TOKEN_RSB || b == TOKEN_LSB || b == TOKEN_COMMA)
		return 0;
	if (b == TOKEN_LP && takes_key(a))
		return 0;
	if (a == TOKEN_LB && b == TOKEN_RB)
		return 1;
	return f->l.places[i].wide ? 2 : 1;
}

static size_t
token_columns(const struct token *t)
{
	return t->span.end - t->span.begin;
}

/* The token in its clause: behind the one before, or on a line of its own. */
static void
put_inside(struct format *f, size_t i, const struct gap *g)
{
	const struct token *t = &f->l.tokens.v[i];
	const struct place *p = &f->l.places[i];
	size_t blanks = blanks_between(f, i);
	bool full =
	    p->member && f->column + blanks + token_columns(t) > LINE_WIDTH;

	if (g->newlines || g->comment || full) {
		size_t column = continuation_column(f);

		put_line_end(f, p->member && g->newlines > 1);
		put_blanks(f, column);
	} else {
		put_blanks(f, blanks);
	}
	if (!f->operand)
		f->operand = f->column;
	put_token(f, i);
}

static void
begin_clause(struct format *f, size_t i, const struct gap *g)
{
	const struct place *p = &f->l.places[i];

	put_line_end(f, g->newlines > 1 && !p->closes);
	put_blanks(f, (size_t)p->depth * INDENT);
	f->begin = f->column;
	f->depth = p->depth;
	f->continuation = p->continuation;
	f->operand = f->text = 0;
	put_token(f, i);
}

static void
put_next(struct format *f, size_t i, uint32_t before)
{
	const struct token *t = &f->l.tokens.v[i];
	const struct place *p = &f->l.places[i];
	struct gap g = { .rest = source_text(f, before, t->span.begin) };

	if (p->verbatim) {
		put_text(f, g.rest);
		put_token(f, i);
		return;
	}
	put_comments(f, &g, p);
	if (p->line)
		begin_clause(f, i, &g);
	else
		put_inside(f, i, &g);
	f->opened = t->kind == TOKEN_LB;
}

struct str
milt_format(struct arena *arena, const struct source *source,
    const struct ast_file *file)
{
	struct format f = { 0 };
	struct gap end = { 0 };
	uint32_t before = 0;

	layout_make(&f.l, arena, source, file);
	if (str_starts(source->text, STR("\xEF\xBB\xBF")))
		before = 3;
	for (size_t i = 0; i < f.l.tokens.n; i++) {
		put_next(&f, i, before);
		before = f.l.tokens.v[i].span.end;
	}
	end.rest = source_text(&f, before, (uint32_t)source->text.n);
	put_comments(&f, &end, NULL);
	put_line_end(&f, false);
	return (struct str){ f.out.v, f.out.n };
}
