#include "compiler/explain_log.h"

#include "compiler/account.h"
#include "compiler/holds.h"
#include "runtime/json.h"
#include "runtime/parts.h"

enum { OTHERS = 20, SOURCE_LINES = 100, DEPTH = 10 };

struct account_of_line {
	struct arena *arena;
	struct compilation *c;
	const struct milt_image *im;
	const struct logline *line;
	struct milt_session *s; /* with the facts of the line */
};

/* ---- the facts of the line ---------------------------------------------- */

/* name[address], as milterd writes it; without an address a local client. */
static void
give_client(struct account_of_line *a)
{
	struct str text = a->line->client, name = text, inside;
	size_t open = str_find(text, '[');
	struct ip ip;
	bool has_ip = false;

	if (open < text.n) {
		name = str_head(text, open);
		inside = str_skip(text, open + 1);
		has_ip = ip_parse(str_head(inside, str_find(inside, ']')), &ip);
	}
	(void)facts_client(milt_session_facts(a->s), name,
	    name.n > 0 && !str_eq(name, STR("unknown")), has_ip ? &ip : NULL,
	    0);
}

/* What does not fit into memory is missing, and so said. */
static void
give_facts(struct account_of_line *a)
{
	struct facts *f = milt_session_facts(a->s);
	const struct logline *l = a->line;

	give_client(a);
	milt_session_begin(a->s, STAGE_HELO);
	if (l->has_helo)
		(void)facts_helo(f, l->helo);
	milt_session_begin(a->s, STAGE_MAIL);
	if (l->has_sender)
		(void)facts_mail(
		    f, l->sender.n ? l->sender : STR("<>"), NULL, 0);
	for (size_t i = 0; i < l->recipients.n; i++) {
		milt_session_begin(a->s, STAGE_RCPT);
		(void)facts_rcpt(f, l->recipients.v[i], NULL, 0);
		if (l->stage > STAGE_RCPT)
			(void)facts_rcpt_accepted(f);
	}
}

/* Is `attr` the attribute of that name or a part of it? */
static bool
belongs_to(enum milt_attr attr, struct str name)
{
	struct str full = attr_rows[attr].name;

	return str_starts(full, name) &&
	       (full.n == name.n || full.p[name.n] == '.') &&
	       !str_ends(full, STR(".parameters"));
}

/* Does the line tell of it? */
static bool
is_told(const void *line, enum milt_attr attr)
{
	const struct logline *l = line;

	if (attr == ATTR_CLIENT_IP || attr == ATTR_CLIENT_NAME ||
	    attr == ATTR_CLIENT_NETWORK || attr == ATTR_CLIENT_ORG_DOMAIN)
		return l->client.n > 0;
	if (belongs_to(attr, STR("helo")))
		return l->has_helo;
	if (belongs_to(attr, STR("sender")))
		return l->has_sender;
	if (belongs_to(attr, STR("recipients")))
		return l->all_recipients && l->stage > STAGE_RCPT;
	return belongs_to(attr, STR("recipient")) && l->all_recipients &&
	       l->recipients.n == 1;
}

/* ---- rules -------------------------------------------------------------- */

static json_t *
parts(struct account_of_line *a, uint32_t rule)
{
	struct part *p;
	size_t n = rule_parts(a->s, rule, a->line->stage, &p);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		bool told =
		    is_told(a->line, p[i].attr) &&
		    (p[i].with == ATTR_NONE || is_told(a->line, p[i].with));
		json_t *o = json_object();

		json_put_text(o, "part", p[i].text);
		if (told && p[i].there)
			json_put_text(o, "is", p[i].value);
		json_put(o, "value",
		    json_string(truth_word(told ? p[i].result : UNKNOWN_)));
		json_array_append_new(list, o);
	}
	return list;
}

static void
put_place(struct compilation *c, json_t *o, const struct ir_rule *r)
{
	struct str file;
	unsigned line;

	account_place(c, r, &file, &line);
	json_put_text(o, "rule", r->name);
	if (r->span.end == 0)
		return;
	json_put_text(o, "file", file);
	json_put_number(o, "line", line);
	if (r->why.n)
		json_put_text(o, "why", r->why);
}

