/* What the end of a zip says: the names of its central directory, by libzip. */
#ifndef RUNTIME_ZIP_H
#define RUNTIME_ZIP_H

#include <glib.h>

#include "dsl/str.h"

/* The set that zip_has_names() is asked about; to be unreffed. */
GHashTable *zip_names_new(void);

/* Adds a name as libarchive gives it, which is that of the local header. */
void zip_names_add(GHashTable *, struct str name);

/* Are there the same names in both? */
bool zip_names_equal(GHashTable *, GHashTable *);

/*
 * Are these the names in the central directory, too?  False where it cannot be
 * read.  The Unicode path of an extra field is the name where there is one,
 * for both libraries: one that ends otherwise than the name is another name.
 */
bool zip_has_names(struct str zip, GHashTable *);

/* Does a zip of something end where this does, whatever stands in front? */
bool zip_ends(struct str);

#endif
