/*
 * What SMTP cannot do is an error: LANGUAGE.md, sections 2 and 8.
 */
#include "compiler/holds.h"
#include "compiler/rule_facts.h"

struct judge {
	struct compilation *c;
	struct diags *diags;
	struct holders above;
};

/* The verdict as written, also that of a shadow rule. */
static const struct ir_action *
written_verdict(const struct ir_rule *r)
{
	for (size_t i = 0; i < r->actions.n; i++)
		if (action_rows[r->actions.v[i]->action].kind == ACTION_VERDICT)
			return r->actions.v[i];
	return NULL;
}

/* The code of a js rule has a part in it: what it is given. */
static enum milt_stage
facts_last(const struct ir_rule *r)
{
	const struct ir_action *verdict = written_verdict(r);
	enum milt_stage last = r->condition->last;

	if (r->js && r->js->body)
		return STAGE_MESSAGE;

	for (size_t i = 0; verdict && i < verdict->texts.n; i++)
		if (verdict->texts.v[i]->last > last)
			last = verdict->texts.v[i]->last;
	return last;
}

static const char *
stage_name(enum milt_stage stage)
{
	return stage_rows[stage].name.p;
}

/* A second label at the fact that is known last. */
static void
label_latest(struct judge *j, struct diag *d, const struct ir_rule *r,
    enum milt_stage upto)
{
	struct rule_fact f;

	if (r->js && r->js->body && upto == STAGE_MESSAGE)
		diag_label(j->diags, d, r->js->ast->needs_span,
		    "known from %s on", stage_name(upto));
	else if (rule_latest_fact(j->c, r, upto, &f))
		diag_label(j->diags, d, f.span, "known from %s on",
		    stage_name(f.stage));
}

static void
label_recipient(struct judge *j, struct diag *d, const struct ir_rule *r)
{
	struct rule_fact f;

	if (rule_recipient_fact(j->c, r, &f))
		diag_label(j->diags, d, f.span, "makes it a recipient's rule");
}

/* ---- `at` ----------------------------------------------------------- */

static void
refuse_early(struct judge *j, const struct ir_rule *r, enum milt_stage last)
{
	struct span at = r->ast->at.span;
	struct rule_fact f = { .name = STR("the rule") };
	struct diag *d;

	rule_latest_fact(j->c, r, last, &f);
	if (r->js && r->js->body)
		f.name = STR("body");
	d = diag_at(j->diags, D_AT_TOO_EARLY, at, "`%.*s` is not known at `%s`",
	    STR_ARG(f.name), stage_name(r->pin));
	diag_primary_label(j->diags, d, "earlier than `%s`", stage_name(last));
	label_latest(j, d, r, last);
	diag_help(
	    j->diags, d, "write `at %s`, or leave `at` out", stage_name(last));
}

static bool
check_at(struct judge *j, const struct ir_rule *r)
{
	const struct ir_action *verdict = written_verdict(r);
	enum milt_stage last = facts_last(r);
	struct span at = r->ast->at.span;
	struct diag *d;

	/* A js rule is asked there. */
	if (!r->js && (!verdict || (verdict->action != ACTION_REJECT &&
				       verdict->action != ACTION_TEMPFAIL))) {
		d = diag_at(j->diags, D_AT_WITHOUT_REFUSAL, at,
		    "rule `%.*s` has `at` but no reject or tempfail",
		    STR_ARG(r->name));
		if (verdict)
			diag_label(
			    j->diags, d, verdict->ast->span, "its verdict");
		diag_help(j->diags, d, "leave `at` out");
		return false;
	}
	if (last > r->pin && !(r->recipient && r->pin >= STAGE_RCPT)) {
		refuse_early(j, r, last);
		return false;
	}
	if (r->recipient && r->pin != STAGE_RCPT) {
		d = diag_at(j->diags, D_AT_OF_RECIPIENT, at,
		    "one recipient cannot be refused at `%s`",
		    stage_name(r->pin));
		label_recipient(j, d, r);
		diag_help(j->diags, d, "write `at rcpt`, or leave `at` out");
		return false;
	}
	return true;
}

static void
check_at_held(struct judge *j, const struct ir_rule *r)
{
	const struct ir_rule *by = holders_after(&j->above, r->kinds, r->pin);
	struct diag *d;

	if (!by)
		return;
	d = diag_at(j->diags, D_AT_HELD, r->ast->at.span,
	    "rule `%.*s` can hold `%.*s` beyond `%s`", STR_ARG(by->name),
	    STR_ARG(r->name), stage_name(r->pin));
	diag_label(
	    j->diags, d, by->span, "known from %s on", stage_name(by->known));
	diag_help(j->diags, d,
	    "move rule `%.*s` above rule `%.*s`, or write `at %s`",
	    STR_ARG(r->name), STR_ARG(by->name), stage_name(by->known));
}

/* ---- recipients ------------------------------------------------------- */

