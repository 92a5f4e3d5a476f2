/* Texts, references, regexes, loops and what templates are made of. */
#include "runtime/verify.h"

static const char *
check_texts(const struct milt_image *im)
{
	for (uint32_t i = 0; i < im->count[SECTION_TEXTS]; i++) {
		const struct image_text *t = &im->texts[i];

		if (t->offset > im->count[SECTION_BYTES] ||
		    t->length > im->count[SECTION_BYTES] - t->offset)
			return "a text lies outside its section";
	}
	return NULL;
}

/* Is `attr` one, with a key where it takes one? */
static bool
attr_is_valid(const struct verifier *v, uint32_t attr, uint32_t key)
{
	if (attr == ATTR_NONE || attr >= ATTR_COUNT)
		return false;
	return attr_rows[attr].keyed ? verify_text(v, key) : key == IMAGE_NONE;
}

static const char *
check_refs(const struct verifier *v)
{
	for (uint32_t i = 0; i < v->im->count[SECTION_REFS]; i++) {
		const struct image_ref *r = &v->im->refs[i];

		if (!attr_is_valid(v, r->attr, r->key))
			return "a reference names no attribute";
		if (r->from > REF_ELEMENT)
			return "a reference is of no kind";
		if (r->from != REF_VALUE && !attr_rows[r->attr].many)
			return "a single value has no elements";
		if (r->from == REF_ELEMENT ? r->loop >= LIMIT_VALUE_LOOPS
					   : r->loop != 0)
			return "a reference names no loop";
	}
	return NULL;
}

static const char *
check_regexes(const struct verifier *v)
{
	uint32_t flags = REGEX_I | REGEX_M | REGEX_S | REGEX_X | REGEX_BYTES;

	for (uint32_t i = 0; i < v->im->count[SECTION_REGEXES]; i++) {
		const struct image_regex *r = &v->im->regexes[i];

		if (!verify_text(v, r->source) || r->flags & ~flags ||
		    r->zero || r->captures > LIMIT_VALUE_REGEX_CAPTURES)
			return "a regex is malformed";
	}
	return NULL;
}

static const char *
check_loops(const struct verifier *v)
{
	for (uint32_t i = 0; i < v->im->count[SECTION_LOOPS]; i++) {
		const struct image_loop *l = &v->im->loops[i];

		if (!attr_is_valid(v, l->attr, l->key) ||
		    !attr_rows[l->attr].many)
			return "a loop runs over no collection";
		if (l->depth >= LIMIT_VALUE_LOOPS || l->zero)
			return "a loop is nested too deeply";
	}
	return NULL;
}

const char *
verify_tables(struct verifier *v)
{
	const char *why = check_texts(v->im);

	if (!why)
		why = check_refs(v);
	if (!why)
		why = check_regexes(v);
	if (!why)
		why = check_loops(v);
	return why;
}

/* A reference that is the element of an outermost loop. */
static bool
is_element_of(
    const struct verifier *v, const struct image_ref *ref, uint32_t loop)
{
	const struct image_loop *l;

	if (loop >= v->im->count[SECTION_LOOPS])
		return false;
	l = &v->im->loops[loop];
	return l->depth == 0 && ref->from == REF_ELEMENT && ref->loop == 0 &&
	       verify_fits(ref->attr, ref->key, l->attr, l->key);
}

static const char *
check_candidates(const struct verifier *v)
{
	for (uint32_t i = 0; i < v->im->count[SECTION_CANDIDATES]; i++) {
		const struct image_candidate *c = &v->im->candidates[i];
		const struct image_ref *ref;

		if (c->ref >= v->im->count[SECTION_REFS])
			return "a candidate has no reference";
		ref = &v->im->refs[c->ref];
		if (attr_rows[ref->attr].type == TYPE_RECORD)
			return "a record has no text";
		if (c->loop == IMAGE_NONE ? ref->from != REF_VALUE
					  : !is_element_of(v, ref, c->loop))
			return "a candidate does not fit its loop";
		if ((c->loop == IMAGE_NONE) != (c->code == IMAGE_NONE) ||
		    c->stage >= STAGE_COUNT)
			return "a candidate is malformed";
		if (c->regex == IMAGE_NONE) {
			if (c->loop == IMAGE_NONE || c->group)
				return "a candidate is malformed";
			continue;
		}
		if (c->regex >= v->im->count[SECTION_REGEXES] ||
		    c->group > v->im->regexes[c->regex].captures)
			return "a candidate names no capture";
	}
	return NULL;
}

static const char *
check_piece(const struct verifier *v, const struct image_piece *p)
{
	if (!verify_range(v, SECTION_CANDIDATES, p->first, p->count))
		return "a piece's candidates lie outside their section";
	switch (p->kind) {
	case IMAGE_PIECE_TEXT:
		return verify_text(v, p->a) && p->count == 0
			   ? NULL
			   : "a piece is malformed";
	case IMAGE_PIECE_VALUE:
		if (p->a >= v->im->count[SECTION_REFS] ||
		    v->im->refs[p->a].from == REF_ELEMENT)
			return "a piece has no reference";
		if (v->im->refs[p->a].from == REF_VALUE &&
		    attr_rows[v->im->refs[p->a].attr].type == TYPE_RECORD)
			return "a record has no text";
		return NULL;
	case IMAGE_PIECE_CAPTURE:
		return p->count ? NULL : "a capture has no regex";
	}
	return "a piece is of no kind";
}

static void
use_ref(const struct verifier *v, struct template_use *use,
    const struct image_ref *ref, bool dated)
{
	enum milt_stage from = verify_from(v, ref->attr, ref->key);

	if (dated && use->from < from)
		use->from = (uint8_t)from;
	if (attr_rows[ref->attr].scope == SCOPE_RECIPIENT)
		use->recipient = true;
}

static const char *
use_piece(
    struct verifier *v, struct template_use *use, const struct image_piece *p)
{
	const char *why = check_piece(v, p);

	if (why)
		return why;
	if (p->kind == IMAGE_PIECE_VALUE)
		use_ref(v, use, &v->im->refs[p->a], true);
	if (!verify_spend(v, p->count, sizeof(struct image_candidate)))
		return "the pieces share too many candidates";
	for (uint32_t i = 0; i < p->count; i++) {
		const struct image_candidate *c =
		    &v->im->candidates[p->first + i];

		if (p->kind == IMAGE_PIECE_CAPTURE && c->regex == IMAGE_NONE)
			return "a capture has no regex";
		if (p->kind == IMAGE_PIECE_VALUE && c->regex != IMAGE_NONE)
			return "a value has a regex";
		use_ref(v, use, &v->im->refs[c->ref], false);
		if (c->loop != IMAGE_NONE && use->from < c->stage)
			use->from = (uint8_t)c->stage;
	}
	return NULL;
}

const char *
verify_templates(struct verifier *v)
{
	const char *why = check_candidates(v);

	for (uint32_t i = 0; !why && i < v->im->count[SECTION_TEMPLATES]; i++) {
		const struct image_template *t = &v->im->templates[i];

		if (!verify_range(v, SECTION_PIECES, t->first, t->count))
			return "a template lies outside its section";
		if (!verify_spend(v, t->count, sizeof(struct image_piece)))
			return "the templates share too many pieces";
		for (uint32_t j = 0; !why && j < t->count; j++)
			why = use_piece(
			    v, &v->uses[i], &v->im->pieces[t->first + j]);
	}
	return why;
}
