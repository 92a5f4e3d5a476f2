/*
 * Classes one behind the other: what there is to look for of a regex that
 * requires no literal.  Each match in a text of ASCII alone (of a regex on
 * octets: in any text) holds octets of these classes, in this order.
 */
#ifndef RUNTIME_LITERAL_CLASS_H
#define RUNTIME_LITERAL_CLASS_H

#include "dsl/str.h"

enum { CLASSES_MOST = 16 };

struct class_set {
	uint64_t in[4]; /* a bit for each octet */
};

struct classes {
	uint32_t n;
	struct class_set set[CLASSES_MOST];
	uint32_t rarity[CLASSES_MOST]; /* tenths of bits */
};

/*
 * The best sequence of a regex with these REGEX_ flags, which PCRE2 has
 * compiled.  False: none that would tell much.
 */
bool classes_of(struct str source, uint32_t flags, struct classes *out);

/* ---- for the reading ---------------------------------------------------- */

static inline void
class_add(struct class_set *s, uint8_t c)
{
	s->in[c / 64] |= UINT64_C(1) << c % 64;
}

static inline bool
class_has(const struct class_set *s, uint8_t c)
{
	return s->in[c / 64] >> c % 64 & 1;
}

struct class_set class_all(void);
/*
 * \d, \D, \s, \S, \w, \W, \h, \H, \v, \V and \N; anything for other letters.
 * Octets beyond ASCII are in all of them.
 */
struct class_set class_named(char letter);
struct class_set class_without(const struct class_set *);
struct class_set class_either(
    const struct class_set *, const struct class_set *);
/* Both cases of each letter of ASCII. */
struct class_set class_caseless(const struct class_set *);

/* Puts a class behind the others; the first goes where there is no room. */
void classes_push(struct classes *, const struct class_set *);
/* What either holds: by places, the rarest run of the longer one. */
void classes_join(struct classes *a, const struct classes *b);
/* Tenths of bits. */
int classes_score(const struct classes *);

#endif
