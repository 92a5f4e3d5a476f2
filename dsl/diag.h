/*
 * Diagnostics: numbered, with a place, a sentence, labels and help.
 * LANGUAGE.md section 7.  The rows are in diagnostics.def.
 */
#ifndef DSL_DIAG_H
#define DSL_DIAG_H

#include "dsl/source.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

enum diag_id {
#define DIAG(id, code, severity, title, why, wrong, right) D_##id,
#include "dsl/diagnostics.def"
#undef DIAG
	DIAG_COUNT
};

struct diag_row {
	struct str code; /* "E0402", "W0105" */
	enum severity severity;
	struct str title;        /* a line */
	struct str why;          /* paragraphs for `milterc explain` */
	struct str wrong, right; /* a policy that shows it, and one without */
};

extern const struct diag_row diag_rows[DIAG_COUNT];

struct diag_label {
	struct span span;
	struct str text;
};

struct diag {
	enum diag_id id;
	struct span span;   /* primary: the culprit */
	bool has_span;      /* false: concerns a whole file (`path`) or none */
	struct str path;    /* where has_span is false; may be empty */
	struct str message; /* lower case, no full stop, code in backticks */
	struct str label;   /* at the primary span; may be empty */
	VEC(struct diag_label) labels; /* other places */
	VEC(struct str) helps;         /* what to write instead */
	struct diag *next;             /* of a chain of `places` */
	size_t number;                 /* in the order in which they came */
};

/*
 * The diagnostics of one run.  Sorted by place when they are printed.  After
 * LIMIT_ERRORS errors further ones are only counted, and so are warnings; of
 * what is to list them all, after DIAGS_ALL.
 */
enum { DIAGS_ALL = 100000 };

struct diags {
	struct arena *arena; /* borrowed; owns the rest */
	struct sources *sources;
	VEC(struct diag *) list;
	size_t errors, warnings; /* counted, kept or not */
	bool all;                /* keep DIAGS_ALL */
	struct diag **places;    /* chains of those that have a place */
	struct diag *scratch;    /* stands for all that are not kept */
};

/*
 * Adds one and returns it, for labels and helps.  Never NULL (beyond the
 * limit the result is a scratch object that is not printed).
 */
struct diag *diag_at(struct diags *, enum diag_id, struct span, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
struct diag *diag_file(struct diags *, enum diag_id, struct str path,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void diag_primary_label(struct diags *, struct diag *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void diag_label(struct diags *, struct diag *, struct span, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
void diag_help(struct diags *, struct diag *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Is it a terminal that is to show colours (NO_COLOR is not set)? */
bool diags_color(FILE *);

/* Prints all, sorted; `color` for a terminal.  The form of LANGUAGE.md 7. */
void diags_print(struct diags *, FILE *, bool color);

struct json_t;

/*
 * The same as JSON: an array (of libjansson; the caller owns it) of objects
 * with code, severity, message, file, line, column, end_line, end_column,
 * label, labels, help.  NULL with no memory.
 */
struct json_t *diags_json(struct diags *);

/* DIAG_COUNT where `code` names none. */
enum diag_id diag_by_code(struct str code);

/*
 * Of `count` names the one nearest to `name` (Damerau-Levenshtein distance,
 * at most a third of its length, at least 1), or an empty string.
 */
struct str nearest_name(struct str name, const struct str *names, size_t count);

#endif
