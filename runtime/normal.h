/*
 * Normal forms: the one place that says when two texts, domains, addresses or
 * networks are equal.  The compiler puts them into images, the interpreter
 * compares with them.  Thread-safe; no global state but constant tables.
 */
#ifndef RUNTIME_NORMAL_H
#define RUNTIME_NORMAL_H

#include <endian.h>

#include "dsl/arena.h"
#include "dsl/status.h"
#include "dsl/tables.h"

/* An IP address in IPv6 form, network order; IPv4 as ::ffff:a.b.c.d. */
struct ip {
	uint8_t b[16];
};

/* Addresses first to last, both included. */
struct ip_range {
	struct ip first, last;
};

static inline int
ip_compare(struct ip a, struct ip b)
{
	uint64_t x[2], y[2];
	int high, low;

	memcpy(x, a.b, sizeof(x));
	memcpy(y, b.b, sizeof(y));
	high =
	    (be64toh(x[0]) > be64toh(y[0])) - (be64toh(x[0]) < be64toh(y[0]));
	low = (be64toh(x[1]) > be64toh(y[1])) - (be64toh(x[1]) < be64toh(y[1]));
	return high ? high : low;
}

/* Makes it the next one; false behind the last. */
static inline bool
ip_next(struct ip *ip)
{
	for (int i = 15; i >= 0; i--)
		if (++ip->b[i])
			return true;
	return false;
}

static inline bool
ip_is_v4(struct ip ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(ip.b, mapped, sizeof(mapped)) == 0;
}

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", also with "IPv6:" before. */
bool ip_parse(struct str, struct ip *out);

/* At most 45 characters; IPv4 as a dotted quad.  {NULL,0} with no memory. */
struct str ip_print(struct arena *, struct ip);

/*
 * "192.0.2.0/24", "2001:db8::/32", or an address alone.  *masked says that
 * bits were set behind the prefix (they are cleared).
 */
bool network_parse(struct str, struct ip_range *out, bool *masked);

/* As "192.0.2.0/24"; `range` must be a CIDR block. */
struct str network_print(struct arena *, struct ip_range range);

/*
 * The addresses that a CIDR block holds, in order: one range or two; returns
 * how many.  IPv4 is the block ::ffff:0:0/96, which an IPv6 network around it
 * does not hold: it is cut out.
 */
size_t network_parts(const struct ip_range *network, struct ip_range parts[2]);

/* Does a CIDR block hold all addresses of another one? */
bool network_holds(const struct ip_range *, const struct ip_range *other);

/* The /24 (IPv4) or /64 (IPv6) of an address. */
struct ip_range ip_network(struct ip);

/* Valid UTF-8 (RFC 3629)? */
bool utf8_is_valid(struct str);

/*
 * `s` with each maximal invalid sequence replaced by U+FFFD; `s` itself where
 * it is valid.  {NULL, 0} with no memory.
 */
struct str utf8_make_valid(struct arena *, struct str s);

/* Unicode simple case folding of valid UTF-8; `s` itself if nothing changes. */
struct str text_fold(struct arena *, struct str s);

/*
 * Normal form of a domain: A-labels (IDNA 2008, libidn2) in lower case, no
 * trailing dot.  What is no domain by those rules is lower-cased only, so
 * every text has a form.  {NULL, 0} with no memory.
 */
struct str domain_normal(struct arena *, struct str);

/* Is `s` a domain that can stand in a policy: labels, letters, no blanks? */
bool domain_is_valid(struct str s);

/* Registrable domain (libpsl) of a normal-form domain, or empty. */
struct str domain_org(struct arena *, struct str normal);

/*
 * Normal form of a URL's host (valid UTF-8) if browsers look it up as a name
 * (WHATWG URL 3.5): with what no domain of a policy may have, such as a hyphen
 * or comma at the end of a label.  {NULL, 0} where they do not, and with no
 * memory.
 */
struct str host_domain(struct arena *, struct str host);

/* domain_org() of what host_domain() gives. */
struct str host_org(struct str domain);

/*
 * The first label of a normal-form domain whose letters belong to scripts that
 * are not written together, as a U-label; empty where there is none.
 */
struct str domain_mixed_label(struct arena *, struct str normal);

/* Is it a public suffix, such as `com` or `co.uk`? */
bool domain_is_suffix(struct str normal);

/*
 * Without the quotes and escapes of quoted strings (RFC 5322 3.2.4), in the
 * arena if there are any; p NULL with no memory.
 */
struct str unquote(struct arena *, struct str);

/*
 * An envelope address: RFC 5321 4.1.2, with or without angle brackets, source
 * route dropped, quoted local part unquoted.
 */
struct mailbox {
	struct str text;   /* as sent, without brackets and source route;
			      "<>" for the null sender */
	struct str local;  /* unquoted, as sent */
	struct str domain; /* as sent, without a trailing dot; may be empty */
	bool null;         /* <> */
};

/* Always gives something: what has no @ is all local part. */
struct mailbox mailbox_parse(struct arena *, struct str);

/* Is `s` (without brackets) an address that can stand in a policy or edit? */
bool mailbox_is_valid(struct str s);

/*
 * Normal form of an address: folded local part (as it is with `exact`), `@`,
 * normal domain; "" for the null sender; no `@` where there is no domain.
 */
struct str mailbox_normal(struct arena *, const struct mailbox *, bool exact);

/* "2026-01-31T12:00:00Z", with +hh:mm, or "2026-01-31": ms since 1970, UTC. */
bool time_parse(struct str, long long *out);
/* "2026-01-31": days since 1970-01-01. */
bool date_parse(struct str, long long *out);

/* Glob of valid UTF-8: `*`, `?` and `\` (LANGUAGE 8).  Linear time. */
bool glob_match(struct str glob, struct str text);

#endif
