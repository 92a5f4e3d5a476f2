/* Numbers that are random, and the same for the same seed. */
#ifndef TESTS_PROPERTY_RANDOM_H
#define TESTS_PROPERTY_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_seed(uint64_t);
/* What a fuzzer chose comes first: a number for each octet of it. */
void random_bytes(const uint8_t *, size_t);
unsigned rnd(unsigned n); /* below n */

#endif
