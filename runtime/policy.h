/*
 * Policies at work: the current one, and those with which sessions that began
 * earlier finish.  Each is counted; the last user's put retires it, and
 * policy_reap frees the retired (freeing can take long, and close callbacks
 * must not).
 *
 * All calls may come from any thread, but policy_load, policy_set and
 * policy_reap come from the main thread only.
 */
#ifndef RUNTIME_POLICY_H
#define RUNTIME_POLICY_H

#include <stdio.h>

#include "runtime/counts.h"
#include "runtime/image.h"

/* A macro that the policy reads at a stage. */
struct policy_macro {
	enum milt_stage stage;
	const char *name; /* with a NUL behind it */
	struct str text;
};

struct policy {
	struct milt_image *image;
	struct counts *counts; /* owned */
	const char *path; /* as given; owned by the caller of policy_load */
	struct policy_macro *macros;
	size_t macro_count;
	/* What the MTA is asked to send at each stage; for smfi_setsymlist. */
	char *symbols[STAGE_COUNT];
	unsigned macro_stages; /* bit s: the policy reads macros at stage s */
	/* Lists to watch: paths, each with a NUL, and another NUL behind them.
	 * Owned; NULL: none. */
	char *watched;
	unsigned long serial; /* in the order of policy_set, from 1 */
	uint64_t since;       /* conn_clock() when it was set; its setter's */
	/* private */
	unsigned long users; /* under the lock */
	struct policy *next_retired;
	char *names; /* owned: the macros' names */
};

/* What a compiler makes; all of it malloc'ed. */
struct policy_text {
	void *image;
	size_t size;
	char *watched; /* as in struct policy */
};

/*
 * Compiles the file at `path` and prints diagnostics to the stream as the
 * compiler does.
 */
typedef enum milt_status policy_compiler(
    const char *path, FILE *diagnostics, struct policy_text *out);

/*
 * Loads a policy: an image, told by its first bytes, or a text, which is
 * compiled.  A large image is mapped (milt_image_open): its file is replaced,
 * as milterc does, and never written over.  On failure the diagnostics say why,
 * one line at least.  MILT_INVALID, too, where it has js rules
 * and nobody answers them (runtime/js_host.h).
 */
enum milt_status policy_load(const char *path, policy_compiler *,
    FILE *diagnostics, struct policy **out);
void policy_free(struct policy *); /* one that was never set */

/* Makes it the current one. */
void policy_set(struct policy *);
/* The current one, counted. */
struct policy *policy_get(void);
void policy_put(struct policy *);
/* Frees what nobody uses any more; true if policies that were replaced are
 * still in use. */
bool policy_reap(void);

#endif
