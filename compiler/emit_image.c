/* The records of an image and its bytes. */
#include <stdlib.h>

#include "compiler/emit.h"
#include "compiler/sets.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- records
 * ------------------------------------------------------------------ */

uint32_t
emit_text(struct emitter *e, struct str s)
{
	bool added;

	return intern_add(&e->texts, s, &added);
}

uint32_t
emit_ref(struct emitter *e, const struct ir_ref *ref)
{
	struct image_ref r = { .attr = (uint16_t)ref->attr,
		.from = (uint8_t)ref->from,
		.key = IMAGE_NONE };
	uint32_t number;
	bool added;

	if (ref->from == REF_ELEMENT)
		r.loop = (uint8_t)ref->loop;
	if (attr_rows[ref->attr].keyed)
		r.key = emit_text(e, ref->key);
	number =
	    intern_add(&e->refs, (struct str){ (char *)&r, sizeof(r) }, &added);
	if (added)
		vec_push(e->arena, &e->ref_records, r);
	return number;
}

uint32_t
emit_number(struct emitter *e, long long value)
{
	int64_t n = value;
	bool added;
	uint32_t number = intern_add(
	    &e->numbers, (struct str){ (char *)&n, sizeof(n) }, &added);

	if (added)
		vec_push(e->arena, &e->number_records, n);
	return number;
}

static uint64_t
append_set(struct emitter *e, struct str bytes)
{
	size_t at = (e->sets.n + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
	size_t need = at + bytes.n;

	if (need > e->sets.cap) {
		size_t cap = need + need / 2;
		char *p = arena_alloc(e->arena, cap);

		if (e->sets.n)
			memcpy(p, e->sets.v, e->sets.n);
		e->sets.v = p;
		e->sets.cap = cap;
	}
	memset(e->sets.v + e->sets.n, 0, at - e->sets.n);
	if (bytes.n)
		memcpy(e->sets.v + at, bytes.p, bytes.n);
	e->sets.n = need;
	return at;
}

uint32_t
emit_list(struct emitter *e, const struct ir_list *l)
{
	struct image_list out = { .type = l->type, .name = IMAGE_NONE };
	uint32_t *texts;
	struct str bytes;

	if (e->list_numbers[l->number] != IMAGE_NONE)
		return e->list_numbers[l->number];
	texts = ARENA_ARRAY(e->arena, l->keys.n, uint32_t);
	for (size_t i = 0; i < l->keys.n; i++)
		texts[i] = emit_text(e, l->keys.v[i]);
	if (l->name.n)
		out.name = emit_text(e, l->name);
	bytes = set_build(e->arena, l, texts, &out);
	out.offset = append_set(e, bytes);
	e->list_numbers[l->number] = (uint32_t)e->lists.n;
	vec_push(e->arena, &e->lists, out);
	return (uint32_t)e->lists.n - 1;
}

/* ---- the rest of the sections
 * --------------------------------------------------- */

struct section {
	const void *p;
	size_t count, size;
};

static void
texts_section(struct emitter *e, struct section *bytes, struct section *texts)
{
	size_t n = e->texts.keys.n, length = 0;
	struct image_text *t = ARENA_ARRAY(e->arena, n, struct image_text);
	char *p, *q;

	for (size_t i = 0; i < n; i++) {
		t[i] = (struct image_text){ (uint32_t)length,
			(uint32_t)e->texts.keys.v[i].n };
		length += e->texts.keys.v[i].n;
	}
	if (length > UINT32_MAX)
		emit_refuse(e, "octets of text");
	p = q = arena_alloc(e->arena, length);
	for (size_t i = 0; i < n; i++) {
		memcpy(q, e->texts.keys.v[i].p, e->texts.keys.v[i].n);
		q += e->texts.keys.v[i].n;
	}
	*bytes = (struct section){ p, length, 1 };
	*texts = (struct section){ t, n, sizeof(*t) };
}

static struct section
regexes_section(struct emitter *e)
{
	size_t n = e->ir->regexes.n;
	struct image_regex *out = ARENA_ARRAY(e->arena, n, struct image_regex);

	for (size_t i = 0; i < n; i++) {
		const struct ir_regex *re = e->ir->regexes.v[i];

		out[i] =
		    (struct image_regex){ .source = emit_text(e, re->source),
			    .flags = ir_regex_flags(re),
			    .captures = re->captures };
	}
	return (struct section){ out, n, sizeof(*out) };
}

static struct section
macros_section(struct emitter *e)
{
	size_t n = e->needs.macros.n;
	struct image_macro *out = ARENA_ARRAY(e->arena, n, struct image_macro);

	for (size_t i = 0; i < n; i++)
		out[i] = (struct image_macro){
			e->needs.macros.v[i].stage,
			emit_text(e, e->needs.macros.v[i].name),
		};
	return (struct section){ out, n, sizeof(*out) };
}

static struct section
needs_section(struct emitter *e)
{
	struct image_needs *out = ARENA_NEW(e->arena, struct image_needs);

	out->flags = e->needs.flags;
	out->actions = e->needs.actions;
	out->answers = e->needs.answers;
	memcpy(out->memo, e->memo, sizeof(out->memo));
	out->loops = (uint32_t)e->loop_records.n;
	out->recipient_effects = e->needs.recipient_effects;
	for (int i = 0; i < OPTION_COUNT; i++) {
		out->options[i] = e->ir->options[i];
		out->option_texts[i] =
		    option_rows[i].kind == OPTION_TEXT
			? emit_text(e, e->ir->option_texts[i])
			: IMAGE_NONE;
	}
	return (struct section){ out, 1, sizeof(*out) };
}

/* ---- bytes
 * --------------------------------------------------------------------- */

static uint64_t
policy_hash(const struct sources *sources)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < sources->list.n; i++) {
		struct str text = sources->list.v[i]->text;

		hash = XXH3_64bits_withSeed(text.n ? text.p : "", text.n, hash);
	}
	return hash;
}

