#include "dsl/driver.h"

#include "grammar.h"

#define DEEPEST ((unsigned)LIMIT_VALUE_NESTING)

void
report_open(
    struct driver *d, struct span open, struct token t, const char *label)
{
	const struct source *s = d->ps.diags->sources->list.v[d->ps.source];
	struct diag *g;

	if (is_explained(d, t))
		return;
	g = diag_at(d->ps.diags, D_OPEN_BRACKET, open,
	    "this `%c` is never closed", s->text.p[open.begin]);
	if (label)
		diag_label(d->ps.diags, g, t.span, "%s", label);
}

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
	    closes_outside(d, open->span, t))
		d->suspect = open->span;
	forget_nots(d);
	d->level--;
	d->depth--;
	forget_nots(d);
	if (d->level == 0)
		d->in_group = false;
	return true;
}

static enum tracked
stray_bracket(struct driver *d, struct token t)
{
	if (!is_explained(d, t))
		diag_at(d->ps.diags, D_STRAY_BRACKET, t.span,
		    "this `%.*s` closes nothing", STR_ARG(t.text));
	return TRACK_DROP;
}

enum tracked
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
