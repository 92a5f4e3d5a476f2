/* Documents: are there macros in them, and can they be read? */
#ifndef RUNTIME_INSPECT_H
#define RUNTIME_INSPECT_H

#include "dsl/str.h"

struct inspection {
	bool encrypted, has_macros;
	bool too_large; /* more is embedded than is unpacked */
};

/*
 * PDF, and office documents in compound files (by libgsf), also packed as
 * ActiveMime, or in one file of XML.
 */
struct inspection inspect(struct str contents);

/*
 * The manifest of a document of which parts are encrypted (OpenDocument 1.3,
 * part 2, 3.4).
 */
bool inspect_is_encrypted(struct str member, struct str contents);

#endif
