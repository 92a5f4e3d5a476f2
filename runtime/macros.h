/* Macros of office documents that are made of XML, packed in a zip or flat. */
#ifndef RUNTIME_MACROS_H
#define RUNTIME_MACROS_H

#include "dsl/str.h"

/*
 * Does a part of a document hold macros, by its name, or say that another
 * does, whatever that is called?
 */
bool macros_in_part(struct str name, struct str contents);

/* A document in one file: flat OPC, Word 2003, flat OpenDocument. */
bool macros_in_xml(struct str contents);

#endif
