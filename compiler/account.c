#include "compiler/account.h"

#include "compiler/holds.h"
#include "compiler/rule_facts.h"

void
account_place(const struct compilation *c, const struct ir_rule *r,
    struct str *file, unsigned *line)
{
	const struct source *src = c->sources.list.v[r->span.source];
	unsigned column;

	*file = src->path;
	source_place(src, r->span.begin, line, &column);
}

bool
account_uses(const struct ir *ir, enum milt_action action)
{
	for (size_t i = 0; i < ir->rules.n; i++) {
		const struct ir_rule *r = ir->rules.v[i];

		if (r->js && !rule_is_dead(r) &&
		    action_is_answer(action, r->js->body))
			return true;
		for (size_t k = 0; !r->shadow && k < r->actions.n; k++)
			if (r->actions.v[k]->action == action)
				return true;
	}
	return false;
}

/* "js: accept, reject; on failure tempfail". */
static struct str
kinds_of(struct compilation *c, const struct ir_rule *r)
{
	struct str s = STR("js:");

	for (unsigned a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (r->js->may >> a & 1)
			s = arena_printf(&c->arena, "%.*s%s %.*s", STR_ARG(s),
			    s.n > 3 ? "," : "", STR_ARG(action_rows[a].name));
	return arena_printf(&c->arena, "%.*s; on failure %.*s", STR_ARG(s),
	    STR_ARG(r->verdict == ACTION_NONE ? STR("ignore")
					      : action_rows[r->verdict].name));
}

static struct str
kind_of(struct compilation *c, const struct ir_rule *r)
{
	if (r->shadow)
		return STR("shadow");
	if (r->js)
		return kinds_of(c, r);
	for (size_t i = 0; i < r->actions.n; i++) {
		const struct ir_action *a = r->actions.v[i];

		if (a->action == r->verdict && a->code)
			return arena_printf(&c->arena, "%.*s %u %.*s",
			    STR_ARG(action_rows[a->action].name), a->code,
			    STR_ARG(a->xcode));
	}
	return r->verdict == ACTION_NONE ? STR("effects")
					 : action_rows[r->verdict].name;
}

static struct str
scope_of(const struct ir_rule *r)
{
	bool session =
	    r->condition->session && (!r->js || r->known <= STAGE_HELO);

	for (size_t i = 0; i < r->actions.n; i++)
		for (size_t k = 0; k < r->actions.v[i]->texts.n; k++)
			if (r->actions.v[i]->texts.v[k]->last > STAGE_HELO)
				session = false;
	return r->recipient ? STR("recipient")
	       : session    ? STR("session")
			    : STR("message");
}

static struct str
reason_of(struct compilation *c, const struct ir_rule *r)
{
	struct str stage = stage_rows[r->known].name;
	struct rule_fact f;

	if (rule_is_dead(r))
		return STR("its condition is always false");
	if (r->js && r->js->body)
		return STR("the rule says `needs body`");
	if (r->pinned)
		return arena_printf(
		    &c->arena, "the rule says `at %.*s`", STR_ARG(stage));
	if (r->condition->kind == NODE_CONST && r->text_last == STAGE_CONNECT)
		return STR("its condition is always true");
	if (!rule_latest_fact(c, r, r->known, &f))
		return STR("it names no fact");
	return arena_printf(&c->arena, "`%.*s` is known from %.*s on",
	    STR_ARG(f.name), STR_ARG(stage_rows[f.stage].name));
}

static bool
has_effects(const struct ir_rule *r)
{
	for (size_t i = 0; i < r->actions.n; i++)
		if (action_rows[r->actions.v[i]->action].kind == ACTION_CHANGE)
			return true;
	return false;
}

static struct str
at_stage(struct compilation *c, enum milt_stage stage)
{
	return arena_printf(
	    &c->arena, "at %.*s", STR_ARG(stage_rows[stage].name));
}

/* Refusals are heard at RCPT at the earliest, effects made at the end. */
static struct str
spoken_js(
    struct compilation *c, const struct ir_rule *r, enum milt_stage certain)
{
	if (certain < STAGE_RCPT && !r->pinned)
		return STR("at rcpt or later, as it answers");
	return arena_printf(&c->arena, "at %.*s or later, as it answers",
	    STR_ARG(stage_rows[certain].name));
}

/* `certain`: the stage from which neither it nor a holder is unknown. */
static struct str
spoken_of(
    struct accounts *all, const struct ir_rule *r, enum milt_stage certain)
{
	struct compilation *c = all->c;

	if (rule_is_dead(r))
		return STR("never");
	if (r->shadow)
		return STR("never, its hits are logged");
	if (r->js)
		return spoken_js(c, r, certain);
	switch (r->verdict) {
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
		if (certain < STAGE_RCPT && !r->pinned)
			return STR("at each rcpt");
		return at_stage(c, certain);
	case ACTION_DISCARD:
		return at_stage(c, certain < STAGE_DATA ? STAGE_DATA : certain);
	case ACTION_ACCEPT:
		if (has_effects(r))
			return STR("at message, with its effects");
		if (certain == STAGE_HELO) /* HELO may come again */
			certain = STAGE_MAIL;
		if (certain == STAGE_RCPT) /* for all recipients at once */
			certain = STAGE_DATA;
		/* It waits for the effects, notes and shadow rules of its
		 * reading. */
		if (certain < STAGE_MESSAGE && all->effects_above)
			return arena_printf(&c->arena,
			    "at %.*s, later while effects above it are open "
			    "or due",
			    STR_ARG(stage_rows[certain].name));
		return at_stage(c, certain);
	default:
		return STR("at message");
	}
}

struct str
account_call(struct compilation *c, const struct ir_rule *r)
{
	const struct ir_js *js = r->js;

	if (!js->path.n)
		return arena_printf(
		    &c->arena, "code, for at most %u ms", js->timeout);
	return arena_printf(&c->arena, "%.*s#%.*s, for at most %u ms",
	    STR_ARG(js->path), STR_ARG(js->function), js->timeout);
}

/* Keeps the first in file order, the last of them at the end. */
static void
add_holder(struct account *a, size_t *n, const struct ir_rule *r)
{
	size_t at = *n;

	if (at == ACCOUNT_HOLDERS && a->holders[at - 1]->number < r->number)
		return;
	if (at == ACCOUNT_HOLDERS)
		at--;
	else
		++*n;
	for (; at > 0 && a->holders[at - 1]->number > r->number; at--)
		a->holders[at] = a->holders[at - 1];
	a->holders[at] = r;
}

/* Sets the holders; returns the stage from which none of them is unknown. */
static enum milt_stage
find_holders(
    const struct accounts *all, const struct ir_rule *r, struct account *a)
{
	enum milt_stage certain = r->known;
	size_t n = 0;

	for (int k = 0; k < ACTION_COUNT; k++)
		for (int s = (int)r->known + 1; s < STAGE_COUNT; s++) {
			const struct account_group *g = &all->above[k][s];

			if (!g->count || !rule_holds(g->first[0], r))
				continue;
			for (size_t i = 0; i < g->count && i < ACCOUNT_HOLDERS;
			     i++)
				add_holder(a, &n, g->first[i]);
			a->holder_count += g->count;
			if (s > (int)certain)
				certain = (enum milt_stage)s;
		}
	return certain;
}

/* The one verdict that a rule can give, ACTION_NONE if there are several. */
static enum milt_action
only_kind(const struct ir_rule *r)
{
	enum milt_action only = ACTION_NONE;

	for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (r->kinds == 1U << a)
			only = (enum milt_action)a;
	return only;
}

static void
add_above(struct accounts *all, const struct ir_rule *r)
{
	struct account_group *g = &all->above[only_kind(r)][r->known];

	if (rule_is_dead(r))
		return;
	if (r->shadow || r->js || !r->kinds || has_effects(r))
		all->effects_above = true;
	if (!r->kinds)
		return;
	if (g->count < ACCOUNT_HOLDERS)
		g->first[g->count] = r;
	g->count++;
}

void
accounts_begin(struct accounts *all, struct compilation *c)
{
	*all = (struct accounts){ .c = c };
}

struct account
accounts_next(struct accounts *all, const struct ir_rule *r)
{
	struct account a = { .rule = r, .decided = r->known };
	enum milt_stage certain = r->known;

	account_place(all->c, r, &a.file, &a.line);
	a.kind = kind_of(all->c, r);
	a.scope = scope_of(r);
	a.never = rule_is_dead(r);
	a.reason = reason_of(all->c, r);
	if (!a.never)
		certain = find_holders(all, r, &a);
	a.spoken = spoken_of(all, r, certain);
	add_above(all, r);
	return a;
}
