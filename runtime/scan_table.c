#include "runtime/scan_table.h"

#include <stdlib.h>

#include "runtime/image.h"

enum {
	FILTER_LEAST = 10, /* bits of an index into the filter */
	FILTER_MOST = 20,
	FILTER_SPACE = 16, /* bits of the filter for each gram */
};

/* ---- making ------------------------------------------------------------- */

static uint32_t
gram_at(const uint8_t *text, unsigned n)
{
	uint32_t gram = 0;

	memcpy(&gram, text, n);
	return gram;
}

/* Where the rarest n octets of a literal are. */
static uint8_t
rarest(const struct literal *l, unsigned n)
{
	unsigned best = 0, at = 0;

	for (unsigned i = 0; i + n <= l->n; i++) {
		unsigned r = literal_rarity(l->text + i, n);

		if (i > 0 && r <= best)
			continue;
		best = r;
		at = i;
	}
	return (uint8_t)at;
}

static unsigned
gram_size(const struct literal *l)
{
	return l->n < GRAM_LONGEST ? l->n : GRAM_LONGEST;
}

static void
choose_gram(struct scan_entry *e)
{
	unsigned n = gram_size(&e->literal);

	e->gram_at = rarest(&e->literal, n);
	e->level = (uint8_t)(n - GRAM_SHORTEST);
	e->gram = gram_at(e->literal.text + e->gram_at, n);
}

static int
compare_literals(const struct literal *x, const struct literal *y)
{
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->text, y->text, x->n);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct scan_entry *x = a, *y = b;
	int c;

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->gram != y->gram)
		return x->gram < y->gram ? -1 : 1;
	c = compare_literals(&x->literal, &y->literal);
	if (c != 0)
		return c;
	return x->regex < y->regex ? -1 : x->regex > y->regex;
}

static void
fill_pattern(struct scan_pattern *to, const struct literal *l)
{
	uint8_t mask[LITERAL_BYTES] = { 0 }, text[LITERAL_BYTES] = { 0 };

	memset(mask, 0xff, l->n);
	memcpy(text, l->text, l->n);
	memcpy(to->mask, mask, sizeof(mask));
	memcpy(to->text, text, sizeof(text));
}

static void
fill_needle(struct scan_needle *to, const struct scan_entry *e)
{
	fill_pattern(&to->text, &e->literal);
	to->n = (uint8_t)e->literal.n;
	to->gram = e->gram_at;
}

static bool
grams_new(struct scan_table *t, struct scan_grams *g, uint32_t count)
{
	unsigned bits = FILTER_LEAST, slots = 2;

	while (bits < FILTER_MOST && (1u << bits) / FILTER_SPACE < count)
		bits++;
	while ((1u << slots) / 2 < count)
		slots++;
	g->filter_shift = 32 - bits;
	g->slot_shift = 32 - slots;
	g->filter = calloc((1u << bits) / 64, sizeof(*g->filter));
	g->slots = calloc(1u << slots, sizeof(*g->slots));
	t->bytes += (1u << bits) / 8 + (1u << slots) * sizeof(*g->slots);
	return g->filter && g->slots;
}

static struct scan_slot *
slot_for(const struct scan_grams *g, uint32_t gram)
{
	uint32_t i = scan_gram_hash(gram, g->slot_shift);

	while (g->slots[i].count && g->slots[i].gram != gram)
		i = (i + 1) & (UINT32_MAX >> g->slot_shift);
	return &g->slots[i];
}

static void
add_needle(struct scan_grams *g, uint32_t gram, uint32_t needle)
{
	uint32_t h = scan_gram_hash(gram, g->filter_shift);
	struct scan_slot *slot = slot_for(g, gram);

	g->filter[h / 64] |= UINT64_C(1) << h % 64;
	if (slot->count == 0)
		*slot = (struct scan_slot){ .gram = gram, .first = needle };
	slot->count++;
}

static void
fill_owner(struct scan_owner *to, const struct scan_entry *e)
{
	*to = (struct scan_owner){ .regex = e->regex,
		.min = e->literal.min,
		.max = e->literal.max,
		.before = e->literal.before,
		.also = e->also };
	memcpy(to->after, e->literal.after, sizeof(to->after));
}

/* Entries are in order: those of one literal, and of one gram, together. */
static void
fill(struct scan_table *t, const struct scan_entry *e, uint32_t count)
{
	uint32_t needles = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct scan_needle *to;

		fill_owner(&t->owners[i], &e[i]);
		if (i > 0 && e[i].level == e[i - 1].level &&
		    e[i].gram == e[i - 1].gram &&
		    compare_literals(&e[i].literal, &e[i - 1].literal) == 0) {
			t->needles[needles - 1].count++;
			continue;
		}
		to = &t->needles[needles];
		fill_needle(to, &e[i]);
		to->first = i;
		to->count = 1;
		add_needle(&t->grams[e[i].level], e[i].gram, needles++);
	}
}

struct scan_table *
scan_table_new(void)
{
	struct scan_table *t = calloc(1, sizeof(*t));

	if (t)
		t->bytes = sizeof(*t);
	return t;
}

