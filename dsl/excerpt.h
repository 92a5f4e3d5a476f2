/*
 * Source lines as they are shown below a diagnostic: tabs widened, control
 * bytes made visible, long lines cut around what is marked.
 */
#ifndef DSL_EXCERPT_H
#define DSL_EXCERPT_H

#include "dsl/diag.h"

enum { EXCERPT_COLUMNS = 160 };

/* One character as it is shown. */
struct cell {
	size_t bytes;   /* in the source */
	size_t columns; /* on the screen; a tab: 0, it depends on the place */
	char text[16];
	size_t n; /* bytes of text */
};

/* p < limit */
struct cell cell_at(const char *p, const char *limit);

struct mark {
	struct span span;
	struct str text; /* may be empty */
	bool primary;
	bool beside;          /* the text stands behind the marks */
	size_t column, width; /* on the screen, from 0 */
};

/* One line; marks from left to right, those of the primary span first. */
struct excerpt {
	uint32_t source;
	unsigned line;
	struct str text; /* of the line, what is shown of it */
	size_t skipped;  /* columns that are cut off at the left */
	bool cut_left, cut_right;
	VEC(struct mark) marks;
};

struct excerpts {
	VEC(struct excerpt) list;
};

/* The line of the primary span first, then those of the labels. */
void excerpts_of(const struct diags *, const struct diag *, struct excerpts *);

/* The line, and what stands below it. */
struct str excerpt_text(struct arena *, const struct excerpt *);
struct str excerpt_marks(struct arena *, const struct excerpt *);

#endif
