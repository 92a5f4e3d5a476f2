/* HTML as a reader sees it. */
#ifndef RUNTIME_HTML_H
#define RUNTIME_HTML_H

#include "dsl/arena.h"

/* A link or source of an element, as it stands there. */
struct html_link {
	struct str target;
	struct str text;   /* visible, of an <a>; p NULL for other elements */
	size_t begin, end; /* where it stands in the text of all */
};

struct html {
	struct str text; /* lines end with \n */
	VEC(struct html_link) links;
	bool over; /* more links than are kept */
};

/*
 * From valid UTF-8, into the arena.  At most `max_links` are kept; with 0 none
 * are looked for.  False with no memory.
 */
bool html_read(
    struct arena *, struct str source, size_t max_links, struct html *out);

/*
 * The name of its charset that HTML gives within its first kilobyte, as it
 * stands there; empty where there is none.  For where the message gives none.
 */
struct str html_charset(struct str octets);

#endif