static void
fill_also(struct scan_also *to, const struct literal *l)
{
	unsigned n = gram_size(l);

	*to = (struct scan_also){ .min = l->min,
		.max = l->max,
		.before = l->before,
		.n = (uint8_t)l->n,
		.gram_at = rarest(l, n) };
	memcpy(to->after, l->after, sizeof(to->after));
	fill_pattern(&to->text, l);
	to->gram = gram_at(l->text + to->gram_at, n);
	memset(&to->gram_mask, 0xff, n);
}

bool
scan_table_also(
    struct scan_table *t, const struct literals_also *set, uint32_t *first)
{
	uint32_t need = t->also_count + set->n;

	*first = IMAGE_NONE;
	if (set->n == 0)
		return true;
	if (need > t->also_room) {
		struct scan_also *more =
		    realloc(t->also, 2 * need * sizeof(*more));

		if (!more)
			return false;
		t->also = more;
		t->also_room = 2 * need;
	}
	*first = t->also_count;
	for (uint32_t i = 0; i < set->n; i++)
		fill_also(&t->also[t->also_count++], &set->v[i]);
	t->also[t->also_count - 1].is_last = true;
	t->bytes += set->n * sizeof(*t->also);
	return true;
}

bool
scan_table_fill(struct scan_table *t, struct scan_entry *e, uint32_t count)
{
	uint32_t grams[GRAM_LEVELS] = { 0 };

	for (uint32_t i = 0; i < count; i++)
		choose_gram(&e[i]);
	if (count)
		qsort(e, count, sizeof(*e), compare_entries);
	for (uint32_t i = 0; i < count; i++)
		if (i == 0 || e[i].level != e[i - 1].level ||
		    e[i].gram != e[i - 1].gram)
			grams[e[i].level]++;
	t->needles = calloc((size_t)count + 1, sizeof(*t->needles));
	t->owners = calloc((size_t)count + 1, sizeof(*t->owners));
	t->bytes += count * (sizeof(*t->needles) + sizeof(*t->owners));
	if (!t->needles || !t->owners)
		return false;
	for (int i = 0; i < GRAM_LEVELS; i++)
		if (grams[i] && !grams_new(t, &t->grams[i], grams[i]))
			return false;
	fill(t, e, count);
	return true;
}

void
scan_table_free(struct scan_table *t)
{
	if (!t)
		return;
	for (int i = 0; i < GRAM_LEVELS; i++) {
		free(t->grams[i].filter);
		free(t->grams[i].slots);
	}
	free(t->needles);
	free(t->owners);
	free(t->also);
	free(t->residual);
	scan_classes_free(t->classes);
	free(t);
}

/* ---- running ------------------------------------------------------------ */

struct run {
	const struct scan_table *table;
	struct str value;
	scan_found *found;
	void *of;
};

/* A gram that passed the filter, at that offset. */
static void __attribute__((noinline)) look_closer(
    const struct run *run, const struct scan_grams *g, uint32_t gram, size_t at)
{
	const struct scan_slot *slot = slot_for(g, gram);

	for (uint32_t i = 0; i < slot->count; i++) {
		const struct scan_needle *needle =
		    &run->table->needles[slot->first + i];

		if (at < needle->gram ||
		    !scan_is_there(&needle->text, needle->n, run->value,
			at - needle->gram))
			continue;
		for (uint32_t k = 0; k < needle->count; k++)
			run->found(run->of,
			    &run->table->owners[needle->first + k],
			    at - needle->gram, needle->n);
	}
}

static inline bool
passes(const uint64_t *filter, unsigned shift, uint32_t gram)
{
	uint32_t h = scan_gram_hash(gram, shift);

	return __builtin_expect(filter[h / 64] >> h % 64 & 1, 0);
}

static void
run_level(const struct run *run, unsigned n)
{
	const struct scan_grams *g = &run->table->grams[n - GRAM_SHORTEST];
	const uint64_t *filter = g->filter;
	const char *p = run->value.p;
	size_t size = run->value.n, i = 0;
	unsigned shift = g->filter_shift;
	uint32_t fold = 0, mask = 0, gram;

	memset(&fold, 0x20, n);
	memset(&mask, 0xff, n);
	for (; i + sizeof(gram) <= size; i++) {
		memcpy(&gram, p + i, sizeof(gram));
		gram = (gram & mask) | fold;
		if (passes(filter, shift, gram))
			look_closer(run, g, gram, i);
	}
	for (; i + n <= size; i++) {
		gram = 0;
		memcpy(&gram, p + i, n);
		gram |= fold;
		if (passes(filter, shift, gram))
			look_closer(run, g, gram, i);
	}
}

void
scan_table_run(
    const struct scan_table *t, struct str value, scan_found *found, void *of)
{
	struct run run = { t, value, found, of };

	for (unsigned n = GRAM_LONGEST; n >= GRAM_SHORTEST; n--)
		if (t->grams[n - GRAM_SHORTEST].filter)
			run_level(&run, n);
}
