#include "dsl/driver.h"

#include "grammar.h"

enum { MOST_INDENT = 200, NOT_FIRST = 201 };

/* A bad byte so close behind a word may be one of its letters. */
enum { NEAR = 64 };

bool
begins_rule(int kind)
{
	return kind == TOKEN_RULE || kind == TOKEN_SHADOW || kind == TOKEN_JS;
}

bool
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

void
driver_restart(struct driver *d)
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

bool
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
	while (end < text.n && end < t.span.end + NEAR &&
	       !is_blank(text.p[end]) && text.p[end] != '\n')
		end++;
	return !text_is_clean((struct str){ text.p + begin, end - begin });
}

bool
closes_outside(const struct driver *d, struct span open, struct token t)
{
	return indentation(d, t.span) < line_indentation(d, open);
}

void
leave_group(struct driver *d, struct token t)
{
	size_t at = indentation(d, t.span);
	size_t group = line_indentation(d, d->group.span);

	if (d->ps.group &&
	    (!begins_rule(t.kind) ||
		(at <= group && line_indentation(d, d->item.span) > group)))
		d->ps.group = NULL;
}

bool
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
	if (d->in_group && !d->ps.group &&
	    grammar_accepts(d->ps.grammar, TOKEN_RULE, false))
		grammar(d->ps.grammar, TOKEN_RULE, d->item, &d->ps);
}

void
recover(struct driver *d, struct token t)
{
	bool closes = t.kind == TOKEN_RB;
	unsigned base, level;

	know_group(d);
	level = base = d->ps.group ? 1 : 0;
	for (unsigned i = base; i < d->level; i++)
		level += d->open[i].kind == TOKEN_LB;
	d->level = level;
	if (is_next_item(d, t, base)) {
		leave_group(d, t);
		d->pending = t;
		driver_restart(d);
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
	if (closes && d->level < base && d->ps.group)
		ast_group_close(&d->ps, t);
	driver_restart(d);
}
