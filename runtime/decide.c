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

/* Of the rules that are pending, the first of each list, or IMAGE_NONE. */
struct waiting {
	uint32_t first[PENDING_LISTS];
};

/* The first of a list of which the session holds no value. */
static uint32_t
first_waiting(
    const struct milt_session *s, const struct image_pending *p, int list)
{
	const uint32_t *rules = s->image->pending_rules + p->list[list].first;

	for (uint32_t i = 0; i < p->list[list].count; i++)
		if (!lives_have(&s->value, rules[i]))
			return rules[i];
	return IMAGE_NONE;
}

static struct waiting
waiting_at(const struct milt_session *s, enum milt_stage stage)
{
	const struct image_stage *st = &s->image->stages[stage];
	struct waiting out;

	memset(&out, 0xff, sizeof(out));
	for (uint32_t i = 0; i < st->pending_count; i++) {
		const struct image_pending *p =
		    &s->image->pending[st->pending + i];

		if (p->guard != IMAGE_NONE &&
		    !(s->guards[p->guard / 8] >> p->guard % 8 & 1))
			continue;
		for (int k = 0; k < PENDING_LISTS; k++) {
			uint32_t first = first_waiting(s, p, k);

			if (first < out.first[k])
				out.first[k] = first;
		}
	}
	return out;
}

/* Kinds of those that are above `rule`. */
static unsigned
kinds_above(const struct waiting *w, uint32_t rule)
{
	unsigned kinds = 0;

	for (unsigned k = 0; k < PENDING_VERDICTS; k++)
		if (w->first[k] < rule)
			kinds |= 1u << (ACTION_ACCEPT + k);
	return kinds;
}

static struct judged
judged_failure(
    const struct milt_session *s, uint32_t rule, const char *what, bool reply)
{
	unsigned verdict = s->image->rules[rule].verdict;

	return (struct judged){
		.value = truth_of(verdict != ACTION_NONE),
		.kinds = 1u << verdict,
		.failure = true,
		.what = what,
		.reply = reply,
	};
}

struct judged
judge_js(const struct milt_session *s, uint32_t rule, enum truth v)
{
	const struct js_answer *a;
	struct judged j = {
		.value = UNKNOWN_,
		.kinds = image_kinds(s->image, &s->image->rules[rule]),
	};

	if (v == FALSE_)
		return (struct judged){ .value = FALSE_ };
	if (v == ERROR_)
		return judged_failure(s, rule, s->interp.failure, false);
	a = v == TRUE_ ? answer_find(s, rule) : NULL;
	if (!a)
		return j;
	switch (a->kind) {
	case REPLY_NOTHING:
		break;
	case REPLY_ANSWER:
		return (struct judged){
			.value = truth_of(a->verdict != ACTION_NONE),
			.kinds = 1u << a->verdict,
		};
	case REPLY_FAILURE:
		return judged_failure(s, rule, a->failure, true);
	}
	return (struct judged){ .value = FALSE_ };
}

/*
 * The verdict of a rule as a reading sees it: a failure is a tempfail or is
 * ignored; what waits for its text or its pin is unknown; a recipient's
 * verdict is of no account for the others.
 */
struct judged
judge(const struct milt_session *s, uint32_t i, enum milt_stage stage,
    enum reading reading, enum truth v)
{
	const struct image_rule *r = &s->image->rules[i];
	struct judged j = { .value = v, .kinds = 1u << r->verdict };

	if (v == FALSE_ || r->flags & RULE_SHADOW ||
	    (reading == READ_OPEN && r->flags & RULE_RECIPIENT &&
		image_kinds(s->image, r)))
		return (struct judged){ .value = FALSE_ };
	if (r->flags & RULE_JS)
		return judge_js(s, i, r->known > stage ? UNKNOWN_ : v);
	if (v == ERROR_)
		return (struct judged){
			.value = truth_of(
			    s->image->needs->options[OPTION_ON_FAILURE] !=
			    ON_FAILURE_IGNORE),
			.kinds = 1u << ACTION_TEMPFAIL,
			.failure = true,
			.what = s->interp.failure,
		};
	if (r->verdict == ACTION_NONE)
		j.value = FALSE_;
	else if (v == TRUE_ && (r->text_last > stage ||
				   (r->flags & RULE_PINNED && r->pin > stage)))
		j.value = UNKNOWN_;
	return j;
}

/* Of a rule whose verdict is certain. */
static struct decision
decision_of(const struct judged *j, uint32_t rule, enum milt_stage stage)
{
	return (struct decision){
		.set = true,
		.kind = (enum milt_action)__builtin_ctz(j->kinds),
		.stage = stage,
		.speaker = { rule, j->failure, j->what, j->reply },
	};
}

bool
decide(const struct milt_session *s, enum milt_stage stage,
    enum reading reading, struct decision *out)
{
	struct walk w = { .s = s, .reading = reading };
	struct waiting waiting = waiting_at(s, stage);
	unsigned held = 0; /* kinds of the rules above that are unknown */
	enum truth v;
	uint32_t i;

	while (walk_next(&w, &i, &v)) {
		struct judged j = judge(s, i, stage, reading, v);

		if (j.value == FALSE_)
			continue;
		held |= kinds_above(&waiting, i) | j.kinds;
		if (held & (held - 1))
			return false;
		if (j.value == UNKNOWN_)
			continue;
		*out = decision_of(&j, i, stage);
		return true;
	}
	return false;
}

