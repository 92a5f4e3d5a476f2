/* URLs: finding them in plain text, and their parts. */
#ifndef RUNTIME_URL_H
#define RUNTIME_URL_H

#include "dsl/arena.h"

/*
 * The first URL of a text (valid UTF-8) at or behind *at, and *at moved behind
 * it: what begins with http://, https://, ftp:// or www.  {NULL, 0} where
 * there is none.
 */
struct str url_find(struct str text, size_t *at);

/* What follows from a host. */
struct url_site {
	struct str raw;    /* as written, percent signs decoded; p NULL: none */
	struct str host;   /* the same, valid UTF-8 */
	struct str domain; /* its normal form if it is a name; or p NULL */
	struct str org;    /* registrable domain; or p NULL */
};

struct url {
	struct str host, domain, org; /* as above; host.p NULL: none */
	struct str path;              /* p NULL: none */
};

/*
 * As a browser reads it: blanks and controls dropped, backslashes are slashes,
 * of which any number may follow http:, https: and ftp:.
 * False where it is not absolute, or names a part of the message.  What cannot
 * be taken apart has no parts, as all have with no memory.
 *
 * *site is that of the URL before, or all zero, and becomes that of this one.
 */
bool url_split(
    struct arena *, struct str s, struct url_site *site, struct url *out);

/*
 * Does a link's visible text name hosts, by URLs or, where it has none, by
 * names whose last label is a known one, and none of them has the registrable
 * domain (or is the host) of the target?
 */
bool url_is_deceptive(
    struct arena *, const struct url *target, struct str text);

#endif
