/* Values of references, for the interpreter's tests and texts. */
#ifndef RUNTIME_VALUE_H
#define RUNTIME_VALUE_H

#include "runtime/interp.h"

/*
 * The value of a reference.  `at`: for each loop depth the element's index;
 * may be NULL where no reference is to an element.  A count has no text.
 * On FACT_FAILED ip->failure, on FACT_ASK ip->asking is set.
 */
enum fact_state value_load(struct interp *, const struct image_ref *,
    const size_t *at, struct fact_value *out);

/*
 * The text form, as texts show it: addresses as they were sent, numbers in
 * decimal, durations in seconds ("90s"), times and dates as they are written
 * in a policy.  {NULL, 0} with no memory.
 */
struct str value_text(struct interp *, const struct fact_value *);

/* The key by which a value is compared as one of a type; false with no memory.
 */
bool value_key(struct interp *, const struct fact_value *, enum milt_type as,
    struct str *out);

/* Its text as it is, or folded; false with no memory.  test.c */
bool value_form(
    struct interp *, const struct fact_value *, bool exact, struct str *out);

/* Is it an address or network: does its range count? */
static inline bool
value_is_range(const struct fact_value *v)
{
	return v->type == TYPE_IP || v->type == TYPE_NETWORK;
}

/*
 * The text of an attribute's value as the subject of regexes: made valid UTF-8
 * if they are on characters and the value may hold any octets.  {NULL, 0} with
 * no memory.
 */
struct str value_subject(
    struct interp *, enum milt_attr, const struct fact_value *, bool octets);

/*
 * One test, an instruction with a REF operand: FALSE_, TRUE_, or ERROR_ with
 * ip->failure set.  test.c
 */
enum truth test_run(
    struct interp *, const struct image_insn *, const size_t *at);

/* Is a value in a list, or (domains) under a member of it? */
enum truth test_list(struct interp *, const struct image_list *, bool under,
    const struct fact_value *);

#endif
