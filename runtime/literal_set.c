/* Sets of literals, and which of them is worth looking for. */
#include "runtime/literal.h"

enum {
	SHORTEST = 2,
	SHORT_RARITY = 120, /* of a literal of SHORTEST octets, at least */
	ENOUGH = 300,       /* more rarity than this is of no use */
	PER_DOUBLING = 10,  /* what twice as many literals cost */
	NO_WINDOW = 15,     /* what it costs that a match begins anywhere */
	BOUNDARY = 8,       /* what it tells that a word ends */
	NEIGHBOUR = 25,     /* that neither a letter nor a blank follows */
};

struct literal
literal_empty(void)
{
	struct literal l = { .before = NEAR_ANY };

	for (int i = 0; i < NEAR_AFTER; i++)
		l.after[i] = NEAR_ANY;
	return l;
}

void
literals_empty(struct literals *s)
{
	s->n = 1;
	s->v[0] = literal_empty();
}

void
literals_copy(struct literals *to, const struct literals *from)
{
	to->n = from->n;
	memcpy(to->v, from->v, from->n * sizeof(*from->v));
}

static uint32_t
longest(const struct literals *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n = s->v[i].n > n ? s->v[i].n : n;
	return n;
}

static void
append_text(struct literal *to, const struct literal *more)
{
	if (to->n == 0)
		to->before = near_and(to->before, more->before);
	for (int i = 0; i < NEAR_AFTER; i++)
		to->after[i] = more->n ? more->after[i]
				       : near_and(to->after[i], more->after[i]);
	memcpy(to->text + to->n, more->text, more->n);
	to->n += more->n;
}

bool
literals_cross(struct literals *a, const struct literals *b)
{
	uint32_t n = a->n;

	if (n * b->n > LITERALS_MOST || longest(a) + longest(b) > LITERAL_BYTES)
		return false;
	/* From the last on, so that no text is written over before its use. */
	for (uint32_t i = n; i-- > 0;) {
		struct literal left = a->v[i];

		for (uint32_t j = b->n; j-- > 0;) {
			struct literal *to = &a->v[i * b->n + j];

			*to = left;
			append_text(to, &b->v[j]);
		}
	}
	a->n = n * b->n;
	return true;
}

bool
literals_add(struct literals *s, const struct literal *l)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct literal *old = &s->v[i];

		if (old->n != l->n || memcmp(old->text, l->text, l->n) != 0)
			continue;
		old->min = l->min < old->min ? l->min : old->min;
		old->max = width_most(old->max, l->max);
		old->before = near_or(old->before, l->before);
		for (int k = 0; k < NEAR_AFTER; k++)
			old->after[k] = near_or(old->after[k], l->after[k]);
		return true;
	}
	if (s->n == LITERALS_MOST)
		return false;
	s->v[s->n++] = *l;
	return true;
}

bool
literals_join(struct literals *a, const struct literals *b)
{
	struct literals both;

	literals_copy(&both, a);
	for (uint32_t i = 0; i < b->n; i++)
		if (!literals_add(&both, &b->v[i]))
			return false;
	literals_copy(a, &both);
	return true;
}

void
literals_shift(struct literals *s, uint32_t min, uint32_t max)
{
	for (uint32_t i = 0; i < s->n; i++) {
		s->v[i].min = width_add(s->v[i].min, min);
		s->v[i].max = width_add(s->v[i].max, max);
	}
}

/* What a neighbour tells: not much, if it may be a letter or a blank. */
static unsigned
near_rarity(near_set set)
{
	if ((set & NEAR_ANY) == NEAR_ANY)
		return set & NEAR_BOUNDARY ? BOUNDARY : 0;
	if (set & NEAR_LETTER)
		return 0;
	return set & NEAR_BLANK ? BOUNDARY : NEIGHBOUR;
}

int
literals_score(const struct literals *s)
{
	unsigned least = ENOUGH;
	int score;
	bool anywhere = false;

	if (s->n == 0)
		return -1;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct literal *l = &s->v[i];
		unsigned r = literal_rarity(l->text, l->n);

		if (l->n < SHORTEST || (l->n == SHORTEST && r < SHORT_RARITY))
			return -1;
		r += near_rarity(l->before) + near_rarity(l->after[0]);
		least = r < least ? r : least;
		anywhere |= l->max == LITERAL_ANY;
	}
	score = (int)least - (anywhere ? NO_WINDOW : 0);
	for (uint32_t n = s->n; n > 1; n = (n + 1) / 2)
		score -= PER_DOUBLING;
	return score > 0 ? score : 0;
}
