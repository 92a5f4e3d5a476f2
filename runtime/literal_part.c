#include "runtime/literal_part.h"

/* Anything of that width. */
void
part_unknown(struct part *p, uint32_t min, uint32_t max)
{
	p->exact = false;
	p->min = min;
	p->max = max;
	p->in_line = p->one = false;
	p->first = p->last = NEAR_ANY;
	p->score = p->also_score = p->class_score = -1;
	p->also.n = 0;
	p->fixed = false;
	p->classes.n = 0;
}

void
part_empty(struct part *p)
{
	part_unknown(p, 0, 0);
	p->exact = p->in_line = p->fixed = true;
	p->first = p->last = 0;
	literals_empty(&p->texts);
}

void
part_between(struct part *p, char letter)
{
	struct literal *l = &p->texts.v[0];

	part_empty(p);
	switch (letter) {
	case '^':
		l->before = NEAR_LINE | NEAR_EDGE;
		return;
	case 'A':
		l->before = NEAR_EDGE;
		return;
	case '$':
	case 'Z':
		l->after[0] = NEAR_LINE | NEAR_EDGE;
		return;
	case 'z':
		l->after[0] = NEAR_EDGE;
		return;
	case 'b':
		l->before = l->after[0] = NEAR_ANY | NEAR_BOUNDARY;
		return;
	}
}

void
part_class(struct part *p, const struct class_set *set)
{
	p->fixed = true;
	p->classes.n = 0;
	classes_push(&p->classes, set);
}

void
part_text(struct part *p, const uint8_t *text, uint32_t n)
{
	part_empty(p);
	for (uint32_t i = 0; i < n; i++) {
		p->texts.v[0].text[i] = literal_fold(text[i]);
		p->in_line &= text[i] != '\r' && text[i] != '\n';
	}
	p->texts.v[0].n = p->min = p->max = n;
	p->one = true;
	p->first = near_kind[text[0]];
	p->last = near_kind[text[n - 1]];
}

static void
either_classes(struct part *a, const struct part *b)
{
	a->fixed = a->fixed && b->fixed && a->classes.n == b->classes.n;
	if (a->fixed)
		classes_join(&a->classes, &b->classes);
	if (a->class_score < 0 || b->class_score < 0) {
		a->class_score = -1;
	} else {
		classes_join(&a->best_classes, &b->best_classes);
		a->class_score = classes_score(&a->best_classes);
	}
}

void
part_either(struct part *a, const struct part *b)
{
	either_classes(a, b);
	a->exact = a->exact && b->exact && literals_join(&a->texts, &b->texts);
	a->in_line = a->in_line && b->in_line;
	a->one = a->one && b->one;
	a->first |= b->first;
	a->last |= b->last;
	a->min = b->min < a->min ? b->min : a->min;
	a->max = width_most(a->max, b->max);
	if (a->score < 0 || b->score < 0 || !literals_join(&a->best, &b->best))
		a->score = -1;
	else
		a->score = literals_score(&a->best);
	a->also.n = 0;
	a->also_score = -1;
}

/* ---- sequences ---------------------------------------------------------- */

void
sequence_begin(struct sequence *s)
{
	literals_empty(&s->run);
	s->run_min = s->run_max = 0;
	s->waiting = s->begun = false;
	s->behind = NEAR_ANY;
	part_unknown(&s->all, 0, 0);
	s->all.exact = s->all.in_line = s->all.fixed = true;
	s->all.first = s->all.last = 0;
	s->classes.n = 0;
}

