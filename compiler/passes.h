/*
 * What the passes on the syntax tree share.
 */
#ifndef COMPILER_PASSES_H
#define COMPILER_PASSES_H

#include "compiler/compile.h"

/* ---- items ----------------------------------------------------------- */

/*
 * All items of the policy in the order in which they take effect: those of an
 * included file stand where it is first included.  In the compilation's arena.
 */
struct policy_items {
	struct ast_item **v;
	size_t n;
};
struct policy_items policy_items(struct compilation *);

/* The bytes of a span as written, cut to what fits a message. */
struct str source_words(const struct compilation *, struct span);

/* `path` as written in source number `source`: relative to its directory. */
struct str relative_path(
    struct compilation *, uint32_t source, struct str path);

/* "line 5", or "lists.milt:5" where `from` is another file. */
struct str place_words(
    struct compilation *, struct span place, struct span from);

/* The parts of a condition that are not `and`, `or`, `not`, in file order. */
typedef VEC(struct ast_expr *) expr_vec;
expr_vec condition_leaves(struct arena *, struct ast_expr *);

/* What a name stands for, through definitions of values. */
const struct ast_value *value_behind(const struct ast_value *);

/* Is an error reported in the span? */
bool has_error_in(const struct compilation *, struct span);

/* ---- names ----------------------------------------------------------- */

/* Items by name, with open addressing; in the compilation's arena. */
struct name_table {
	struct arena *arena;
	struct ast_item **slots;
	size_t count, size; /* size is 0 or a power of two */
};

/* NULL, or the item of that name that is there already. */
struct ast_item *name_add(struct name_table *, struct ast_item *);
struct ast_item *name_find(const struct name_table *, struct str name);

/*
 * An attribute as an author may write it: `header.value` is `headers.value`,
 * too.  ATTR_NONE where there is none.
 */
enum milt_attr attr_find(struct str name);

/* The collection of that name, singular or plural, or NULL. */
const struct collection_row *collection_find(struct str name);

/* The attribute `field` of the elements of `collection`, or ATTR_NONE. */
enum milt_attr field_find(enum milt_attr collection, struct str field);

/*
 * What the row of reserved.def that covers `name` says it is, or an empty
 * string.  `whole`: only a row of exactly that name.
 */
struct str reserved_find(struct str name, bool whole);

int stage_find(struct str name); /* -1 where there is none */

typedef VEC(struct str) names_vec;
/* False beyond the limit of errors: then nobody reads them. */
bool suggestions_wanted(const struct diags *);
void add_attr_names(struct arena *, names_vec *);
void add_field_names(struct arena *, names_vec *, enum milt_attr collection);
void add_item_names(
    struct arena *, names_vec *, const struct policy_items *, enum item_kind);

/* Help with the nearest of `names`, if one is near. */
void help_nearest(
    struct diags *, struct diag *, struct str name, const names_vec *names);

/* E0902: a name of the language that this version does not have. */
void report_reserved(struct diags *, struct span, struct str name);

/* ---- resolve --------------------------------------------------------- */

/* The block, or blocks, in which a condition stands; NULL outside. */
struct block {
	const struct block *outer;
	enum milt_attr collection;
	unsigned loop; /* 0 the outermost */
};

struct resolver {
	struct compilation *c;
	struct arena *arena;
	struct diags *diags;
	struct policy_items items;
	struct name_table values; /* lists, lets, reserved items */
	struct name_table rules;  /* rules, groups, reserved items */
	struct item_let *let;     /* whose definition is being resolved */
	unsigned mark;            /* walks so far */
	/*
	 * Something could not be read, so what seems to be missing may stand
	 * there: only what is there is judged.
	 */
	bool partial;
	bool reserved_seen; /* in the present rule */
};

/* Regexes of a rule's conditions, for captures. */
struct capture_scope {
	VEC(struct ast_value *) regexes;
};

/* A value on the left of an operator, or alone. */
void resolve_left(struct resolver *, struct ast_value *, const struct block *);
/* `member`: behind `in` or `under`. */
void resolve_right(
    struct resolver *, struct ast_value *, const struct block *, bool member);
void resolve_condition(
    struct resolver *, struct ast_expr *, const struct block *);
bool resolve_stage(
    struct resolver *, const struct ast_name *at, enum milt_stage *out);
void resolve_list(struct resolver *, struct item_list *);
void resolve_test(struct resolver *, struct item_test *);
/* What a js rule calls, and that no part of it is missing. */
void resolve_js(struct resolver *, struct item_rule *);
void resolve_action(
    struct resolver *, struct ast_action *, const struct capture_scope *);
/* All regexes of a condition, of its blocks and of its definitions. */
void captures_of(struct resolver *, struct ast_expr *, struct capture_scope *);
/* Cycles among lets, and how deep they stand in each other. */
void resolve_let_order(struct resolver *);

/* ---- literals -------------------------------------------------------- */

/* Numbers as written; false where they are none or do not fit. */
bool literal_number(struct str, long long *out);   /* 12 */
bool literal_size(struct str, long long *out);     /* 10MB; octets */
bool literal_duration(struct str, long long *out); /* 5m; milliseconds */
bool literal_weekday(struct str, long long *out);  /* mon is 0 */
bool literal_result(struct str, long long *out);   /* enum milt_result */
bool literal_boolean(struct str, long long *out);  /* yes, no */

/*
 * Is the source an image rather than a policy?  Then that is said, at `at` or,
 * if that is NULL, about the file.
 */
bool image_refused(
    struct compilation *, const struct source *, const struct span *at);

/* Header field names of RFC 5322. */
bool field_name_is_valid(struct str);

/* REGEX_ flags of `letters`; REGEX_BYTES if `raw` and no `u` is there. */
bool regex_flags(struct str letters, bool raw, uint32_t *out);

/* ---- check ----------------------------------------------------------- */

struct checker {
	struct compilation *c;
	struct arena *arena;
	struct diags *diags;
};

/*
 * Follows definitions to the value that `v` stands for.  NULL if that is
 * none: then it has been reported.
 */
struct ast_value *check_operand(struct checker *, struct ast_value *v);

/*
 * Is literal `v` a value of `type`?  Reports at `at`; `subject` (may be NULL)
 * is the operand on the left; `bare`: domains and networks need no quotes.
 * Sets v->type.
 */
bool check_literal(struct checker *, struct ast_value *v, struct span at,
    enum milt_type type, bool bare, const struct ast_value *subject);
/* What a literal looks like: "text", "a domain", ... */
struct str literal_words(const struct ast_value *);
void check_list_entries(struct checker *, const struct item_list *);
/* E0402: `left` cannot be compared with `right`, which stands at `at`. */
struct diag *report_mismatch(struct checker *, const struct ast_value *left,
    const struct ast_value *right, struct span at);

/* `loops`: blocks around it; returns the deepest level that it reaches. */
unsigned check_condition(struct checker *, struct ast_expr *, unsigned loops);
void check_let(struct checker *, struct item_let *);
void check_compare(struct checker *, struct ast_expr *);
void check_option(struct checker *, struct item_option *);
void check_actions(struct checker *, struct item_rule *);
void check_js(struct checker *, struct item_rule *);
void check_action(struct checker *, struct ast_action *);
/* The duration of a delay: fills its milliseconds. */
void check_delay(struct checker *, struct ast_action *);
void check_reply_codes(struct checker *, enum milt_action verdict,
    unsigned code, struct span code_span, struct str xcode,
    struct span xcode_span);
void check_test(struct checker *, struct item_test *);

#endif
