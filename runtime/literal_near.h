/*
 * What can stand next to a literal: kinds of octets, as a set of bits.  A
 * literal is left out where its neighbours cannot be those of a match.
 */
#ifndef RUNTIME_LITERAL_NEAR_H
#define RUNTIME_LITERAL_NEAR_H

#include "runtime/literal_class.h"

typedef uint16_t near_set;

enum {
	NEAR_LETTER = 1 << 0,
	NEAR_DIGIT = 1 << 1,
	NEAR_UNDERSCORE = 1 << 2,
	NEAR_BLANK = 1 << 3, /* space, tab */
	NEAR_LINE = 1 << 4,  /* CR, LF */
	NEAR_DASH = 1 << 5,
	NEAR_DOT = 1 << 6,
	NEAR_AT = 1 << 7,
	NEAR_QUOTE = 1 << 8,
	NEAR_BRACKET = 1 << 9,
	NEAR_OTHER = 1 << 10,   /* of ASCII, printable */
	NEAR_CONTROL = 1 << 11, /* the rest of ASCII */
	NEAR_HIGH = 1 << 12,    /* beyond ASCII */
	NEAR_EDGE = 1 << 13,    /* none: the value begins or ends */
	NEAR_ANY = (1 << 14) - 1,
	/* And one of the two octets is of a word, the other is not. */
	NEAR_BOUNDARY = 1 << 15,
	NEAR_WORD = NEAR_LETTER | NEAR_DIGIT | NEAR_UNDERSCORE,
};

/* So many octets behind a literal are looked at. */
enum { NEAR_AFTER = 4 };

/* The kind of each octet. */
extern const near_set near_kind[256];

/* The kinds of the octets of a class, and of those that fold to an octet. */
near_set near_class(const struct class_set *);
near_set near_folded(uint8_t folded);

/* Both hold. */
static inline near_set
near_and(near_set a, near_set b)
{
	return (a & b & NEAR_ANY) | ((a | b) & NEAR_BOUNDARY);
}

/* One of the two holds. */
static inline near_set
near_or(near_set a, near_set b)
{
	return ((a | b) & NEAR_ANY) | (a & b & NEAR_BOUNDARY);
}

/* May an octet of kind `there` stand next to one of kind `own`? */
static inline bool
near_holds(near_set set, near_set own, near_set there)
{
	if (!(set & there))
		return false;
	return !(set & NEAR_BOUNDARY) || ((own | there) & NEAR_HIGH) ||
	       !(own & NEAR_WORD) != !(there & NEAR_WORD);
}

#endif
