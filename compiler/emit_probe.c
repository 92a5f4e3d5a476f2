/* Probes: what tests look for, gathered from all rules, as tables. */
#include <stdlib.h>

#include "compiler/emit.h"
#include "compiler/sets.h"
#include "runtime/facts.h"
#include "runtime/sets.h"

struct posting {
	uint32_t key, rule;
};

struct probe_maker {
	struct image_probe probe;
	const struct ir_node *node; /* PROBE_CODE and lists */
	struct intern keys;         /* texts, ranges, numbers: their bytes */
	VEC(struct posting) postings;
	VEC(uint32_t) all;
	uint32_t hits;   /* of key 0; those of the others follow */
	uint32_t number; /* in the order in which they were made */
	bool named;
};

struct probe_maker *
probe_new(struct emitter *e, enum probe_kind kind, uint32_t form, uint32_t ref)
{
	struct probe_maker *p = ARENA_NEW(e->arena, struct probe_maker);

	p->probe = (struct image_probe){
		.kind = (uint8_t)kind,
		.form = (uint8_t)form,
		.ref = ref,
		.code = IMAGE_NONE,
	};
	p->number = e->index.made++;
	intern_init(&p->keys, e->arena);
	return p;
}

void
probe_set_name(struct probe_maker *p, struct str name)
{
	p->probe.name = facts_name_hash(name);
	p->named = true;
}

bool
probe_has_name(const struct probe_maker *p)
{
	return p->named;
}

