#include "runtime/counts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

enum kind { KIND_RULE, KIND_OTHERWISE, KIND_NAME };

struct counter {
	struct counter *next; /* of the same bucket */
	unsigned long users;  /* policies */
	XXH64_hash_t hash;
	enum kind kind;
	atomic_ullong n[RULE_EVENTS]; /* a name has n[0] */
	size_t length;
	char name[];
};

struct counts {
	struct counter **rules, **names; /* counted; names are sorted */
	size_t rule_count, name_count;
};

/* All that some policy uses. */
static struct {
	struct counter **buckets;
	size_t size, n; /* size: a power of two */
} all;

/* ---- the table ----------------------------------------------------------- */

static bool
grow(void)
{
	size_t size = all.size ? all.size * 2 : 256;
	struct counter **buckets;

	if (all.n < all.size)
		return true;
	buckets = calloc(size, sizeof(struct counter *));
	if (!buckets)
		return false;
	for (size_t i = 0; i < all.size; i++)
		for (struct counter *c = all.buckets[i], *next; c; c = next) {
			struct counter **at = &buckets[c->hash & (size - 1)];

			next = c->next;
			c->next = *at;
			*at = c;
		}
	free(all.buckets);
	all.buckets = buckets;
	all.size = size;
	return true;
}

/* The counter of that name, with one user more; NULL with no memory. */
static struct counter *
take(enum kind kind, struct str name)
{
	XXH64_hash_t hash = XXH3_64bits_withSeed(name.p, name.n, kind);
	struct counter *c, **at;

	if (!grow())
		return NULL;
	at = &all.buckets[hash & (all.size - 1)];
	for (c = *at; c; c = c->next)
		if (c->hash == hash && c->kind == kind && c->length == name.n &&
		    memcmp(c->name, name.p, name.n) == 0) {
			c->users++;
			return c;
		}
	c = calloc(1, sizeof(*c) + name.n);
	if (!c)
		return NULL;
	c->users = 1;
	c->hash = hash;
	c->kind = kind;
	c->length = name.n;
	if (name.n)
		memcpy(c->name, name.p, name.n);
	c->next = *at;
	*at = c;
	all.n++;
	return c;
}

static void
give_back(struct counter *c)
{
	struct counter **at;

	if (!c || --c->users > 0)
		return;
	at = &all.buckets[c->hash & (all.size - 1)];
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
	if (--all.n > 0)
		return;
	free(all.buckets);
	all.buckets = NULL;
	all.size = 0;
}

/* ---- a policy's ---------------------------------------------------------- */

/* The name of a `count` action; the text of no other has one piece. */
static struct str
metric_name(const struct milt_image *im, const struct image_action *a)
{
	const struct image_template *t = &im->templates[a->texts];

	if (t->count != 1 || im->pieces[t->first].kind != IMAGE_PIECE_TEXT)
		return STR("");
	return image_text(im, im->pieces[t->first].a);
}

static struct str
name_of(const struct counter *c)
{
	return (struct str){ c->name, c->length };
}

static int
order(const void *a, const void *b)
{
	struct str x = name_of(*(struct counter *const *)a);
	struct str y = name_of(*(struct counter *const *)b);
	int r = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return r ? r : (x.n > y.n) - (x.n < y.n);
}

static bool
take_names(struct counts *k, const struct milt_image *im)
{
	size_t n = 0, kept = 0;

	k->names = calloc(
	    (size_t)im->count[SECTION_ACTIONS] + 1, sizeof(struct counter *));
	if (!k->names)
		return false;
	for (uint32_t i = 0; i < im->count[SECTION_ACTIONS]; i++) {
		if (im->actions[i].action != ACTION_METRIC)
			continue;
		k->names[n] = take(KIND_NAME, metric_name(im, &im->actions[i]));
		if (!k->names[n])
			return false;
		k->name_count = ++n;
	}
	qsort(k->names, n, sizeof(*k->names), order);
	/* A policy is one user of a name that stands in it twice. */
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && k->names[kept - 1] == k->names[i])
			give_back(k->names[i]);
		else
			k->names[kept++] = k->names[i];
	}
	k->name_count = kept;
	return true;
}

static bool
take_rules(struct counts *k, const struct milt_image *im)
{
	uint32_t n = im->count[SECTION_RULES];

	k->rules = calloc((size_t)n + 1, sizeof(struct counter *));
	if (!k->rules)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		k->rules[i] = take(i + 1 == n ? KIND_OTHERWISE : KIND_RULE,
		    image_text(im, im->rules[i].name));
		if (!k->rules[i])
			return false;
		k->rule_count = i + 1;
	}
	return true;
}

struct counts *
counts_new(const struct milt_image *im)
{
	struct counts *k = calloc(1, sizeof(*k));

	if (k && take_rules(k, im) && take_names(k, im))
		return k;
	counts_free(k);
	return NULL;
}

void
counts_free(struct counts *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->rule_count; i++)
		give_back(k->rules[i]);
	for (size_t i = 0; i < k->name_count; i++)
		give_back(k->names[i]);
	free(k->rules);
	free(k->names);
	free(k);
}

/* ---- counting ------------------------------------------------------------ */

static void
add(atomic_ullong *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

void
counts_add(struct counts *k, uint32_t rule, enum rule_event event)
{
	if (rule < k->rule_count)
		add(&k->rules[rule]->n[event]);
}

void
counts_add_named(struct counts *k, struct str name)
{
	for (size_t low = 0, high = k->name_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		struct str at = name_of(k->names[middle]);
		size_t n = at.n < name.n ? at.n : name.n;
		int r = n ? memcmp(name.p, at.p, n) : 0;

		if (r == 0)
			r = (name.n > at.n) - (name.n < at.n);
		if (r == 0) {
			add(&k->names[middle]->n[0]);
			return;
		}
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
}

unsigned long long
counts_rule(const struct counts *k, uint32_t rule, enum rule_event event)
{
	return atomic_load_explicit(
	    &k->rules[rule]->n[event], memory_order_relaxed);
}

bool
counts_may(const struct counts *k, const struct milt_image *im, uint32_t rule,
    enum rule_event event)
{
	const struct image_rule *r = &im->rules[rule];
	bool shadow = r->flags & RULE_SHADOW, js = r->flags & RULE_JS;

	switch (event) {
	case RULE_DECIDED:
		return js || (!shadow && r->verdict != ACTION_NONE);
	case RULE_EFFECT:
		return js ||
		       (!shadow &&
			   r->count > (r->verdict != ACTION_NONE ? 1u : 0u));
	case RULE_MATCHED_SHADOW:
		return shadow;
	case RULE_FAILED:
		return counts_rule(k, rule, event) > 0;
	case RULE_EVENTS:
		break;
	}
	return false;
}

size_t
counts_names(const struct counts *k)
{
	return k->name_count;
}

struct str
counts_name(const struct counts *k, size_t i)
{
	return name_of(k->names[i]);
}

unsigned long long
counts_named(const struct counts *k, size_t i)
{
	return atomic_load_explicit(&k->names[i]->n[0], memory_order_relaxed);
}