static uint64_t
aligned(uint64_t n)
{
	return (n + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
}

static enum milt_status
write_image(struct emitter *e, const struct section *sections)
{
	struct image_header h = { .version = IMAGE_VERSION,
		.sections = SECTION_COUNT,
		.tables = tables_hash(),
		.policy = policy_hash(&e->c->sources) };
	uint8_t *image;

	memcpy(h.magic, IMAGE_MAGIC, sizeof(h.magic));
	h.size = aligned(sizeof(h));
	for (int i = 0; i < SECTION_COUNT; i++) {
		h.section[i].offset = h.size;
		h.section[i].count = sections[i].count;
		h.size += aligned(sections[i].count * sections[i].size);
	}
	image = calloc(1, h.size);
	if (!image)
		return MILT_NO_MEMORY;
	for (int i = 0; i < SECTION_COUNT; i++)
		if (sections[i].count)
			memcpy(image + h.section[i].offset, sections[i].p,
			    sections[i].count * sections[i].size);
	memcpy(image, &h, sizeof(h));
	h.checksum = image_checksum(image, h.size);
	memcpy(image, &h, sizeof(h));
	e->c->image = image;
	e->c->image_size = h.size;
	return MILT_OK;
}

#define VEC_SECTION(vec) \
	((struct section){ (vec).v, (vec).n, sizeof(*(vec).v) })

enum milt_status
emit_image(struct emitter *e)
{
	struct section s[SECTION_COUNT] = {
		[SECTION_NUMBERS] = VEC_SECTION(e->number_records),
		[SECTION_REFS] = VEC_SECTION(e->ref_records),
		[SECTION_LISTS] = VEC_SECTION(e->lists),
		[SECTION_SETS] = VEC_SECTION(e->sets),
		[SECTION_REGEXES] = regexes_section(e),
		[SECTION_LOOPS] = VEC_SECTION(e->loop_records),
		[SECTION_PIECES] = VEC_SECTION(e->pieces),
		[SECTION_CANDIDATES] = VEC_SECTION(e->candidates),
		[SECTION_TEMPLATES] = VEC_SECTION(e->templates),
		[SECTION_ACTIONS] = VEC_SECTION(e->actions),
		[SECTION_RULES] = VEC_SECTION(e->rules),
		[SECTION_JS] = VEC_SECTION(e->js),
		[SECTION_CAPTURES] = VEC_SECTION(e->captures),
		[SECTION_STAGES] = { e->index.stages, STAGE_COUNT,
		    sizeof(struct image_stage) },
		[SECTION_STAGE_RULES] = VEC_SECTION(e->index.stage_rules),
		[SECTION_GUARDS] = VEC_SECTION(e->index.guards),
		[SECTION_PENDING] = VEC_SECTION(e->index.pending),
		[SECTION_PENDING_RULES] = VEC_SECTION(e->index.pending_rules),
		[SECTION_PROBES] = VEC_SECTION(e->index.probes),
		[SECTION_SLOTS] = VEC_SECTION(e->index.slots),
		[SECTION_BLOCKS] = VEC_SECTION(e->index.blocks),
		[SECTION_POINTS] = VEC_SECTION(e->index.points),
		[SECTION_INTERVALS] = VEC_SECTION(e->index.intervals),
		[SECTION_PATTERNS] = VEC_SECTION(e->index.patterns),
		[SECTION_HITS] = VEC_SECTION(e->index.hits),
		[SECTION_HIT_RULES] = VEC_SECTION(e->index.hit_rules),
		[SECTION_CODE] = VEC_SECTION(e->code),
		[SECTION_MACROS] = macros_section(e),
		[SECTION_NEEDS] = needs_section(e),
	};

	texts_section(e, &s[SECTION_BYTES], &s[SECTION_TEXTS]);
	return e->too_large ? MILT_INVALID : write_image(e, s);
}