/* One may be named from another folder than the other: a/b.milt and b.milt. */
static bool
is_same_place(struct str a, struct str b)
{
	struct str longer = a.n > b.n ? a : b, shorter = a.n > b.n ? b : a;

	if (str_starts(shorter, STR("./")))
		shorter = str_skip(shorter, 2);
	return str_ends(longer, shorter) &&
	       (longer.n == shorter.n ||
		   longer.p[longer.n - shorter.n - 1] == '/');
}

/* Did the rule stand elsewhere then? */
static void
put_moved(struct account_of_line *a, json_t *o, const struct ir_rule *r)
{
	struct str logged = a->line->place;
	struct str file, now;
	unsigned line;

	account_place(a->c, r, &file, &line);
	now = arena_printf(a->arena, "%.*s:%u", STR_ARG(file), line);
	json_put(
	    o, "moved", json_boolean(logged.n && !is_same_place(logged, now)));
}

/* The lines of the policy in which the rule stands. */
static json_t *
source(struct compilation *c, const struct ir_rule *r)
{
	struct span span = r->ast ? r->ast->item.span : r->span;
	const struct source *src = c->sources.list.v[span.source];
	json_t *list = json_array();
	unsigned first, last, column;

	if (r->span.end == 0)
		return list;
	source_place(src, span.begin, &first, &column);
	source_place(src, span.end - 1, &last, &column);
	for (unsigned i = first; i <= last && i < first + SOURCE_LINES; i++) {
		json_t *o = json_object();

		json_put_number(o, "line", i);
		json_put_text(o, "text", source_line(src, i));
		json_array_append_new(list, o);
	}
	return list;
}

static enum milt_action
verdict_of(const struct logline *l)
{
	for (int i = 1; i < ACTION_COUNT; i++)
		if (str_eq(action_rows[i].name, l->verdict))
			return (enum milt_action)i;
	return ACTION_NONE;
}

static enum milt_stage
later(enum milt_stage a, enum milt_stage b)
{
	return a > b ? a : b;
}

/*
 * No condition is true before each of its conjuncts has a fact; of large ones
 * the first conjuncts are looked at.
 */
static enum milt_stage
earliest_true(const struct ir_node *n, unsigned depth)
{
	if (n->kind != NODE_AND || depth == DEPTH)
		return n->first;
	return later(
	    earliest_true(n->a, depth + 1), earliest_true(n->b, depth + 1));
}

/* The stage before which a rule cannot have been certain. */
static enum milt_stage
earliest(const struct ir_rule *r)
{
	enum milt_stage at;

	if (r->js || r->condition->kind == NODE_CONST)
		return r->known;
	at = later(earliest_true(r->condition, 0), r->text_last);
	return r->pinned ? later(at, r->pin) : at;
}

/*
 * Why a rule above the one that speaks did not.  One of another kind would have
 * decided or held the answer; one of the same kind is only not heard if it was
 * certain later.
 */
static struct str
reason(struct account_of_line *a, const struct ir_rule *above,
    const struct ir_rule *speaker)
{
	bool same = above->kinds >> verdict_of(a->line) & 1;
	enum truth v = rule_value(a->s, above->number, is_told, a->line);

	if (v == FALSE_)
		return STR("it did not hold");
	if (same && above->known > a->line->stage)
		return arena_printf(a->arena,
		    "it is known from %.*s on, and the answer was certain "
		    "before",
		    STR_ARG(stage_rows[above->known].name));
	if (same && above->known > earliest(speaker))
		return v == TRUE_ && !above->js
			   ? STR("it holds, and another one speaks for it")
			   : STR("it did not hold, or another one speaks for "
				 "it");
	if (above->js)
		return STR("it did not hold, or its answer was no verdict");
	if (v == TRUE_)
		return STR("by the line it holds: the policy may have been "
			   "another");
	return above->recipient && a->line->stage > STAGE_RCPT
		   ? STR("it did not hold for those who were left")
		   : STR("it did not hold");
}

