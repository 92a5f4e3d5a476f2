/* Random policies of many rules, as text. */
#ifndef TESTS_PROPERTY_TEXT_H
#define TESTS_PROPERTY_TEXT_H

#include <stddef.h>

enum { MAX_RULES = 40, POOL = 6 };

struct writer {
	char text[65536];
	size_t n;
};

/* Numbers in names and values are below POOL. */
void put_policy(struct writer *);

#endif
