/*
 * Reading the files of a message: shared by content_files.c (what is known of
 * one) and content_open.c (what is in it).
 */
#ifndef RUNTIME_CONTENT_FILES_H
#define RUNTIME_CONTENT_FILES_H

#include "runtime/content.h"
#include "runtime/kind.h"

struct files {
	struct content *c;
	uint32_t need;      /* NEED_ of the image */
	unsigned depth;     /* of members that come */
	struct str archive; /* its name; valid UTF-8 */
	bool macros;        /* a member holds macros */
	bool encrypted;     /* a member says that others are */
	bool no_memory;     /* nothing more is added */
};

/* What is known of a file besides its contents. */
struct origin {
	struct str name; /* any octets; p NULL: none */
	const char *type, *charset;
	unsigned depth;
	bool message, too_deep, too_large, encrypted, malformed;
	bool ambiguous; /* readers may see another file: malformed, too */
};

/* Adds it, and what is in it behind it. */
void files_add(struct files *, const struct origin *, struct str contents);

/* The files among the leaves; of the last one `cut` says that it was cut. */
void files_add_leaves(struct files *, const leaf_vec *, bool cut);

/*
 * Adds what is in file number `number`: in a message if it is one, else in an
 * archive.  True if it is opened, or is too deep to be.
 */
bool files_open(
    struct files *, size_t number, struct str contents, bool message);

/* Adds the uuencoded files in a text. */
void files_add_uuencoded(struct files *, struct str text, unsigned depth);

/*
 * Adds the first file in yEnc and in BinHex of a text, which Thunderbird opens:
 * its name, if it is told, and nothing in it.
 */
void files_add_others(struct files *, struct str text, unsigned depth);

#endif
