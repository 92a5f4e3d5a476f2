#include "runtime/value.h"

#include <time.h>

static struct str
ref_key(const struct milt_image *im, const struct image_ref *ref)
{
	return ref->key == IMAGE_NONE ? (struct str){ "", 0 }
				      : image_text(im, ref->key);
}

enum fact_state
value_load(struct interp *ip, const struct image_ref *ref, const size_t *at,
    struct fact_value *out)
{
	struct str key = ref_key(ip->image, ref);
	enum fact_state state = FACT_MISSING;
	size_t count = 0;

	switch ((enum ref_from)ref->from) {
	case REF_VALUE:
		state = facts_get(ip->facts, ref->attr, key, 0, out);
		break;
	case REF_ELEMENT:
		state =
		    facts_get(ip->facts, ref->attr, key, at[ref->loop], out);
		break;
	case REF_COUNT:
		state = facts_count(ip->facts, ref->attr, key, &count);
		*out = (struct fact_value){ .type = TYPE_NUMBER,
			.number = (long long)count };
		break;
	}
	if (state == FACT_FAILED)
		ip->failure = facts_failure(ip->facts);
	if (state == FACT_ASK)
		ip->asking = true;
	return state;
}

static struct str
time_text(struct arena *arena, long long seconds, const char *form)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[64];
	size_t n;

	if (!gmtime_r(&t, &tm))
		return arena_printf(arena, "%lld", seconds);
	n = strftime(text, sizeof(text), form, &tm);
	return arena_dup(arena, (struct str){ text, n });
}

/* Rounded down: a moment before 1970 too belongs to the second it is in. */
static long long
whole_seconds(long long milliseconds)
{
	return milliseconds / 1000 - (milliseconds % 1000 < 0);
}

static struct str
weekday_text(struct arena *arena, long long day)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri",
		"sat", "sun" };

	if (day < 0 || day >= 7)
		return arena_printf(arena, "%lld", day);
	return str_from(days[day]);
}

struct str
value_text(struct interp *ip, const struct fact_value *v)
{
	struct arena *arena = facts_arena(ip->facts);

	switch (v->type) {
	case TYPE_TEXT:
	case TYPE_DOMAIN:
	case TYPE_ADDRESS:
		return v->text.p ? v->text : (struct str){ "", 0 };
	case TYPE_IP:
		return ip_print(arena, v->range.first);
	case TYPE_NETWORK:
		return network_print(arena, v->range);
	case TYPE_NUMBER:
	case TYPE_SIZE:
		return arena_printf(arena, "%lld", v->number);
	case TYPE_DURATION:
		return arena_printf(arena, "%llds", v->number / 1000);
	case TYPE_TIME:
		return time_text(
		    arena, whole_seconds(v->number), "%Y-%m-%dT%H:%M:%SZ");
	case TYPE_DATE:
		if (v->number > INT32_MAX || v->number < INT32_MIN)
			return arena_printf(arena, "%lld", v->number);
		return time_text(arena, v->number * 86400, "%Y-%m-%d");
	case TYPE_WEEKDAY:
		return weekday_text(arena, v->number);
	case TYPE_RESULT:
		return v->number >= 0 && v->number < RESULT_COUNT
			   ? result_rows[v->number].name
			   : STR("");
	case TYPE_BOOLEAN:
		return v->number ? STR("yes") : STR("no");
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return (struct str){ "", 0 };
}

static bool
is_raw(enum milt_attr attr)
{
	return attr == ATTR_RAW_HEADER || attr == ATTR_BODY_RAW;
}

struct str
value_subject(struct interp *ip, enum milt_attr attr,
    const struct fact_value *v, bool octets)
{
	struct str text = value_text(ip, v);

	if (!text.p || !is_raw(attr) || octets)
		return text;
	return utf8_make_valid(facts_arena(ip->facts), text);
}
