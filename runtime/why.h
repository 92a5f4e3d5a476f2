/* Why something cannot be done: a sentence in a caller's buffer. */
#ifndef RUNTIME_WHY_H
#define RUNTIME_WHY_H

#include <stdbool.h>
#include <stddef.h>

/* Writes it, cut to `size` octets with a NUL behind it; returns false. */
bool why_not(char *why, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
