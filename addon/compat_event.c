#include "addon/compat_event.h"

#include <stdlib.h>

const char *
compat_name(enum compat_kind kind)
{
	static const char *const names[] = {
#define EVENT(id, name, reply, patience, answers) [COMPAT_##id] = name,
#include "addon/compat_events.def"
#undef EVENT
		[COMPAT_REPORT] = "report",
	};

	return names[kind];
}

struct compat_event *
compat_event_new(enum compat_kind kind, const struct str *texts, size_t count)
{
	size_t bytes = sizeof(struct compat_event) + count * sizeof(*texts);
	struct compat_event *e;
	char *p;

	for (size_t i = 0; i < count; i++)
		bytes += texts[i].n + 1;
	e = calloc(1, bytes);
	if (!e)
		return NULL;
	e->kind = kind;
	e->count = count;
	p = (char *)&e->texts[count];
	for (size_t i = 0; i < count; i++) {
		if (texts[i].n > 0)
			memcpy(p, texts[i].p, texts[i].n);
		e->texts[i] = (struct str){ p, texts[i].n };
		p += texts[i].n + 1;
	}
	return e;
}

void
compat_event_free(void *e)
{
	free(e);
}