static json_t *
other(struct account_of_line *a, const struct ir_rule *r,
    const struct ir_rule *speaker)
{
	json_t *o = json_object();

	put_place(a->c, o, r);
	json_put_text(o, "because", reason(a, r, speaker));
	json_put(o, "parts", parts(a, r->number));
	return o;
}

/* The rules above that could have given a verdict. */
static void
put_others(struct account_of_line *a, const struct ir_rule *r, json_t *out)
{
	const struct ir *ir = a->c->ir;
	json_t *list = json_array();
	size_t left = 0;

	for (size_t i = 0; i < ir->rules.n && ir->rules.v[i] != r; i++) {
		const struct ir_rule *above = ir->rules.v[i];

		if (above->shadow || above->verdict == ACTION_NONE ||
		    rule_is_dead(above))
			continue;
		if (json_array_size(list) < OTHERS)
			json_array_append_new(list, other(a, above, r));
		else
			left++;
	}
	json_put(out, "others", list);
	json_put_number(out, "others_left", left);
}

/* ---- the account -------------------------------------------------------- */

static const struct ir_rule *
find_rule(const struct ir *ir, struct str name)
{
	for (size_t i = 0; i < ir->rules.n; i++)
		if (str_eq(ir->rules.v[i]->name, name))
			return ir->rules.v[i];
	return str_eq(name, ir->otherwise->name) ? ir->otherwise : NULL;
}

static json_t *
rule_parts_json(struct account_of_line *a, const struct ir_rule *r)
{
	return parts(a, r == a->c->ir->otherwise
			    ? a->im->count[SECTION_RULES] - 1
			    : r->number);
}

/* One entry for each change; a rule is described with its first one. */
static void
put_effects(
    struct account_of_line *a, const struct ir_rule *speaker, json_t *out)
{
	json_t *list = json_array();
	const struct ir_rule *last = NULL;

	for (size_t i = 0; i < a->line->effects.n; i++) {
		const struct logline_effect *e = &a->line->effects.v[i];
		const struct ir_rule *r = find_rule(a->c->ir, e->rule);
		json_t *o = json_object();

		if (r)
			put_place(a->c, o, r);
		else
			json_put_text(o, "rule", e->rule);
		json_put(o, "known", json_boolean(r != NULL));
		json_put_text(o, "effect", e->action);
		if (r && r != speaker && r != last) {
			json_put(o, "source", source(a->c, r));
			json_put(o, "parts", rule_parts_json(a, r));
		}
		last = r;
		json_array_append_new(list, o);
	}
	json_put(out, "effects", list);
}

static void
put_line(json_t *o, const struct logline *l)
{
	json_put_text(o, "id", l->id.n ? l->id : STR("NOQUEUE"));
	json_put_text(o, "verdict", l->verdict);
	if (l->decision)
		json_put_text(o, "stage", stage_rows[l->stage].name);
	if (l->reply.n)
		json_put_text(o, "reply", l->reply);
	if (l->failure.n)
		json_put_text(o, "failure", l->failure);
	if (l->text.n)
		json_put_text(o, "text", l->text);
	if (l->place.n)
		json_put_text(o, "logged_at", l->place);
}

json_t *
explain_log(struct arena *arena, struct compilation *c,
    const struct milt_image *im, const struct logline *l)
{
	const struct ir_rule *r = NULL;
	struct account_of_line a = {
		.arena = arena, .c = c, .im = im, .line = l
	};
	json_t *o;

	if (l->rule.n) {
		r = find_rule(c->ir, l->rule);
		if (!r)
			return NULL;
	}
	o = json_object();
	put_line(o, l);
	a.s = milt_session_new(im);
	if (!r || !a.s) {
		milt_session_free(a.s);
		return o;
	}
	give_facts(&a);
	put_place(c, o, r);
	put_moved(&a, o, r);
	json_put(o, "source", source(c, r));
	json_put(o, "parts", rule_parts_json(&a, r));
	if (l->effects.n)
		put_effects(&a, r, o);
	if (l->decision)
		put_others(&a, r, o);
	milt_session_free(a.s);
	return o;
}
