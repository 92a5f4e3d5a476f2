/*
 * Events of the older API, as they go from libmilter's threads to JavaScript,
 * and the answers that come back.
 */
#ifndef ADDON_COMPAT_EVENT_H
#define ADDON_COMPAT_EVENT_H

#include <stdint.h>

#include "dsl/str.h"

#ifdef __cplusplus
extern "C" {
#endif

enum compat_kind {
#define EVENT(id, name, reply, patience, answers) COMPAT_##id,
#include "addon/compat_events.def"
#undef EVENT
	COMPAT_KINDS,
	/* Not of the API: a sentence about what went wrong. */
	COMPAT_REPORT = COMPAT_KINDS
};

/* Name of the function that gets the event. */
const char *compat_name(enum compat_kind);

/* One block; the texts are in it, each followed by a NUL. */
struct compat_event {
	enum compat_kind kind;
	uint64_t session;
	unsigned answers;       /* bits 1 << SMFIS_ */
	unsigned long actions;  /* SMFIF_: offered (NEGOTIATE), or permitted */
	unsigned long offer[3]; /* NEGOTIATE: the other words */
	unsigned port;          /* CONNECT */
	void *context;          /* libmilter's, for who is on its thread */
	uint64_t progressed; /* monotonic nanoseconds of the last time, or 0 */
	size_t count;
	struct str texts[];
};

/* NULL with no memory.  Copies the texts. */
struct compat_event *compat_event_new(
    enum compat_kind, const struct str *texts, size_t count);
void compat_event_free(void *);

struct compat_changes;

struct compat_answer {
	int code;                       /* SMFIS_, or COMPAT_THREW */
	unsigned long wanted[4];        /* NEGOTIATE, CONTINUE */
	struct compat_changes *changes; /* owned; NULL: none */
};

/* For `code`: the function failed. */
enum { COMPAT_THREW = -1 };

#ifdef __cplusplus
}
#endif

#endif
