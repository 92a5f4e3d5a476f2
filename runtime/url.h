/* URLs: finding them in plain text, their parts, and links that deceive. */
#ifndef RUNTIME_URL_H
#define RUNTIME_URL_H

#include "dsl/arena.h"

/*
 * The first URL of a text (valid UTF-8) at or behind *at, and *at moved behind
 * it: what begins with http://, https://, ftp:// or www.  {NULL, 0} where
 * there is none.
 */
struct str url_find(struct str text, size_t *at);

/*
 * Octets of the character beyond ASCII with which `s` begins (valid UTF-8), if
 * it ends URLs and words: blanks, and punctuation but what IDNA reads as the
 * dot before an ASCII letter.  0 for any other.
 */
size_t url_break(struct str s);

/* What follows from a host. */
struct url_site {
	struct str raw;    /* as written; p NULL: none */
	struct str host;   /* percent signs decoded, valid UTF-8 */
	struct str domain; /* its normal form if it is a name; or p NULL */
	struct str org;    /* registrable domain; or p NULL */
};

struct url {
	struct str host, domain, org; /* as above; host.p NULL: none */
	struct str path;              /* p NULL: none */
};

/*
 * As a browser reads it: controls, and blanks at both ends, are dropped; in
 * what begins with www., //, http:, https:, ftp: or file: backslashes are
 * slashes, and but for file: any number of them follows the scheme.  False
 * where it is not absolute, or names a part of the message.  With no memory it
 * has no parts.
 *
 * *site is that of the URL before, or all zero, and becomes that of this one.
 */
bool url_split(
    struct arena *, struct str s, struct url_site *site, struct url *out);

/* The parts of a URL of which there is nothing but this host. */
void url_of_host(
    struct arena *, struct str host, struct url_site *site, struct url *out);

/*
 * Does a link's visible text name hosts, by URLs or, where it has none, by
 * names whose last label is a known one, and none of them has the registrable
 * domain (or is the host) of the target?
 */
bool url_is_deceptive(
    struct arena *, const struct url *target, struct str text);

#endif
