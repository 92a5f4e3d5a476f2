#include "runtime/literal_class.h"

#include "runtime/literal.h"

enum {
	UPPER = 35, /* tenths of bits that a capital letter is rarer */
	SCALE = 13, /* 2^SCALE stands for a probability of 1 */
};

/* 1024 * 2^(i/10) */
static const uint32_t power[10] = { 1024, 1097, 1176, 1261, 1351, 1448, 1552,
	1663, 1783, 1911 };

struct class_set
class_all(void)
{
	return (struct class_set){ { UINT64_MAX, UINT64_MAX, UINT64_MAX,
	    UINT64_MAX } };
}

struct class_set
class_without(const struct class_set *s)
{
	return (
	    struct class_set){ { ~s->in[0], ~s->in[1], ~s->in[2], ~s->in[3] } };
}

struct class_set
class_either(const struct class_set *a, const struct class_set *b)
{
	struct class_set both;

	for (int i = 0; i < 4; i++)
		both.in[i] = a->in[i] | b->in[i];
	return both;
}

struct class_set
class_caseless(const struct class_set *s)
{
	struct class_set both = *s;

	for (uint8_t c = 'a'; c <= 'z'; c++)
		if (class_has(s, c) || class_has(s, c ^ 0x20)) {
			class_add(&both, c);
			class_add(&both, c ^ 0x20);
		}
	return both;
}

static struct class_set
of_text(const char *text)
{
	struct class_set s = { { 0 } };

	for (; *text; text++)
		class_add(&s, (uint8_t)*text);
	return s;
}

static struct class_set
of_lower(char letter)
{
	switch (letter) {
	case 'd':
		return of_text("0123456789");
	case 'w':
		return of_text("0123456789_abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	case 's':
		return of_text(" \t\n\v\f\r");
	case 'h':
		return of_text(" \t");
	case 'v':
	case 'n':
		return of_text(letter == 'v' ? "\n\v\f\r" : "\n\r");
	}
	return class_all();
}

struct class_set
class_named(char letter)
{
	bool negated = letter >= 'A' && letter <= 'Z';
	struct class_set s = of_lower(negated ? (char)(letter | 0x20) : letter);

	if (negated && letter != 'P')
		s = class_without(&s);
	s.in[2] = s.in[3] = UINT64_MAX;
	return s;
}

/* ---- how rare ----------------------------------------------------------- */

static uint64_t
probability(uint8_t c)
{
	uint8_t folded = literal_fold(c);
	unsigned r = literal_rarity(&folded, 1);

	if (c >= 'A' && c <= 'Z')
		r += UPPER;
	r = SCALE * 10 - r;
	return (uint64_t)power[r % 10] << r / 10;
}

/* Ten times the binary logarithm. */
static uint32_t
logarithm(uint64_t v)
{
	uint32_t whole = 63 - (uint32_t)__builtin_clzll(v), part = 9;
	uint64_t first = whole < 10 ? v << (10 - whole) : v >> (whole - 10);

	while (part > 0 && power[part] > first)
		part--;
	return 10 * whole + part;
}

static uint32_t
rarity_of(const struct class_set *s)
{
	uint64_t sum = 1, all = 1;

	for (unsigned c = 0; c < 256; c++) {
		uint64_t p = probability((uint8_t)c);

		all += p;
		sum += class_has(s, (uint8_t)c) ? p : 0;
	}
	return logarithm(all) - logarithm(sum);
}

/* ---- sequences ---------------------------------------------------------- */

void
classes_push(struct classes *s, const struct class_set *set)
{
	if (s->n == CLASSES_MOST) {
		s->n--;
		memmove(s->set, s->set + 1, s->n * sizeof(*s->set));
		memmove(s->rarity, s->rarity + 1, s->n * sizeof(*s->rarity));
	}
	s->set[s->n] = *set;
	s->rarity[s->n++] = rarity_of(set);
}

/* Where the rarest `n` of them begin. */
static uint32_t
rarest(const struct classes *s, uint32_t n)
{
	uint32_t best = 0, most = 0;

	for (uint32_t i = 0; i + n <= s->n; i++) {
		uint32_t sum = 0;

		for (uint32_t k = i; k < i + n; k++)
			sum += s->rarity[k];
		if (sum > most) {
			most = sum;
			best = i;
		}
	}
	return best;
}

void
classes_join(struct classes *a, const struct classes *b)
{
	uint32_t n = a->n < b->n ? a->n : b->n;
	uint32_t from_a = rarest(a, n), from_b = rarest(b, n);

	a->n = n;
	for (uint32_t i = 0; i < n; i++) {
		a->set[i] =
		    class_either(&a->set[from_a + i], &b->set[from_b + i]);
		a->rarity[i] = rarity_of(&a->set[i]);
	}
}

int
classes_score(const struct classes *s)
{
	int score = 0;

	for (uint32_t i = 0; i < s->n; i++)
		score += (int)s->rarity[i];
	return score;
}
