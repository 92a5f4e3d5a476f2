/* How texts are put in.  Private to runtime/insert*.c. */
#ifndef RUNTIME_INSERT_STATE_H
#define RUNTIME_INSERT_STATE_H

#include <gmime/gmime.h>

#include "dsl/arena.h"

/* A line that begins with "--" and one of these would end the part. */
typedef VEC(struct str) boundaries;

/* What becomes of one part. */
struct part_text {
	struct arena *arena;
	const boundaries *boundaries;
	GMimePart *part;
	struct str raw;           /* its contents as sent */
	struct str before, after; /* as in insert_texts */
	/* Results: the new contents, and values of its fields that change. */
	struct str contents, type, encoding;
};

/* insert_sealed.c */
bool part_is(GMimeObject *, const char *type, const char *subtype);
/* By its type, or because it has none. */
bool part_is_plain(GMimeObject *);
/*
 * Signed or encrypted, by its type or, for a text, by what a reader sees.  True
 * with no memory; it is taken from the arena.
 */
bool part_is_sealed(struct arena *, GMimeObject *);

/*
 * insert_part.c: are its contents what they are said to be, so that all of
 * them are there when they have been decoded?
 */
bool part_is_sound(GMimePart *, struct str raw);
/* False with no memory. */
bool insert_part(struct part_text *);

/*
 * insert_lines.c: has `new`, contents of a part that were `old`, no more lines
 * than those that end the part, or are cut on their way?
 */
bool lines_are_safe(const boundaries *, struct str old, struct str new);
/* RFC 5322 2.1.1: is no line longer than it may be? */
bool lines_fit(struct str);
/* Behind the field that begins at `at`, its continuation lines included. */
size_t field_end(struct str, size_t at);
/* Where the empty line above the contents begins; 0 where there is none. */
size_t empty_line(struct str, size_t contents);
/* RFC 3676 4.2: would the next line be taken into the last one? */
bool flowed_goes_on(struct str);
/* RFC 3676 4.2 to 4.4: as lines that do not flow, and are no quotes. */
struct str flowed_text(struct arena *, struct str lines);

/*
 * insert_html.c: where in a document texts are shown first and last, and a
 * text (lines that end in CRLF) as HTML in ASCII.
 */
size_t html_begin(struct str document);
size_t html_end(struct str document);
struct str html_text(struct arena *, struct str text);

/*
 * insert_encode.c: transfer encodings (RFC 2045 6.7, 6.8).  All results lie in
 * the arena; {NULL, 0} with no memory.
 */

/* Quoted-printable.  CRLF is a line end; other CR and LF are octets. */
struct str qp_encode(struct arena *, struct str);
/* *map is the place in `s` of each octet of the result, and its end. */
struct str qp_decode(struct arena *, struct str s, uint32_t **map);
struct str base64_encode(struct arena *, struct str);
/* One run of it, with nothing behind it. */
bool base64_is_whole(struct str);

/* a, b and c together, {NULL, 0} where one of them is that. */
struct str join3(struct arena *, struct str a, struct str b, struct str c);

#endif
