/* Messages as Outlook keeps them in files ([MS-OXMSG]), by libgsf. */
#ifndef RUNTIME_OUTLOOK_H
#define RUNTIME_OUTLOOK_H

#include "runtime/archive.h"

/* As archive_walk, of the files that are attached; false where it is none. */
bool outlook_walk(struct str, struct archive_budget *, archive_each *each,
    void *data, struct archive_state *out);

/* Would outlook_walk say so? */
bool outlook_is(struct str);

#endif
