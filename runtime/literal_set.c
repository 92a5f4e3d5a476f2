/* Sets of literals, and which of them is worth looking for. */
#include "runtime/literal.h"

enum {
	SHORTEST = 2,
	SHORT_RARITY = 120, /* of a literal of SHORTEST octets, at least */
	ENOUGH = 300,       /* more rarity than this is of no use */
	PER_DOUBLING = 10,  /* what twice as many literals cost */
	NO_WINDOW = 15,     /* what it costs that a match begins anywhere */
};

/*
 * Tenths of bits for the octets 0x20 to 0x3f and 0x60 to 0x7f of folded text;
 * of English mail with its header.  CR and LF fold to `-` and `*`.
 */
static const uint8_t rarity[64] = {
	25, 75, 75, 80, 80, 80, 80, 70, 75, 75, 55, 75, 65, 50, 50, 65, /* 20 */
	55, 55, 55, 58, 58, 58, 60, 60, 60, 60, 60, 75, 70, 60, 70, 75, /* 30 */
	75, 38, 62, 50, 48, 32, 57, 58, 46, 39, 90, 70, 48, 53, 40, 39, /* 60 */
	56, 95, 41, 41, 36, 52, 68, 60, 80, 60, 92, 80, 85, 80, 80, 80, /* 70 */
};

unsigned
literal_rarity(const uint8_t *text, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += text[i] & 0x80
			   ? 70
			   : rarity[(text[i] & 0x1f) | (text[i] & 0x40) >> 1];
	return sum;
}

void
literals_empty(struct literals *s)
{
	s->n = 1;
	s->v[0] = (struct literal){ .n = 0 };
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
			memcpy(to->text + left.n, b->v[j].text, b->v[j].n);
			to->n = left.n + b->v[j].n;
		}
	}
	a->n = n * b->n;
	return true;
}

/* Adds a text, or widens the place of one that is there. */
static bool
join_one(struct literals *s, const struct literal *l)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct literal *old = &s->v[i];

		if (old->n != l->n || memcmp(old->text, l->text, l->n) != 0)
			continue;
		old->min = l->min < old->min ? l->min : old->min;
		old->max = width_most(old->max, l->max);
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
		if (!join_one(&both, &b->v[i]))
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
		least = r < least ? r : least;
		anywhere |= l->max == LITERAL_ANY;
	}
	score = (int)least - (anywhere ? NO_WINDOW : 0);
	for (uint32_t n = s->n; n > 1; n = (n + 1) / 2)
		score -= PER_DOUBLING;
	return score > 0 ? score : 0;
}
