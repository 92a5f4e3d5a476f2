#include "runtime/scan_check.h"

#include "runtime/image.h"

enum {
	LINE_MOST = 4096, /* octets that are searched for the begin of a line */
	ALSO_MOST = 1024, /* octets that are searched for another literal */
	WORK_LEAST = 1 << 16,
	WORK_EACH = 8, /* and so many for each octet of the text */
};

struct scan_place
scan_place(struct str text)
{
	return (struct scan_place){
		.text = text, .work = WORK_LEAST + WORK_EACH * text.n, .from = 1
	};
}

/* ---- places ---------------------------------------------------------------
 */

/*
 * Where the line begins that the octet before `at` is in, or 0.  Literals are
 * found in order: mostly it is the line of the last call.
 */
static size_t
line_begin(struct scan_place *p, size_t at)
{
	size_t least = at < LINE_MOST ? 0 : at - LINE_MOST, i = at;

	if (at >= p->from && at <= p->to)
		return p->line;
	for (; i > least; i--) {
		if (i == p->to && p->from <= p->to) {
			p->to = at;
			return p->line;
		}
		if (p->text.p[i - 1] == '\n' || p->text.p[i - 1] == '\r')
			break;
	}
	p->from = i;
	p->to = at;
	p->line = i > least ? i : 0;
	return p->line;
}

/* Where the line ends that the octet at `at` is in, or the text. */
static size_t
line_end(struct str text, size_t at)
{
	size_t most = text.n - at < ALSO_MOST ? text.n : at + ALSO_MOST;

	for (size_t i = at; i < most; i++)
		if (text.p[i] == '\n' || text.p[i] == '\r')
			return i;
	return text.n;
}

uint32_t
scan_begin(struct scan_place *p, size_t at, uint32_t width)
{
	uint32_t octets = width_octets(width);

	for (uint32_t n = width_lines(width);; n--) {
		at = at < octets ? 0 : at - octets;
		if (n == 0)
			return (uint32_t)at;
		at = line_begin(p, at);
	}
}

/* The last place that far behind `at`. */
static size_t
last_place(struct str text, size_t at, uint32_t width)
{
	uint32_t octets = width_octets(width);

	for (uint32_t n = width_lines(width);; n--) {
		at = text.n - at < octets ? text.n : at + octets;
		if (n == 0)
			return at;
		at = line_end(text, at);
	}
}

/* ---- neighbours -----------------------------------------------------------
 */

static near_set
kind_at(struct str text, size_t at)
{
	return at < text.n ? near_kind[(uint8_t)text.p[at]] : NEAR_EDGE;
}

static bool
near_fit(near_set before, const near_set *after, struct str text, size_t at,
    uint32_t size)
{
	near_set own = kind_at(text, at + size - 1);

	/* The octet before the first has the largest number. */
	if (!near_holds(before, kind_at(text, at), kind_at(text, at - 1)))
		return false;
	for (size_t i = 0; i < NEAR_AFTER; i++) {
		near_set there = kind_at(text, at + size + i);

		if (!near_holds(after[i], own, there))
			return false;
		if (there == NEAR_HIGH)
			return true;
		own = there;
	}
	return true;
}

/* ---- other literals -------------------------------------------------------
 */

static bool
also_at(const struct scan_also *a, struct str text, size_t at)
{
	return at + a->n <= text.n && scan_is_there(&a->text, a->n, text, at) &&
	       near_fit(a->before, a->after, text, at, a->n);
}

/* Does it begin at `from` to `to`? */
static bool
also_between(const struct scan_also *a, struct str text, size_t from, size_t to)
{
	const uint32_t fold = 0x20202020;
	size_t i = from + a->gram_at, most = to + a->gram_at;
	uint32_t gram;

	for (; i <= most && i + sizeof(gram) <= text.n; i++) {
		memcpy(&gram, text.p + i, sizeof(gram));
		if ((((gram | fold) ^ a->gram) & a->gram_mask) == 0 &&
		    also_at(a, text, i - a->gram_at))
			return true;
	}
	for (; i <= most && i < text.n; i++)
		if (also_at(a, text, i - a->gram_at))
			return true;
	return false;
}

/* For a match that begins at `from` to `to`. */
static bool
has_also(
    struct scan_place *p, const struct scan_also *a, size_t from, size_t to)
{
	struct str text = p->text;

	for (;; a++) {
		size_t first = from + width_octets(a->min);
		size_t last = a->max == LITERAL_ANY
				  ? text.n
				  : last_place(text, to, a->max);

		if (last - from > ALSO_MOST || p->work < ALSO_MOST)
			return true;
		p->work -= last - from;
		if (first <= last && also_between(a, text, first, last))
			return true;
		if (a->is_last)
			return false;
	}
}

bool
scan_can_be(const struct scan_table *t, const struct scan_owner *owner,
    struct scan_place *p, size_t at, uint32_t size)
{
	size_t from;

	if (!near_fit(owner->before, owner->after, p->text, at, size))
		return false;
	if (owner->also == IMAGE_NONE || p->work < ALSO_MOST)
		return true;
	from = owner->max == LITERAL_ANY ? 0 : scan_begin(p, at, owner->max);
	return has_also(p, &t->also[owner->also], from, at - owner->min);
}
