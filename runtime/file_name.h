/* The extensions of a file's name, as Windows and readers see them. */
#ifndef RUNTIME_FILE_NAME_H
#define RUNTIME_FILE_NAME_H

#include "dsl/str.h"

/*
 * What stands behind the first dot of a name, valid UTF-8, and behind the last
 * one; {NULL, 0} where there is no dot.  Borrowed from the name.
 */
struct str file_extensions(struct str name);
struct str file_extension(struct str name);

/* What stands in front of the last dot; {NULL, 0} where there is none. */
struct str file_stem(struct str name);

#endif
