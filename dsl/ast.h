/*
 * Abstract syntax: what a policy file says, before any of it is understood.
 * Made by the parser, decorated by the compiler's resolve and check (the
 * members marked so).  All nodes live in the arena of the compilation.
 */
#ifndef DSL_AST_H
#define DSL_AST_H

#include "dsl/diag.h"
#include "dsl/source.h"
#include "dsl/tables.h"

struct ast_name {
	struct str text;
	struct span span;
};

/* ---- values ---------------------------------------------------------- */

enum value_kind {
	VALUE_NAME,   /* a bare word: attribute, let, list, domain, choice */
	VALUE_KEYED,  /* header("X"), raw header("X"), macro("x"): name + key */
	VALUE_COUNT,  /* count(name) or count(header("X")) */
	VALUE_STRING, /* "..." decoded */
	VALUE_ADDRESS, /* <a@b>, <>: the text between the brackets */
	VALUE_ATOM,  /* digits first: number, size, duration, IP, network ... */
	VALUE_REGEX, /* /source/flags */
	VALUE_SET,   /* { a b c } behind `in` and `under` */
	VALUE_INDEX, /* map[value]: parsed, refused by resolve */
	VALUE_CALL,  /* dns.exists(x): parsed, refused by resolve */
};

struct ast_value {
	enum value_kind kind;
	struct span span;
	struct str text;  /* decoded text, name, address or regex source */
	struct str flags; /* VALUE_REGEX: letters behind the second slash */
	struct str key;   /* VALUE_KEYED, and VALUE_COUNT of one; decoded */
	struct span key_span;
	bool keyed;                    /* VALUE_COUNT: key is set */
	VEC(struct ast_value *) items; /* VALUE_SET; arguments of CALL, INDEX */
	struct item_let *let;   /* resolve: the definition a name stands for */
	struct item_list *list; /* resolve: the list a name stands for */
	enum milt_attr attr;    /* resolve: the attribute */
	bool element;        /* resolve: attr is a field of a block's element */
	unsigned loop;       /* resolve: which block, 0 the outermost */
	enum milt_type type; /* check: type of the value */
	bool bad;            /* resolve, check: reported, asked no further */
};

/* ---- conditions ------------------------------------------------------ */

enum expr_kind {
	EXPR_AND,
	EXPR_OR,
	EXPR_NOT,
	EXPR_COMPARE, /* left OP right */
	EXPR_EXISTS,  /* left exists */
	EXPR_ABSENT,
	EXPR_MALFORMED,
	EXPR_VALUE, /* left alone: boolean attribute or let */
	EXPR_ANY,   /* any COLLECTION { block } */
	EXPR_EVERY,
	EXPR_NO,
	EXPR_STATE,  /* NAME exceeded, knows, delays: refused by resolve */
	EXPR_LISTED, /* X listed in "zone" ...: refused by resolve */
};

struct ast_expr {
	enum expr_kind kind;
	struct span span;
	struct span op_span; /* the operator's words */
	enum compare_op op;
	bool negated; /* is not, not in, not under */
	bool exactly;
	struct ast_value *left, *right;
	struct ast_expr *a,
	    *b;           /* operands of AND, OR, NOT; a: body of a block */
	struct str state; /* EXPR_STATE: the verb */
	struct span open; /* block: its opening brace */
};

/* ---- templates ------------------------------------------------------- */

enum piece_kind { PIECE_TEXT, PIECE_FIELD };

struct ast_piece {
	enum piece_kind kind;
	struct span span;
	struct str text; /* literal text; or what stands in the braces */
	struct ast_value *value; /* resolve: PIECE_FIELD that is an attribute */
	bool capture;            /* resolve: PIECE_FIELD that is a capture */
	bool choice; /* resolve: a number that is a group of several regexes */
};

struct ast_template {
	struct span span; /* the string token */
	VEC(struct ast_piece) pieces;
};

/* ---- actions --------------------------------------------------------- */

struct ast_action {
	enum milt_action action; /* ACTION_NONE: `refused` says which word */
	struct str refused;      /* remember, a score's name*/
	struct span span;        /* all of it */
	struct span word;        /* the verb */
	unsigned code;           /* reply code; 0 if not given */
	struct span code_span;
	struct str xcode; /* enhanced code; empty if not given */
	struct span xcode_span;
	/*
	 * reject, tempfail, replace body: the lines of the text; quarantine,
	 * log: one; header actions: value(s) of the field.
	 */
	VEC(struct ast_template *) texts;
	struct ast_template *name;    /* header actions: the field's name */
	struct ast_template *address; /* add recipient, set sender; also from
					 <a@b> */
	long long index;              /* insert header */
	struct ast_value *duration;   /* delay */
	long long milliseconds;       /* check: of the duration */
	struct ast_expr *where;       /* remove header, remove recipient */
};

/* ---- items ----------------------------------------------------------- */

enum item_kind {
	ITEM_VERSION,
	ITEM_OPTION,
	ITEM_LIST,
	ITEM_LET,
	ITEM_RULE,
	ITEM_GROUP,
	ITEM_INCLUDE,
	ITEM_OTHERWISE,
	ITEM_TEST,
	ITEM_RESERVED, /* map, limit, memory, greylist, score, claim */
};

struct ast_item {
	enum item_kind kind;
	struct span span;     /* from the first word to the last brace */
	struct span word;     /* the keyword(s) */
	struct ast_name name; /* empty where there is none */
};

struct item_version { /* milt 1 */
	struct ast_item item;
	struct ast_value *version;
};

struct item_option {
	struct ast_item item;
	struct ast_value *value;
};

