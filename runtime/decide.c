#include "runtime/state.h"

/* What matters of a recipient rule's values for all recipients. */
static enum truth
seen(uint8_t values)
{
	if (values & 1 << ERROR_)
		return ERROR_;
	if (values & 1 << UNKNOWN_)
		return UNKNOWN_;
	return values & 1 << TRUE_ ? TRUE_ : FALSE_;
}

static bool
shared_next(struct walk *w, const struct lives *from, struct live *out)
{
	while (w->shared < from->n) {
		*out = from->v[w->shared];
		if (w->reading != READ_OPEN ||
		    !(w->s->image->rules[out->rule].flags & RULE_RECIPIENT))
			return true;
		w->shared++;
	}
	return false;
}

bool
walk_next(struct walk *w, uint32_t *rule, enum truth *v)
{
	const struct milt_session *s = w->s;
	bool more, any = w->reading == READ_OPEN && w->any < s->any.n;
	struct live next;

	more = shared_next(
	    w, w->reading == READ_RECIPIENT ? &s->recipient : &s->value, &next);
	if (!more && !any)
		return false;
	if (any && (!more || s->any.v[w->any].rule < next.rule)) {
		*rule = s->any.v[w->any].rule;
		*v = seen(s->any.v[w->any++].value);
		return true;
	}
	*rule = next.rule;
	*v = (enum truth)next.value;
	w->shared++;
	return true;
}

/*
 * Rules that are pending at the end of a stage, as far as they matter: of each
 * kind the first one.
 */
static struct image_pending
pending_at(const struct milt_session *s, enum milt_stage stage)
{
	const struct image_stage *st = &s->image->stages[stage];
	struct image_pending out;

	memset(&out, 0xff, sizeof(out));
	for (uint32_t i = 0; i < st->pending_count; i++) {
		const struct image_pending *p =
		    &s->image->pending[st->pending + i];

		if (p->guard != IMAGE_NONE &&
		    !(s->guards[p->guard / 8] >> p->guard % 8 & 1))
			continue;
		for (int k = 0; k < PENDING_VERDICTS; k++)
			if (p->verdict[k] < out.verdict[k])
				out.verdict[k] = p->verdict[k];
		if (p->effect < out.effect)
			out.effect = p->effect;
	}
	return out;
}

/* Kinds of the pending rules above `rule`. */
static unsigned
pending_above(const struct image_pending *p, uint32_t rule)
{
	unsigned kinds = 0;

	for (unsigned k = 0; k < PENDING_VERDICTS; k++)
		if (p->verdict[k] < rule)
			kinds |= 1u << (ACTION_ACCEPT + k);
	return kinds;
}

/*
 * The verdict of a rule as a reading sees it: a failure is a tempfail or is
 * ignored; what waits for its text or its pin is unknown; a recipient's
 * verdict is of no account for the others.
 */
static enum truth
effective(const struct milt_session *s, uint32_t i, enum milt_stage stage,
    enum reading reading, enum truth v)
{
	const struct image_rule *r = &s->image->rules[i];

	if (r->flags & RULE_SHADOW ||
	    (reading == READ_OPEN && r->flags & RULE_RECIPIENT &&
		r->verdict != ACTION_NONE))
		return FALSE_;
	if (v == ERROR_)
		return s->image->needs->options[OPTION_ON_FAILURE] ==
			       ON_FAILURE_IGNORE
			   ? FALSE_
			   : ERROR_;
	if (r->verdict == ACTION_NONE)
		return FALSE_;
	if (v == TRUE_ && (r->text_last > stage ||
			      (r->flags & RULE_PINNED && r->pin > stage)))
		return UNKNOWN_;
	return v;
}

bool
decide(const struct milt_session *s, enum milt_stage stage,
    enum reading reading, struct decision *out)
{
	struct walk w = { .s = s, .reading = reading };
	struct image_pending pending = pending_at(s, stage);
	unsigned held = 0; /* kinds of the rules above that are unknown */
	enum truth v;
	uint32_t i;

	while (walk_next(&w, &i, &v)) {
		unsigned kind;

		v = effective(s, i, stage, reading, v);
		if (v == FALSE_)
			continue;
		kind = v == ERROR_ ? (unsigned)ACTION_TEMPFAIL
				   : s->image->rules[i].verdict;
		held |= pending_above(&pending, i) | 1u << kind;
		if (held & (held - 1))
			return false;
		if (v == UNKNOWN_)
			continue;
		*out = (struct decision){
			.set = true,
			.kind = (enum milt_action)kind,
			.stage = stage,
			.speaker = { i, v == ERROR_,
			    v == ERROR_ ? s->interp.failure : NULL },
		};
		return true;
	}
	return false;
}

