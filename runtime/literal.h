/*
 * The literals of a regex: a set of texts of which each match holds one.  Told
 * from a reading of PCRE2's syntax of our own, which gives up at whatever it
 * does not understand: then the regex has none.
 *
 * Literals are folded (literal_fold): a match may hold them in either case.  On
 * characters, U+212A and U+017F are folded too, to k and s, which they match
 * without regard to case: PCRE2 knows no others beyond ASCII that match a
 * letter of ASCII.  Places are wrong in a subject that holds one of the two.
 */
#ifndef RUNTIME_LITERAL_H
#define RUNTIME_LITERAL_H

#include "runtime/literal_near.h"

enum { LITERAL_BYTES = 16, LITERALS_MOST = 48, LITERALS_FEW = 4 };
static const uint32_t LITERAL_ANY __attribute__((unused)) = UINT32_MAX;

struct literal {
	uint8_t text[LITERAL_BYTES]; /* zeros behind the text */
	uint32_t n;
	/* Octets between the begin of the match and the literal. */
	uint32_t min, max;
	/* Its neighbours; behind it up to the first octet beyond ASCII. */
	near_set before, after[NEAR_AFTER];
};

struct literals {
	uint32_t n;
	struct literal v[LITERALS_MOST];
};

/* Literals of which each match holds one as well; n 0: none are known. */
struct literals_also {
	uint32_t n;
	struct literal v[LITERALS_FEW];
};

/*
 * The best set of a regex with these REGEX_ flags, which PCRE2 has compiled,
 * and the best other one.  False: no set that would tell much; then nothing is
 * in *out.
 */
bool literals_of(struct str source, uint32_t flags, struct literals *out,
    struct literals_also *also);

/* Can it be read?  What cannot be has neither literals nor classes. */
bool literals_readable(struct str source, uint32_t flags);

/* Joins upper and lower case, and other octets that nobody needs apart. */
static inline uint8_t
literal_fold(uint8_t c)
{
	return c | 0x20;
}

/*
 * How seldom a folded text is met in mail: tenths of bits of information
 * (literal_words.c).
 */
unsigned literal_rarity(const uint8_t *text, size_t n);

/* ---- sets, for the reading: literal_set.c ------------------------------- */

/* The empty text, and what may stand anywhere. */
struct literal literal_empty(void);

/* The set of the empty text. */
void literals_empty(struct literals *);
void literals_copy(struct literals *to, const struct literals *from);
/*
 * Each text of `a` followed by each of `b`; positions are those of `a`.  False
 * if they are too many or too long: then `a` is as it was.
 */
bool literals_cross(struct literals *a, const struct literals *b);
/* One more text; false if they are too many. */
bool literals_add(struct literals *, const struct literal *);
/* The texts of both; false if they are too many: then `a` is as it was. */
bool literals_join(struct literals *a, const struct literals *b);
/* Moves positions by a width. */
void literals_shift(struct literals *, uint32_t min, uint32_t max);
/* How good a set is to be looked for; negative: useless. */
int literals_score(const struct literals *);

/*
 * The most octets that something matches: a number, beyond it up to LINES_MOST
 * times what is left of a line, or LITERAL_ANY.
 */
enum { LINE_SHIFT = 30, LINES_MOST = 2 };
static const uint32_t LITERAL_LINE __attribute__((unused)) = 1u << LINE_SHIFT;

static inline uint32_t
width_lines(uint32_t width)
{
	return width >> LINE_SHIFT;
}

static inline uint32_t
width_octets(uint32_t width)
{
	return width & (LITERAL_LINE - 1);
}

static inline uint32_t
width_make(uint64_t lines, uint64_t octets)
{
	if (lines > LINES_MOST || octets >= LITERAL_LINE)
		return LITERAL_ANY;
	return (uint32_t)lines << LINE_SHIFT | (uint32_t)octets;
}

/* At least both. */
static inline uint32_t
width_most(uint32_t a, uint32_t b)
{
	uint32_t lines = width_lines(a), octets = width_octets(a);

	if (a == LITERAL_ANY || b == LITERAL_ANY)
		return LITERAL_ANY;
	return width_make(lines > width_lines(b) ? lines : width_lines(b),
	    octets > width_octets(b) ? octets : width_octets(b));
}

static inline uint32_t
width_add(uint32_t a, uint32_t b)
{
	return width_make(width_lines(a) + width_lines(b),
	    (uint64_t)width_octets(a) + width_octets(b));
}

static inline uint32_t
width_times(uint32_t width, uint32_t times)
{
	return width_make((uint64_t)width_lines(width) * times,
	    (uint64_t)width_octets(width) * times);
}

#endif
