/* HTML as a reader sees it, by libxml2. */
#ifndef RUNTIME_HTML_H
#define RUNTIME_HTML_H

#include "dsl/arena.h"

/* A link or source of an element, as it stands there. */
struct html_link {
	struct str target;
	struct str text; /* visible, of an <a>; p NULL for other elements */
};

struct html {
	struct str text; /* lines end with \n */
	VEC(struct html_link) links;
	bool over; /* not read to its end: links or attributes of one tag
		      beyond the limits */
};

/*
 * From valid UTF-8, into the arena.  At most `max_links` are kept.  False with
 * no memory.
 */
bool html_read(
    struct arena *, struct str source, size_t max_links, struct html *out);

#endif