static bool
is_same(const struct literals *set, const struct literal *v, uint32_t n)
{
	if (set->n != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (set->v[i].n != v[i].n ||
		    memcmp(set->v[i].text, v[i].text, v[i].n) != 0)
			return false;
	return true;
}

static void
consider_also(struct part *p, const struct literal *v, uint32_t n, int score)
{
	if (n > LITERALS_FEW || score <= p->also_score)
		return;
	p->also_score = score;
	p->also.n = n;
	memcpy(p->also.v, v, n * sizeof(*v));
}

/* A set that is required, its places from the sequence's begin. */
static void
consider_placed(struct sequence *s, const struct literals *set, int score)
{
	struct part *all = &s->all;

	if (all->score >= 0 && is_same(set, all->best.v, all->best.n))
		return;
	if (score <= all->score) {
		consider_also(all, set->v, set->n, score);
		return;
	}
	if (all->score >= 0)
		consider_also(all, all->best.v, all->best.n, all->score);
	all->score = score;
	literals_copy(&all->best, set);
}

static void
consider(
    struct sequence *s, const struct literals *set, uint32_t min, uint32_t max)
{
	int score = literals_score(set);
	struct literals placed;

	if (score < 0)
		return;
	literals_copy(&placed, set);
	literals_shift(&placed, min, max);
	consider_placed(s, &placed, score);
}

/* What a part requires, one that stands where the sequence ends. */
static void
consider_part(struct sequence *s, const struct part *p)
{
	struct literals also;

	if (p->score < 0)
		return;
	consider(s, &p->best, s->all.min, s->all.max);
	also.n = p->also.n;
	memcpy(also.v, p->also.v, also.n * sizeof(*also.v));
	consider(s, &also, s->all.min, s->all.max);
}

/* No more is to be known of what follows the run that has ended. */
static void
close_run(struct sequence *s)
{
	if (!s->waiting)
		return;
	s->waiting = false;
	for (uint32_t i = 0; i < s->ended.n; i++)
		for (uint32_t k = 0; k < s->followed; k++)
			s->ended.v[i].after[k] =
			    near_and(s->ended.v[i].after[k], s->follow[k]);
	consider(s, &s->ended, s->ended_min, s->ended_max);
}

/* Ends the run: the next one begins where the sequence ends. */
static void
cut(struct sequence *s)
{
	if (literals_score(&s->run) >= 0) {
		close_run(s);
		literals_copy(&s->ended, &s->run);
		s->ended_min = s->run_min;
		s->ended_max = s->run_max;
		s->waiting = true;
		s->followed = s->blurred = 0;
		memset(s->follow, 0, sizeof(s->follow));
	}
	literals_empty(&s->run);
	s->run_min = s->all.min;
	s->run_max = s->all.max;
	s->all.exact = false;
}

/* The part follows the run that has ended: `low` times or more. */
static void
follow(struct sequence *s, const struct part *p, uint32_t low, bool more)
{
	bool single;

	if (!s->waiting)
		return;
	if (p->min == 0) {
		s->follow[s->followed] |= p->first;
		s->blurred = true;
		return;
	}
	single = p->one && !s->blurred;
	for (uint32_t n = single ? low : 1; n > 0 && s->followed < NEAR_AFTER;
	     n--)
		s->follow[s->followed++] |= p->first;
	if (!single || more || s->followed == NEAR_AFTER)
		close_run(s);
}

/* The octets next to the part. */
static void
next_to(struct sequence *s, const struct part *p)
{
	s->behind = p->min > 0 ? p->last : s->behind | p->last;
	s->all.last = p->min > 0 ? p->last : s->all.last | p->last;
	if (!s->begun)
		s->all.first |= p->first;
	s->begun |= p->min > 0;
}

static void
run_is_behind(struct sequence *s, near_set behind)
{
	for (uint32_t i = 0; i < s->run.n; i++)
		s->run.v[i].before = near_and(s->run.v[i].before, behind);
}

/* The part, `low` times or more; of a repeated one it is the first. */
static void
append_some(struct sequence *s, const struct part *p, uint32_t low, bool more)
{
	near_set behind = s->behind;

	if (!p->exact || !literals_cross(&s->run, &p->texts)) {
		cut(s);
		if (p->exact) {
			literals_copy(&s->run, &p->texts);
			run_is_behind(s, behind);
		} else {
			consider_part(s, p);
		}
	}
	if (p->max > 0) {
		follow(s, p, low, more);
		next_to(s, p);
	}
	s->all.in_line &= p->in_line;
	s->all.min = width_add(s->all.min, p->min);
	s->all.max = width_add(s->all.max, p->max);
	if (!p->exact) {
		s->run_min = s->all.min;
		s->run_max = s->all.max;
		run_is_behind(s, s->behind);
	}
}

static void
append(struct sequence *s, const struct part *p)
{
	append_some(s, p, 1, false);
}

/* How wide the part is that often. */
static uint32_t
times(const struct part *p, uint32_t n)
{
	if (p->max == 0)
		return 0;
	if (n == REPEAT_ANY)
		return p->in_line ? LITERAL_LINE : LITERAL_ANY;
	return width_times(p->max, n);
}

/* ---- classes of sequences ----------------------------------------------- */

static void
consider_classes(struct sequence *s, const struct classes *classes)
{
	int score = classes->n ? classes_score(classes) : -1;

	if (score <= s->all.class_score)
		return;
	s->all.class_score = score;
	s->all.best_classes = *classes;
}

static void
cut_classes(struct sequence *s)
{
	consider_classes(s, &s->classes);
	s->classes.n = 0;
	s->all.fixed = false;
}

static void
push_classes(struct sequence *s, const struct part *p)
{
	for (uint32_t i = 0; i < p->classes.n; i++) {
		if (s->classes.n == CLASSES_MOST) {
			consider_classes(s, &s->classes);
			s->all.fixed = false;
		}
		classes_push(&s->classes, &p->classes.set[i]);
	}
}

static void
repeat_classes(
    struct sequence *s, const struct part *p, uint32_t low, uint32_t high)
{
	uint32_t copies = low < CLASSES_MOST ? low : CLASSES_MOST;

	if (low == 0 || !p->fixed) {
		cut_classes(s);
		if (low > 0 && p->class_score >= 0)
			consider_classes(s, &p->best_classes);
		return;
	}
	for (uint32_t i = 0; i < copies; i++)
		push_classes(s, p);
	if (copies < low)
		s->all.fixed = false;
	if (low == high)
		return;
	cut_classes(s);
	/* What follows stands behind the last of them. */
	for (uint32_t i = 0; i < copies; i++)
		push_classes(s, p);
}

/* ---- repeats ------------------------------------------------------------ */

/* The part, which may be missing. */
static void
append_optional(struct sequence *s, struct part *p, uint32_t high)
{
	struct part none;

	part_empty(&none);
	p->min = 0;
	p->max = times(p, high);
	p->score = p->also_score = -1;
	p->also.n = 0;
	p->exact =
	    p->exact && high == 1 && literals_join(&p->texts, &none.texts);
	append(s, p);
}

/* low > 0, high > 1. */
static void
append_repeated(
    struct sequence *s, const struct part *p, uint32_t low, uint32_t high)
{
	uint32_t min = s->all.min, max = s->all.max;

	if (low == high && p->exact && p->texts.n == 1 &&
	    width_times(p->max, low) <= LITERAL_BYTES) {
		while (low--)
			append(s, p);
		return;
	}
	append_some(s, p, low, low < high);
	cut(s);
	if (p->exact || low < high || !p->one)
		close_run(s);
	/* What follows stands behind the last of them. */
	s->run_min = width_add(min, width_times(p->min, low - 1));
	s->run_max =
	    width_add(max, times(p, high == REPEAT_ANY ? high : high - 1));
	s->all.min = width_add(min, width_times(p->min, low));
	s->all.max = width_add(max, times(p, high));
	if (p->exact) {
		literals_copy(&s->run, &p->texts);
	} else {
		s->run_min = s->all.min;
		s->run_max = s->all.max;
		run_is_behind(s, s->behind);
	}
}

void
sequence_add(struct sequence *s, struct part *p, uint32_t low, uint32_t high)
{
	if (high == 0)
		return;
	repeat_classes(s, p, low, high);
	if (low == 0)
		append_optional(s, p, high);
	else if (high == 1)
		append(s, p);
	else
		append_repeated(s, p, low, high);
}

void
sequence_end(struct sequence *s, struct part *out)
{
	out->exact = s->all.exact;
	if (out->exact)
		literals_copy(&out->texts, &s->run);
	close_run(s);
	consider(s, &s->run, s->run_min, s->run_max);
	out->in_line = s->all.in_line;
	out->one = false;
	out->first = s->all.first;
	out->last = s->all.last;
	out->min = s->all.min;
	out->max = s->all.max;
	out->score = s->all.score;
	if (out->score >= 0)
		literals_copy(&out->best, &s->all.best);
	out->also = s->all.also;
	out->also_score = s->all.also_score;
	out->fixed = s->all.fixed;
	out->classes = s->classes;
	consider_classes(s, &s->classes);
	out->class_score = s->all.class_score;
	if (out->class_score >= 0)
		out->best_classes = s->all.best_classes;
}