bool
decide_pinned(const struct milt_session *s, enum milt_stage stage,
    enum milt_action kind, struct decision *out)
{
	struct walk w = { .s = s, .reading = READ_SHARED };
	struct image_pending pending = pending_at(s, stage);
	enum truth v;
	uint32_t i;

	while (walk_next(&w, &i, &v)) {
		const struct image_rule *r = &s->image->rules[i];

		v = effective(s, i, stage, READ_SHARED, v);
		if (v == FALSE_)
			continue;
		if (v == ERROR_ || r->verdict != kind ||
		    pending_above(&pending, i) & ~(1u << kind))
			return false;
		if (v != TRUE_ || !(r->flags & RULE_PINNED))
			continue;
		*out = (struct decision){
			.set = true,
			.kind = kind,
			.stage = stage,
			.speaker = { .rule = i },
		};
		return true;
	}
	return false;
}

static bool
has_kind(const struct milt_image *im, uint32_t rule, enum milt_action_kind kind)
{
	const struct image_rule *r = &im->rules[rule];

	for (uint32_t i = 0; i < r->count; i++)
		if (action_rows[im->actions[r->first + i].action].kind == kind)
			return true;
	return false;
}

bool
rule_has_changes(const struct milt_image *im, uint32_t rule)
{
	return !(im->rules[rule].flags & RULE_SHADOW) &&
	       has_kind(im, rule, ACTION_CHANGE);
}

bool
rule_has_notes(const struct milt_image *im, uint32_t rule)
{
	return im->rules[rule].flags & RULE_SHADOW ||
	       has_kind(im, rule, ACTION_NOTE);
}

static bool
template_needs_body(const struct milt_image *im, uint32_t template)
{
	const struct image_template *t;

	if (template == IMAGE_NONE)
		return false;
	t = &im->templates[template];
	for (uint32_t i = 0; i < t->count; i++) {
		const struct image_piece *p = &im->pieces[t->first + i];

		if (p->kind == IMAGE_PIECE_CAPTURE)
			return true;
		if (p->kind == IMAGE_PIECE_VALUE &&
		    attr_rows[im->refs[p->a].attr].from == STAGE_MESSAGE)
			return true;
	}
	return false;
}

/* What is in the body says whether it may be changed, and where. */
static bool
changes_body(const struct image_action *a)
{
	return a->action == ACTION_PREPEND_TEXT ||
	       a->action == ACTION_APPEND_TEXT ||
	       a->action == ACTION_REPLACE_BODY;
}

static bool
changes_need_body(const struct milt_image *im, uint32_t rule)
{
	const struct image_rule *r = &im->rules[rule];

	for (uint32_t i = 0; i < r->count; i++) {
		const struct image_action *a = &im->actions[r->first + i];

		if (a->where != IMAGE_NONE || changes_body(a) ||
		    template_needs_body(im, a->name) ||
		    template_needs_body(im, a->address))
			return true;
		for (uint32_t k = 0; k < a->text_count; k++)
			if (template_needs_body(im, a->texts + k))
				return true;
	}
	return false;
}

static uint32_t
first_verdict(const struct image_pending *p)
{
	uint32_t first = IMAGE_NONE;

	for (int k = 0; k < PENDING_VERDICTS; k++)
		if (p->verdict[k] < first)
			first = p->verdict[k];
	return first;
}

struct pending
accept_pending(const struct milt_session *s, uint32_t speaker)
{
	const struct milt_image *im = s->image;
	struct walk w = { .s = s,
		.reading = s->done >= STAGE_DATA ? READ_OPEN : READ_SHARED };
	struct image_pending waiting = pending_at(
	    s, s->done < 0 ? STAGE_CONNECT : (enum milt_stage)s->done);
	struct pending p = { .unknown = waiting.effect <= speaker };
	/* From here on a verdict above may yet end the reading. */
	uint32_t cut = first_verdict(&waiting), i;
	enum truth v;

	while (walk_next(&w, &i, &v) && i <= speaker) {
		bool changes = rule_has_changes(im, i);
		bool notes = rule_has_notes(im, i);

		if (changes || notes)
			p.unknown |= v == UNKNOWN_ || (v == TRUE_ && cut < i);
		if (v == UNKNOWN_ && im->rules[i].verdict != ACTION_NONE &&
		    !(im->rules[i].flags & RULE_SHADOW) && i < cut)
			cut = i;
		if (v != TRUE_)
			continue;
		p.notes |= notes;
		p.changes |= changes;
		p.body |= changes && changes_need_body(im, i);
	}
	return p;
}
