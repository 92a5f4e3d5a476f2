#include "runtime/json.h"

#include "dsl/arena.h"
#include "runtime/normal.h"

json_t *
json_text(struct str s)
{
	struct arena arena;
	struct str valid;
	json_t *out = json_stringn(s.n ? s.p : "", s.n);

	if (out)
		return out;
	arena_init(&arena, 0, NULL);
	valid = utf8_make_valid(&arena, s);
	out = json_stringn(valid.p ? valid.p : "", valid.n);
	arena_free(&arena);
	return out;
}

void
json_put(json_t *object, const char *name, json_t *value)
{
	(void)json_object_set_new(object, name, value);
}

void
json_put_text(json_t *object, const char *name, struct str s)
{
	json_put(object, name, json_text(s));
}

void
json_put_number(json_t *object, const char *name, unsigned long long n)
{
	json_put(object, name, json_integer((json_int_t)n));
}

char *
json_line(json_t *value)
{
	char *line = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return line;
}

const char *
json_member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

bool
json_truth(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}
