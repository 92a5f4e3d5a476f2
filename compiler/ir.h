/*
 * A policy as the compiler understands it: conditions as a graph in which
 * equal subexpressions are one node, rules in file order, actions with
 * resolved texts.  Made by lower.c from the checked syntax tree, judged by
 * stage.c, printed by explain.c, written by emit.c.  All of it lives in the
 * arena of the compilation.
 */
#ifndef COMPILER_IR_H
#define COMPILER_IR_H

#include "dsl/ast.h"
#include "dsl/truth.h"
#include "runtime/normal.h"
#include "runtime/image.h"

struct ir_ref {
	enum milt_attr attr;
	struct str key; /* header name, macro name; else empty */
	enum ref_from from;
	unsigned loop; /* REF_ELEMENT: depth of the loop, 0 outermost */
};

struct ir_regex {
	unsigned number; /* index in struct ir */
	struct str source;
	bool i, m, s, x, u; /* flags as written */
	bool bytes;         /* match octets, not characters */
	unsigned captures;
	VEC(struct str) names; /* by group number from 1; empty if unnamed */
	struct span span;
};

/* A set: a declared list, or one written in place. */
struct ir_list {
	unsigned number;
	struct str name;        /* empty: written in place */
	enum milt_type type;    /* TEXT, DOMAIN, ADDRESS, NETWORK, NUMBER */
	VEC(struct str) keys;   /* TEXT, DOMAIN, ADDRESS: normal forms */
	VEC(long long) numbers; /* NUMBER */
	VEC(struct ip_range) ranges; /* NETWORK; sorted and disjoint */
	struct item_list *item;      /* NULL: written in place */
};

enum node_kind {
	NODE_CONST, /* `value`: FALSE_ or TRUE_ */
	NODE_AND,   /* a, b */
	NODE_OR,
	NODE_NOT,  /* a */
	NODE_TEST, /* op left right */
	NODE_EACH, /* any element of `left` (whole collection) makes a true */
};

struct ir_node {
	enum node_kind kind;
	unsigned number;  /* in order of creation */
	enum truth value; /* NODE_CONST */
	struct ir_node *a, *b;
	enum opcode op;          /* NODE_TEST */
	struct ir_ref left;      /* NODE_TEST; NODE_EACH: the collection */
	struct ir_ref right_ref; /* ..._REF tests */
	struct str right_text;   /* A TEXT operand, in normal form */
	long long right_number;
	struct ir_list *right_list;
	struct ir_regex *right_regex;
	unsigned loop;         /* NODE_EACH: its depth, 0 outermost */
	enum milt_stage first; /* some leaf is known from here on */
	enum milt_stage last;  /* all leaves are known from here on */
	/*
	 * Bit s: at stage s a part of it becomes known.  A leaf inside an EACH
	 * counts from the stage of the collection on.
	 */
	unsigned stages;
	uint8_t need;      /* truth registers, operands as written; up to 255 */
	uint8_t need_best; /* the same with the deeper operand first */
	bool recipient;    /* a leaf has scope RECIPIENT */
	bool session;      /* all leaves have scope SESSION */
	unsigned free_loops; /* bit d: uses the element of loop d; nodes with
				any bit have no memo */
	int memo;            /* emit: slot of the memo, or -1 */
	int each;            /* emit: index of the loop, or -1 */
	struct span span;    /* where it was first written */
};

/* Where in a rule's condition a value or capture in a text comes from. */
struct ir_candidate {
	struct ir_node *each; /* outermost loop whose element it is, or NULL */
	struct ir_ref ref;    /* captures: the subject */
	struct ir_regex *regex; /* captures */
	unsigned group;         /* captures: number of the group */
};

enum ir_piece_kind { IR_TEXT, IR_VALUE, IR_CAPTURE };

struct ir_piece {
	enum ir_piece_kind kind;
	struct str text;   /* IR_TEXT */
	struct ir_ref ref; /* IR_VALUE */
	VEC(struct ir_candidate)
	candidates; /* IR_VALUE: first written
		       first; IR_CAPTURE: last */
};

struct ir_template {
	VEC(struct ir_piece) pieces;
	enum milt_stage last; /* its facts are known from here on */
	bool recipient;       /* names the recipient */
};

struct ir_action {
	enum milt_action action;
	unsigned code; /* with the default put in */
	struct str xcode;
	VEC(struct ir_template *) texts;
	struct ir_template *name;
	struct ir_template *address;
	long long index;
	long long milliseconds; /* delay */
	struct ir_node *where;  /* loop 0 is the element; NULL: all */
	struct ast_action *ast;
};

struct ir_capture {
	struct str name; /* "1", or that of the group */
	struct ir_template *text;
};

/* What a js rule runs and may say. */
struct ir_js {
	struct str path, function; /* of a module; or empty: */
	struct str code;
	uint32_t timeout; /* milliseconds */
	bool body;        /* needs body */
	unsigned may;     /* bit ACTION_...: verdicts of its answer */
	VEC(struct ir_capture) captures; /* by number, then by name */
	struct ast_js *ast;
};

struct ir_rule {
	unsigned number; /* in file order; `otherwise` is not one */
	struct str name, why;
	struct span span; /* its name */
	bool shadow;
	bool pinned;
	enum milt_stage pin;
	bool recipient;            /* a recipient rule (LANGUAGE 8) */
	struct ir_node *condition; /* group, when and unless together */
	enum milt_action verdict;  /* ACTION_NONE: effects only, or shadow;
				      js: what it gives on failure */
	unsigned kinds;   /* bit ACTION_...: the verdicts that it can give */
	struct ir_js *js; /* NULL: it asks nobody */
	VEC(struct ir_action *) actions; /* verdict included */
	enum milt_stage
	    text_last;         /* facts of the reply's text; CONNECT if none */
	enum milt_stage known; /* from this stage on it is never UNKNOWN: the
				  latest of condition, reply text and pin, and
				  the one at which its question is asked */
	struct item_rule *ast;
};

struct ir {
	struct arena *arena; /* borrowed */
	struct diags *diags;
	VEC(struct ir_node *) nodes;
	VEC(struct ir_list *) lists;
	VEC(struct ir_regex *) regexes;
	VEC(struct ir_rule *) rules;
	struct ir_rule
	    *otherwise; /* verdict only; name "default"; never NULL */
	VEC(struct item_test *) tests;
	long long options[OPTION_COUNT]; /* numbers, sizes, choices */
	struct str option_texts[OPTION_COUNT];
	bool option_set[OPTION_COUNT];
};

/* The stage from which a reference is known, and what it belongs to. */
enum milt_stage ref_stage(const struct ir_ref *);
enum milt_scope ref_scope(const struct ir_ref *);

/* Milliseconds that a js rule asked at a stage may take. */
size_t js_timeout_limit(enum milt_stage);

/* REGEX_ flags. */
unsigned ir_regex_flags(const struct ir_regex *);

/* Readable, stable text, for `milterc dump --after=lower`: ir_dump.c. */
void ir_dump(const struct ir *, FILE *);

#endif
