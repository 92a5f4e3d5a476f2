/*
 * The driver: feeds the grammar, finds the end of what went wrong, and goes on
 * there.  An error costs its item (in a group: its rule); the next one is
 * read as if nothing had happened.
 */
#include "dsl/parse.h"
#include "dsl/syntax.h"
#include "grammar.h"

#define DEEPEST ((unsigned)LIMIT_VALUE_NESTING)

enum { MOST_INDENT = 200, NOT_FIRST = 201 };

struct driver {
	struct parser ps;
	struct lexer lx;
	struct token item;    /* first word of the item that is read */
	struct token pending; /* read already; kind -1: none */
	struct trail trail;
	bool told_comma;     /* in this item */
	bool clean;          /* the text holds no bad bytes */
	bool in_group;       /* open[0] is the brace of a group */
	struct token group;  /* its first word */
	unsigned level;      /* open brackets */
	unsigned depth;      /* with the `not`s among them */
	struct token *open;  /* the brackets, at most DEEPEST */
	unsigned *nots;      /* `not`s in a row, at each level */
	struct span suspect; /* a brace whose end is indented less; end 0 */
};

static bool
begins_rule(int kind)
{
	return kind == TOKEN_RULE || kind == TOKEN_SHADOW || kind == TOKEN_JS;
}

static bool
begins_item(int kind)
{
	switch (kind) {
	case TOKEN_SHADOW:
	case TOKEN_JS:
	case TOKEN_RULE:
	case TOKEN_GROUP:
	case TOKEN_LIST:
	case TOKEN_MAP:
	case TOKEN_LET:
	case TOKEN_LIMIT:
	case TOKEN_MEMORY:
	case TOKEN_GREYLIST:
	case TOKEN_SCORE:
	case TOKEN_CLAIM:
	case TOKEN_TEST:
	case TOKEN_INCLUDE:
	case TOKEN_OPTION:
	case TOKEN_OTHERWISE:
	case TOKEN_MILT:
		return true;
	default:
		return false;
	}
}

static bool
is_word(struct token t)
{
	return t.kind == TOKEN_WORD || keyword_text(t.kind).n != 0;
}

/* Do the tokens from `t` on look like the beginning of an item? */
static bool
looks_like_item(const struct driver *d, struct token t)
{
	struct lexer lx = d->lx;
	struct token b, c;

	lx.diags = NULL;
	b = lexer_next(&lx);
	c = lexer_next(&lx);
	switch (t.kind) {
	case TOKEN_SHADOW:
	case TOKEN_JS:
		return b.kind == TOKEN_RULE;
	case TOKEN_RULE:
	case TOKEN_GROUP:
		return (is_word(b) &&
			   (c.kind == TOKEN_LB || c.kind == TOKEN_STRING ||
			       c.kind == TOKEN_WHEN ||
			       c.kind == TOKEN_UNLESS)) ||
		       b.kind == TOKEN_LB ||
		       (b.kind == TOKEN_STRING && c.kind == TOKEN_LB);
	case TOKEN_LIST:
	case TOKEN_MAP:
		return is_word(b) && c.kind == TOKEN_OF;
	case TOKEN_LET:
		return is_word(b) && c.kind == TOKEN_EQ;
	case TOKEN_LIMIT:
	case TOKEN_MEMORY:
	case TOKEN_GREYLIST:
	case TOKEN_CLAIM:
		return is_word(b) && c.kind == TOKEN_LB;
	case TOKEN_TEST:
		return b.kind == TOKEN_STRING && c.kind == TOKEN_LB;
	case TOKEN_INCLUDE:
		return b.kind == TOKEN_STRING;
	case TOKEN_OPTION:
		return is_word(b) && c.kind != TOKEN_LB && c.kind != TOKEN_IS;
	case TOKEN_OTHERWISE:
		return b.kind == TOKEN_ACCEPT || b.kind == TOKEN_REJECT ||
		       b.kind == TOKEN_TEMPFAIL || b.kind == TOKEN_DISCARD;
	default:
		return false;
	}
}

