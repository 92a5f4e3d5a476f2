/*
 * Images made by hand, for tests of what runs them.  A builder holds one image
 * in parts; build_image puts them together.  With no memory the test ends.
 */
#ifndef TESTS_UNIT_BUILDER_H
#define TESTS_UNIT_BUILDER_H

#include <stdlib.h>

#include "runtime/image.h"
#include "runtime/sets.h"

struct builder {
	char *part[SECTION_COUNT];
	size_t count[SECTION_COUNT], room[SECTION_COUNT];
	struct image_needs needs;
};

static const size_t build_size[SECTION_COUNT] = {
#define SECTION(id, record) sizeof(record),
	IMAGE_SECTIONS(SECTION)
#undef SECTION
};

static inline void *
build_memory(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p)
		abort();
	return p;
}

/* Appends `n` records; the index of the first. */
static inline uint32_t
build_put(
    struct builder *b, enum image_section s, const void *records, size_t n)
{
	size_t at = b->count[s];

	if (n == 0)
		return (uint32_t)at;
	if (at + n > b->room[s]) {
		b->room[s] = 2 * (at + n);
		b->part[s] =
		    build_memory(b->part[s], b->room[s] * build_size[s]);
	}
	memcpy(b->part[s] + at * build_size[s], records, n * build_size[s]);
	b->count[s] = at + n;
	return (uint32_t)at;
}

static inline uint32_t
build_str(struct builder *b, struct str s)
{
	const struct image_text *old =
	    (const struct image_text *)b->part[SECTION_TEXTS];

	for (uint32_t i = 0; i < b->count[SECTION_TEXTS]; i++)
		if (old[i].length == s.n &&
		    (s.n == 0 || memcmp(b->part[SECTION_BYTES] + old[i].offset,
				     s.p, s.n) == 0))
			return i;
	return build_put(b, SECTION_TEXTS,
	    &(struct image_text){
		build_put(b, SECTION_BYTES, s.p, s.n), (uint32_t)s.n },
	    1);
}

static inline uint32_t
build_text(struct builder *b, const char *z)
{
	return build_str(b, str_from(z));
}

/* `key` may be NULL. */
static inline uint32_t
build_ref(struct builder *b, enum milt_attr attr, enum ref_from from,
    unsigned loop, const char *key)
{
	return build_put(b, SECTION_REFS,
	    &(struct image_ref){ (uint16_t)attr, (uint8_t)from, (uint8_t)loop,
		key ? build_text(b, key) : IMAGE_NONE },
	    1);
}

static inline uint32_t
build_number(struct builder *b, int64_t n)
{
	return build_put(b, SECTION_NUMBERS, &n, 1);
}

static inline uint32_t
build_regex(
    struct builder *b, const char *source, uint32_t flags, uint32_t captures)
{
	return build_put(b, SECTION_REGEXES,
	    &(struct image_regex){ build_text(b, source), flags, captures, 0 },
	    1);
}

static inline uint32_t
build_loop(
    struct builder *b, enum milt_attr attr, unsigned depth, const char *key)
{
	b->needs.loops++;
	return build_put(b, SECTION_LOOPS,
	    &(struct image_loop){ (uint16_t)attr, (uint8_t)depth, 0,
		key ? build_text(b, key) : IMAGE_NONE },
	    1);
}

static inline uint64_t
build_align(struct builder *b, enum image_section s)
{
	static const char zero[16];

	if (b->count[s] % 16)
		build_put(b, s, zero, 16 - b->count[s] % 16);
	return b->count[s];
}

static inline uint32_t
build_set(struct builder *b, enum milt_type type, const void *records,
    size_t count, size_t size)
{
	struct image_list list = {
		.type = type, .name = IMAGE_NONE, .count = (uint32_t)count
	};

	list.offset = build_align(b, SECTION_SETS);
	build_put(b, SECTION_SETS, records, count * size);
	if (type == TYPE_NETWORK) {
		const struct ip_range *ranges = records;

		list.slots = set_v4_ranges(ranges, list.count, &list.longest);
		for (uint32_t i = 0; i < set_v4_words(list.slots); i++) {
			uint32_t v4 =
			    set_v4_word(ranges + list.longest, list.slots, i);

			build_put(b, SECTION_SETS, &v4, sizeof(v4));
		}
	}
	return build_put(b, SECTION_LISTS, &list, 1);
}

/* A set of texts; `n` different keys in normal form. */
static inline uint32_t
build_keys(struct builder *b, enum milt_type type, const struct str *keys,
    size_t n, uint64_t seed)
{
	struct image_list list = { .type = type,
		.name = IMAGE_NONE,
		.count = (uint32_t)n,
		.slots = 2,
		.seed = seed };
	struct image_slot *slots;

	while (list.slots * (uint64_t)3 < n * (uint64_t)4)
		list.slots *= 2;
	slots = build_memory(NULL, list.slots * sizeof(*slots));
	memset(slots, 0xff, list.slots * sizeof(*slots));
	for (size_t i = 0; i < n; i++) {
		uint64_t hash = set_hash(keys[i], seed);
		uint32_t at = (uint32_t)hash & (list.slots - 1), probe = 0;

		while (slots[at].text != IMAGE_NONE) {
			at = (at + 1) & (list.slots - 1);
			probe++;
		}
		slots[at].tag = (uint32_t)(hash >> 32);
		slots[at].text = build_str(b, keys[i]);
		list.longest = probe > list.longest ? probe : list.longest;
	}
	list.offset = build_align(b, SECTION_SETS);
	build_put(b, SECTION_SETS, slots, list.slots * sizeof(*slots));
	free(slots);
	return build_put(b, SECTION_LISTS, &list, 1);
}

