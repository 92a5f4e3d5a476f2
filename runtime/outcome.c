/*
 * What follows from a verdict beside the answer: changes of an accepted
 * message, and notes.  Both follow the plain reading with all facts known
 * (LANGUAGE 8): matching rules above the first matching verdict, and its own.
 */
#include "runtime/safe.h"
#include "runtime/state.h"

bool
gives_verdict(const struct milt_session *s, const struct live *l)
{
	if (is_js(s, l->rule))
		return judge_js(s, l->rule, (enum truth)l->value).value ==
		       TRUE_;
	return l->value == TRUE_ &&
	       s->image->rules[l->rule].verdict != ACTION_NONE;
}

/* The first shared rule whose verdict matches; the last one at the latest. */
static uint32_t
shared_cut(const struct milt_session *s)
{
	for (uint32_t i = 0; i < s->value.n; i++) {
		const struct live *l = &s->value.v[i];
		const struct image_rule *r = &s->image->rules[l->rule];

		if (!(r->flags & (RULE_RECIPIENT | RULE_SHADOW)) &&
		    gives_verdict(s, l))
			return l->rule;
	}
	return s->rules - 1;
}

uint32_t
reading_cut(const struct milt_session *s, const struct accepted *a)
{
	uint32_t cut = shared_cut(s);

	return a->settled < cut ? a->settled : cut;
}

/* Value of a recipient rule for the selected recipient, as far as known. */
static enum truth
recipient_value(struct milt_session *s, uint32_t rule)
{
	const struct image_rule *r = &s->image->rules[rule];

	/* No js rule but with a true condition has an answer. */
	if (r->flags & RULE_JS)
		return answer_find(s, rule)
			   ? effect_value(s, rule, READ_RECIPIENT, TRUE_)
			   : FALSE_;
	for (int t = s->done; t >= 0; t--)
		if (r->fragments[t] != IMAGE_NONE)
			return interp_run(&s->interp, r->fragments[t]);
	return UNKNOWN_;
}

/* ---- notes ------------------------------------------------------------ */

void
push_note(struct milt_session *s, uint32_t rule, enum milt_note_kind kind,
    struct str text, bool recipient)
{
	struct arena *a = facts_arena(s->facts);
	struct milt_note note = { .rule = rule, .kind = kind };
	struct fact_value v;

	if (text.p)
		note.text = safe_log(a, text, 1000);
	if (recipient &&
	    facts_get(s->facts, ATTR_RECIPIENT, STR(""), 0, &v) == FACT_THERE)
		note.recipient = arena_dup(a, v.text);
	/* With no memory a note is lost; the verdict is not. */
	(void)vec_push(a, &s->notes, note);
}

static void
push_answer_notes(struct milt_session *s, uint32_t rule, bool recipient)
{
	const struct js_answer *a = answer_find(s, rule);

	for (size_t i = 0; a && i < a->log_count; i++)
		push_note(s, rule, NOTE_LOG, a->logs[i], recipient);
}

static void
push_notes(struct milt_session *s, uint32_t rule)
{
	const struct image_rule *r = &s->image->rules[rule];
	bool recipient = r->flags & RULE_RECIPIENT;

	if (r->flags & RULE_SHADOW) {
		push_note(s, rule, NOTE_SHADOW, STR(""), recipient);
		return;
	}
	if (r->flags & RULE_JS) {
		push_answer_notes(s, rule, recipient);
		return;
	}
	for (uint32_t k = 0; k < r->count; k++) {
		const struct image_action *a = &s->image->actions[r->first + k];

		if (action_rows[a->action].kind == ACTION_NOTE)
			push_note(s, rule,
			    a->action == ACTION_METRIC ? NOTE_METRIC : NOTE_LOG,
			    interp_text(&s->interp, a->texts), recipient);
	}
}

static void
note_shared(struct milt_session *s, uint32_t last)
{
	for (uint32_t i = 0; i < s->value.n && s->value.v[i].rule <= last;
	     i++) {
		struct live *l = &s->value.v[i];

		if (s->image->rules[l->rule].flags & RULE_RECIPIENT ||
		    l->noted ||
		    effect_value(s, l->rule, READ_SHARED,
			(enum truth)l->value) != TRUE_ ||
		    !rule_has_notes(s, l->rule))
			continue;
		l->noted = true;
		push_notes(s, l->rule);
	}
}

