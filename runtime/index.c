#include "runtime/index.h"

#include <stdlib.h>

#include "runtime/match.h"
#include "runtime/scan_cache.h"
#include "runtime/scan_table.h"
#include "runtime/scan_text.h"
#include "runtime/sets.h"
#include "runtime/value.h"

/* Blocks inside each other: one for each length of a prefix. */
enum { BLOCKS_DEEP = 129, NUMBERS_FIRST = 16, NUMBERS_KEPT = 256 };

/* ---- numbers of rules ------------------------------------------------- */

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
sort_once(struct rule_numbers *r)
{
	size_t n = 0;

	if (r->n > 1)
		qsort(r->v, r->n, sizeof(*r->v), compare_numbers);
	for (size_t i = 0; i < r->n; i++)
		if (n == 0 || r->v[n - 1] != r->v[i])
			r->v[n++] = r->v[i];
	r->n = n;
}

/*
 * Room for n more.  The same rules may be hit again and again, by many values:
 * the memory grows with the number of different ones.
 */
static bool
reserve(struct rule_numbers *r, size_t n)
{
	size_t cap = r->cap ? r->cap : NUMBERS_FIRST;
	uint32_t *v;

	if (r->n + n <= r->cap)
		return true;
	sort_once(r);
	while (cap < 2 * (r->n + n))
		cap *= 2;
	v = realloc(r->v, cap * sizeof(*v));
	if (!v)
		return false;
	r->v = v;
	r->cap = cap;
	return true;
}

void
rule_numbers_clear(struct rule_numbers *r)
{
	r->n = 0;
	if (r->cap <= NUMBERS_KEPT)
		return;
	free(r->v);
	*r = (struct rule_numbers){ 0 };
}

/* ---- look-ups --------------------------------------------------------- */

struct lookup {
	struct interp *ip;
	const struct image_probe *probe;
	struct rule_numbers *out;
};

static bool
hit(struct lookup *l, uint32_t hits)
{
	const struct milt_image *im = l->ip->image;
	const struct image_hits *h = &im->hits[hits];

	if (!reserve(l->out, h->count))
		return false;
	memcpy(l->out->v + l->out->n, im->hit_rules + h->first,
	    h->count * sizeof(*l->out->v));
	l->out->n += h->count;
	return true;
}

static bool
look_key(struct lookup *l, struct str key)
{
	const struct milt_image *im = l->ip->image;
	const struct image_probe *p = l->probe;
	const struct image_key *slots = im->slots + p->first;
	uint64_t hash = set_hash(key, p->seed);
	uint32_t mask = p->count - 1, at = (uint32_t)hash & mask;

	for (uint32_t n = 0; n <= p->longest; n++) {
		const struct image_key *slot = &slots[at];

		if (slot->text == IMAGE_NONE)
			return true;
		if (slot->tag == hash >> 32 &&
		    str_eq(image_text(im, slot->text), key))
			return hit(l, slot->hits);
		at = (at + 1) & mask;
	}
	return true;
}

static bool
look_keys(struct lookup *l, const struct fact_value *v)
{
	struct str key;

	if (l->probe->form == TYPE_NONE) {
		key = value_text(l->ip, v);
		return key.p ? look_key(l, key) : hit(l, l->probe->all);
	}
	if (!value_key(l->ip, v, (enum milt_type)l->probe->form, &key))
		return hit(l, l->probe->all);
	if (l->probe->kind == PROBE_KEYS)
		return look_key(l, key);
	for (key = set_suffix(key); key.p; key = set_suffix_next(key))
		if (!look_key(l, key))
			return false;
	return true;
}

