#include "runtime/verify.h"

#include <stdlib.h>

enum { WORK_FACTOR = 256, WORK_FREE = 1 << 20 };

const char verify_no_memory[] = "there is not enough memory to verify";

bool
verify_spend(struct verifier *v, uint64_t count, uint64_t size)
{
	uint64_t cost = count * size;

	if (cost > v->budget)
		return false;
	v->budget -= cost;
	return true;
}

enum milt_stage
verify_from(const struct verifier *v, enum milt_attr attr, uint32_t key)
{
	const struct macro_row *macro;

	if (attr != ATTR_MACRO)
		return attr_rows[attr].from;
	macro = macro_by_name(image_text(v->im, key));
	return macro ? macro->from : STAGE_DATA;
}

bool
verify_fits(enum milt_attr attr, uint32_t key, enum milt_attr collection,
    uint32_t collection_key)
{
	struct str field = attr_rows[attr].name;
	struct str whole = attr_rows[collection].name;

	if (key != collection_key)
		return false;
	return attr == collection ||
	       (str_starts(field, whole) && field.p[whole.n] == '.' &&
		   attr_rows[attr].many);
}

static const char *
run(struct verifier *v)
{
	static const char *(*const passes[])(struct verifier *) = {
		verify_tables,
		verify_lists,
		verify_templates,
		verify_needs,
		verify_code,
		verify_finders,
		verify_rules,
		verify_index,
	};

	for (size_t i = 0; i < sizeof(passes) / sizeof(*passes); i++) {
		const char *why = passes[i](v);

		if (why)
			return why;
	}
	return NULL;
}

const char *
image_verify(const struct milt_image *im)
{
	struct verifier v = { .im = im };
	size_t code = (size_t)im->count[SECTION_CODE] + 1;
	const char *why = verify_no_memory;

	v.budget = (uint64_t)im->map_size * WORK_FACTOR + WORK_FREE;
	v.written = calloc(code, sizeof(*v.written));
	v.target = calloc(code, sizeof(*v.target));
	v.uses =
	    calloc((size_t)im->count[SECTION_TEMPLATES] + 1, sizeof(*v.uses));
	if (v.written && v.target && v.uses)
		why = run(&v);
	free(v.written);
	free(v.target);
	free(v.uses);
	return why;
}
