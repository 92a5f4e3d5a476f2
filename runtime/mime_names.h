/*
 * GMime keeps the name of each charset that it ever meets, so that senders
 * could fill the memory with names.  What may meet them stands between these
 * two, which do not nest; now and then, when nobody is between them, its table
 * is made anew.  Any thread.
 */
#ifndef RUNTIME_MIME_NAMES_H
#define RUNTIME_MIME_NAMES_H

#include <stddef.h>

void mime_names_enter(void);
void mime_names_leave(size_t octets_read);

#endif
