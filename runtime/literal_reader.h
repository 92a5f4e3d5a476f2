/* Where we are in the source of a regex: for literal.c. */
#ifndef RUNTIME_LITERAL_READER_H
#define RUNTIME_LITERAL_READER_H

#include "runtime/literal_class.h"

enum { GROUPS_MOST = 9 }; /* to which `\1` and so on refer */

struct flags {
	bool caseless, extended, dotall;
};

struct reader {
	struct str s;
	size_t i;
	bool utf;
	bool classes; /* they are wanted; they take time */
	bool quoting; /* behind \Q */
	bool failed;  /* something is not understood */
	unsigned depth;
	unsigned groups; /* that have begun */
	bool unnumbered; /* they are not counted one by one */
	/* What has been read, if it is as wide as its classes; else n is 0. */
	struct classes group[GROUPS_MOST];
};

bool reader_at_end(const struct reader *);
/* The octet `ahead` of here, or -1. */
int reader_peek(const struct reader *, size_t ahead);
/* Goes behind the word if it stands here. */
bool reader_take(struct reader *, const char *word);
/* Goes behind the next `end`. */
void reader_skip_to(struct reader *, char end);
/* Goes over what has no meaning, also between an item and its quantifier. */
void reader_skip(struct reader *, struct flags);
/* The quantifier that stands here; 1 and 1 if there is none. */
void reader_quantifier(struct reader *, uint32_t *low, uint32_t *high);

#endif
