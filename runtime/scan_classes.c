#include "runtime/scan_classes.h"

#include <stdlib.h>

enum { WORDS = 4 }; /* of a block: as many as fit into registers */

struct block {
	uint64_t row[256][WORDS]; /* for each octet: the classes it is of */
	uint64_t first[WORDS], last[WORDS];
	uint32_t regex[WORDS * 64]; /* of the bits in `last` */
};

struct scan_classes {
	uint32_t count;
	struct block block[];
};

/* ---- making ------------------------------------------------------------- */

/* Where sequences go: the next free bit. */
struct place {
	uint32_t block, word, bit;
};

static struct place
place_for(struct place p, uint32_t bits)
{
	if (p.bit + bits <= 64)
		return p;
	p.bit = 0;
	if (++p.word == WORDS) {
		p.word = 0;
		p.block++;
	}
	return p;
}

static void
add_sequence(
    struct block *b, const struct place *p, const struct scan_sequence *s)
{
	uint32_t last = p->bit + s->classes.n - 1;

	b->first[p->word] |= UINT64_C(1) << p->bit;
	b->last[p->word] |= UINT64_C(1) << last;
	b->regex[p->word * 64 + last] = s->regex;
	for (uint32_t i = 0; i < s->classes.n; i++)
		for (unsigned c = 0; c < 256; c++)
			if (class_has(&s->classes.set[i], (uint8_t)c))
				b->row[c][p->word] |= UINT64_C(1)
						      << (p->bit + i);
}

struct scan_classes *
scan_classes_new(const struct scan_sequence *s, uint32_t count)
{
	struct place p = { 0, 0, 0 };
	struct scan_classes *all;

	for (uint32_t i = 0; i < count; i++) {
		p = place_for(p, s[i].classes.n);
		p.bit += s[i].classes.n;
	}
	all = calloc(1, sizeof(*all) + (p.block + 1) * sizeof(*all->block));
	if (!all)
		return NULL;
	all->count = p.block + 1;
	p = (struct place){ 0, 0, 0 };
	for (uint32_t i = 0; i < count; i++) {
		p = place_for(p, s[i].classes.n);
		add_sequence(&all->block[p.block], &p, &s[i]);
		p.bit += s[i].classes.n;
	}
	return all;
}

void
scan_classes_free(struct scan_classes *all)
{
	free(all);
}

size_t
scan_classes_bytes(const struct scan_classes *all)
{
	return all ? sizeof(*all) + all->count * sizeof(*all->block) : 0;
}

/* ---- running ------------------------------------------------------------ */

static void
report(const struct block *b, unsigned word, uint64_t bits,
    scan_class_found *found, void *of)
{
	for (; bits; bits &= bits - 1)
		found(
		    of, b->regex[word * 64 + (unsigned)__builtin_ctzll(bits)]);
}

/* What is found is left out of `last`; false once nothing is left in it. */
static bool
report_all(const struct block *b, const uint64_t state[WORDS],
    uint64_t last[WORDS], scan_class_found *found, void *of)
{
	uint64_t left = 0;

	for (unsigned w = 0; w < WORDS; w++) {
		report(b, w, state[w] & last[w], found, of);
		last[w] &= ~state[w];
		left |= last[w];
	}
	return left != 0;
}

static void
run_block(
    const struct block *b, struct str value, scan_class_found *found, void *of)
{
	uint64_t state[WORDS] = { 0 }, last[WORDS];

	memcpy(last, b->last, sizeof(last));
	for (size_t i = 0; i < value.n; i++) {
		const uint64_t *row = b->row[(uint8_t)value.p[i]];
		uint64_t any = 0;

		for (unsigned w = 0; w < WORDS; w++) {
			state[w] = ((state[w] << 1) | b->first[w]) & row[w];
			any |= state[w] & last[w];
		}
		if (any && !report_all(b, state, last, found, of))
			return;
	}
}

void
scan_classes_run(const struct scan_classes *all, struct str value,
    scan_class_found *found, void *of)
{
	for (uint32_t i = 0; i < all->count; i++)
		run_block(&all->block[i], value, found, of);
}

void
scan_classes_all(
    const struct scan_classes *all, scan_class_found *found, void *of)
{
	for (uint32_t i = 0; i < all->count; i++)
		for (unsigned w = 0; w < WORDS; w++)
			report(&all->block[i], w, all->block[i].last[w], found,
			    of);
}
