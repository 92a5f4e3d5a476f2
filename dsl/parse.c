/*
 * The driver: feeds the grammar, finds the end of what went wrong, and goes on
 * there.  An error costs its item (in a group: its rule); the next one is
 * read as if nothing had happened.
 */
#include "dsl/driver.h"

#include "grammar.h"

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

/* Where no value can follow, what follows is explained by it. */
static void
drop_comma(struct driver *d, struct token t)
{
	bool list = !refused(d, TOKEN_STRING);

	if (!d->told_comma)
		report_foreign(d, t, "`,` has no meaning here",
		    list ? "leave it out: blanks separate values"
			 : "several values stand in braces: "
			   "in { example.com example.org }");
	d->told_comma = true;
	d->lx.failed |= !list;
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
		drop_comma(d, *t);
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
	driver_restart(d);
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
	d->open = ARENA_ARRAY(arena, LIMIT_VALUE_NESTING, struct token);
	d->nots = ARENA_ARRAY(arena, LIMIT_VALUE_NESTING + 1, unsigned);
	if (!text_check(diags, source, &d->clean))
		return ps->file;
	d->pending.kind = -1;
	lexer_open(&d->lx, arena, diags, source);
	driver_restart(d);
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
