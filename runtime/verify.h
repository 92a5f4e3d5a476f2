/*
 * The passes of image_verify.  Each gives NULL or a static sentence.  They run
 * in the order in which they stand here; each relies on those before it.
 */
#ifndef RUNTIME_VERIFY_H
#define RUNTIME_VERIFY_H

#include "runtime/image.h"

/* What a template needs. */
struct template_use {
	uint8_t from;   /* enum milt_stage: its values are known from here on */
	bool recipient; /* names a fact of one recipient */
};

struct verifier {
	const struct milt_image *im;
	/*
	 * Records may be shared, so that a small image could ask for a lot of
	 * work: what is looked at is counted, in octets, against a multiple of
	 * the image's size.
	 */
	uint64_t budget;
	uint32_t *written; /* by instruction: registers written before it */
	bool *target;      /* by instruction: a jump leads there */
	struct template_use *uses;
};

/* Where a fragment stands. */
struct place {
	enum milt_stage stage;
	bool recipient;       /* facts of one recipient are there */
	bool last;            /* its value is final: never UNKNOWN */
	enum milt_attr where; /* loop 0 is at an element; ATTR_NONE */
};

extern const char verify_no_memory[];

/* Takes `count` records of `size` from the budget. */
bool verify_spend(struct verifier *, uint64_t count, uint64_t size);

static inline bool
verify_text(const struct verifier *v, uint32_t text)
{
	return text < v->im->count[SECTION_TEXTS];
}

static inline bool
verify_text_or_none(const struct verifier *v, uint32_t text)
{
	return text == IMAGE_NONE || verify_text(v, text);
}

/* Is [first, first + count) inside the section? */
static inline bool
verify_range(const struct verifier *v, enum image_section section,
    uint32_t first, uint32_t count)
{
	return first <= v->im->count[section] &&
	       count <= v->im->count[section] - first;
}

/* The stage from which an attribute is known. */
enum milt_stage verify_from(
    const struct verifier *, enum milt_attr, uint32_t key);

/* Is `attr` the collection itself or a field of its elements? */
bool verify_fits(enum milt_attr attr, uint32_t key, enum milt_attr collection,
    uint32_t collection_key);

const char *verify_tables(struct verifier *);    /* verify_tables.c */
const char *verify_lists(struct verifier *);     /* verify_lists.c */
const char *verify_templates(struct verifier *); /* verify_tables.c */
const char *verify_needs(struct verifier *);     /* verify_needs.c */
const char *verify_code(struct verifier *);      /* verify_code.c */
const char *verify_finders(struct verifier *);   /* verify_rules.c */
const char *verify_rules(struct verifier *);     /* verify_rules.c */
const char *verify_index(struct verifier *);     /* verify_index.c */

/* Does the type of a reference suit the opcode?  verify_types.c */
const char *verify_operands(const struct verifier *, const struct image_insn *);

/* One fragment, after verify_code.  verify_code.c */
const char *verify_fragment(
    struct verifier *, uint32_t code, const struct place *);

#endif
