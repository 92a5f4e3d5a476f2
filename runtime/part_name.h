/* The name of a file that is a part, as readers take it. */
#ifndef RUNTIME_PART_NAME_H
#define RUNTIME_PART_NAME_H

#include "dsl/arena.h"
#include "runtime/mime.h"

struct part_name {
	struct str text; /* any octets, in the arena; p NULL: none */
	/*
	 * Other readers may see another extension: of several names, or
	 * because not all of it was read.
	 */
	bool ambiguous;
};

/* False with no memory. */
bool part_name(struct arena *, GMimePart *, struct part_name *out);

#endif
