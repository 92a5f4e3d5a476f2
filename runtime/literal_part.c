#include "runtime/literal_part.h"

/* Anything of that width. */
void
part_unknown(struct part *p, uint32_t min, uint32_t max)
{
	p->exact = false;
	p->min = min;
	p->max = max;
	p->in_line = false;
	p->score = p->class_score = -1;
	p->fixed = false;
	p->classes.n = 0;
}

void
part_empty(struct part *p)
{
	part_unknown(p, 0, 0);
	p->exact = p->in_line = p->fixed = true;
	literals_empty(&p->texts);
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
	a->min = b->min < a->min ? b->min : a->min;
	a->max = width_most(a->max, b->max);
	if (a->score < 0 || b->score < 0 || !literals_join(&a->best, &b->best))
		a->score = -1;
	else
		a->score = literals_score(&a->best);
}

/* ---- sequences ---------------------------------------------------------- */

void
sequence_begin(struct sequence *s)
{
	literals_empty(&s->run);
	s->run_min = s->run_max = 0;
	part_unknown(&s->all, 0, 0);
	s->all.exact = s->all.in_line = s->all.fixed = true;
	s->classes.n = 0;
}

static void
consider(
    struct sequence *s, const struct literals *set, uint32_t min, uint32_t max)
{
	int score = literals_score(set);

	if (score <= s->all.score)
		return;
	s->all.score = score;
	literals_copy(&s->all.best, set);
	literals_shift(&s->all.best, min, max);
}

/* Ends the run: the next one begins where the sequence ends. */
static void
cut(struct sequence *s)
{
	consider(s, &s->run, s->run_min, s->run_max);
	literals_empty(&s->run);
	s->run_min = s->all.min;
	s->run_max = s->all.max;
	s->all.exact = false;
}

static void
append(struct sequence *s, const struct part *p)
{
	if (!p->exact || !literals_cross(&s->run, &p->texts)) {
		cut(s);
		if (p->exact)
			literals_copy(&s->run, &p->texts);
		else if (p->score >= 0)
			consider(s, &p->best, s->all.min, s->all.max);
	}
	s->all.in_line &= p->in_line;
	s->all.min = width_add(s->all.min, p->min);
	s->all.max = width_add(s->all.max, p->max);
	if (!p->exact) {
		s->run_min = s->all.min;
		s->run_max = s->all.max;
	}
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
	p->score = -1;
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
	append(s, p);
	cut(s);
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
	consider(s, &s->run, s->run_min, s->run_max);
	out->in_line = s->all.in_line;
	out->min = s->all.min;
	out->max = s->all.max;
	out->score = s->all.score;
	if (out->score >= 0)
		literals_copy(&out->best, &s->all.best);
	out->fixed = s->all.fixed;
	out->classes = s->classes;
	consider_classes(s, &s->classes);
	out->class_score = s->all.class_score;
	if (out->class_score >= 0)
		out->best_classes = s->all.best_classes;
}
