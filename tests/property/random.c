#include "tests/property/random.h"

#include <stddef.h>

static uint64_t state;
static const uint8_t *bytes;
static size_t left;

void
random_seed(uint64_t seed)
{
	state = seed * 6364136223846793005u + 1442695040888963407u;
	left = 0;
}

void
random_bytes(const uint8_t *p, size_t n)
{
	random_seed(n);
	bytes = p;
	left = n;
}

unsigned
rnd(unsigned n)
{
	if (left > 0) {
		left--;
		return *bytes++ % n;
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}
