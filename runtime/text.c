/* Templates filled in. */
#include "runtime/match.h"
#include "runtime/value.h"

enum { GROUPS = 100 };

static bool
is_known(const struct interp *ip, const struct image_ref *ref)
{
	return attr_rows[ref->attr].from <= ip->stage;
}

/*
 * Does the candidate's loop find an element?  *at is its index.  It is run
 * anew, so that the text depends on the facts alone, and not on which loops
 * were run before.
 */
static bool
found_element(struct interp *ip, const struct image_candidate *c, size_t *at)
{
	const struct image_loop *loop = &ip->image->loops[c->loop];
	struct str key = loop->key == IMAGE_NONE
			     ? (struct str){ "", 0 }
			     : image_text(ip->image, loop->key);
	size_t count = 0;

	if (c->stage > ip->stage)
		return false;
	*at = interp_find(ip, c->code);
	if (*at == IMAGE_NONE || ip->asking)
		return false;
	switch (facts_count(ip->facts, loop->attr, key, &count)) {
	case FACT_THERE:
	case FACT_PARTIAL:
		return *at < count;
	case FACT_MISSING:
	case FACT_FAILED:
	case FACT_ASK:
		break;
	}
	return false;
}

/*
 * The value's text: empty where it is missing or cannot be had.  False with no
 * memory, and where the clock must be asked.
 */
static bool
text_of(struct interp *ip, const struct image_ref *ref, const size_t *at,
    struct str *out)
{
	struct fact_value value;

	*out = (struct str){ "", 0 };
	if (!is_known(ip, ref))
		return true;
	switch (value_load(ip, ref, at, &value)) {
	case FACT_MISSING:
	case FACT_FAILED:
		return true;
	case FACT_ASK:
		return false;
	case FACT_THERE:
	case FACT_PARTIAL:
		*out = value_text(ip, &value);
		return out->p != NULL;
	}
	return true;
}

enum { MOST_JOINED = 65536 }; /* octets; more is left out */

/* Those of a message are named together, where no condition chooses one. */
static bool
is_recipients(const struct image_ref *ref)
{
	return ref->from == REF_VALUE && attr_rows[ref->attr].many &&
	       str_starts(
		   attr_rows[ref->attr].name, attr_rows[ATTR_RECIPIENTS].name);
}

/* All values, joined by `, `.  False as with text_of. */
static bool
all_texts(struct interp *ip, const struct image_ref *ref, struct str *out)
{
	struct image_ref element = *ref, number = *ref;
	struct arena *arena = facts_arena(ip->facts);
	struct fact_value count = { .number = 0 };
	VEC(char) all = { 0 };
	struct str text;

	element.from = REF_ELEMENT;
	element.loop = 0;
	number.from = REF_COUNT;
	*out = (struct str){ "", 0 };
	if (!is_known(ip, ref))
		return true;
	if (value_load(ip, &number, NULL, &count) == FACT_ASK)
		return false;
	for (size_t i = 0; i < (size_t)count.number; i++) {
		if (!text_of(ip, &element, &i, &text))
			return false;
		if (!text.n || all.n > MOST_JOINED)
			continue;
		if (all.n &&
		    !(vec_push(arena, &all, ',') && vec_push(arena, &all, ' ')))
			return false;
		for (size_t k = 0; k < text.n; k++)
			if (!vec_push(arena, &all, text.p[k]))
				return false;
	}
	*out = (struct str){ all.n ? all.v : "", all.n };
	return true;
}

static bool
piece_value(struct interp *ip, const struct image_piece *p, struct str *out)
{
	const struct milt_image *im = ip->image;

	for (uint32_t i = 0; i < p->count; i++) {
		const struct image_candidate *c = &im->candidates[p->first + i];
		size_t at[1];

		if (found_element(ip, c, at))
			return text_of(ip, &im->refs[c->ref], at, out);
		if (ip->asking)
			return false;
	}
	if (is_recipients(&im->refs[p->a]))
		return all_texts(ip, &im->refs[p->a], out);
	return text_of(ip, &im->refs[p->a], NULL, out);
}

/* The candidate's capture, if its regex matches and the group is set. */
static bool
capture(struct interp *ip, const struct image_candidate *c, struct str *out)
{
	const struct image_ref *ref = &ip->image->refs[c->ref];
	struct str groups[GROUPS], subject;
	struct fact_value value;
	size_t at[1] = { 0 };

	if (!is_known(ip, ref) ||
	    (c->loop != IMAGE_NONE && !found_element(ip, c, at)))
		return false;
	switch (value_load(ip, ref, at, &value)) {
	case FACT_THERE:
	case FACT_PARTIAL:
		break;
	case FACT_MISSING:
	case FACT_FAILED:
	case FACT_ASK:
		return false;
	}
	subject = value_subject(ip, ref->attr, &value,
	    ip->image->regexes[c->regex].flags & REGEX_BYTES);
	if (!subject.p ||
	    match_run(ip->image, c->regex, subject, ip->scratch, groups,
		(size_t)c->group + 1) != MATCH_YES ||
	    !groups[c->group].p)
		return false;
	*out = groups[c->group];
	return true;
}

static bool
piece_text(struct interp *ip, const struct image_piece *p, struct str *out)
{
	switch ((enum image_piece_kind)p->kind) {
	case IMAGE_PIECE_TEXT:
		*out = image_text(ip->image, p->a);
		return true;
	case IMAGE_PIECE_VALUE:
		return piece_value(ip, p, out);
	case IMAGE_PIECE_CAPTURE:
		*out = (struct str){ "", 0 };
		for (uint32_t i = 0; i < p->count && !ip->asking; i++)
			if (capture(
				ip, &ip->image->candidates[p->first + i], out))
				break;
		return !ip->asking;
	}
	return true;
}

struct str
interp_text(struct interp *ip, uint32_t template_index)
{
	const struct image_template *t = &ip->image->templates[template_index];
	struct arena *arena = facts_arena(ip->facts);
	struct str *parts = ARENA_ARRAY(arena, t->count, struct str);
	size_t total = 0;
	char *p;

	if (!parts)
		return (struct str){ NULL, 0 };
	ip->asking = false;
	for (uint32_t i = 0; i < t->count; i++) {
		if (!piece_text(
			ip, &ip->image->pieces[t->first + i], &parts[i]) ||
		    parts[i].n > SIZE_MAX / 4 - total)
			return (struct str){ NULL, 0 };
		total += parts[i].n;
	}
	p = arena_alloc(arena, total + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	total = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		if (parts[i].n)
			memcpy(p + total, parts[i].p, parts[i].n);
		total += parts[i].n;
	}
	return (struct str){ p, total };
}
