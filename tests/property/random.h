/* Numbers that are random, and the same for the same seed. */
#ifndef TESTS_PROPERTY_RANDOM_H
#define TESTS_PROPERTY_RANDOM_H

#include <stdint.h>

void random_seed(uint64_t);
unsigned rnd(unsigned n); /* below n */

#endif
