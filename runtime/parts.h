/*
 * The parts of a rule's condition for people: each comparison, what it looked
 * at, and what came of it.
 */
#ifndef RUNTIME_PARTS_H
#define RUNTIME_PARTS_H

#include "runtime/session.h"

struct part {
	struct str text;     /* as `client.ip in partners` */
	struct str value;    /* of the left side, cut; several after commas */
	enum milt_attr attr; /* of the left side */
	enum milt_attr with; /* that it is compared with, or ATTR_NONE */
	bool there;          /* it has a value */
	enum truth result;   /* UNKNOWN_: the fact is not known yet */
};

/*
 * Of a rule, with the facts known at `stage`, which is over.  Texts and *out
 * are in the arena of the message; with no memory there are fewer parts, and
 * of a large condition the first ones.
 */
size_t rule_parts(struct milt_session *, uint32_t rule, enum milt_stage stage,
    struct part **out);

/*
 * What its whole condition is where of the facts only those are known that
 * `told` is true for.  Loops are not looked into.
 */
enum truth rule_value(struct milt_session *, uint32_t rule,
    bool (*told)(const void *, enum milt_attr), const void *);

const char *truth_word(enum truth);

#endif