void
note_refusal(struct milt_session *s, uint32_t speaker, bool recipient)
{
	const struct lives *of = &s->recipient;

	note_shared(s, speaker);
	for (uint32_t i = 0; recipient && i < of->n; i++) {
		const struct live *l = &of->v[i];

		if (l->rule <= speaker &&
		    s->image->rules[l->rule].flags & RULE_RECIPIENT &&
		    effect_value(s, l->rule, READ_RECIPIENT,
			(enum truth)l->value) == TRUE_ &&
		    rule_has_notes(s, l->rule))
			push_notes(s, l->rule);
	}
}

/* ---- the readings of all accepted recipients -------------------------- */

struct readings {
	uint32_t last;   /* the latest cut */
	uint32_t *first; /* for each rule of s->any the first recipient in
			    whose reading it matched and has changes, or
			    IMAGE_NONE */
	bool failed;     /* a recipient rule could not be decided, and counts */
};

/* For a recipient rule's texts: the recipient that they name. */
static void
select_recipient(struct milt_session *s, size_t r)
{
	facts_select_recipient(s->facts, r);
	s->current = (uint32_t)r;
	memo_forget(&s->interp.memo, s->image, MEMO_RECIPIENT);
}

static void
read_recipient(struct milt_session *s, size_t r, uint32_t cut, bool notes,
    struct readings *out)
{
	select_recipient(s, r);
	for (uint32_t i = 0; i < s->any.n && s->any.v[i].rule <= cut; i++) {
		uint32_t rule = s->any.v[i].rule;
		enum truth v = recipient_value(s, rule);

		if (v == ERROR_)
			out->failed |= !condition_ignored(s, rule);
		if (v != TRUE_)
			continue;
		if (out->first[i] == IMAGE_NONE && rule_has_changes(s, rule))
			out->first[i] = (uint32_t)r;
		if (notes && rule_has_notes(s, rule))
			push_notes(s, rule);
	}
}

static bool
readings_make(struct milt_session *s, uint32_t limit, bool refused, bool notes,
    struct readings *out)
{
	size_t n = s->accepted.n;

	*out = (struct readings){ .last = n && !refused ? 0 : limit };
	if (s->any.n) {
		out->first =
		    ARENA_ARRAY(facts_arena(s->facts), s->any.n, uint32_t);
		if (!out->first)
			return false;
		memset(out->first, 0xff, s->any.n * sizeof(*out->first));
	}
	for (size_t r = 0; r < n; r++) {
		uint32_t cut =
		    refused ? limit : reading_cut(s, &s->accepted.v[r]);

		if (cut > out->last)
			out->last = cut;
		if (s->any.n)
			read_recipient(s, r, cut, notes, out);
	}
	return true;
}

void
note_message(struct milt_session *s, const struct decision *d)
{
	struct readings rd;
	bool refused = d->kind != ACTION_ACCEPT;

	if (readings_make(s, d->speaker.rule, refused, true, &rd))
		note_shared(s, rd.last);
}

static bool
change_shared(struct milt_session *s, const struct live *l)
{
	if (s->image->rules[l->rule].flags & RULE_RECIPIENT ||
	    effect_value(s, l->rule, READ_SHARED, (enum truth)l->value) !=
		TRUE_ ||
	    !rule_has_changes(s, l->rule))
		return true;
	return push_changes(s, l->rule);
}

/* The texts name the first recipient for whom the rule matched. */
static bool
change_recipient(struct milt_session *s, uint32_t rule, uint32_t recipient)
{
	if (recipient == IMAGE_NONE)
		return true;
	select_recipient(s, recipient);
	(void)recipient_value(s, rule);
	return push_changes(s, rule);
}

bool
collect_changes(struct milt_session *s)
{
	const struct lives *value = &s->value, *any = &s->any;
	struct readings rd;

	s->changes.n = 0;
	s->insertable_known = false;
	if (!readings_make(s, s->rules - 1, false, false, &rd))
		return false;
	if (rd.failed) {
		s->change_failure = "a rule could not be decided";
		return false;
	}
	for (uint32_t i = 0, k = 0; i < value->n || k < any->n;) {
		bool shared =
		    k == any->n ||
		    (i < value->n && value->v[i].rule <= any->v[k].rule);
		uint32_t rule = shared ? value->v[i].rule : any->v[k].rule;

		if (rule > rd.last)
			break;
		if (!(shared ? change_shared(s, &value->v[i])
			     : change_recipient(s, rule, rd.first[k])))
			return false;
		if (shared)
			i++;
		else
			k++;
	}
	return true;
}
