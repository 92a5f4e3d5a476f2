/*
 * What there is to say about a rule: made once, printed as text or JSON.
 */
#ifndef COMPILER_ACCOUNT_H
#define COMPILER_ACCOUNT_H

#include "compiler/compile.h"
#include "compiler/needs.h"

/* Rules that are listed as holding one; the rest is counted. */
enum { ACCOUNT_HOLDERS = 10 };

struct account {
	const struct ir_rule *rule;
	struct str file;
	unsigned line;
	struct str kind;         /* "reject 550 5.7.1", "effects", "shadow" */
	struct str scope;        /* "session", "message", "recipient" */
	enum milt_stage decided; /* its own facts are known from here on */
	bool never;              /* its condition is always false */
	struct str reason;       /* why there */
	struct str spoken;       /* where */
	const struct ir_rule *holders[ACCOUNT_HOLDERS];
	size_t holder_count; /* all of them */
};

/* Verdict rules seen that hold the same ones. */
struct account_group {
	const struct ir_rule *first[ACCOUNT_HOLDERS];
	size_t count; /* all of them */
};

/* What the accounts of a file's rules are made from, in one walk over it. */
struct accounts {
	struct compilation *c; /* borrowed */
	/* By the verdict given (ACTION_NONE: one of several) and the stage from
	 * which the rule is known. */
	struct account_group above[ACTION_COUNT][STAGE_COUNT];
	bool effects_above;
};

void accounts_begin(struct accounts *, struct compilation *);
/* To be asked for each rule in file order, and last for `otherwise`. */
struct account accounts_next(struct accounts *, const struct ir_rule *);

/* What a js rule asks: "hooks.mjs#check, for at most 2000 ms". */
struct str account_call(struct compilation *, const struct ir_rule *);

/* Where a rule stands. */
void account_place(const struct compilation *, const struct ir_rule *,
    struct str *file, unsigned *line);

/* Does a rule that is not a shadow use the action? */
bool account_uses(const struct ir *, enum milt_action);

#endif
