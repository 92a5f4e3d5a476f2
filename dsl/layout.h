/* Inside the formatter: where each token goes. */
#ifndef DSL_LAYOUT_H
#define DSL_LAYOUT_H

#include "dsl/ast.h"
#include "dsl/lexer.h"

enum { LINE_WIDTH = 80, INDENT = 2 };

/* How a line that the author broke inside of a clause goes on. */
enum continuation {
	CONTINUE_DEEPER,  /* indented twice more */
	CONTINUE_OPERAND, /* below the clause's second token */
	CONTINUE_TEXT,    /* below the clause's first text in quotes */
	CONTINUE_SAME,    /* below the clause's first token */
};

struct place {
	bool line;     /* begins a line */
	bool closes;   /* closing brace of a block */
	bool verbatim; /* with all blanks before it as they are */
	bool member;   /* of a list of several lines */
	bool wide;     /* of a list of one line: two blanks before it */
	enum continuation continuation; /* of the clause it begins */
	unsigned depth;                 /* of the line it begins */
	unsigned pad; /* least columns it takes if another follows */
};

struct layout {
	struct arena *arena; /* borrowed */
	const struct source *source;
	VEC(struct token) tokens;
	struct place *places; /* one for each token */
};

/* Lexes the source and decides where lines begin. */
void layout_make(struct layout *, struct arena *, const struct source *,
    const struct ast_file *);

#endif