static inline uint32_t
build_code(struct builder *b, const struct image_insn *code, size_t n)
{
	return build_put(b, SECTION_CODE, code, n);
}

#define BUILD_CODE(b, ...)                                          \
	build_code((b), (const struct image_insn[]){ __VA_ARGS__ }, \
	    sizeof((const struct image_insn[]){ __VA_ARGS__ }) /    \
		sizeof(struct image_insn))

/* A template of one piece. */
static inline uint32_t
build_template(struct builder *b, struct image_piece piece)
{
	return build_put(b, SECTION_TEMPLATES,
	    &(struct image_template){
		build_put(b, SECTION_PIECES, &piece, 1), 1 },
	    1);
}

/* A rule without actions, with one fragment. */
static inline struct image_rule
build_rule(
    struct builder *b, const char *name, enum milt_stage stage, uint32_t code)
{
	struct image_rule rule = { .name = build_text(b, name),
		.js = IMAGE_NONE,
		.why = build_text(b, ""),
		.file = build_text(b, "test.milt"),
		.line = 1,
		.known = (uint8_t)stage };

	memset(rule.fragments, 0xff, sizeof(rule.fragments));
	rule.fragments[stage] = code;
	return rule;
}

static inline void
build_otherwise(struct builder *b)
{
	struct image_action accept = { .action = ACTION_ACCEPT,
		.xcode = IMAGE_NONE,
		.name = IMAGE_NONE,
		.address = IMAGE_NONE,
		.where = IMAGE_NONE };
	struct image_rule rule = build_rule(b, "default", STAGE_CONNECT,
	    BUILD_CODE(b, { OPC_CONST, 0, TRUE_, 0 }, { OPC_HALT, 0, 0, 0 }));

	rule.verdict = ACTION_ACCEPT;
	rule.count = 1;
	rule.first = build_put(b, SECTION_ACTIONS, &accept, 1);
	build_put(b, SECTION_RULES, &rule, 1);
}

/* Each rule is looked at from the first stage at which it knows something. */
static inline void
build_stages(struct builder *b)
{
	for (int s = 0; s < STAGE_COUNT; s++) {
		const struct image_rule *rules =
		    (const struct image_rule *)b->part[SECTION_RULES];
		struct image_stage stage = {
			.always = (uint32_t)b->count[SECTION_STAGE_RULES]
		};

		for (uint32_t i = 0; i < b->count[SECTION_RULES]; i++) {
			int first = 0;

			while (first < STAGE_COUNT &&
			       rules[i].fragments[first] == IMAGE_NONE)
				first++;
			if (first != s)
				continue;
			build_put(b, SECTION_STAGE_RULES, &i, 1);
			stage.always_count++;
		}
		build_put(b, SECTION_STAGES, &stage, 1);
	}
	for (int i = 0; i < OPTION_COUNT; i++) {
		b->needs.options[i] = option_rows[i].number;
		b->needs.option_texts[i] = IMAGE_NONE;
	}
	b->needs.flags |=
	    NEED_HELO | NEED_HEADERS | NEED_BODY | NEED_SIZES | NEED_CLOCK;
	build_put(b, SECTION_NEEDS, &b->needs, 1);
}

/* Puts the right checksum into an image's header. */
static inline void
build_checksum(void *image, size_t size)
{
	struct image_header h;

	memcpy(&h, image, sizeof(h));
	h.checksum = image_checksum(image, size);
	memcpy(image, &h, sizeof(h));
}

/* The bytes, malloc'ed.  Adds `otherwise`; empties the builder. */
static inline void *
build_image(struct builder *b, size_t *size)
{
	struct image_header h = { .version = IMAGE_VERSION,
		.sections = SECTION_COUNT,
		.tables = tables_hash() };
	uint64_t at = (sizeof(h) + 15) / 16 * 16;
	char *image;

	build_otherwise(b);
	build_stages(b);
	memcpy(h.magic, IMAGE_MAGIC, sizeof(h.magic));
	for (int i = 0; i < SECTION_COUNT; i++) {
		h.section[i].offset = at;
		h.section[i].count = b->count[i];
		at += (b->count[i] * build_size[i] + 15) / 16 * 16;
	}
	h.size = at;
	image = build_memory(NULL, at);
	memset(image, 0, at);
	memcpy(image, &h, sizeof(h));
	for (int i = 0; i < SECTION_COUNT; i++) {
		if (b->count[i])
			memcpy(image + h.section[i].offset, b->part[i],
			    b->count[i] * build_size[i]);
		free(b->part[i]);
	}
	build_checksum(image, at);
	*b = (struct builder){ 0 };
	*size = at;
	return image;
}

/* NULL if the image is accepted, else why not.  Frees the image's bytes. */
static inline const char *
build_verdict(void *data, size_t size)
{
	struct milt_image *im = NULL;
	const char *why = "?";
	enum milt_status s = milt_image_load(data, size, &im, &why);

	free(data);
	if (s != MILT_OK)
		return why;
	milt_image_free(im);
	return NULL;
}

#endif
