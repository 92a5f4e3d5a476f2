/*
 * HTML in pieces, as browsers take it apart (HTML 13.2.5), in time that grows
 * with its length alone.
 */
#ifndef RUNTIME_HTML_TOKEN_H
#define RUNTIME_HTML_TOKEN_H

#include "dsl/str.h"

enum html_kind {
	HTML_TEXT,  /* with character references */
	HTML_RAW,   /* text without them, of elements that hold no others */
	HTML_OPEN,  /* <name attributes> */
	HTML_CLOSE, /* </name> */
	HTML_OTHER, /* comments, declarations, tags that do not end */
};

struct html_token {
	enum html_kind kind;
	size_t begin, end;           /* in the source */
	struct str name, attributes; /* as written, of HTML_OPEN and _CLOSE */
};

/* Zero, but for the source, before the first token. */
struct html_scanner {
	struct str source;
	size_t at;
	const struct html_raw *raw; /* the open element, if it is one */
};

/* False at the end. */
bool html_next(struct html_scanner *, struct html_token *);

struct html_attribute {
	struct str name, value; /* as written, without quotes */
};

/* The first of a tag's attributes, taken from them; false at their end. */
bool html_attribute(struct str *attributes, struct html_attribute *);

/*
 * The character for which a reference stands, with which `s` begins (behind
 * its &): its octets in `out`, their number in *n.  The octets of the
 * reference, or 0 where it is none.
 */
size_t html_reference(struct str s, bool in_attribute, char out[6], size_t *n);

/* A named reference; the table of all, sorted by name, is generated. */
struct html_entity {
	char name[32]; /* without the semicolon */
	char text[7];
	bool bare; /* needs no semicolon */
};

extern const struct html_entity html_entities[];
extern const size_t html_entity_count;

#endif
