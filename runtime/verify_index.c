/*
 * What the stages look at: rules, guards, pending rules, probes.  That the
 * right rules are found is the compiler's affair; here it is that nothing is
 * read that is not there, and that the work is bounded by the image's size.
 */
#include "runtime/verify.h"

static bool
is_hits(const struct verifier *v, uint32_t hits)
{
	return hits < v->im->count[SECTION_HITS];
}

/* One behind the other, so that no rule is listed more often than written. */
static const char *
check_hits(const struct verifier *v)
{
	const struct milt_image *im = v->im;
	uint32_t at = 0;

	for (uint32_t i = 0; i < im->count[SECTION_HITS]; i++) {
		const struct image_hits *h = &im->hits[i];

		if (h->first != at || h->count == 0 ||
		    !verify_range(v, SECTION_HIT_RULES, at, h->count))
			return "the rules of a probe lie outside their section";
		at += h->count;
	}
	for (uint32_t i = 0; i < im->count[SECTION_HIT_RULES]; i++)
		if (im->hit_rules[i] >= im->count[SECTION_RULES])
			return "a probe hits a rule that is not there";
	return NULL;
}

/* ---- records of probes ------------------------------------------------ */

static const char *
check_slots(const struct verifier *v, const struct image_probe *p)
{
	if (!verify_range(v, SECTION_SLOTS, p->first, p->count))
		return "a probe's slots lie outside their section";
	if (!p->count || p->count & (p->count - 1) || p->longest >= p->count)
		return "a probe's slots are malformed";
	for (uint32_t i = p->first; i < p->first + p->count; i++) {
		const struct image_key *slot = &v->im->slots[i];

		if (slot->text != IMAGE_NONE &&
		    (!verify_text(v, slot->text) || !is_hits(v, slot->hits)))
			return "a probe's slot is damaged";
	}
	return NULL;
}

static const char *
check_blocks(const struct verifier *v, const struct image_probe *p)
{
	if (!verify_range(v, SECTION_BLOCKS, p->first, p->count))
		return "a probe's blocks lie outside their section";
	for (uint32_t i = 0; i < p->count; i++) {
		const struct image_block *b = &v->im->blocks[p->first + i];

		if (!is_hits(v, b->hits) ||
		    (b->parent != IMAGE_NONE && b->parent >= i))
			return "a probe's block is damaged";
	}
	return NULL;
}

static const char *
check_points(const struct verifier *v, const struct image_probe *p)
{
	if (!verify_range(v, SECTION_POINTS, p->first, p->count))
		return "a probe's numbers lie outside their section";
	for (uint32_t i = p->first; i < p->first + p->count; i++)
		if (!is_hits(v, v->im->points[i].hits))
			return "a probe's number is damaged";
	return NULL;
}

static const char *
check_intervals(const struct verifier *v, const struct image_probe *p)
{
	if (!verify_range(v, SECTION_INTERVALS, p->first, p->count))
		return "a probe's ranges lie outside their section";
	for (uint32_t i = p->first; i < p->first + p->count; i++)
		if (!is_hits(v, v->im->intervals[i].hits))
			return "a probe's range is damaged";
	return NULL;
}

static const char *
check_patterns(const struct verifier *v, const struct image_probe *p)
{
	if (p->form & ~REGEX_BYTES)
		return "a probe's regexes are of no kind";
	if (!verify_range(v, SECTION_PATTERNS, p->first, p->count))
		return "a probe's regexes lie outside their section";
	for (uint32_t i = p->first; i < p->first + p->count; i++)
		if (!is_hits(v, v->im->patterns[i].hits))
			return "a probe's regex is damaged";
	return NULL;
}

static bool
is_text_test(uint8_t op)
{
	return op >= OPC_CONTAINS && op <= OPC_LIKE_EXACT;
}

static const char *
check_texts(const struct verifier *v, const struct image_probe *p)
{
	if (!is_text_test(p->form))
		return "a probe's texts are of no kind";
	if (!verify_range(v, SECTION_PATTERNS, p->first, p->count))
		return "a probe's texts lie outside their section";
	for (uint32_t i = p->first; i < p->first + p->count; i++)
		if (!is_hits(v, v->im->patterns[i].hits) ||
		    !verify_text(v, v->im->patterns[i].what))
			return "a probe's text is damaged";
	return NULL;
}

static const char *
check_probe_list(const struct verifier *v, const struct image_probe *p)
{
	struct image_insn in = {
		.op = p->kind == PROBE_LIST ? OPC_IN : OPC_UNDER,
		.a = (uint16_t)p->ref,
		.b = p->first,
	};

	if (p->first >= v->im->count[SECTION_LISTS] || p->ref > UINT16_MAX)
		return "a probe names no list";
	return verify_operands(v, &in);
}

static const char *
check_records(const struct verifier *v, const struct image_probe *p)
{
	switch (p->kind) {
	case PROBE_KEYS:
		if (p->form == TYPE_NONE || p->form == TYPE_TEXT ||
		    p->form == TYPE_DOMAIN || p->form == TYPE_ADDRESS)
			return check_slots(v, p);
		return "a probe's key is of no type";
	case PROBE_UNDER:
		if (p->form == TYPE_DOMAIN)
			return check_slots(v, p);
		return "a probe's key is no domain";
	case PROBE_NETWORKS:
		return check_blocks(v, p);
	case PROBE_NUMBERS:
		return check_points(v, p);
	case PROBE_RANGES:
		return check_intervals(v, p);
	case PROBE_REGEXES:
		return check_patterns(v, p);
	case PROBE_TEXTS:
		return check_texts(v, p);
	case PROBE_LIST:
	case PROBE_UNDER_LIST:
		return check_probe_list(v, p);
	}
	return "a probe is of no kind";
}