static void
refuse_late(struct judge *j, const struct ir_rule *r, struct span span)
{
	struct rule_fact f = { .name = STR("a fact"), .span = span };
	struct diag *d;

	rule_latest_fact(j->c, r, facts_last(r), &f);
	if (r->js && r->js->body)
		f = (struct rule_fact){ .name = STR("body"),
			.span = r->js->ast->needs_span,
			.stage = STAGE_MESSAGE };
	d = diag_at(j->diags, D_RECIPIENT_LATE, f.span,
	    "`%.*s` is known from %s on, too late to decide on one "
	    "recipient",
	    STR_ARG(f.name), stage_name(f.stage));
	label_recipient(j, d, r);
	diag_help(j->diags, d,
	    "to decide on the whole message ask `any recipient { ... }`; "
	    "or move `%.*s` to a rule of its own",
	    STR_ARG(f.name));
}

static void
refuse_held(struct judge *j, const struct ir_rule *r, const struct ir_rule *by)
{
	struct diag *d = diag_at(j->diags, D_RECIPIENT_HELD, r->span,
	    "rule `%.*s` can hold `%.*s` beyond the recipient's RCPT",
	    STR_ARG(by->name), STR_ARG(r->name));

	label_recipient(j, d, r);
	diag_label(
	    j->diags, d, by->span, "known from %s on", stage_name(by->known));
	if (r->ast)
		diag_help(j->diags, d, "move rule `%.*s` above rule `%.*s`",
		    STR_ARG(r->name), STR_ARG(by->name));
	else
		diag_help(j->diags, d,
		    "leave the recipient out of the text of `otherwise`");
}

static void
refuse_discard(struct judge *j, const struct ir_rule *r, struct span at)
{
	struct diag *d = diag_at(j->diags, D_RECIPIENT_DISCARD, at,
	    "a message cannot be discarded for one "
	    "recipient");

	label_recipient(j, d, r);
	diag_help(
	    j->diags, d, "ask for all of them with `every recipient { ... }`");
}

/* A recipient rule with a verdict. */
static void
check_recipient(struct judge *j, const struct ir_rule *r)
{
	const struct ir_rule *by;

	if (r->kinds >> ACTION_DISCARD & 1) {
		refuse_discard(j, r,
		    r->verdict == ACTION_DISCARD ? written_verdict(r)->ast->span
						 : r->js->ast->may_span);
		return;
	}
	if (facts_last(r) > STAGE_RCPT) {
		refuse_late(j, r, r->span);
		return;
	}
	by = holders_after(&j->above, r->kinds, STAGE_RCPT);
	if (by)
		refuse_held(j, r, by);
}

static void
check_where(struct judge *j, const struct ir_rule *r)
{
	for (size_t i = 0; i < r->actions.n; i++) {
		const struct ir_action *a = r->actions.v[i];
		struct rule_fact f = { .name = STR("recipient"),
			.span = a->ast->span };
		struct diag *d;

		if (!a->where || !a->where->recipient)
			continue;
		expr_recipient_fact(j->c, a->ast->where, &f);
		d = diag_at(j->diags, D_RECIPIENT_WHERE, f.span,
		    "`%.*s` is not known in a `where`", STR_ARG(f.name));
		if (a->action == ACTION_REMOVE_RECIPIENT)
			diag_help(j->diags, d,
			    "the recipient that is asked has its fields "
			    "without `recipient.`");
	}
}

/* ---- js rules --------------------------------------------------------- */

/* What the MTA waits, as far as a rule may use it up. */
static void
check_timeout(struct judge *j, const struct ir_rule *r)
{
	size_t most = js_timeout_limit(r->known);
	struct diag *d;

	if (r->js->timeout <= most || !r->js->ast->timeout)
		return;
	d = diag_at(j->diags, D_JS_TIMEOUT, r->js->ast->timeout->span,
	    "the MTA does not wait that long at `%s`, where rule `%.*s` is "
	    "asked",
	    stage_name(r->known), STR_ARG(r->name));
	label_latest(j, d, r, r->known);
	diag_help(j->diags, d, "a timeout is %zus at most there", most / 1000);
}

/* ---- the pass
 * ------------------------------------------------------------------- */

static void
check_rule(struct judge *j, const struct ir_rule *r)
{
	bool ok = true;

	check_where(j, r);
	if (r->js)
		check_timeout(j, r);
	if (r->ast && r->ast->at.text.n)
		ok = check_at(j, r);
	if (!ok || !r->kinds || rule_is_dead(r))
		return;
	if (r->recipient)
		check_recipient(j, r);
	else if (r->pinned && !r->js)
		check_at_held(j, r);
}

void
pass_stage(struct compilation *c)
{
	struct judge j = { .c = c, .diags = &c->diags };

	for (size_t i = 0; i < c->ir->rules.n; i++) {
		check_rule(&j, c->ir->rules.v[i]);
		holders_add(&j.above, c->ir->rules.v[i]);
	}
	check_rule(&j, c->ir->otherwise);
}
