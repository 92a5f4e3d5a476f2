#include "tests/property/random.h"

static uint64_t state;

void
random_seed(uint64_t seed)
{
	state = seed * 6364136223846793005u + 1442695040888963407u;
}

unsigned
rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}
