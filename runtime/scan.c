#include "runtime/scan.h"

#include "runtime/match.h"
#include "runtime/scan_cache.h"
#include "runtime/scan_check.h"
#include "runtime/scan_table.h"
#include "runtime/value.h"

enum {
	ENTRIES_MOST = 1 << 14, /* more values than this push each other out */
	LISTS_MOST = 1 << 18,   /* so do more candidates or windows */
	WINDOW_EACH = 256,      /* octets of a value, for each a window more */
	WINDOWS_LEAST = 4,      /* of a candidate; further ones are joined */
	SORT_MOST = 24,         /* candidates that are sorted by insertion */
};

/* ---- windows ------------------------------------------------------------ */

static void
widen(struct scan_window *w, uint32_t from, uint32_t to)
{
	w->from = from < w->from ? from : w->from;
	w->to = to > w->to ? to : w->to;
}

static void
add_window(
    struct scan_cache *c, struct scan_hit *hit, uint32_t from, uint32_t to)
{
	struct scan_window *last = hit->windows ? &c->windows[hit->last] : NULL;

	if (last && ((hit->windows >= WINDOWS_LEAST &&
			 (hit->windows >= c->windows_most ||
			     c->window_count >= LISTS_MOST)) ||
			(from <= last->to && last->from <= to))) {
		widen(last, from, to);
		return;
	}
	if (!scan_grow(&c->windows, &c->window_room, c->window_count + 1,
		sizeof(*c->windows))) {
		c->failed = true;
		return;
	}
	if (hit->windows)
		c->windows[hit->last].next = c->window_count;
	else
		hit->first = c->window_count;
	hit->last = c->window_count;
	hit->windows++;
	c->windows[c->window_count++] =
	    (struct scan_window){ from, to, IMAGE_NONE };
}

/* Is it known that a match of the regex can begin anywhere? */
static bool
is_anywhere(const struct scan_cache *c, uint32_t regex)
{
	uint32_t i = c->hit_of[regex];

	return i < c->hit_count && c->hits[i].regex == regex &&
	       c->hits[i].first == IMAGE_NONE;
}

static void
hit_anywhere(struct scan_cache *c, uint32_t regex)
{
	struct scan_hit *hit = scan_cache_hit(c, regex);

	c->failed |= !hit;
	if (!hit)
		return;
	hit->windows = 1;
	hit->first = IMAGE_NONE;
}

/* A literal of a regex, at that offset of the value. */
static void
found(void *of, const struct scan_owner *owner, size_t at, uint32_t size)
{
	struct scan_cache *c = of;
	struct scan_hit *hit;

	if (is_anywhere(c, owner->regex))
		return;
	/* In a text that was changed, places and neighbours are wrong. */
	if (c->anywhere) {
		hit_anywhere(c, owner->regex);
		return;
	}
	if (at < owner->min ||
	    !scan_can_be(c->table, owner, &c->place, at, size))
		return;
	if (owner->max == LITERAL_ANY) {
		hit_anywhere(c, owner->regex);
		return;
	}
	hit = scan_cache_hit(c, owner->regex);
	c->failed |= !hit;
	if (hit)
		add_window(c, hit, scan_begin(&c->place, at, owner->max),
		    (uint32_t)at - owner->min);
}

/* ---- lists -------------------------------------------------------------- */

static void
sort_few(struct scan_hit *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct scan_hit h = v[i];
		uint32_t k = i;

		for (; k > 0 && v[k - 1].regex > h.regex; k--)
			v[k] = v[k - 1];
		v[k] = h;
	}
}

static void
put(struct scan_cache *c, const struct scan_subject *s, uint32_t regex,
    uint32_t first)
{
	c->regexes[c->list_count] = s->regexes[regex];
	c->firsts[c->list_count++] = first;
}

/* Hits and residual regexes: both in order, and none is in both. */
static void
merge_few(struct scan_cache *c, const struct scan_subject *s)
{
	const struct scan_table *t = s->table;
	uint32_t r = 0;

	sort_few(c->hits, c->hit_count);
	for (uint32_t i = 0; i < c->hit_count; i++) {
		while (
		    r < t->residual_count && t->residual[r] < c->hits[i].regex)
			put(c, s, t->residual[r++], IMAGE_NONE);
		put(c, s, c->hits[i].regex, c->hits[i].first);
	}
	while (r < t->residual_count)
		put(c, s, t->residual[r++], IMAGE_NONE);
}

static void
merge_many(struct scan_cache *c, const struct scan_subject *s)
{
	const struct scan_table *t = s->table;

	for (uint32_t i = 0; i < c->hit_count; i++)
		c->sorted[c->hits[i].regex / 64] |= UINT64_C(1)
						    << c->hits[i].regex % 64;
	for (uint32_t i = 0; i < t->residual_count; i++)
		c->sorted[t->residual[i] / 64] |= UINT64_C(1)
						  << t->residual[i] % 64;
	for (uint32_t w = 0; w < (s->count + 63) / 64; w++) {
		for (uint64_t bits = c->sorted[w]; bits; bits &= bits - 1) {
			uint32_t regex =
			    64 * w + (uint32_t)__builtin_ctzll(bits);
			uint32_t i = c->hit_of[regex];

			put(c, s, regex,
			    i < c->hit_count && c->hits[i].regex == regex
				? c->hits[i].first
				: IMAGE_NONE);
		}
		c->sorted[w] = 0;
	}
}

/* ---- scanning ----------------------------------------------------------- */

