/* Escapes in the source of a regex: for literal.c. */
#ifndef RUNTIME_LITERAL_ESCAPE_H
#define RUNTIME_LITERAL_ESCAPE_H

#include "dsl/str.h"

enum escape_kind {
	ESCAPE_CHARACTER,
	ESCAPE_CLASS,   /* one character, we do not care which */
	ESCAPE_NEWLINE, /* \R */
	ESCAPE_ANY,     /* any number of characters */
	ESCAPE_GROUP,   /* what a group matched: 1 to 9 */
	ESCAPE_EMPTY,   /* no width */
	ESCAPE_QUOTE,   /* \Q */
	ESCAPE_UNQUOTE, /* \E */
	ESCAPE_FAILED,  /* not understood */
};

static const uint32_t ESCAPE_NONE __attribute__((unused)) = UINT32_MAX;

/* Whether CR and LF are in a class. */
enum line_ends { ENDS_NONE, ENDS_BOTH, ENDS_MAYBE };

struct escape {
	enum escape_kind kind;
	uint32_t character;
	enum line_ends ends; /* ESCAPE_CLASS */
	char letter; /* behind the backslash: of classes, EMPTY and GROUP */
};

/* The escape at s.p[*i], a backslash; *i moves behind it. */
struct escape escape_read(struct str s, size_t *i, bool in_class);

/* The character of valid UTF-8 at s.p[*i]; *i moves behind it. */
uint32_t escape_decode(struct str s, size_t *i);
/* The character as UTF-8; how many octets. */
uint32_t escape_encode(uint32_t character, uint8_t out[4]);

#endif
