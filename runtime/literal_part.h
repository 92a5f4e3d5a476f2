/*
 * What parts of a regex match, and how they make larger ones: for literal.c.
 */
#ifndef RUNTIME_LITERAL_PART_H
#define RUNTIME_LITERAL_PART_H

#include "runtime/literal.h"
#include "runtime/literal_class.h"

struct part {
	bool exact; /* one of `texts` and nothing else */
	struct literals texts;
	uint32_t min, max;    /* width */
	bool in_line;         /* never holds CR or LF */
	near_set first, last; /* octets, if it has any */
	bool one;             /* one character of `first`: no more, no less */
	struct literals best; /* required; places from the part's begin */
	int score;            /* of best; negative: there is none */
	struct literals_also also; /* required, too */
	int also_score;
	bool fixed; /* as many characters as `classes`, of these */
	struct classes classes;
	struct classes best_classes; /* required */
	int class_score;
};

/* Parts one behind the other. */
struct sequence {
	struct literals run;       /* texts that end where it ends */
	uint32_t run_min, run_max; /* where they begin */
	struct literals ended;     /* the run before, if */
	bool waiting;              /* for what follows it */
	uint32_t ended_min, ended_max;
	near_set follow[NEAR_AFTER]; /* what may follow it so far */
	uint32_t followed;           /* what is complete of that */
	bool blurred;                /* what follows is not at one place */
	near_set behind; /* where the sequence ends: what may be before that */
	bool begun;      /* something is in it for certain */
	struct classes classes; /* with which it ends */
	struct part all;        /* `texts` is not in use */
};

/* Anything of that width, CR and LF too. */
void part_unknown(struct part *, uint32_t min, uint32_t max);
void part_empty(struct part *);
/* Nothing, where `letter` holds: ^, $, or what is behind a backslash. */
void part_between(struct part *, char letter);
void part_text(struct part *, const uint8_t *text, uint32_t n);
/* One character of a class. */
void part_class(struct part *, const struct class_set *);
/* *a or b. */
void part_either(struct part *a, const struct part *b);

void sequence_begin(struct sequence *);
/* The part `low` to `high` times; p is used up. */
static const uint32_t REPEAT_ANY __attribute__((unused)) = UINT32_MAX;
void sequence_add(
    struct sequence *, struct part *p, uint32_t low, uint32_t high);
void sequence_end(struct sequence *, struct part *out);

#endif
