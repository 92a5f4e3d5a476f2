/*
 * Candidates: which of the regexes on one subject can match a value at all.
 *
 * A subject is an attribute with its key, on characters or on octets.  When an
 * image is loaded, the regexes of each subject are taken apart (literal.h):
 * most of them can match only where one of a few literals stands.  One pass
 * over a value finds those literals, and so the candidates: the scan may name
 * a regex that does not match, but never leaves one out that does.  PCRE2
 * alone says what matches.
 *
 * A regex that is no candidate is false, also where PCRE2 would have given up
 * at a limit.
 */
#ifndef RUNTIME_SCAN_H
#define RUNTIME_SCAN_H

#include "runtime/facts.h"

struct match_scratch;
struct interp;

/* A part of a value: where a match can begin, and the candidate. */
struct scan_window {
	uint32_t from, to; /* first and last offset of a match's begin */
	uint32_t next;     /* index of the next window, or IMAGE_NONE */
};

struct scan_subject {
	uint16_t attr;     /* enum milt_attr */
	bool octets;       /* its regexes are REGEX_BYTES */
	uint32_t key;      /* text or IMAGE_NONE */
	uint32_t *regexes; /* all regexes on it, ascending */
	uint32_t count;
	uint32_t residual; /* those without a usable literal */
	struct scan_table *table;
};

/* im->scan: immutable, any number of threads may use it. */
struct scan {
	struct scan_subject *subjects;
	uint32_t count;
	/* For reference r: subject of its regexes on characters [2 * r] and on
	 * octets [2 * r + 1], or IMAGE_NONE. */
	uint32_t *of_ref;
	/* By probe; NULL where it is not PROBE_TEXTS (scan_text.h). */
	struct scan_table **texts;
};

/* What one value may match. */
struct scan_result {
	struct str subject; /* as the regexes see it: valid UTF-8 or octets */
	const uint32_t *regexes; /* candidates, ascending */
	uint32_t count;
	/* For each its first window, or IMAGE_NONE where a match can begin
	 * anywhere. */
	const uint32_t *first;
	const struct scan_window *windows;
};

/* Fills im->scan.  MILT_NO_MEMORY. */
enum milt_status scan_build(struct milt_image *im);
void scan_free(struct milt_image *im);

/*
 * The subject of the regexes with these REGEX_ flags on a reference's values;
 * IMAGE_NONE for values that are not texts, and where there are none.
 */
uint32_t scan_subject(const struct milt_image *, uint32_t ref, uint32_t flags);

/*
 * The candidates for a value of a subject.  It is scanned once in a call of the
 * interpreter; the result is borrowed until this thread's next scan.  False
 * with no memory.
 */
bool scan_value(struct interp *, uint32_t subject, const struct fact_value *,
    struct scan_result *out);

/* Is the regex among the candidates?  *first is its first window. */
bool scan_has(const struct scan_result *, uint32_t regex, uint32_t *first);

/* What a thread keeps of its scans: part of its match_scratch. */
struct scan_cache;
struct scan_cache *scan_cache_new(void);
void scan_cache_free(struct scan_cache *);
/* Forgets all values; those of a new call may lie in the same place. */
void scan_cache_forget(struct scan_cache *);

#endif
