/* The other trees of files that an image of a disc has. */
#ifndef RUNTIME_ISO_H
#define RUNTIME_ISO_H

#include <glib.h>

#include "dsl/str.h"

/*
 * Do other readers see these names, too?  libarchive takes those of Rock Ridge,
 * Windows those of Joliet, which may cut them after 64 characters and so hide
 * an extension, and of UDF before all, which libarchive does not read.
 */
bool iso_has_names(struct str iso, GHashTable *names);

#endif