static const struct source *
source_of(const struct driver *d)
{
	return d->ps.diags->sources->list.v[d->ps.source];
}

static struct str
text_of(const struct driver *d)
{
	return source_of(d)->text;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Bytes before it on its line; NOT_FIRST if they are not all blank.  What is
 * indented very far counts as MOST_INDENT.
 */
static size_t
indentation(const struct driver *d, struct span span)
{
	struct str text = text_of(d);
	uint32_t begin = source_line_begin(source_of(d), span.begin);

	if (begin == 0 && str_starts(text, STR("\xEF\xBB\xBF")))
		begin = 3;
	if (span.begin - begin > MOST_INDENT)
		return is_blank(text.p[span.begin - 1]) ? MOST_INDENT
							: NOT_FIRST;
	for (uint32_t i = begin; i < span.begin; i++)
		if (!is_blank(text.p[i]))
			return NOT_FIRST;
	return span.begin - begin;
}

/* Indentation of the line on which it stands. */
static size_t
line_indentation(const struct driver *d, struct span span)
{
	struct str text = text_of(d);
	uint32_t begin = source_line_begin(source_of(d), span.begin);
	size_t n = 0;

	while (n < MOST_INDENT && begin + n < span.begin &&
	       is_blank(text.p[begin + n]))
		n++;
	return n;
}

/* Begins the grammar anew, at top level or in the open group. */
static void
restart(struct driver *d)
{
	struct parser *ps = &d->ps;
	struct token start = { .kind = TOKEN_START_FILE };

	d->in_group = ps->group != NULL;
	if (d->in_group)
		start.kind = TOKEN_START_GROUP;
	d->level = d->depth = d->in_group ? 1 : 0;
	d->nots[0] = d->nots[1] = 0;
	d->lx.failed = false;
	d->told_comma = false;
	d->trail = (struct trail){ 0 };
	ps->failed = false;
	ps->literal = false;
	grammarInit(ps->grammar);
	grammar(ps->grammar, start.kind, start, ps);
}

/* A lexical error in the item explains whatever follows from it. */
static bool
is_explained(const struct driver *d, struct token t)
{
	struct str text = text_of(d);
	uint32_t begin = d->item.span.begin, end = t.span.end;

	if (d->lx.failed)
		return true;
	if (d->clean || end < begin)
		return false;
	if (d->ps.diags->errors > (size_t)LIMIT_VALUE_ERRORS)
		return true;
	return !text_is_clean((struct str){ text.p + begin, end - begin });
}

static void
report_open(
    struct driver *d, struct span open, struct token t, const char *label)
{
	struct str text = text_of(d);
	struct diag *g;

	if (is_explained(d, t))
		return;
	g = diag_at(d->ps.diags, D_OPEN_BRACKET, open,
	    "this `%c` is never closed", text.p[open.begin]);
	if (label)
		diag_label(d->ps.diags, g, t.span, "%s", label);
}

/* ---- after an error -------------------------------------------------- */

/* Leaves the group if `t` cannot stand in it. */
static void
leave_group(struct driver *d, struct token t)
{
	size_t at = indentation(d, t.span);
	size_t group = line_indentation(d, d->group.span);

	if (d->ps.group &&
	    (!begins_rule(t.kind) ||
		(at <= group && line_indentation(d, d->item.span) > group)))
		d->ps.group = NULL;
}

/*
 * Is `t`, which cannot follow, or comes while brackets are open, the next item
 * all the same?  Outside of brackets the indentation tells.
 */
static bool
is_next_item(const struct driver *d, struct token t, unsigned base)
{
	size_t at = indentation(d, t.span);
	bool outside = at <= line_indentation(d, d->item.span);

	if (at == NOT_FIRST || !begins_item(t.kind))
		return false;
	if (d->ps.group && !begins_rule(t.kind) &&
	    at > line_indentation(d, d->group.span))
		return false;
	if (d->level <= base && outside)
		return true;
	return (d->level <= base || outside) && looks_like_item(d, t);
}

/*
 * The grammar takes note of a group when it sees what follows the brace; this
 * can follow.
 */
static void
know_group(struct driver *d)
{
	grammar(d->ps.grammar, TOKEN_RULE, d->item, &d->ps);
}

/*
 * Skips the rest of the item in which `t` was refused: to its closing brace,
 * or to what looks like the next item.
 */
static void
recover(struct driver *d, struct token t)
{
	unsigned base = d->in_group ? 1 : 0, level = base;
	bool closes = t.kind == TOKEN_RB;

	if (d->in_group && !d->ps.group)
		know_group(d);
	for (unsigned i = base; i < d->level; i++)
		level += d->open[i].kind == TOKEN_LB;
	d->level = level;
	if (is_next_item(d, t, base)) {
		leave_group(d, t);
		d->pending = t;
		restart(d);
		return;
	}
	while (!(closes && d->level <= base)) {
		t = lexer_next(&d->lx);
		closes = t.kind == TOKEN_RB;
		if (t.kind == 0) {
			d->pending = t;
			d->ps.group = NULL;
			break;
		}
		if (is_next_item(d, t, base)) {
			leave_group(d, t);
			d->pending = t;
			break;
		}
		if (t.kind == TOKEN_LB)
			d->level++;
		else if (closes && d->level > 0)
			d->level--;
	}
	if (closes && d->level < base)
		ast_group_close(&d->ps, t);
	restart(d);
}

/* ---- brackets -------------------------------------------------------- */

static bool
too_deep(struct driver *d, struct token t)
{
	if (d->depth < DEEPEST)
		return false;
	diag_help(d->ps.diags,
	    diag_at(d->ps.diags, D_NESTING, t.span,
		"more than %u brackets or `not`s stand inside each "
		"other",
		DEEPEST),
	    "give parts of the condition a name with `let`");
	return true;
}

static void
forget_nots(struct driver *d)
{
	d->depth -= d->nots[d->level];
	d->nots[d->level] = 0;
}

static void
push(struct driver *d, struct token t)
{
	int before = d->trail.last[1].kind;

	if (t.kind == TOKEN_LB && d->level == 0 &&
	    d->item.kind == TOKEN_GROUP && before != TOKEN_ANY &&
	    before != TOKEN_EVERY && before != TOKEN_NO &&
	    d->trail.last[0].kind != TOKEN_IN &&
	    d->trail.last[0].kind != TOKEN_UNDER &&
	    d->trail.last[0].kind != TOKEN_EXACTLY) {
		d->in_group = true;
		d->group = d->item;
	}
	d->open[d->level++] = t;
	d->depth++;
	d->nots[d->level] = 0;
}

static int
closing(int open)
{
	return open == TOKEN_LB   ? TOKEN_RB
	       : open == TOKEN_LP ? TOKEN_RP
				  : TOKEN_RSB;
}

/* Takes the bracket off.  False: it is not the one that is due. */
static bool
pop(struct driver *d, struct token t)
{
	struct token *open = &d->open[d->level - 1];

	if (t.kind != closing(open->kind)) {
		report_open(d, open->span, t, "comes before its end");
		return false;
	}
	if (t.kind == TOKEN_RB && !d->suspect.end &&
	    indentation(d, t.span) < line_indentation(d, open->span))
		d->suspect = open->span;
	forget_nots(d);
	d->level--;
	d->depth--;
	forget_nots(d);
	if (d->level == 0)
		d->in_group = false;
	return true;
}

enum tracked { TRACK_FEED, TRACK_DROP, TRACK_RECOVER };

static enum tracked
stray_bracket(struct driver *d, struct token t)
{
	if (!is_explained(d, t))
		diag_at(d->ps.diags, D_STRAY_BRACKET, t.span,
		    "this `%.*s` closes nothing", STR_ARG(t.text));
	return TRACK_DROP;
}

/* Counts brackets and `not`s before the grammar sees them. */
static enum tracked
track(struct driver *d, struct token t)
{
	int last = d->trail.last[0].kind;

	switch (t.kind) {
	case TOKEN_NOT:
		if (too_deep(d, t))
			return TRACK_RECOVER;
		d->nots[d->level]++;
		d->depth++;
		return TRACK_FEED;
	case TOKEN_LB:
	case TOKEN_LP:
	case TOKEN_LSB:
		if (too_deep(d, t)) {
			/* It is skipped like those inside it. */
			d->open[d->level - 1].kind = TOKEN_LB;
			return TRACK_RECOVER;
		}
		push(d, t);
		return TRACK_FEED;
	case TOKEN_RB:
		if (d->level == 0)
			return stray_bracket(d, t);
		return pop(d, t) ? TRACK_FEED : TRACK_RECOVER;
	case TOKEN_RP:
	case TOKEN_RSB:
		if (d->level == 0 || d->open[d->level - 1].kind == TOKEN_LB)
			return stray_bracket(d, t);
		return pop(d, t) ? TRACK_FEED : TRACK_RECOVER;
	case TOKEN_ANY:
	case TOKEN_EVERY:
	case TOKEN_NO:
		return TRACK_FEED;
	default:
		if (last != TOKEN_ANY && last != TOKEN_EVERY &&
		    last != TOKEN_NO)
			forget_nots(d);
		return TRACK_FEED;
	}
}

/* ---- tokens ---------------------------------------------------------- */

static bool
refused(const struct driver *d, int kind)
{
	return !grammar_accepts(d->ps.grammar, kind, true);
}

/* May a comparison follow? */
static bool
compares(const struct driver *d)
{
	return grammar_accepts(d->ps.grammar, TOKEN_CONTAINS, false);
}

static void
report_foreign(
    struct driver *d, struct token t, const char *message, const char *help)
{
	diag_help(d->ps.diags,
	    diag_at(d->ps.diags, D_FOREIGN, t.span, "%s", message), "%s", help);
}

/*
 * Signs of other languages whose meaning is clear are reported and read as
 * what they mean.  False: the token is left out.
 */
static bool
repair(struct driver *d, struct token *t)
{
	if (t->kind == TOKEN_EQ && refused(d, TOKEN_EQ) && compares(d)) {
		report_foreign(d, *t, "`=` does not compare", "write `is`");
		t->kind = TOKEN_IS;
	} else if (t->kind == TOKEN_ADDRESS && t->text.n == 0 &&
		   refused(d, TOKEN_ADDRESS) && compares(d)) {
		report_foreign(
		    d, *t, "`<>` is the empty address", "write `is not`");
		t->kind = TOKEN_NE;
	} else if (t->kind == TOKEN_WORD && str_eq(t->text, STR("if")) &&
		   refused(d, TOKEN_WORD) && !refused(d, TOKEN_WHEN)) {
		report_foreign(
		    d, *t, "`if` does not begin a condition", "write `when`");
		t->kind = TOKEN_WHEN;
		t->text = STR("when");
	} else if (t->kind == TOKEN_COMMA && refused(d, TOKEN_COMMA)) {
		if (!d->told_comma)
			report_foreign(d, *t, "`,` has no meaning here",
			    "leave it out: blanks separate values");
		d->told_comma = true;
		return false;
	}
	return true;
}

/* A new item where the last one still has an open bracket, or its start. */
static void
notice_item(struct driver *d, struct token t)
{
	unsigned base = d->in_group && begins_rule(t.kind) ? 1 : 0;

	if (d->level == base) {
		if (!grammar_accepts(d->ps.grammar, t.kind, false))
			return;
		d->item = t;
		d->lx.failed = false;
		d->told_comma = false;
		return;
	}
	if (d->level < base || !is_next_item(d, t, base))
		return;
	report_open(d, d->open[d->level - 1].span, t, "the next item");
	leave_group(d, t);
	restart(d);
	d->item = t;
}

static void
report_end(struct driver *d, struct token end)
{
	struct span open =
	    d->suspect.end ? d->suspect : d->open[d->level - 1].span;

	report_open(d, open, end, NULL);
}

/* The bracket inside the item's own that is still open, or NULL. */
static const struct span *
open_around(const struct driver *d)
{
	unsigned own = d->in_group ? 2 : 1;

	if (d->level == 0 ||
	    (d->open[d->level - 1].kind == TOKEN_LB && d->level <= own))
		return NULL;
	return &d->open[d->level - 1].span;
}

static void
refuse(struct driver *d, struct token t)
{
	if (t.kind == 0 && d->level > 0)
		report_end(d, t);
	else if (!is_explained(d, t))
		report_syntax(&d->ps, &d->trail, t, open_around(d));
}

/*
 * A keyword that begins the next item is no ordinary word, although the
 * grammar could read it as one.
 */
static bool
may_follow(const struct driver *d, struct token t)
{
	unsigned base = d->in_group && begins_rule(t.kind) ? 1 : 0;

	if (!grammar_accepts(d->ps.grammar, t.kind, true))
		return false;
	return d->level != base || !is_next_item(d, t, base) ||
	       grammar_accepts(d->ps.grammar, t.kind, false);
}

/* Reads the source to its end. */
static void
drive(struct driver *d)
{
	struct parser *ps = &d->ps;
	struct token t;

	do {
		t = d->pending;
		d->pending.kind = -1;
		if (t.kind < 0)
			t = lexer_next(&d->lx);
		if (begins_item(t.kind) &&
		    !(d->level == 0 && d->trail.last[0].kind == TOKEN_SHADOW))
			notice_item(d, t);
		switch (track(d, t)) {
		case TRACK_FEED:
			break;
		case TRACK_DROP:
			continue;
		case TRACK_RECOVER:
			recover(d, t);
			continue;
		}
		if (!repair(d, &t))
			continue;
		if (!may_follow(d, t)) {
			refuse(d, t);
			if (t.kind)
				recover(d, t);
			continue;
		}
		grammar(ps->grammar, t.kind, t, ps);
		d->trail.last[2] = d->trail.last[1];
		d->trail.last[1] = d->trail.last[0];
		d->trail.last[0] = t;
	} while (t.kind != 0);
}

struct ast_file *
milt_parse(struct arena *arena, struct diags *diags, uint32_t source)
{
	struct driver *d = ARENA_NEW(arena, struct driver);
	struct parser *ps = &d->ps;

	ps->arena = arena;
	ps->diags = diags;
	ps->source = source;
	ps->file = ARENA_NEW(arena, struct ast_file);
	ps->file->source = source;
	ps->grammar = grammar_new(arena);
	ps->inner = grammar_new(arena);
	d->open = ARENA_ARRAY(arena, DEEPEST, struct token);
	d->nots = ARENA_ARRAY(arena, DEEPEST + 1, unsigned);
	if (!text_check(diags, source, &d->clean))
		return ps->file;
	d->pending.kind = -1;
	lexer_open(&d->lx, arena, diags, source);
	restart(d);
	drive(d);
	return ps->file;
}

struct ast_value *
parse_value(struct parser *ps, struct str text, const uint32_t *map)
{
	struct token t = { .kind = TOKEN_START_VALUE };
	bool failed = ps->failed;
	struct ast_value *value;
	struct lexer lx = { .arena = ps->arena,
		.source = ps->source,
		.text = arena_dup(ps->arena, text).p,
		.map = map };

	lx.at = lx.text;
	lx.limit = lx.text + text.n;
	ps->failed = false;
	ps->value = NULL;
	grammarInit(ps->inner);
	do {
		grammar(ps->inner, t.kind, t, ps);
		if (t.kind == 0)
			break;
		t = lexer_next(&lx);
	} while (!ps->failed && !lx.failed);
	value = ps->failed || lx.failed ? NULL : ps->value;
	ps->failed = failed;
	return value;
}
