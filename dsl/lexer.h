/*
 * From text to tokens.  The lexer decodes literals; attribute names are
 * ordinary words.
 */
#ifndef DSL_LEXER_H
#define DSL_LEXER_H

#include "dsl/diag.h"

struct token {
	int kind; /* TOKEN_... of the grammar; 0 at the end */
	struct span span;
	struct str text;  /* decoded: without quotes, brackets, slashes */
	struct str flags; /* TOKEN_REGEX */
};

struct lexer {
	struct arena *arena; /* borrowed; owns decoded texts */
	struct diags *diags; /* borrowed; NULL: say nothing of errors */
	uint32_t source;
	const char *text; /* a NUL stands behind the last byte */
	const char *at, *limit;
	const uint32_t *map; /* place in the source of each byte of `text`
				and of its end; NULL: they are the source */
	int last;            /* kind of the token before */
	bool failed;         /* an error was found; whoever looks clears it */
	size_t searched;     /* bytes searched in vain for ends of regexes */
};

/* The whole of a source; its bytes are borrowed. */
void lexer_open(
    struct lexer *, struct arena *, struct diags *, uint32_t source);

/* The next token.  Behind the end: the end again. */
struct token lexer_next(struct lexer *);

/*
 * Decoded bytes of the string literal at `span`, quotes left out, and for
 * each the place in the source where it is written, and one more for the end.
 */
struct str string_decode(
    struct arena *, const struct source *, struct span, uint32_t **map);

/*
 * Decodes what stands between quotes.  `map`: room for raw.n + 1 places, base
 * being that of raw, or NULL.  `lx`: who reports bad escapes, or NULL.
 */
struct str unescape(struct arena *, struct lexer *lx, struct str raw,
    uint32_t base, uint32_t *map);

/* begin to end is a backslash and what follows it, and no escape. */
void report_escape(struct lexer *, const char *begin, const char *end);

/* TOKEN_WORD if it is no keyword. */
int word_kind(struct str word);

/* The word of a keyword's token kind, or empty. */
struct str keyword_text(int kind);

/*
 * Reports bytes that no policy may hold: invalid UTF-8 and control
 * characters, one diagnostic for each run; *clean: there are none.  False if
 * there are so many that the text is none.
 */
bool text_check(struct diags *, uint32_t source, bool *clean);

/* Is `s` valid UTF-8 without control characters (but HT, CR, LF)? */
bool text_is_clean(struct str s);

/* Length of the UTF-8 sequence at p, 0 if it is none (RFC 3629). */
size_t utf8_length(const char *p, const char *limit);

#endif
