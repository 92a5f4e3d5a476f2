/*
 * Making values safe for where they go.  The results are in the arena given
 * (or the text itself where nothing had to change); {NULL, 0} with no memory.
 */
#ifndef RUNTIME_SAFE_H
#define RUNTIME_SAFE_H

#include "dsl/arena.h"

/*
 * A line of an SMTP reply: printable ASCII (RFC 5321 4.2), each other
 * character as `?`, blanks for controls, at most `max` octets, never empty.
 */
struct str safe_reply_line(struct arena *, struct str, size_t max);

/* Is it an enhanced code ("5.7.1", RFC 3463) of that class? */
bool xcode_is_valid(struct str, unsigned class);

/* Octets of text that fit into a reply line beside code and enhanced code. */
size_t reply_line_room(struct str xcode);

/* RFC 5322 2.2: printable ASCII but the colon; others become `-`. */
struct str safe_header_name(struct arena *, struct str);

/*
 * Value of a header field: no CR, LF, NUL or other control; beyond ASCII as
 * encoded words (RFC 2047); folded with LF at blanks so that no line is longer
 * than LIMIT_HEADER_LINE, or than 76 octets where there are encoded words and
 * blanks to fold at; at most LIMIT_HEADER_VALUE octets.  `name_length`
 * is that of the field's name.
 */
struct str safe_header_value(struct arena *, struct str, size_t name_length);

/* For a log line: printable ASCII, others as \xHH, `\` and `"` escaped. */
struct str safe_log(struct arena *, struct str, size_t max);

/* Text of a new body: every line ends in CRLF, the last one too. */
struct str safe_body(struct arena *, struct str);

#endif
