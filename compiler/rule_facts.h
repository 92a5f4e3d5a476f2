/*
 * The facts that a rule names, as its author wrote them: for diagnostics and
 * `milterc explain`.
 */
#ifndef COMPILER_RULE_FACTS_H
#define COMPILER_RULE_FACTS_H

#include "compiler/compile.h"

struct rule_fact {
	struct str name; /* as in header("Subject") */
	struct span span;
	enum milt_stage stage;
	enum milt_scope scope;
};

/*
 * Of the facts of the condition and the reply's text the one that is known
 * last, but not later than `upto`; the first written of several.  False if
 * there is none.
 */
bool rule_latest_fact(struct compilation *, const struct ir_rule *,
    enum milt_stage upto, struct rule_fact *out);

/* The first one that belongs to the recipient. */
bool rule_recipient_fact(
    struct compilation *, const struct ir_rule *, struct rule_fact *out);

/* The same in a condition alone. */
bool expr_recipient_fact(
    struct compilation *, struct ast_expr *, struct rule_fact *out);

#endif
