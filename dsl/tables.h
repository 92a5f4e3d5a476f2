/*
 * The language's tables as C enumerations and arrays.  Each fact stands in one
 * row of a .def file; this header only gives the rows C names.
 */
#ifndef DSL_TABLES_H
#define DSL_TABLES_H

#include "dsl/str.h"

enum milt_stage {
#define STAGE(id, name, event, doc) STAGE_##id,
#include "dsl/stages.def"
#undef STAGE
	STAGE_COUNT
};

enum milt_type {
	TYPE_NONE,
#define TYPE(id, name, phrase, plural, key, doc) TYPE_##id,
#include "dsl/types.def"
#undef TYPE
	TYPE_COUNT
};

enum milt_key {
	KEY_NONE,
	KEY_FOLDED,
	KEY_DOMAIN,
	KEY_ADDRESS,
	KEY_BYTES16,
	KEY_NUMBER,
};

/* Values of TYPE_RESULT. */
enum milt_result {
#define RESULT(id, name, doc) RESULT_##id,
#include "dsl/results.def"
#undef RESULT
	RESULT_COUNT
};

enum milt_attr {
	ATTR_NONE,
#define ATTR(id, name, type, key, from, scope, count, source, doc, example) \
	ATTR_##id,
#include "dsl/attributes.def"
#undef ATTR
	ATTR_COUNT
};

enum milt_scope { SCOPE_SESSION, SCOPE_MESSAGE, SCOPE_RECIPIENT };

enum milt_source {
	SOURCE_ARG,
	SOURCE_MACRO,
	SOURCE_HEADER,
	SOURCE_AUTHRES,
	SOURCE_BODY,
	SOURCE_SIZES,
	SOURCE_CLOCK,
	SOURCE_PARTS,
	SOURCE_TEXTS,
	SOURCE_URLS,
	SOURCE_FILES,
	SOURCE_KINDS,
	SOURCE_DIGESTS,
	SOURCE_FILE_TEXTS,
};

enum milt_action {
	ACTION_NONE,
#define ACTION(id, name, kind, smfif, doc, example) ACTION_##id,
#include "dsl/actions.def"
#undef ACTION
	ACTION_COUNT
};

enum milt_action_kind { ACTION_VERDICT, ACTION_CHANGE, ACTION_NOTE };

/* Operators between two values. */
enum compare_op {
#define OPERATOR(id, words, takes, doc) OP_##id,
#include "dsl/operators.def"
#undef OPERATOR
};

enum {
	OP_COUNT = 0
#define OPERATOR(id, words, takes, doc) +1
#include "dsl/operators.def"
#undef OPERATOR
};

enum milt_option {
#define OPTION(id, name, kind, def, min, max, doc, example) OPTION_##id,
#define CHOICE(option, id, word)
#include "dsl/options.def"
#undef OPTION
#undef CHOICE
	OPTION_COUNT
};

enum milt_choice {
#define OPTION(id, name, kind, def, min, max, doc, example)
#define CHOICE(option, id, word) id,
#include "dsl/options.def"
#undef OPTION
#undef CHOICE
};

enum milt_limit {
#define LIMIT(id, value, doc) LIMIT_##id,
#include "dsl/limits.def"
#undef LIMIT
	LIMIT_COUNT
};

/* The limits as constants: LIMIT_VALUE_HEADER_COUNT and so on. */
#define LIMIT(id, value, doc) \
	static const size_t LIMIT_VALUE_##id __attribute__((unused)) = value;
#include "dsl/limits.def"
#undef LIMIT

struct stage_row {
	struct str name, event, doc;
};

struct type_row {
	struct str name, phrase, plural, doc;
	enum milt_key key;
};

struct result_row {
	struct str name, doc;
};

struct attr_row {
	struct str name;
	enum milt_type type;
	bool keyed;           /* a string in parentheses follows the name */
	enum milt_stage from; /* known from this stage on */
	enum milt_scope scope;
	bool many; /* a collection */
	enum milt_source source;
	struct str macro; /* with SOURCE_MACRO: as asked of the MTA */
	struct str doc, example;
};

struct action_row {
	struct str name;
	enum milt_action_kind kind;
	unsigned smfif; /* SMFIF_ flags of libmilter */
	struct str doc, example;
};

enum option_kind { OPTION_NUMBER, OPTION_SIZE, OPTION_CHOICE, OPTION_TEXT };

struct operator_row {
	struct str words;
	struct str takes; /* plural: what it compares */
	struct str doc;
};

struct option_row {
	struct str name;
	enum option_kind kind;
	long long number, min, max; /* default (or choice) and bounds */
	struct str text;            /* default of OPTION_TEXT */
	struct str doc, example;
};

struct choice_row {
	enum milt_option option;
	enum milt_choice choice;
	struct str word;
};

struct macro_row {
	struct str name; /* without braces */
	enum milt_stage from;
	enum milt_scope scope;
	struct str doc;
};

struct collection_row {
	struct str singular, plural;
	enum milt_attr attr;
};

struct limit_row {
	struct str id;
	long long value;
	bool counted; /* while mail is decided */
	struct str doc;
};

extern const struct stage_row stage_rows[STAGE_COUNT];
extern const struct type_row type_rows[TYPE_COUNT]; /* [0] is TYPE_NONE */
extern const struct result_row result_rows[RESULT_COUNT];
extern const struct attr_row attr_rows[ATTR_COUNT]; /* [0] is ATTR_NONE */
extern const struct action_row action_rows[ACTION_COUNT];
extern const struct operator_row operator_rows[OP_COUNT];
extern const struct option_row option_rows[OPTION_COUNT];
extern const struct choice_row choice_rows[];
extern const size_t choice_row_count;
extern const struct macro_row macro_rows[];
extern const size_t macro_row_count;
extern const struct collection_row collection_rows[];
extern const size_t collection_row_count;
extern const struct limit_row limit_rows[LIMIT_COUNT];
/* Options that are limits, and counted alike. */
extern const enum milt_option counted_options[];
extern const size_t counted_option_count;

/* Does the action change the body, and so have to know it? */
bool action_changes_body(unsigned action);
/* May a js rule answer with it?  With the body only if it needs the body. */
bool action_is_answer(unsigned action, bool body);

/* Look-ups by name; ATTR_NONE, TYPE_NONE, -1 or NULL where there is none. */
enum milt_attr attr_by_name(struct str name);
/* Are the values of this attribute octets, not characters? */
bool attr_is_raw(enum milt_attr);
enum milt_type type_by_name(struct str name);
int option_by_name(struct str name);
int result_by_name(struct str name);                    /* without case */
const struct macro_row *macro_by_name(struct str name); /* braces optional */

/*
 * Hash of all tables and of the compiler's and interpreter's instruction
 * table: an image made with other tables is refused.
 */
uint64_t tables_hash(void);

#endif
