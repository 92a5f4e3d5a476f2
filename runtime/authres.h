/*
 * Authentication-Results fields: RFC 8601 section 2.2.  The text comes from
 * anybody: what is not well-formed is left out, up to the next semicolon.
 */
#ifndef RUNTIME_AUTHRES_H
#define RUNTIME_AUTHRES_H

#include "dsl/arena.h"
#include "dsl/tables.h"

enum authres_method {
	AUTHRES_SPF,
	AUTHRES_DKIM,
	AUTHRES_DMARC,
	AUTHRES_ARC,
	AUTHRES_COUNT
};

enum { AUTHRES_COMMENTS = 4 }; /* that are looked at in a result */

/* One result; texts are {NULL, 0} where they are not given. */
struct authres {
	enum authres_method method;
	enum milt_result result;
	struct str domain; /* spf: smtp.mailfrom or smtp.helo; dkim: header.d
			      or that of header.i */
	struct str policy; /* dmarc: the published policy */
};

/* Where a field is read; made by authres_open. */
struct authres_reader {
	struct arena *arena; /* for what quotes and escapes make a copy of */
	struct str rest;
	struct str comment[AUTHRES_COMMENTS]; /* of the present result */
	unsigned comments;
	bool broken; /* a quote or comment is not closed */
	bool failed; /* no memory */
};

/*
 * The authserv-id of a field's unfolded value, or an empty text where it has
 * none; the reader then stands before the first result.
 */
struct str authres_open(
    struct authres_reader *, struct arena *, struct str value);

/*
 * The next result of a method and a name that are known; false at the end, or
 * with no memory (r->failed).
 */
bool authres_next(struct authres_reader *, struct authres *out);

#endif
