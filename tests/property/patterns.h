/* Random and real patterns, and subjects that are near to what they match. */
#ifndef TESTS_PROPERTY_PATTERNS_H
#define TESTS_PROPERTY_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_BYTES = 600 };

struct pattern {
	char text[PATTERN_BYTES];
	size_t n;
	uint32_t flags; /* REGEX_ */
	uint32_t captures;
	char sample[PATTERN_BYTES]; /* something that it may match */
	size_t sample_n;
};

/* False: PCRE2 refuses what came out; try again. */
bool pattern_make(struct pattern *);
/* A subject for a pattern; at most 4 * PATTERN_BYTES octets. */
size_t pattern_subject(const struct pattern *, char *out);

#endif
