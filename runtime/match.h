/*
 * Regexes: PCRE2, compiled when the image is loaded, with JIT where the
 * system allows it; of many regexes each gets its machine code when it is first
 * tried.  A limit that is hit is never "no match".
 *
 * Without REGEX_BYTES a regex is on characters: `.` is one, and \w, \d, \b and
 * the flag i know all of Unicode.  A line ends at CR, LF or CRLF.  \C and
 * sources of more than 32 KiB are refused.
 */
#ifndef RUNTIME_MATCH_H
#define RUNTIME_MATCH_H

#include "dsl/arena.h"
#include "runtime/image.h"

struct match_scratch;
struct scan_cache;
struct scan_window;

/* Fills im->matchers and im->jit.  MILT_INVALID if a regex does not compile. */
enum milt_status match_compile(struct milt_image *im);
void match_free(struct milt_image *im);

/*
 * This thread's scratch for one call of the interpreter: match data, JIT stack
 * and the scans of values, made on first use and freed when the thread ends.
 * It holds nothing between two calls.  NULL with no memory.
 */
struct match_scratch *match_scratch(void);
/* Its scans; NULL without a scratch. */
struct scan_cache *match_scans(struct match_scratch *);

enum match_result { MATCH_NO, MATCH_YES, MATCH_LIMIT, MATCH_NO_MEMORY };

/*
 * Does regex number `regex` match?  Unless REGEX_BYTES, `subject` is valid
 * UTF-8.  `groups` (may be NULL) gets the captures 0 to count - 1, borrowed
 * from subject; unset ones are {NULL, 0}.
 */
enum match_result match_run(const struct milt_image *, uint32_t regex,
    struct str subject, struct match_scratch *, struct str *groups,
    size_t count);

/*
 * The same for a match that begins inside one of the windows from `first` on
 * (runtime/scan.h); IMAGE_NONE: anywhere.
 */
enum match_result match_windows(const struct milt_image *, uint32_t regex,
    struct str subject, struct match_scratch *, const struct scan_window *,
    uint32_t first);

/*
 * For the compiler: does `source` compile with these REGEX_ flags?  On error
 * false, with the offset in bytes and PCRE2's message (at most 200 bytes).
 */
bool match_check(struct str source, uint32_t flags, size_t *offset,
    char message[256], uint32_t *captures);

/* Name of group `group` of a source that match_check accepts; or empty. */
struct str match_group_name(
    struct arena *, struct str source, uint32_t flags, uint32_t group);

#endif
