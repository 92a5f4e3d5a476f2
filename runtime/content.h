/*
 * What is inside a message: made from its facts when it is first asked for, in
 * three steps that stand for themselves: the MIME structure, the texts of the
 * body, the files.  Private to runtime/content*.c and runtime/facts*.c.
 */
#ifndef RUNTIME_CONTENT_H
#define RUNTIME_CONTENT_H

#include "runtime/archive.h"
#include "runtime/facts_state.h"
#include "runtime/mime.h"
#include "runtime/part_name.h"
#include "runtime/url.h"

struct part_fact {
	struct cell type, charset, name, disposition;
	long long size; /* -1: a multipart */
	unsigned depth;
};

struct file_fact {
	struct cell name, extension, extensions, type, kind, sha256, text;
	long long size;
	unsigned depth;
	bool encrypted, has_macros, too_large, too_deep, malformed;
};

struct url_fact {
	struct cell value, host, domain, org, path, text;
	bool deceptive;
};

/* A part that holds neither parts nor, at this depth, a message. */
struct leaf {
	GMimePart *part; /* borrowed from its root */
	struct part_name name;
	unsigned depth; /* archives and messages it is in */
	bool file, message;
	bool plain, html; /* of the body */
	bool too_deep;    /* a message that was not parsed */
	bool ambiguous;   /* readers may see another file */
};
typedef VEC(struct leaf) leaf_vec;

struct content {
	struct facts *facts; /* borrowed; its arena holds all but: */
	GPtrArray *roots;    /* GMime's parts, owned */
	struct mime_budget budget;
	struct mime_budget files_budget; /* of files that are no parts */
	struct archive_budget archives;
	bool has_parts, has_texts, has_files; /* the steps that are done */
	bool failed; /* no memory: nothing more is tried */
	bool malformed;
	/*
	 * Not all was looked at: static text that says why.  What is there is
	 * certain, what is not there is not.
	 */
	const char *partial, *urls_partial, *files_partial;
	VEC(struct part_fact) parts;
	leaf_vec leaves;
	struct cell text, html;
	struct url_site site; /* of the last URL: the next has it often */
	VEC(struct url_fact) urls;
	VEC(struct file_fact) files;
};

/*
 * The message's content with the steps that `need` (NEED_MIME, NEED_TEXTS,
 * NEED_FILES) stands for.  NULL with f->failure set.
 */
struct content *content_of(struct facts *, uint32_t need);

void content_free(struct content *); /* may be NULL */

/*
 * Parses a message that is a file, inside `budget`, and appends its leaves;
 * *malformed is set where it is broken.  False with no memory.
 */
bool content_walk(struct content *, GByteArray *octets, unsigned depth,
    struct mime_budget *budget, bool *malformed, leaf_vec *leaves);

/* The steps; false with no memory. */
bool content_read_texts(struct content *);
bool content_read_files(struct content *);

/* RFC 2045 5.2: a part whose type is no type is plain text. */
bool content_has_type(GMimeObject *);

/*
 * Octets in a charset (NULL: not declared) as valid UTF-8 with lines that end
 * with \n; {NULL, 0} with no memory.
 */
struct str content_text(
    struct arena *, struct str octets, const char *charset, bool html);

#endif
