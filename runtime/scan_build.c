/* The subjects of an image's regexes, and a table for each. */
#include "runtime/scan.h"

#include <stdlib.h>

#include "runtime/scan_table.h"
#include "runtime/scan_text.h"

/* A reference that regexes may be on, with its place among the subjects. */
struct place {
	uint64_t key; /* attribute and key */
	uint32_t ref;
};

/* A regex on a subject. */
struct use {
	uint32_t place; /* 2 * number of the place, and 1 for octets */
	uint32_t regex;
};

struct build {
	struct milt_image *im;
	uint32_t *place_of;   /* reference -> number of its place, or NONE */
	uint32_t *ref_of;     /* place -> one of its references */
	uint32_t *subject_of; /* place of a use -> subject */
	struct place *places; /* of references, in order of key */
	uint32_t place_count, places_distinct;
	struct use *uses;
	uint32_t use_count;
	struct scan_entry *entries; /* for one subject */
	uint32_t entry_count, entry_room;
	struct scan_sequence *sequences; /* for it */
	uint32_t sequence_count, sequence_room;
};

static int
compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int
compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->regex < y->regex ? -1 : x->regex > y->regex;
}

static bool
is_text(const struct image_ref *ref)
{
	enum milt_type type = attr_rows[ref->attr].type;

	return ref->from != REF_COUNT &&
	       (type == TYPE_TEXT || type == TYPE_DOMAIN ||
		   type == TYPE_ADDRESS);
}

/* Gives references to the same values the same place. */
static void
number_places(struct build *b)
{
	const struct milt_image *im = b->im;

	for (uint32_t i = 0; i < im->count[SECTION_REFS]; i++) {
		const struct image_ref *ref = &im->refs[i];

		b->place_of[i] = IMAGE_NONE;
		if (is_text(ref))
			b->places[b->place_count++] = (struct place){
				(uint64_t)ref->attr << 32 | ref->key, i
			};
	}
	if (b->place_count == 0)
		return;
	qsort(b->places, b->place_count, sizeof(*b->places), compare_places);
	for (uint32_t i = 0; i < b->place_count; i++) {
		if (i == 0 || b->places[i].key != b->places[i - 1].key)
			b->ref_of[b->places_distinct++] = b->places[i].ref;
		b->place_of[b->places[i].ref] = b->places_distinct - 1;
	}
}

static void
collect_uses(struct build *b)
{
	const struct milt_image *im = b->im;
	uint32_t n = 0;

	for (uint32_t i = 0; i < im->count[SECTION_CODE]; i++) {
		const struct image_insn *in = &im->code[i];
		uint32_t place;

		if (in->op != OPC_MATCH)
			continue;
		place = b->place_of[in->a];
		if (place == IMAGE_NONE)
			continue;
		b->uses[n++] =
		    (struct use){ 2 * place + ((im->regexes[in->b].flags &
						   REGEX_BYTES) != 0),
			    in->b };
	}
	if (n)
		qsort(b->uses, n, sizeof(*b->uses), compare_uses);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || compare_uses(&b->uses[i], &b->uses[i - 1]) != 0)
			b->uses[b->use_count++] = b->uses[i];
}

/* ---- a subject ---------------------------------------------------------- */

static bool
add_literals(
    struct build *b, uint32_t regex, const struct literals *set, uint32_t also)
{
	if (b->entry_count + set->n > b->entry_room) {
		uint32_t room = 2 * (b->entry_count + set->n);
		struct scan_entry *p = realloc(b->entries, room * sizeof(*p));

		if (!p)
			return false;
		b->entries = p;
		b->entry_room = room;
	}
	for (uint32_t i = 0; i < set->n; i++)
		b->entries[b->entry_count++] = (struct scan_entry){
			.literal = set->v[i], .regex = regex, .also = also
		};
	return true;
}

/* What a regex without literals goes by. */
static bool
add_residual(struct build *b, struct scan_subject *s, uint32_t i)
{
	const struct image_regex *re = &b->im->regexes[s->regexes[i]];
	struct scan_table *t = s->table;
	struct scan_sequence *more;

	s->residual++;
	if (b->sequence_count == b->sequence_room) {
		b->sequence_room = 2 * b->sequence_room + 16;
		more = realloc(b->sequences, b->sequence_room * sizeof(*more));
		if (!more)
			return false;
		b->sequences = more;
	}
	if (classes_of(image_text(b->im, re->source), re->flags,
		&b->sequences[b->sequence_count].classes))
		b->sequences[b->sequence_count++].regex = i;
	else
		t->residual[t->residual_count++] = i;
	return true;
}

