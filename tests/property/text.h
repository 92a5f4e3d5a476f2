/* Random policies of many rules, as text. */
#ifndef TESTS_PROPERTY_TEXT_H
#define TESTS_PROPERTY_TEXT_H

#include "tests/property/writer.h"

enum { MAX_RULES = 40, POOL = 6 };

/* Numbers in names and values are below POOL. */
void put_policy(struct writer *);

#endif
