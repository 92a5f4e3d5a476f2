/* A policy as text, piece by piece. */
#ifndef TESTS_PROPERTY_WRITER_H
#define TESTS_PROPERTY_WRITER_H

#include <stddef.h>

struct writer {
	char text[65536];
	size_t n;
};

/* Ends the program where there is no room. */
__attribute__((format(printf, 2, 3))) void put(
    struct writer *, const char *format, ...);

#endif
