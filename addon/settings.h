/* What serve() was asked for: JSON, written by lib/options.mjs. */
#ifndef ADDON_SETTINGS_H
#define ADDON_SETTINGS_H

#include "runtime/json.h"
#include "runtime/log.h"
#include "runtime/service.h"

struct settings {
	const char *policy;
	struct service service;
	enum log_target log;
	enum log_format format;
	bool verbose, strict, decisions;
	size_t limit;  /* questions that wait at a time */
	size_t memory; /* octets of all sessions; 0: no limit */
	json_t *json;  /* owned; holds the texts */
};

/* False, with a sentence in `why`. */
bool settings_read(
    struct settings *, const char *options, char *why, size_t why_size);
void settings_free(struct settings *);

#endif
