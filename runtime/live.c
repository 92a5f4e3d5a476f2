#include "runtime/live.h"

#include <stdlib.h>
#include <string.h>

enum { LIVES_FIRST = 8, LIVES_KEPT = 128 };

static bool
reserve(struct lives *l, uint32_t n)
{
	uint32_t cap = l->cap ? l->cap : LIVES_FIRST;
	struct live *v;

	if (n <= l->cap)
		return true;
	while (cap < n)
		cap *= 2;
	v = realloc(l->v, cap * sizeof(*v));
	if (!v)
		return false;
	l->v = v;
	l->cap = cap;
	return true;
}

bool
lives_push(struct lives *l, struct live live)
{
	if (!reserve(l, l->n + 1))
		return false;
	l->v[l->n++] = live;
	return true;
}

bool
lives_copy(struct lives *to, const struct lives *from)
{
	if (!reserve(to, from->n))
		return false;
	if (from->n)
		memcpy(to->v, from->v, from->n * sizeof(*to->v));
	to->n = from->n;
	return true;
}

/* The first that is not above the rule. */
static uint32_t
place_of(const struct lives *l, uint32_t rule)
{
	uint32_t low = 0, high = l->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (l->v[middle].rule < rule)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
lives_have(const struct lives *l, uint32_t rule)
{
	uint32_t at = place_of(l, rule);

	return at < l->n && l->v[at].rule == rule;
}

bool
lives_merge(struct lives *l, uint32_t rule, uint8_t set)
{
	uint32_t at = place_of(l, rule);

	if (at < l->n && l->v[at].rule == rule) {
		l->v[at].value |= set;
		return true;
	}
	if (!reserve(l, l->n + 1))
		return false;
	memmove(l->v + at + 1, l->v + at, (l->n - at) * sizeof(*l->v));
	l->v[at] = (struct live){ .rule = rule, .value = set };
	l->n++;
	return true;
}

void
lives_clear(struct lives *l)
{
	l->n = 0;
	if (l->cap > LIVES_KEPT)
		lives_free(l);
}

void
lives_free(struct lives *l)
{
	free(l->v);
	*l = (struct lives){ 0 };
}