int
probe_compare(const void *a, const void *b)
{
	const struct probe_maker *x = *(struct probe_maker *const *)a;
	const struct probe_maker *y = *(struct probe_maker *const *)b;

	if (x->named != y->named)
		return x->named - y->named;
	if (x->probe.name != y->probe.name)
		return x->probe.name < y->probe.name ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* ---- adding ----------------------------------------------------------- */

static void
add_key(struct emitter *e, struct probe_maker *p, struct str key, uint32_t rule)
{
	bool added;
	struct posting posting = { intern_add(&p->keys, key, &added), rule };

	vec_push(e->arena, &p->postings, posting);
}

static void
set_bits(struct ip *ip, unsigned from)
{
	for (unsigned bit = from; bit < 128; bit++)
		ip->b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* The largest CIDR block that begins at `first` and ends by `last`. */
static struct ip_range
block_at(struct ip first, struct ip last)
{
	struct ip_range block = { first, first };
	unsigned prefix = 128;

	while (prefix > 0 &&
	       !(first.b[(prefix - 1) / 8] & 0x80 >> (prefix - 1) % 8)) {
		struct ip end = first;

		set_bits(&end, prefix - 1);
		if (ip_compare(end, last) > 0)
			break;
		block.last = end;
		prefix--;
	}
	return block;
}

static void
add_range(struct emitter *e, struct probe_maker *p, struct ip_range range,
    uint32_t rule)
{
	do {
		struct ip_range block = block_at(range.first, range.last);

		add_key(
		    e, p, (struct str){ (char *)&block, sizeof(block) }, rule);
		range.first = block.last;
	} while (
	    ip_next(&range.first) && ip_compare(range.first, range.last) <= 0);
}

static void
add_number(
    struct emitter *e, struct probe_maker *p, int64_t number, uint32_t rule)
{
	add_key(e, p, (struct str){ (char *)&number, sizeof(number) }, rule);
}

static void
add_interval(struct emitter *e, struct probe_maker *p,
    const struct trigger_test *t, uint32_t rule)
{
	int64_t key[] = { t->first, t->last };

	if (t->first <= t->last)
		add_key(e, p, (struct str){ (char *)key, sizeof(key) }, rule);
}

static void
add_members(struct emitter *e, struct probe_maker *p, const struct ir_list *l,
    uint32_t rule)
{
	for (size_t i = 0; i < l->keys.n; i++)
		add_key(e, p, l->keys.v[i], rule);
	for (size_t i = 0; i < l->ranges.n; i++)
		add_range(e, p, l->ranges.v[i], rule);
	for (size_t i = 0; i < l->numbers.n; i++)
		add_number(e, p, l->numbers.v[i], rule);
}

/* The key of an address or network: its first, or first and last address. */
static struct ip_range
range_of(struct str key)
{
	struct ip_range range;

	memcpy(&range.first, key.p, sizeof(range.first));
	memcpy(&range.last, key.p + key.n - sizeof(range.last),
	    sizeof(range.last));
	return range;
}

void
probe_add(struct emitter *e, struct probe_maker *p,
    const struct trigger_test *test, uint32_t rule)
{
	const struct ir_node *n = test->node;

	p->node = n;
	if (!p->all.n || p->all.v[p->all.n - 1] != rule)
		vec_push(e->arena, &p->all, rule);
	switch ((enum probe_kind)p->probe.kind) {
	case PROBE_KEYS:
	case PROBE_UNDER:
	case PROBE_NETWORKS:
	case PROBE_NUMBERS:
		if (n->right_list)
			add_members(e, p, n->right_list, rule);
		else if (p->probe.kind == PROBE_NETWORKS)
			add_range(e, p, range_of(n->right_text), rule);
		else if (p->probe.kind == PROBE_NUMBERS)
			add_number(e, p, n->right_number, rule);
		else
			add_key(e, p, n->right_text, rule);
		return;
	case PROBE_RANGES:
		add_interval(e, p, test, rule);
		return;
	case PROBE_TEXTS:
		add_key(e, p, n->right_text, rule);
		return;
	case PROBE_REGEXES:
		add_key(e, p,
		    (struct str){ (char *)&n->right_regex->number,
			sizeof(n->right_regex->number) },
		    rule);
		return;
	case PROBE_LIST:
	case PROBE_UNDER_LIST:
	case PROBE_CODE:
	case PROBE_KINDS:
		return;
	}
}

/* ---- records ---------------------------------------------------------- */

static uint32_t
emit_hits(struct emitter *e, const uint32_t *rules, size_t n)
{
	struct image_hits h = { .first = (uint32_t)e->index.hit_rules.n };

	for (size_t i = 0; i < n; i++)
		if (i == 0 || rules[i] != rules[i - 1])
			vec_push(e->arena, &e->index.hit_rules, rules[i]);
	h.count = (uint32_t)e->index.hit_rules.n - h.first;
	vec_push(e->arena, &e->index.hits, h);
	return (uint32_t)e->index.hits.n - 1;
}

/* The rules of each key, in file order as they were added. */
static void
emit_key_hits(struct emitter *e, struct probe_maker *p)
{
	size_t n = p->keys.keys.n;
	uint32_t *start = ARENA_ARRAY(e->arena, n + 2, uint32_t);
	uint32_t *rules = ARENA_ARRAY(e->arena, p->postings.n + 1, uint32_t);

	for (size_t i = 0; i < p->postings.n; i++)
		start[p->postings.v[i].key + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < p->postings.n; i++)
		rules[start[p->postings.v[i].key + 1]++] =
		    p->postings.v[i].rule;
	p->hits = (uint32_t)e->index.hits.n;
	for (size_t i = 0; i < n; i++)
		emit_hits(e, rules + start[i], start[i + 1] - start[i]);
}

static void
emit_slots(struct emitter *e, struct probe_maker *p)
{
	size_t n = p->keys.keys.n;
	uint32_t count = set_slots(n);
	uint32_t *at = ARENA_ARRAY(e->arena, n + 1, uint32_t);
	struct image_key *slots =
	    ARENA_ARRAY(e->arena, count, struct image_key);

	p->probe.first = (uint32_t)e->index.slots.n;
	p->probe.count = count;
	p->probe.longest =
	    set_place(e->arena, p->keys.keys.v, n, count, at, &p->probe.seed);
	for (uint32_t i = 0; i < count; i++)
		slots[i] = (struct image_key){ 0, IMAGE_NONE, 0 };
	for (size_t i = 0; i < n; i++) {
		struct str key = p->keys.keys.v[i];

		slots[at[i]] = (struct image_key){
			(uint32_t)(set_hash(key, p->probe.seed) >> 32),
			emit_text(e, key),
			p->hits + (uint32_t)i,
		};
	}
	for (uint32_t i = 0; i < count; i++)
		vec_push(e->arena, &e->index.slots, slots[i]);
}

static int
compare_blocks(const void *a, const void *b)
{
	const struct image_block *x = a, *y = b;
	int c = ip_compare(x->range.first, y->range.first);

	return c ? c : ip_compare(y->range.last, x->range.last);
}

/* Blocks lie inside each other or apart: a stack has those around. */
static void
link_blocks(struct image_block *v, size_t n)
{
	uint32_t around = IMAGE_NONE;

	for (uint32_t i = 0; i < n; i++) {
		while (around != IMAGE_NONE &&
		       ip_compare(v[around].range.last, v[i].range.first) < 0)
			around = v[around].parent;
		v[i].parent = around;
		around = i;
	}
}

static void
emit_blocks(struct emitter *e, struct probe_maker *p)
{
	size_t n = p->keys.keys.n;
	struct image_block *v = ARENA_ARRAY(e->arena, n, struct image_block);

	for (size_t i = 0; i < n; i++) {
		memcpy(&v[i].range, p->keys.keys.v[i].p, sizeof(v[i].range));
		v[i].hits = p->hits + (uint32_t)i;
	}
	qsort(v, n, sizeof(*v), compare_blocks);
	link_blocks(v, n);
	p->probe.first = (uint32_t)e->index.blocks.n;
	p->probe.count = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		vec_push(e->arena, &e->index.blocks, v[i]);
}

static int
compare_points(const void *a, const void *b)
{
	const struct image_point *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void
emit_points(struct emitter *e, struct probe_maker *p)
{
	size_t n = p->keys.keys.n;
	struct image_point *v = ARENA_ARRAY(e->arena, n, struct image_point);

	for (size_t i = 0; i < n; i++) {
		memcpy(&v[i].number, p->keys.keys.v[i].p, sizeof(v[i].number));
		v[i].hits = p->hits + (uint32_t)i;
	}
	qsort(v, n, sizeof(*v), compare_points);
	p->probe.first = (uint32_t)e->index.points.n;
	p->probe.count = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		vec_push(e->arena, &e->index.points, v[i]);
}

static int
compare_intervals(const void *a, const void *b)
{
	const struct image_interval *x = a, *y = b;
	int c = (x->first > y->first) - (x->first < y->first);

	return c ? c : (x->last > y->last) - (x->last < y->last);
}

/* Of [low, high), which has some, as the look-up halves it. */
static int64_t
fill_most(struct image_interval *v, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;
	int64_t most = v[middle].last, side;

	if (low < middle && (side = fill_most(v, low, middle)) > most)
		most = side;
	if (middle + 1 < high && (side = fill_most(v, middle + 1, high)) > most)
		most = side;
	v[middle].most = most;
	return most;
}

static void
emit_intervals(struct emitter *e, struct probe_maker *p)
{
	size_t n = p->keys.keys.n;
	struct image_interval *v =
	    ARENA_ARRAY(e->arena, n, struct image_interval);

	for (size_t i = 0; i < n; i++) {
		int64_t key[2];

		memcpy(key, p->keys.keys.v[i].p, sizeof(key));
		v[i].first = key[0];
		v[i].last = key[1];
		v[i].hits = p->hits + (uint32_t)i;
	}
	qsort(v, n, sizeof(*v), compare_intervals);
	if (n)
		fill_most(v, 0, n);
	p->probe.first = (uint32_t)e->index.intervals.n;
	p->probe.count = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		vec_push(e->arena, &e->index.intervals, v[i]);
}

static int
compare_patterns(const void *a, const void *b)
{
	const struct image_pattern *x = a, *y = b;

	return (x->what > y->what) - (x->what < y->what);
}

static void
emit_patterns(struct emitter *e, struct probe_maker *p)
{
	size_t n = p->keys.keys.n;
	struct image_pattern *v =
	    ARENA_ARRAY(e->arena, n, struct image_pattern);

	for (size_t i = 0; i < n; i++) {
		if (p->probe.kind == PROBE_TEXTS)
			v[i].what = emit_text(e, p->keys.keys.v[i]);
		else
			memcpy(
			    &v[i].what, p->keys.keys.v[i].p, sizeof(v[i].what));
		v[i].hits = p->hits + (uint32_t)i;
	}
	qsort(v, n, sizeof(*v), compare_patterns);
	p->probe.first = (uint32_t)e->index.patterns.n;
	p->probe.count = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		vec_push(e->arena, &e->index.patterns, v[i]);
}

void
probe_emit(struct emitter *e, struct probe_maker *p, enum milt_stage stage)
{
	emit_key_hits(e, p);
	p->probe.all = emit_hits(e, p->all.v, p->all.n);
	switch ((enum probe_kind)p->probe.kind) {
	case PROBE_KEYS:
	case PROBE_UNDER:
		emit_slots(e, p);
		break;
	case PROBE_NETWORKS:
		emit_blocks(e, p);
		break;
	case PROBE_NUMBERS:
		emit_points(e, p);
		break;
	case PROBE_RANGES:
		emit_intervals(e, p);
		break;
	case PROBE_REGEXES:
	case PROBE_TEXTS:
		emit_patterns(e, p);
		break;
	case PROBE_LIST:
	case PROBE_UNDER_LIST:
		p->probe.first = emit_list(e, p->node->right_list);
		break;
	case PROBE_CODE:
		p->probe.code = emit_fragment(e, p->node, stage, true);
		break;
	case PROBE_KINDS:
		break;
	}
	vec_push(e->arena, &e->index.probes, p->probe);
}
