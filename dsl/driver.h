/*
 * Inside the parser: the driver's state.  It feeds the grammar (parse.c),
 * counts brackets (brackets.c) and finds where to go on after an error
 * (recover.c).
 */
#ifndef DSL_DRIVER_H
#define DSL_DRIVER_H

#include "dsl/parse.h"
#include "dsl/syntax.h"

struct driver {
	struct parser ps;
	struct lexer lx;
	struct token item;    /* first word of the item that is read */
	struct token pending; /* read already; kind -1: none */
	struct trail trail;
	bool told_comma;     /* in this item */
	bool clean;          /* the text holds no bad bytes */
	bool in_group;       /* open[0] is the brace of a group */
	struct token group;  /* its first word */
	unsigned level;      /* open brackets */
	unsigned depth;      /* with the `not`s among them */
	struct token *open;  /* the brackets, at most LIMIT_NESTING */
	unsigned *nots;      /* `not`s in a row, at each level */
	struct span suspect; /* a brace whose end is indented less; end 0 */
};

/* A keyword with which an item, or a rule in a group, can begin. */
bool begins_item(int kind);
bool begins_rule(int kind);

/* Begins the grammar anew, at top level or in the open group. */
void driver_restart(struct driver *);

/*
 * Is `t`, which cannot follow, or comes while brackets are open, the next item
 * all the same?  Outside of `base` brackets the indentation tells.
 */
bool is_next_item(const struct driver *, struct token t, unsigned base);

/* Leaves the group if `t`, which comes next, cannot stand in it. */
void leave_group(struct driver *, struct token t);

/*
 * Skips the rest of the item in which `t` was refused: to its closing brace,
 * or to what looks like the next item.
 */
void recover(struct driver *, struct token t);

/*
 * Is what is wrong at `t` explained by an error in the text of its item that
 * was reported already?
 */
bool is_explained(const struct driver *, struct token t);

/* Is the brace's end indented less than the line on which it opens? */
bool closes_outside(const struct driver *, struct span open, struct token t);

enum tracked { TRACK_FEED, TRACK_DROP, TRACK_RECOVER };

/* Counts brackets and `not`s before the grammar sees them. */
enum tracked track(struct driver *, struct token t);

/* Says that the bracket at `open` has no end, with a label at `t` if given. */
void report_open(
    struct driver *, struct span open, struct token t, const char *label);

#endif
