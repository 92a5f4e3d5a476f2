/*
 * Truth in four values.  UNKNOWN: a fact is not known yet.  ERROR: it is, but
 * the question could not be answered (a limit was hit).  LANGUAGE: the rule
 * of evaluation, and failure.
 */
#ifndef DSL_TRUTH_H
#define DSL_TRUTH_H

enum truth { FALSE_, TRUE_, UNKNOWN_, ERROR_ };

static inline enum truth
truth_of(int b)
{
	return b ? TRUE_ : FALSE_;
}

static inline enum truth
truth_not(enum truth a)
{
	return a == TRUE_ ? FALSE_ : a == FALSE_ ? TRUE_ : a;
}

/* FALSE < UNKNOWN < ERROR < TRUE: the least decides. */
static inline enum truth
truth_and(enum truth a, enum truth b)
{
	if (a == FALSE_ || b == FALSE_)
		return FALSE_;
	if (a == UNKNOWN_ || b == UNKNOWN_)
		return UNKNOWN_;
	return a == ERROR_ || b == ERROR_ ? ERROR_ : TRUE_;
}

static inline enum truth
truth_or(enum truth a, enum truth b)
{
	return truth_not(truth_and(truth_not(a), truth_not(b)));
}

#endif
