/* Writing a whole file. */
#ifndef COMPILER_WRITE_FILE_H
#define COMPILER_WRITE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A file is written beside its place and renamed: nobody sees half of it, and
 * its mode, owner and the links to it stay.  What is no regular file is
 * written as it is.  False with errno.
 */
bool write_file(const char *path, const void *data, size_t size);

#endif
