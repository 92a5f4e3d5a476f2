/*
 * What a part of a message holds, decoded (RFC 2045 6, uuencode); what GMime
 * does slowly or reads otherwise than readers do is done here.
 */
#ifndef RUNTIME_MIME_CONTENTS_H
#define RUNTIME_MIME_CONTENTS_H

#include <gmime/gmime.h>

#include "dsl/str.h"

/* The decoded contents, to be unreffed. */
GByteArray *mime_decode(GMimePart *);

/*
 * The same as octets that live as long as the part or, where they had to be
 * decoded, as *owned, which is to be unreffed if it is not NULL.
 */
struct str mime_contents(GMimePart *, GByteArray **owned);

/*
 * May readers decode the contents otherwise than we do?  So it is with an
 * encoding that is unknown (RFC 2045 6.4), with data behind the padding of
 * base64, and with text around uuencode.
 */
bool mime_is_ambiguous(GMimePart *);

/* Is there something in its base64 that readers may refuse? */
bool mime_is_loose(GMimePart *);

/* Octets of the contents as sent. */
long long mime_encoded_size(GMimePart *);

#endif
