/* What tests of facts ask with: values as text, a fresh start, a field. */
#ifndef TESTS_UNIT_FACTS_SHOW_H
#define TESTS_UNIT_FACTS_SHOW_H

#include "tests/unit/facts_fake.h"
#include "tests/unit/test.h"

static struct facts *f;
static char shown[65536];

/*
 * All values of an attribute, joined by `|`; "-" missing, "!" failed, "?" the
 * clock must be asked.
 */
static inline struct str
key_show(enum milt_attr attr, const char *key)
{
	size_t count, n = 0;
	struct fact_value v;
	enum fact_state st = facts_count(f, attr, str_from(key), &count);

	if (st == FACT_THERE && count == 0)
		return STR("-");
	for (size_t i = 0; st == FACT_THERE && i < count; i++) {
		const char *bar = i ? "|" : "";

		st = facts_get(f, attr, str_from(key), i, &v);
		if (st == FACT_MISSING && attr_rows[attr].many) {
			n += (size_t)snprintf(
			    shown + n, sizeof(shown) - n, "%s-", bar);
			st = FACT_THERE;
			continue;
		}
		if (st != FACT_THERE)
			break;
		if (v.type == TYPE_IP || v.type == TYPE_NETWORK) {
			struct str s = network_print(facts_arena(f), v.range);

			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%.*s", bar, STR_ARG(s));
		} else if (v.type == TYPE_TEXT || v.type == TYPE_DOMAIN ||
			   v.type == TYPE_ADDRESS || v.type == TYPE_RECORD) {
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%.*s", bar, STR_ARG(v.text));
		} else {
			n += (size_t)snprintf(shown + n, sizeof(shown) - n,
			    "%s%lld", bar, v.number);
		}
	}
	switch (st) {
	case FACT_MISSING:
		return STR("-");
	case FACT_FAILED:
		return STR("!");
	case FACT_ASK:
		return STR("?");
	case FACT_THERE:
	case FACT_PARTIAL:
		break;
	}
	return (struct str){ shown, n };
}

static inline struct str
show(enum milt_attr attr)
{
	return key_show(attr, "");
}

static inline struct str
show_key(enum milt_attr attr, enum milt_type as)
{
	struct fact_value v;

	if (facts_get(f, attr, STR(""), 0, &v) != FACT_THERE)
		return STR("-");
	/* the second answer is the first one, not made again */
	CHECK(facts_key(f, &v, as).p == facts_key(f, &v, as).p);
	return facts_key(f, &v, as);
}

static inline void
header(const char *name, const char *value)
{
	CHECK(facts_header(f, str_from(name), str_from(value)) == MILT_OK);
}

/* A message that is one file. */
static inline void
give_file(const char *name, struct str contents)
{
	char type[256];

	snprintf(type, sizeof(type), "application/x; name=\"%s\"", name);
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	header("Content-Type", type);
	facts_body(f, contents);
}

static inline void
start(void)
{
	facts_free(f);
	f = facts_new(fake_reset());
}

#endif