static bool
build_table(struct build *b, struct scan_subject *s)
{
	uint32_t *without = malloc(s->count * sizeof(*without));
	struct literals set;
	struct literals_also also;
	uint32_t n = 0, first;
	bool ok;

	s->table = scan_table_new();
	ok = without && s->table;

	b->entry_count = b->sequence_count = 0;
	for (uint32_t i = 0; ok && i < s->count; i++) {
		const struct image_regex *re = &b->im->regexes[s->regexes[i]];

		if (literals_of(
			image_text(b->im, re->source), re->flags, &set, &also))
			ok = scan_table_also(s->table, &also, &first) &&
			     add_literals(b, i, &set, first);
		else
			without[n++] = i;
	}
	ok = ok && scan_table_fill(s->table, b->entries, b->entry_count);
	if (ok) {
		s->table->residual =
		    calloc((size_t)n + 1, sizeof(*s->table->residual));
		ok = s->table->residual != NULL;
	}
	for (uint32_t i = 0; ok && i < n; i++)
		ok = add_residual(b, s, without[i]);
	free(without);
	if (ok && b->sequence_count) {
		s->table->classes =
		    scan_classes_new(b->sequences, b->sequence_count);
		ok = s->table->classes != NULL;
		s->table->bytes += scan_classes_bytes(s->table->classes);
	}
	return ok;
}

/* The uses from `first` on that are of one place. */
static bool
add_subject(struct build *b, uint32_t first, uint32_t *count)
{
	struct scan *scan = b->im->scan;
	struct scan_subject *s = &scan->subjects[scan->count];
	uint32_t place = b->uses[first].place;
	const struct image_ref *ref = &b->im->refs[b->ref_of[place / 2]];
	uint32_t n = 0;

	while (first + n < b->use_count && b->uses[first + n].place == place)
		n++;
	*s = (struct scan_subject){ .attr = ref->attr,
		.octets = place % 2,
		.key = ref->key,
		.count = n };
	s->regexes = malloc(n * sizeof(*s->regexes));
	if (!s->regexes)
		return false;
	b->subject_of[place] = scan->count++;
	for (uint32_t i = 0; i < n; i++)
		s->regexes[i] = b->uses[first + i].regex;
	*count = n;
	return build_table(b, s);
}

/* ---- all ---------------------------------------------------------------- */

static bool
add_subjects(struct build *b)
{
	struct scan *scan = b->im->scan;
	uint32_t refs = b->im->count[SECTION_REFS], subjects = 0;

	for (uint32_t i = 0; i < b->use_count; i++)
		subjects += i == 0 || b->uses[i].place != b->uses[i - 1].place;
	scan->subjects = calloc((size_t)subjects + 1, sizeof(*scan->subjects));
	if (!scan->subjects)
		return false;
	for (uint32_t i = 0; i < 2 * b->places_distinct; i++)
		b->subject_of[i] = IMAGE_NONE;
	for (uint32_t i = 0, n; i < b->use_count; i += n)
		if (!add_subject(b, i, &n))
			return false;
	for (uint32_t i = 0; i < 2 * refs; i++)
		scan->of_ref[i] =
		    b->place_of[i / 2] == IMAGE_NONE
			? IMAGE_NONE
			: b->subject_of[2 * b->place_of[i / 2] + i % 2];
	return true;
}

enum milt_status
scan_build(struct milt_image *im)
{
	size_t refs = (size_t)im->count[SECTION_REFS] + 1;
	struct build b = { .im = im };
	bool ok;

	im->scan = calloc(1, sizeof(*im->scan));
	b.place_of = malloc(refs * sizeof(*b.place_of));
	b.ref_of = malloc(refs * sizeof(*b.ref_of));
	b.places = malloc(refs * sizeof(*b.places));
	b.subject_of = malloc(2 * refs * sizeof(*b.subject_of));
	b.uses =
	    malloc(((size_t)im->count[SECTION_CODE] + 1) * sizeof(*b.uses));
	ok = im->scan && b.place_of && b.ref_of && b.places && b.subject_of &&
	     b.uses;
	if (ok) {
		im->scan->of_ref = malloc(2 * refs * sizeof(*im->scan->of_ref));
		ok = im->scan->of_ref != NULL;
	}
	if (ok) {
		number_places(&b);
		collect_uses(&b);
		ok = add_subjects(&b);
	}
	free(b.place_of);
	free(b.ref_of);
	free(b.places);
	free(b.subject_of);
	free(b.uses);
	free(b.entries);
	free(b.sequences);
	return ok ? scan_texts_build(im) : MILT_NO_MEMORY;
}

void
scan_free(struct milt_image *im)
{
	struct scan *scan = im->scan;

	if (!scan)
		return;
	for (uint32_t i = 0; i < scan->count; i++) {
		free(scan->subjects[i].regexes);
		scan_table_free(scan->subjects[i].table);
	}
	scan_texts_free(im);
	free(scan->subjects);
	free(scan->of_ref);
	free(scan);
	im->scan = NULL;
}