/* ---- stages ----------------------------------------------------------- */

/* A fact of the stage, and at RCPT of its recipient. */
static const char *
check_probe_ref(
    const struct verifier *v, const struct image_probe *p, enum milt_stage at)
{
	const struct image_ref *ref;

	if (p->ref >= v->im->count[SECTION_REFS])
		return "a probe has no reference";
	ref = &v->im->refs[p->ref];
	if (ref->from == REF_VALUE && attr_rows[ref->attr].many)
		return "a probe reads a collection as one value";
	if (attr_rows[ref->attr].type == TYPE_RECORD && ref->from != REF_COUNT)
		return "a record has no value";
	if (verify_from(v, ref->attr, ref->key) > at)
		return "a probe's attribute is not known at its stage";
	if (attr_rows[ref->attr].scope == SCOPE_RECIPIENT && at != STAGE_RCPT)
		return "a probe names a recipient that is not there";
	return NULL;
}

static const char *
check_probe(struct verifier *v, const struct image_probe *p, enum milt_stage at)
{
	struct place place = { .stage = at, .recipient = at == STAGE_RCPT };
	const char *why;

	if (p->zero || !is_hits(v, p->all))
		return "a probe is malformed";
	if (p->kind == PROBE_CODE)
		return verify_fragment(v, p->code, &place);
	why = check_probe_ref(v, p, at);
	return why ? why : check_records(v, p);
}

static const char *
check_pending(const struct image_pending *p, const struct image_stage *st)
{
	uint32_t guards = st->guards + st->guard_count;

	if (p->guard != IMAGE_NONE && p->guard >= guards)
		return "pending rules have no guard";
	return NULL;
}

/* One behind the other, as those of probes. */
static const char *
check_pending_rules(const struct verifier *v)
{
	const struct milt_image *im = v->im;
	uint32_t at = 0;

	for (uint32_t i = 0; i < im->count[SECTION_PENDING]; i++)
		for (int k = 0; k < PENDING_LISTS; k++) {
			uint32_t count = im->pending[i].list[k].count;

			if (im->pending[i].list[k].first != at ||
			    !verify_range(v, SECTION_PENDING_RULES, at, count))
				return "pending rules lie outside their "
				       "section";
			at += count;
		}
	for (uint32_t i = 0; i < im->count[SECTION_PENDING_RULES]; i++)
		if (im->pending_rules[i] >= im->count[SECTION_RULES])
			return "a pending rule is not there";
	return NULL;
}

static const char *
check_always(const struct verifier *v, const struct image_stage *st)
{
	const uint32_t *rules = v->im->stage_rules + st->always;

	for (uint32_t i = 0; i < st->always_count; i++)
		if (rules[i] >= v->im->count[SECTION_RULES] ||
		    (i && rules[i] <= rules[i - 1]))
			return "a stage's rules are not in order";
	return NULL;
}

/* What the stages have lies one behind the other, in their order. */
static const char *
check_ranges(const struct verifier *v)
{
	uint32_t always = 0, probes = 0, guards = 0, pending = 0;

	if (v->im->count[SECTION_STAGES] != STAGE_COUNT)
		return "the stages are missing";
	for (int s = 0; s < STAGE_COUNT; s++) {
		const struct image_stage *st = &v->im->stages[s];

		if (st->always != always || st->probes != probes ||
		    st->guards != guards || st->pending != pending ||
		    st->zero || st->named_count > st->probe_count ||
		    !verify_range(
			v, SECTION_STAGE_RULES, always, st->always_count) ||
		    !verify_range(v, SECTION_PROBES, probes, st->probe_count) ||
		    !verify_range(v, SECTION_GUARDS, guards, st->guard_count) ||
		    !verify_range(
			v, SECTION_PENDING, pending, st->pending_count))
			return "what a stage looks at lies outside its section";
		always += st->always_count;
		probes += st->probe_count;
		guards += st->guard_count;
		pending += st->pending_count;
	}
	return NULL;
}

static const char *
check_stage(struct verifier *v, enum milt_stage s)
{
	const struct milt_image *im = v->im;
	const struct image_stage *st = &im->stages[s];
	const char *why = check_always(v, st);

	for (uint32_t i = 0; !why && i < st->guard_count; i++)
		why = verify_fragment(v, im->guards[st->guards + i].code,
		    &(struct place){ .stage = s });
	for (uint32_t i = 0; !why && i < st->pending_count; i++)
		why = check_pending(&im->pending[st->pending + i], st);
	for (uint32_t i = 0; !why && i < st->probe_count; i++)
		why = check_probe(v, &im->probes[st->probes + i], s);
	return why;
}

/* The last rule gives the policy's default from the beginning. */
static const char *
check_default(const struct milt_image *im)
{
	const struct image_stage *st = &im->stages[STAGE_CONNECT];

	return st->always_count &&
		       im->stage_rules[st->always + st->always_count - 1] ==
			   im->count[SECTION_RULES] - 1
		   ? NULL
		   : "the last rule is never looked at";
}

const char *
verify_index(struct verifier *v)
{
	const char *why = check_hits(v);

	if (!why)
		why = check_ranges(v);
	if (!why)
		why = check_pending_rules(v);
	for (int s = 0; !why && s < STAGE_COUNT; s++)
		why = check_stage(v, (enum milt_stage)s);
	return why ? why : check_default(v->im);
}