static bool
look_networks(struct lookup *l, const struct fact_value *v)
{
	const struct image_block *base = l->ip->image->blocks + l->probe->first;
	uint32_t low = 0, high = l->probe->count, at;

	if (!value_is_range(v))
		return true;
	/* The last block that does not begin behind the address. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ip_compare(base[middle].range.first, v->range.first) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	at = low ? low - 1 : IMAGE_NONE;
	for (int n = 0; n < BLOCKS_DEEP && at != IMAGE_NONE; n++) {
		const struct image_block *b = &base[at];

		if (ip_compare(v->range.first, b->range.last) <= 0 &&
		    !hit(l, b->hits))
			return false;
		at = b->parent;
	}
	return true;
}

static bool
look_numbers(struct lookup *l, const struct fact_value *v)
{
	const struct image_point *base = l->ip->image->points + l->probe->first;
	uint32_t low = 0, high = l->probe->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (base[middle].number < v->number)
			low = middle + 1;
		else
			high = middle;
	}
	return low == l->probe->count || base[low].number != v->number ||
	       hit(l, base[low].hits);
}

/* Those of [low, high) that hold the number; calls go as deep as halves do. */
static bool
look_between(struct lookup *l, uint32_t low, uint32_t high, int64_t number)
{
	const struct image_interval *base =
	    l->ip->image->intervals + l->probe->first;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct image_interval *m = &base[middle];

		if (m->most < number)
			return true;
		if (!look_between(l, low, middle, number))
			return false;
		if (m->first > number)
			return true;
		if (m->last >= number && !hit(l, m->hits))
			return false;
		low = middle + 1;
	}
	return true;
}

/* Both the candidates and the patterns are in order. */
static bool
look_regexes(struct lookup *l, const struct fact_value *v)
{
	const struct milt_image *im = l->ip->image;
	const struct image_pattern *base = im->patterns + l->probe->first;
	uint32_t subject = scan_subject(im, l->probe->ref, l->probe->form);
	struct scan_result found;
	uint32_t at = 0;

	if (l->ip->plain || subject == IMAGE_NONE ||
	    !scan_value(l->ip, subject, v, &found))
		return hit(l, l->probe->all);
	for (uint32_t i = 0; i < found.count && at < l->probe->count; i++) {
		uint32_t low = at, high = l->probe->count;

		while (low < high) {
			uint32_t middle = low + (high - low) / 2;

			if (base[middle].what < found.regexes[i])
				low = middle + 1;
			else
				high = middle;
		}
		at = low;
		if (at < l->probe->count && base[at].what == found.regexes[i] &&
		    !hit(l, base[at].hits))
			return false;
	}
	return true;
}

static bool
is_exact(uint8_t op)
{
	return op == OPC_CONTAINS_EXACT || op == OPC_STARTS_EXACT ||
	       op == OPC_ENDS_EXACT || op == OPC_LIKE_EXACT;
}

static bool
look_texts(struct lookup *l, const struct fact_value *v)
{
	const struct milt_image *im = l->ip->image;
	const struct image_pattern *base = im->patterns + l->probe->first;
	const struct scan_table *t = im->scan->texts[l->probe - im->probes];
	struct scan_cache *c = match_scans(l->ip->scratch);
	struct str text;

	if (l->ip->plain || !c ||
	    !value_form(l->ip, v, is_exact(l->probe->form), &text) ||
	    !scan_texts(c, t, l->probe, text))
		return hit(l, l->probe->all);
	for (uint32_t i = 0; i < c->hit_count; i++)
		if (!hit(l, base[c->hits[i].regex].hits))
			return false;
	for (uint32_t i = 0; i < t->residual_count; i++)
		if (!hit(l, base[t->residual[i]].hits))
			return false;
	return true;
}

/* A list that stays what it is: one look-up for all rules that ask for it. */
static bool
look_list(struct lookup *l, const struct fact_value *v)
{
	const struct image_list *list = &l->ip->image->lists[l->probe->first];

	return test_list(l->ip, list, l->probe->kind == PROBE_UNDER_LIST, v) ==
		   FALSE_ ||
	       hit(l, l->probe->all);
}

