/*
 * Random policies and transactions, and the rule of evaluation read off them
 * plainly: shares nothing with the runtime.
 */
#ifndef TESTS_PROPERTY_POLICY_H
#define TESTS_PROPERTY_POLICY_H

#include "compiler/play.h"

enum { VARS = 2, MAX_RULES = 9, MAX_RECIPIENTS = 3, MAX_NODES = 12 };

enum op { OP_FACT, OP_AND_, OP_OR_, OP_NOT_ };

struct cond {
	enum op op;
	int stage, var; /* OP_FACT */
	bool range;     /* OP_FACT: asked of a number */
	int a, b;       /* children in rule.nodes */
};

enum kind {
	ACCEPT,
	REJECT,
	TEMPFAIL,
	DISCARD,
	EFFECT,
	SHADOW,
	NOTE,
	JS,
	KINDS
};

struct rule {
	enum kind kind;
	struct cond nodes[MAX_NODES];
	int node_count, root; /* root -1: no condition */
	int pin;              /* -1: none */
	int text_stage;       /* fact in the reply's text; -1: none */
	bool extra;           /* accept: an effect of its own */
	bool recipient;
	/* JS: */
	bool body;     /* needs body */
	unsigned may;  /* bit `kind`; 0: it says nothing of it */
	int failure;   /* a verdict; -1: ignore */
	uint64_t seed; /* of its answers */
};

struct policy {
	struct rule rules[MAX_RULES + 1]; /* the last is `otherwise` */
	int n;                            /* without `otherwise` */
};

struct facts_bits {
	bool v[STAGE_COUNT][VARS];
};

extern const char fact_letter[STAGE_COUNT + 1];

/* ---- policies: policy.c ------------------------------------------------- */

void make_policy(struct policy *);
struct str policy_text(struct arena *, const struct policy *);

/* `recipients`: each with a reading of its own. */
void make_transaction(struct arena *, const struct facts_bits *,
    const struct facts_bits *recipients, int n, struct transaction *);

/* Answers with what result_of says; `recipient` -1: a shared rule. */
void answer_question(struct milt_session *, const struct rule *, int recipient);

/* What a js rule's answer comes to; a failure is what it then gives. */
struct result {
	int verdict; /* -1: none */
	bool effects, log;
};
struct result result_of(const struct rule *, int recipient);

/* The verdicts that a js rule can give. */
unsigned js_kinds(const struct rule *);

/* ---- the plain reading: reading.c --------------------------------------- */

struct reading {
	enum kind kind;
	int speaker, stage;        /* at which it is certain */
	int cut;                   /* first matching verdict in file order */
	bool asked[MAX_RULES + 1]; /* js rules */
};

struct reading read_policy(
    const struct policy *, const struct facts_bits *, int recipient);

/* Does the rule match for its effects and notes? */
bool rule_applies(const struct rule *, const struct facts_bits *);
bool rule_has_effects(const struct rule *, int recipient);
bool rule_has_note(const struct rule *, int recipient);

bool is_refusal(enum kind);

/* When a verdict of rule `i` that is certain at `stage` is given. */
int given_at(const struct policy *, int i, enum kind, int stage);

#endif
