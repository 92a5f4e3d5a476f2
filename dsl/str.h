/*
 * Length-counted text.  Never rely on a final NUL; bytes may be anything.
 * A struct str borrows its bytes: whoever made them owns them.
 */
#ifndef DSL_STR_H
#define DSL_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p; /* may be NULL only when n is 0 */
	size_t n;      /* bytes */
};

/* A literal as a struct str; STR_ARG for "%.*s". */
#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str
str_from(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equal without regard to the case of ASCII letters. */
bool str_eq_ascii(struct str a, struct str b);

static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n &&
	       (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 ||
		   memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* `s` without its first `n` bytes; `n` is at most s.n. */
static inline struct str
str_skip(struct str s, size_t n)
{
	/* Of {NULL, 0} too. */
	return (struct str){ n ? s.p + n : s.p, s.n - n };
}

static inline struct str
str_head(struct str s, size_t n)
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

/* Without blanks (SP, HT, CR, LF) at both ends. */
struct str str_trim(struct str s);

bool str_is_ascii(struct str s);

/* The first line, without its LF or CRLF; it is taken from *s with that. */
struct str str_line(struct str *s);

/* Offset of the first `c` in `s`, or s.n. */
static inline size_t
str_find(struct str s, char c)
{
	const char *q = s.n ? (const char *)memchr(s.p, c, s.n) : NULL;

	return q ? (size_t)(q - s.p) : s.n;
}

/*
 * Offset of the first `what` in `s`, or s.n, by its octet `rare`: where `s` has
 * few of these it is found several times as fast as by memmem.
 */
size_t str_find_text(struct str s, struct str what, size_t rare);

#endif
