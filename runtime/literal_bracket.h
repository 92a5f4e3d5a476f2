/* Classes in brackets in the source of a regex: for literal.c. */
#ifndef RUNTIME_LITERAL_BRACKET_H
#define RUNTIME_LITERAL_BRACKET_H

#include "runtime/literal_part.h"
#include "runtime/literal_reader.h"

/* One character: of the class, where the text is of ASCII. */
void part_any_character(const struct reader *, bool in_line,
    const struct class_set *, struct part *);

/* The class behind `[`, as a part. */
void read_class(struct reader *, struct flags, struct part *);

#endif