static bool
has_high(struct str text)
{
	size_t i = 0;
	uint64_t word;
	uint8_t rest = 0;

	for (; i + sizeof(word) <= text.n; i += sizeof(word)) {
		memcpy(&word, text.p + i, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			return true;
	}
	for (; i < text.n; i++)
		rest |= (uint8_t)text.p[i];
	return rest & 0x80;
}

static size_t
find(struct str text, size_t from, struct str what)
{
	const char *p;

	if (from >= text.n)
		return text.n;
	p = memmem(text.p + from, text.n - from, what.p, what.n);
	return p ? (size_t)(p - text.p) : text.n;
}

/*
 * The text with k for U+212A and s for U+017F, in the arena; {NULL, 0} with no
 * memory.  `text` itself where it holds neither.
 */
static struct str
without_lookalikes(struct arena *arena, struct str text)
{
	const struct str kelvin = STR("\xe2\x84\xaa"), s = STR("\xc5\xbf");
	size_t k_at = find(text, 0, kelvin), s_at = find(text, 0, s);
	size_t from = 0, n = 0;
	char *copy;

	if (k_at == text.n && s_at == text.n)
		return text;
	copy = arena_alloc(arena, text.n);
	if (!copy)
		return (struct str){ NULL, 0 };
	while (k_at < text.n || s_at < text.n) {
		bool is_k = k_at < s_at;
		size_t at = is_k ? k_at : s_at;

		memcpy(copy + n, text.p + from, at - from);
		n += at - from;
		copy[n++] = is_k ? 'k' : 's';
		from = at + (is_k ? kelvin.n : s.n);
		if (is_k)
			k_at = find(text, from, kelvin);
		else
			s_at = find(text, from, s);
	}
	memcpy(copy + n, text.p + from, text.n - from);
	return (struct str){ copy, n + text.n - from };
}

/* A regex whose classes stand somewhere in the value. */
static void
found_classes(void *of, uint32_t regex)
{
	hit_anywhere(of, regex);
}

/* Fills c->hits. */
static bool
scan_text(struct interp *ip, struct scan_cache *c, const struct scan_subject *s,
    struct str text)
{
	const struct scan_table *t = s->table;
	bool ascii = s->octets || !has_high(text);

	c->hit_count = 0;
	c->failed = false;
	c->anywhere = false;
	if (!scan_cache_regexes(c, s->count))
		return false;
	if (t->classes && ascii)
		scan_classes_run(t->classes, text, found_classes, c);
	else if (t->classes)
		scan_classes_all(t->classes, found_classes, c);
	if (!ascii) {
		struct str plain =
		    without_lookalikes(facts_arena(ip->facts), text);

		if (!plain.p && text.n)
			return false;
		/* Offsets in the one are not those in the other. */
		c->anywhere = plain.p != text.p;
		text = plain;
	}
	c->place = scan_place(text);
	c->table = t;
	c->windows_most = WINDOWS_LEAST + (uint32_t)(text.n / WINDOW_EACH);
	scan_table_run(t, text, found, c);
	return !c->failed;
}

static bool
scan_entry(struct interp *ip, struct scan_cache *c,
    const struct scan_subject *s, struct scan_known *e)
{
	e->first = c->list_count;
	if (!scan_text(ip, c, s, e->text) ||
	    !scan_cache_lists(c, c->list_count + c->hit_count + s->residual))
		return false;
	if (c->hit_count > SORT_MOST)
		merge_many(c, s);
	else
		merge_few(c, s);
	e->count = c->list_count - e->first;
	return true;
}

static bool
new_entry(struct interp *ip, struct scan_cache *c, struct scan_known e,
    const struct fact_value *v, struct scan_cache_slot **slot)
{
	const struct scan_subject *s = &ip->image->scan->subjects[e.subject];

	if (c->entry_count >= ENTRIES_MOST || c->list_count >= LISTS_MOST ||
	    c->window_count >= LISTS_MOST)
		scan_cache_forget(c);
	e.text = value_subject(ip, s->attr, v, s->octets);
	if (!e.text.p ||
	    !scan_grow(&c->entries, &c->entry_room, c->entry_count + 1,
		sizeof(*c->entries)) ||
	    !scan_cache_room(c) || !scan_entry(ip, c, s, &e))
		return false;
	*slot = scan_cache_slot(c, e.image, e.subject, e.value);
	**slot = (struct scan_cache_slot){ c->generation, c->entry_count };
	c->entries[c->entry_count++] = e;
	return true;
}

uint32_t
scan_subject(const struct milt_image *im, uint32_t ref, uint32_t flags)
{
	return im->scan->of_ref[2 * ref + ((flags & REGEX_BYTES) != 0)];
}

bool
scan_value(struct interp *ip, uint32_t subject, const struct fact_value *v,
    struct scan_result *out)
{
	struct scan_cache *c = match_scans(ip->scratch);
	const struct scan_known *e;
	struct scan_cache_slot *slot = NULL;

	if (!c)
		return false;
	if (c->slot_count)
		slot = scan_cache_slot(c, ip->image, subject, v->text);
	if ((!slot || slot->generation != c->generation) &&
	    !new_entry(ip, c,
		(struct scan_known){
		    .image = ip->image, .subject = subject, .value = v->text },
		v, &slot))
		return false;
	e = &c->entries[slot->entry];
	*out = (struct scan_result){ .subject = e->text,
		.regexes = c->regexes + e->first,
		.count = e->count,
		.first = c->firsts + e->first,
		.windows = c->windows };
	return true;
}

bool
scan_has(const struct scan_result *r, uint32_t regex, uint32_t *first)
{
	uint32_t low = 0, high = r->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (r->regexes[mid] < regex)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == r->count || r->regexes[low] != regex)
		return false;
	*first = r->first[low];
	return true;
}