struct list_entry {
	struct str text; /* as written, without quotes or brackets */
	struct span span;
	enum value_kind kind;
};

struct item_list {
	struct ast_item item;
	struct ast_name type_name;
	enum milt_type type; /* resolve */
	bool from_file, watch;
	struct ast_value *path;         /* from_file */
	VEC(struct list_entry) entries; /* parser; from a file: resolve */
	bool used;                      /* resolve: for lint */
	unsigned number;                /* lower: index in the image */
};

struct item_let {
	struct ast_item item;
	struct ast_expr *expr; /* EXPR_VALUE if it is a bare value */
	bool used;             /* resolve: for lint */
	unsigned state;        /* resolve: 0 new, 1 open, 2 done; check: 3 */
	bool is_condition;     /* check */
	bool uses_element;     /* check */
	VEC(struct ast_value *) uses; /* resolve: the lets that it names */
	unsigned depth; /* resolve: definitions inside definitions */
	unsigned loops; /* check: blocks inside blocks, those of lets too */
	unsigned mark;  /* resolve: number of the last walk that was here */
	bool bad;       /* reported already, asked no further */
};

/*
 * What a js rule says beside its guards.  Each part has its whole clause as
 * span; an end of 0: it does not say it.
 */
struct ast_js {
	struct span first;      /* the first word behind the guards */
	struct ast_value *call; /* "file.mjs#function"; NULL: code */
	struct str path;        /* resolve: of the file */
	struct str function;    /* resolve */
	struct str code;        /* between the backticks */
	struct span code_span;  /* of either */
	struct ast_value *timeout;
	struct span timeout_span;
	long long milliseconds;   /* check */
	struct span failure_span; /* its verdict is the rule's only action */
	bool ignore;              /* on failure ignore: no action */
	VEC(struct ast_value *) may;
	struct span may_span;
	struct span needs_span; /* needs body */
};

struct item_rule {
	struct ast_item item;
	struct str why;
	bool shadow;
	struct ast_js *js;              /* NULL: a rule without code */
	struct ast_name at;             /* empty where there is none */
	struct ast_expr *when, *unless; /* may be NULL */
	VEC(struct ast_action *) actions;
	struct item_group *group; /* parser; NULL at top level */
	enum milt_stage pin;      /* resolve; only if at is set */
};

struct item_group {
	struct ast_item item;
	struct str why;
	struct ast_expr *when, *unless;
	VEC(struct item_rule *) rules;
};

struct item_include {
	struct ast_item item;
	struct ast_value *path;
	/*
	 * read: NULL if it could not be, or if the file was included before:
	 * its items stand there.
	 */
	struct ast_file *file;
};

struct item_otherwise {
	struct ast_item item;
	struct ast_action *action;
};

/* ---- tests ----------------------------------------------------------- */

enum fact_kind {
	FACT_ATTRIBUTE, /* client.ip 1.2.3.4; tls.bits 256; ... */
	FACT_RECIPIENT, /* recipient <a@b> */
	FACT_MACRO,     /* macro "name" "value" */
	FACT_HEADER,    /* header "Name" "value" */
	FACT_BODY,      /* body "text" */
	FACT_MESSAGE,   /* message """...""" : text with CRLF line ends */
	FACT_MESSAGE_FILE,
	FACT_GIVEN_NOW, /* given now "..." */
	FACT_GIVEN_JS,  /* given js NAME ... */
	FACT_GIVEN,     /* any other `given`: refused by resolve */
};

struct ast_fact {
	enum fact_kind kind;
	struct span span;
	struct ast_name name; /* attribute, macro or header name; js rule */
	VEC(struct ast_value *) values;
	enum milt_attr attr;        /* resolve */
	struct ast_action *verdict; /* given js: its texts are literal; NULL:
				       `word` */
	struct ast_name word;       /* nothing, fails */
};

enum expect_kind {
	EXPECT_VERDICT,
	EXPECT_TEXT,   /* expect text "..." */
	EXPECT_EFFECT, /* expect add header "X" "v" */
	EXPECT_NO_EFFECT,
	EXPECT_SHADOW, /* expect shadow RULE */
};

struct ast_expect {
	enum expect_kind kind;
	struct span span;
	enum milt_action verdict;
	unsigned code;      /* 0: not named */
	struct str xcode;   /* empty: not named */
	struct ast_name by; /* rule; or "default" with by_default */
	bool by_default;
	struct ast_name at;          /* stage */
	struct ast_value *recipient; /* for <...>; NULL: every recipient */
	struct str text;
	struct ast_action *effect; /* its templates are literal text */
	enum milt_stage stage;     /* resolve; only if at is set */
};

struct item_test {
	struct ast_item item; /* name.text: the test's title */
	VEC(struct ast_fact *) facts;
	VEC(struct ast_expect *) expects;
};

/* ---- files ----------------------------------------------------------- */

struct ast_file {
	uint32_t source;
	VEC(struct ast_item *) items; /* in file order */
};

/*
 * Parses one source.  Never fails but for memory (arena's on_fail): errors go
 * to the diagnostics and what could be read is returned.
 */
struct ast_file *milt_parse(struct arena *, struct diags *, uint32_t source);

/* Prints the tree, one node a line, for `milterc dump --after=parse`. */
void ast_dump(const struct ast_file *, const struct sources *, FILE *);

/*
 * Canonical layout of a source (milterc fmt): comments stay, meaning stays,
 * formatting twice changes nothing.  Only for sources that parse without
 * errors.
 */
struct str milt_format(
    struct arena *, const struct source *, const struct ast_file *);

#endif
