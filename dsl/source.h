/*
 * Source texts and places in them.
 */
#ifndef DSL_SOURCE_H
#define DSL_SOURCE_H

#include <sys/stat.h>

#include "dsl/arena.h"
#include "dsl/status.h"

/* Bytes [begin, end) of source number `source` in a struct sources. */
struct span {
	uint32_t source, begin, end;
};

struct source {
	struct str path;     /* as shown in diagnostics and logs */
	struct str text;     /* bytes as read; may be anything */
	VEC(uint32_t) lines; /* offset of the first byte of each line */
};

struct sources {
	struct arena *arena; /* borrowed; owns the rest */
	VEC(struct source *) list;
};

/*
 * Files to which everybody may write are refused (EPERM): who can change the
 * policy of a server is the server.  Set before there are threads.
 */
extern bool source_guard;
bool source_is_shared(const struct stat *);
/* Why a file could not be read: an errno in words. */
const char *source_error(int error);

/*
 * Reads `path` ("-" is standard input).  MILT_SYSTEM with errno (EFBIG beyond
 * LIMIT_SOURCE_BYTES, EISDIR, ...) or MILT_OK and the source's number.
 */
enum milt_status source_read(struct sources *, struct str path, uint32_t *out);

/* Adds a text that is already there; `text` must outlive the sources. */
uint32_t source_add(struct sources *, struct str path, struct str text);

/* Line and column (characters, UTF-8), from 1, of an offset. */
void source_place(
    const struct source *, uint32_t offset, unsigned *line, unsigned *column);

/* Where the line begins on which `offset` stands. */
uint32_t source_line_begin(const struct source *, uint32_t offset);

/* The text of a line, from 1, without its end. */
struct str source_line(const struct source *, unsigned line);

static inline struct span
span_join(struct span a, struct span b)
{
	return (struct span){ a.source, a.begin, b.end };
}

static inline bool
span_holds(struct span outer, struct span inner)
{
	return outer.source == inner.source && outer.begin <= inner.begin &&
	       inner.end <= outer.end;
}

#endif
