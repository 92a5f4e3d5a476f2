#include "runtime/kind.h"

#include <magic.h>
#include <pthread.h>
#include <stdlib.h>

enum {
	LOOKED_AT = 256 << 10,
	KEPT = 16,
	FLAGS = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF |
		MAGIC_NO_CHECK_TOKENS,
};

static const struct str words[] = {
#define KIND(id, word, doc) STR(word),
#define KIND_OF(id, type)
#define KIND_AT(id, offset, octets)
#include "dsl/kinds.def"
#undef KIND
#undef KIND_OF
#undef KIND_AT
};

static const struct {
	enum kind kind;
	struct str type;
} kinds[] = {
#define KIND(id, word, doc)
#define KIND_OF(id, type) { KIND_##id, STR(type) },
#define KIND_AT(id, offset, octets)
#include "dsl/kinds.def"
#undef KIND
#undef KIND_OF
#undef KIND_AT
};

static const struct {
	enum kind kind;
	long offset;
	struct str octets;
} marks[] = {
#define KIND(id, word, doc)
#define KIND_OF(id, type)
#define KIND_AT(id, offset, octets) { KIND_##id, offset, STR(octets) },
#include "dsl/kinds.def"
#undef KIND
#undef KIND_OF
#undef KIND_AT
};

/* A handle serves one thread at a time: those that are free. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static magic_t spare[KEPT];
static size_t spares;

static magic_t
take(void)
{
	magic_t m = NULL;

	(void)pthread_mutex_lock(&lock);
	if (spares)
		m = spare[--spares];
	(void)pthread_mutex_unlock(&lock);
	if (m)
		return m;
	m = magic_open(FLAGS);
	if (m && magic_load(m, NULL) != 0) {
		magic_close(m);
		m = NULL;
	}
	return m;
}

static void
give_back(magic_t m)
{
	(void)pthread_mutex_lock(&lock);
	if (spares < KEPT) {
		spare[spares++] = m;
		m = NULL;
	}
	(void)pthread_mutex_unlock(&lock);
	if (m)
		magic_close(m);
}

static struct str
ask(magic_t m, struct str s)
{
	return str_from(magic_buffer(m, s.n ? s.p : "", s.n));
}

/*
 * Programs of DOS without a header (COM) are guessed by an octet or two, which
 * one in a hundred files without a mark of its own begins with, and texts in
 * GBK and Shift JIS.  Windows takes files for them by their names alone.
 */
static bool
is_guessed(struct str s, struct str type)
{
	return str_eq_ascii(type, STR("application/x-dosexec")) &&
	       !str_starts(s, STR("MZ")) && !str_starts(s, STR("ZM"));
}

static struct str
type_of(magic_t m, struct str s)
{
	struct str type = ask(m, s);

	if (!is_guessed(s, type))
		return type;
	(void)magic_setflags(m, FLAGS | MAGIC_NO_CHECK_SOFT);
	type = ask(m, s);
	(void)magic_setflags(m, FLAGS);
	return type;
}

static bool
fits(struct str pattern, struct str type)
{
	if (pattern.p[pattern.n - 1] != '*')
		return str_eq_ascii(pattern, type);
	pattern.n--;
	return str_eq_ascii(pattern, str_head(type, pattern.n));
}

static bool
has_mark(struct str s, long offset, struct str octets)
{
	size_t from = (size_t)(offset < 0 ? -offset : offset);

	if (from > s.n)
		return false;
	return str_starts(str_skip(s, offset < 0 ? s.n - from : from), octets);
}

static enum kind
kind_by_mark(struct str s)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (has_mark(s, marks[i].offset, marks[i].octets))
			return marks[i].kind;
	return KIND_OTHER;
}

bool
kind_of(struct str contents, enum kind *out)
{
	struct str head = str_head(contents, LOOKED_AT), type;
	magic_t m = take();
	size_t i = 0;

	if (!m)
		return false;
	type = type_of(m, head);
	while (!fits(kinds[i].type, type))
		i++; /* the last one fits anything */
	*out = kinds[i].kind;
	give_back(m);
	if (*out == KIND_OTHER)
		*out = kind_by_mark(contents);
	return true;
}

struct str
kind_word(enum kind kind)
{
	return words[kind];
}
