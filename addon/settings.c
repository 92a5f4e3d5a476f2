#include "addon/settings.h"

#include <stdio.h>

#include "dsl/tables.h"
#include "runtime/process.h"

static bool
is_word(const json_t *o, const char *name, const char *word)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text && strcmp(text, word) == 0;
}

static bool
read_owner(struct settings *s, char *why, size_t why_size)
{
	const char *text = json_string_value(json_object_get(s->json, "owner"));
	struct identity who;

	if (!text)
		return true;
	if (!identity_parse(text, &who, why, why_size))
		return false;
	s->service.listen.uid = who.uid;
	s->service.listen.gid = who.gid;
	return true;
}

static long long
number(const json_t *o, const char *name, long long missing)
{
	const json_t *n = json_object_get(o, name);

	return json_is_integer(n) ? json_integer_value(n) : missing;
}

static const char *
text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool
flag(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

bool
settings_read(
    struct settings *out, const char *options, char *why, size_t why_size)
{
	json_t *o = json_loads(options, 0, NULL);
	struct settings s = {
		.json = o,
		.policy = text(o, "policy"),
		.service = { .socket = text(o, "listen"),
		    .metrics = text(o, "metrics"),
		    .control = text(o, "control"),
		    .listen = { .mode = (mode_t)number(o, "mode", 0660),
			.uid = (uid_t)-1,
			.gid = (gid_t)-1,
			.allow_world = flag(o, "allowWorld") },
		    .uid = (uid_t)-1,
		    .gid = (gid_t)-1 },
		.log = is_word(o, "log", "syslog")     ? LOG_TO_SYSLOG
		       : is_word(o, "log", "journald") ? LOG_TO_JOURNALD
		       : is_word(o, "log", "none")     ? LOG_TO_NOBODY
						       : LOG_TO_STDERR,
		.format =
		    is_word(o, "logFormat", "json") ? LOG_JSON : LOG_PLAIN,
		.verbose = flag(o, "verbose"),
		.strict = flag(o, "strict"),
		.decisions = flag(o, "decisions"),
		.limit = (size_t)number(o, "limit", 256),
		.memory = (size_t)number(o, "memory", LIMIT_VALUE_TOTAL_MEMORY),
	};

	if (!s.policy || !s.service.socket) {
		snprintf(why, why_size, "not enough memory");
		json_decref(o);
		return false;
	}
	if (!read_owner(&s, why, why_size)) {
		json_decref(o);
		return false;
	}
	*out = s;
	return true;
}

void
settings_free(struct settings *s)
{
	json_decref(s->json);
	s->json = NULL;
}
