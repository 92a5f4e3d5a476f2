/*
 * A message taken apart by GMime, inside bounds: GMime itself makes an object
 * of each part and field, however many there are.
 *
 * Attached messages are parts like others here; who wants to see inside parses
 * their contents.  So no address field of theirs is looked at, and nesting is
 * bounded by the caller.
 */
#ifndef RUNTIME_MIME_H
#define RUNTIME_MIME_H

#include <gmime/gmime.h>

#include "dsl/str.h"

/* Makes GMime ready: once for the process, before all else of it. */
void mime_init(void);

/* Octets of a field's value that are read; it is cut there. */
enum { MIME_MAX_FIELD = 4096 };

struct mime_budget {
	size_t parts, fields; /* that may still be made */
	size_t octets;        /* in values of Content- fields */
	bool over;            /* more was needed than was there */
};

/*
 * The outermost part of header and body, owned by the caller; it keeps a
 * reference to the stream.  `octets` are those of the stream: NUL in a header
 * field, where GMime ends the value, becomes ? in them; or NULL: values end
 * there.  *malformed is set where something is broken; an end that is missing
 * is nothing of that where it `may_be_cut`. Where the budget is over, what lies
 * behind is missing.  NULL where there is nothing.
 */
GMimeObject *mime_parse(GMimeStream *, GByteArray *octets, struct mime_budget *,
    bool may_be_cut, bool *malformed);

/* Thunderbird ends a line at CR, too: it sees other fields and parts. */
bool mime_has_bare_cr(struct str);

/*
 * The first field of a name, as it is written; NULL where there is none.  GMime
 * decodes what g_mime_object_get_header returns.
 */
const char *mime_field(GMimeObject *, const char *name);

/* message/rfc822 and its kin: the contents are a message. */
bool mime_is_message(GMimeObject *);

#endif