bool
decide_pinned(const struct milt_session *s, enum milt_stage stage,
    enum milt_action kind, struct decision *out)
{
	struct walk w = { .s = s, .reading = READ_SHARED };
	struct waiting waiting = waiting_at(s, stage);
	enum truth v;
	uint32_t i;

	while (walk_next(&w, &i, &v)) {
		const struct image_rule *r = &s->image->rules[i];
		struct judged j = judge(s, i, stage, READ_SHARED, v);

		if (j.value == FALSE_)
			continue;
		if ((j.failure && !(r->flags & RULE_JS)) ||
		    (j.kinds | kinds_above(&waiting, i)) & ~(1u << kind))
			return false;
		if (j.value != TRUE_ || !(r->flags & RULE_PINNED))
			continue;
		*out = decision_of(&j, i, stage);
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
rule_has_changes(const struct milt_session *s, uint32_t rule)
{
	const struct js_answer *a;

	if (is_js(s, rule)) {
		a = answer_find(s, rule);
		return !a || a->change_count;
	}
	return !(s->image->rules[rule].flags & RULE_SHADOW) &&
	       has_kind(s->image, rule, ACTION_CHANGE);
}

bool
rule_has_notes(const struct milt_session *s, uint32_t rule)
{
	const struct js_answer *a;

	if (is_js(s, rule)) {
		a = answer_find(s, rule);
		return !a || a->log_count;
	}
	return s->image->rules[rule].flags & RULE_SHADOW ||
	       has_kind(s->image, rule, ACTION_NOTE);
}

/* Does it name facts that are not known at `stage` (-1: before connect)? */
static bool
template_waits(const struct milt_image *im, uint32_t template, int stage)
{
	const struct image_template *t = &im->templates[template];

	for (uint32_t i = 0; i < t->count; i++) {
		const struct image_piece *p = &im->pieces[t->first + i];

		if (p->kind == IMAGE_PIECE_VALUE &&
		    (int)attr_rows[im->refs[p->a].attr].from > stage)
			return true;
	}
	return false;
}

static bool
template_needs_body(const struct milt_image *im, uint32_t template)
{
	const struct image_template *t;

	if (template == IMAGE_NONE)
		return false;
	t = &im->templates[template];
	for (uint32_t i = 0; i < t->count; i++)
		if (im->pieces[t->first + i].kind == IMAGE_PIECE_CAPTURE)
			return true;
	return template_waits(im, template, STAGE_HEADERS);
}

/* Have the rule's log lines facts that are not known yet? */
static bool
notes_wait(const struct milt_session *s, uint32_t rule)
{
	const struct milt_image *im = s->image;
	const struct image_rule *r = &im->rules[rule];

	if (r->flags & (RULE_JS | RULE_SHADOW))
		return false;
	for (uint32_t i = 0; i < r->count; i++) {
		const struct image_action *a = &im->actions[r->first + i];

		for (uint32_t k = 0;
		     a->action == ACTION_LOG && k < a->text_count; k++)
			if (template_waits(
				im, a->texts + k, (enum milt_stage)s->done))
				return true;
	}
	return false;
}

static bool
changes_need_body(const struct milt_session *s, uint32_t rule)
{
	const struct milt_image *im = s->image;
	const struct image_rule *r = &im->rules[rule];
	const struct js_answer *answer =
	    r->flags & RULE_JS ? answer_find(s, rule) : NULL;

	for (size_t i = 0; answer && i < answer->change_count; i++)
		if (action_changes_body(answer->changes[i].action))
			return true;
	if (r->flags & RULE_JS)
		return false;

	for (uint32_t i = 0; i < r->count; i++) {
		const struct image_action *a = &im->actions[r->first + i];

		if (a->where != IMAGE_NONE || action_changes_body(a->action) ||
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
first_verdict(const struct waiting *w)
{
	uint32_t first = IMAGE_NONE;

	for (int k = 0; k < PENDING_VERDICTS; k++)
		if (w->first[k] < first)
			first = w->first[k];
	return first;
}

struct pending
accept_pending(const struct milt_session *s, uint32_t speaker)
{
	struct walk w = { .s = s,
		.reading = s->done >= STAGE_DATA ? READ_OPEN : READ_SHARED };
	struct waiting waiting = waiting_at(
	    s, s->done < 0 ? STAGE_CONNECT : (enum milt_stage)s->done);
	struct pending p = { .unknown =
				 waiting.first[PENDING_EFFECT] <= speaker };
	/* From here on a verdict above may yet end the reading. */
	uint32_t cut = first_verdict(&waiting), i;
	enum truth v;

	while (walk_next(&w, &i, &v) && i <= speaker) {
		bool changes = rule_has_changes(s, i);
		bool notes = rule_has_notes(s, i);

		v = effect_value(s, i, w.reading, v);
		if (changes || notes)
			p.unknown |= v == UNKNOWN_ || (v == TRUE_ && cut < i);
		if (v == UNKNOWN_ &&
		    image_kinds(s->image, &s->image->rules[i]) &&
		    !(s->image->rules[i].flags & RULE_SHADOW) && i < cut)
			cut = i;
		if (v != TRUE_)
			continue;
		p.unknown |= notes && notes_wait(s, i);
		p.notes |= notes;
		p.changes |= changes;
		p.body |= changes && changes_need_body(s, i);
	}
	return p;
}
