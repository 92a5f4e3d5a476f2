/*
 * The callbacks of libmilter for the older API.
 */
#ifndef ADDON_COMPAT_CALLBACKS_H
#define ADDON_COMPAT_CALLBACKS_H

#include <libmilter/mfapi.h>
#include <stdbool.h>

/* For smfi_register; `flags` are for MTAs that do not negotiate.  Once. */
struct smfiDesc callbacks_new(unsigned long flags);

/* Connections of MTAs that are open. */
unsigned long callbacks_peers(void);

/* Some of them are in a callback. */
bool callbacks_run(void);

#endif
