/* Answers from octets: exchange.h. */
#include "runtime/exchange.h"

struct unpacker {
	struct arena *arena;
	struct milt_reply reply;
	VEC(struct milt_change) changes;
	VEC(struct str) logs, lines;
};

static const char malformed[] = "the function's answer is malformed";

static const char *
failure(struct str word)
{
#define FAILURE(id, name, text)      \
	if (str_eq(word, STR(name))) \
		return text;
	EXCHANGE_FAILURES(FAILURE)
#undef FAILURE
	return malformed;
}

static bool
parse_number(struct str s, long long most, long long *out)
{
	long long n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || n > most)
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	*out = n;
	return s.n > 0 && n <= most;
}

static bool
find_action(struct str name, enum milt_action_kind kind, enum milt_action *out)
{
	for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (action_rows[a].kind == kind &&
		    str_eq(action_rows[a].name, name)) {
			*out = (enum milt_action)a;
			return true;
		}
	return false;
}

static bool
begin_change(struct unpacker *u, struct str name)
{
	struct milt_change c = { .name = STR(""), .value = STR("") };

	return find_action(name, ACTION_CHANGE, &c.action) &&
	       vec_push(u->arena, &u->changes, c);
}

static bool
take_change(struct unpacker *u, struct str key, struct str value)
{
	struct milt_change *c;

	if (str_eq(key, STR("change")))
		return begin_change(u, value);
	if (u->changes.n == 0)
		return false;
	c = &u->changes.v[u->changes.n - 1];
	if (str_eq(key, STR("name")))
		c->name = value;
	else if (str_eq(key, STR("value")))
		c->value = value;
	else
		return str_eq(key, STR("index")) &&
		       parse_number(value, INT32_MAX, &c->index);
	return true;
}

static bool
take(struct unpacker *u, struct str key, struct str value)
{
	struct milt_reply *r = &u->reply;
	long long n;

	r->kind = REPLY_ANSWER;
	if (str_eq(key, STR("verdict")))
		return find_action(value, ACTION_VERDICT, &r->verdict);
	if (str_eq(key, STR("code"))) {
		if (!parse_number(value, 999, &n))
			return false;
		r->code = (unsigned)n;
		return true;
	}
	if (str_eq(key, STR("xcode"))) {
		r->xcode = value;
		return true;
	}
	if (str_eq(key, STR("line")))
		return vec_push(u->arena, &u->lines, value);
	if (str_eq(key, STR("log")))
		return vec_push(u->arena, &u->logs, value);
	return take_change(u, key, value);
}

static bool
next_length(struct str *s, size_t *out)
{
	const unsigned char *p = (const unsigned char *)s->p;

	if (s->n < 4)
		return false;
	*out =
	    p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	*s = str_skip(*s, 4);
	return true;
}

static bool
next_record(struct str *s, struct str *key, struct str *value)
{
	size_t a, b;

	if (!next_length(s, &a) || !next_length(s, &b) || s->n < a ||
	    s->n - a < b)
		return false;
	*key = str_head(*s, a);
	*value = str_head(str_skip(*s, a), b);
	*s = str_skip(*s, a + b);
	return true;
}

static struct milt_reply
failed(const char *why)
{
	return (struct milt_reply){ .kind = REPLY_FAILURE, .failure = why };
}

void
reply_unpack(struct arena *arena, struct str octets, struct milt_reply *out)
{
	struct unpacker u = { .arena = arena };
	struct str key, value;

	u.reply =
	    (struct milt_reply){ .kind = REPLY_NOTHING, .xcode = STR("") };
	while (octets.n) {
		if (!next_record(&octets, &key, &value)) {
			*out = failed(malformed);
			return;
		}
		if (str_eq(key, STR("failure"))) {
			*out = failed(failure(value));
			return;
		}
		if (!take(&u, key, value)) {
			*out = failed(malformed);
			return;
		}
	}
	u.reply.lines = u.lines.v;
	u.reply.line_count = (unsigned)u.lines.n;
	u.reply.changes = u.changes.v;
	u.reply.change_count = u.changes.n;
	u.reply.logs = u.logs.v;
	u.reply.log_count = u.logs.n;
	*out = u.reply;
}