static bool
look(struct lookup *l, const struct fact_value *v)
{
	switch ((enum probe_kind)l->probe->kind) {
	case PROBE_KEYS:
	case PROBE_UNDER:
		return look_keys(l, v);
	case PROBE_NETWORKS:
		return look_networks(l, v);
	case PROBE_NUMBERS:
		return look_numbers(l, v);
	case PROBE_RANGES:
		return look_between(l, 0, l->probe->count, v->number);
	case PROBE_REGEXES:
		return look_regexes(l, v);
	case PROBE_TEXTS:
		return look_texts(l, v);
	case PROBE_LIST:
	case PROBE_UNDER_LIST:
		return look_list(l, v);
	case PROBE_CODE:
	case PROBE_KINDS:
		break;
	}
	return true;
}

/* How many values the probe's reference has. */
static enum fact_state
count_values(struct interp *ip, const struct image_ref *ref, size_t *count)
{
	struct str key =
	    ref->key == IMAGE_NONE ? STR("") : image_text(ip->image, ref->key);

	*count = 1;
	if (ref->from != REF_ELEMENT)
		return FACT_THERE;
	return facts_count(ip->facts, ref->attr, key, count);
}

/* All values; what cannot be had hits all rules. */
static bool
look_at_values(struct lookup *l)
{
	struct interp *ip = l->ip;
	const struct image_ref *ref = &ip->image->refs[l->probe->ref];
	size_t count, at[4] = { 0 }; /* LIMIT_LOOPS */
	enum fact_state state = count_values(ip, ref, &count);

	if (state == FACT_FAILED || state == FACT_PARTIAL)
		return hit(l, l->probe->all);
	if (state == FACT_MISSING)
		return true;
	for (size_t i = 0; i < count && state != FACT_ASK; i++) {
		struct fact_value v;

		at[ref->loop] = i;
		state = value_load(ip, ref, at, &v);
		if (state == FACT_FAILED || state == FACT_PARTIAL)
			return hit(l, l->probe->all);
		if (state == FACT_THERE && !look(l, &v))
			return false;
	}
	if (state == FACT_ASK)
		ip->asking = true;
	return !ip->asking;
}

static bool
look_at_code(struct lookup *l)
{
	enum truth v = interp_run(l->ip, l->probe->code);

	if (l->ip->asking)
		return false;
	return v == FALSE_ || hit(l, l->probe->all);
}

static bool
look_probe(struct interp *ip, uint32_t probe, struct rule_numbers *out)
{
	struct lookup l = {
		.ip = ip, .probe = &ip->image->probes[probe], .out = out
	};

	return l.probe->kind == PROBE_CODE ? look_at_code(&l)
					   : look_at_values(&l);
}

/* The first of a stage's probes with a name whose hash is not below this. */
static uint32_t
first_named(
    const struct milt_image *im, uint32_t low, uint32_t high, uint32_t hash)
{
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (im->probes[middle].name < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Is field number i the first one of its name? */
static bool
is_first_field(const struct facts *f, size_t i, uint32_t hash)
{
	uint32_t other;

	for (size_t k = 0; k < i; k++)
		if (facts_name_at(f, k, &other) && other == hash)
			return false;
	return true;
}

/* Of the probes with a name only those whose fields the message has. */
static bool
look_named(
    struct interp *ip, uint32_t from, uint32_t to, struct rule_numbers *out)
{
	const struct milt_image *im = ip->image;
	uint32_t hash;

	for (size_t i = 0; facts_name_at(ip->facts, i, &hash); i++) {
		uint32_t at = first_named(im, from, to, hash);

		if (at == to || im->probes[at].name != hash ||
		    !is_first_field(ip->facts, i, hash))
			continue;
		for (; at < to && im->probes[at].name == hash; at++)
			if (!look_probe(ip, at, out))
				return false;
	}
	return true;
}

bool
index_hits(struct interp *ip, enum milt_stage stage, struct rule_numbers *out)
{
	const struct image_stage *st = &ip->image->stages[stage];
	uint32_t end = st->probes + st->probe_count;
	uint32_t named = end - st->named_count;

	out->n = 0;
	/* Where fields are missing, each look-up finds that out. */
	if (facts_fields_over(ip->facts))
		named = end;
	for (uint32_t i = st->probes; i < named; i++)
		if (!look_probe(ip, i, out))
			return false;
	if (!look_named(ip, named, end, out))
		return false;
	sort_once(out);
	return true;
}
