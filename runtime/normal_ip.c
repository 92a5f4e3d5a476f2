/* Addresses and networks: see normal.h. */
#include "runtime/normal.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* What inet_pton reads as an address of `family`, and all of it. */
static bool
parse_as(int family, struct str s, uint8_t *out)
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, 0, s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	return inet_pton(family, text, out) == 1;
}

bool
ip_parse(struct str s, struct ip *out)
{
	struct ip ip;

	if (s.n > 5 && str_eq_ascii(str_head(s, 5), STR("IPv6:"))) {
		if (!parse_as(AF_INET6, str_skip(s, 5), ip.b))
			return false;
		*out = ip;
		return true;
	}
	memcpy(ip.b, mapped, sizeof(mapped));
	if (!parse_as(AF_INET, s, ip.b + 12) && !parse_as(AF_INET6, s, ip.b))
		return false;
	*out = ip;
	return true;
}

static bool
print(struct ip ip, char text[INET6_ADDRSTRLEN])
{
	return ip_is_v4(ip)
		   ? inet_ntop(AF_INET, ip.b + 12, text, INET6_ADDRSTRLEN) !=
			 NULL
		   : inet_ntop(AF_INET6, ip.b, text, INET6_ADDRSTRLEN) != NULL;
}

struct str
ip_print(struct arena *a, struct ip ip)
{
	char text[INET6_ADDRSTRLEN];

	if (!print(ip, text))
		return (struct str){ NULL, 0 };
	return arena_dup(a, str_from(text));
}

/* The block of `prefix` bits (of 128) around an address. */
static struct ip_range
block(struct ip ip, unsigned prefix)
{
	struct ip_range r = { ip, ip };

	for (unsigned i = 0; i < sizeof(ip.b); i++) {
		unsigned host = prefix >= 8 * (i + 1) ? 0
				: prefix <= 8 * i     ? 0xff
						      : 0xffu >> (prefix % 8);

		r.first.b[i] = (uint8_t)(ip.b[i] & ~host);
		r.last.b[i] = (uint8_t)(ip.b[i] | host);
	}
	return r;
}

/* One to three digits without a leading zero. */
static bool
parse_prefix(struct str s, unsigned *out)
{
	unsigned n = 0;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(s.p[i] - '0');
	}
	*out = n;
	return true;
}

bool
network_parse(struct str s, struct ip_range *out, bool *was_masked)
{
	size_t slash = str_find(s, '/');
	struct ip ip;
	unsigned prefix = 128;

	if (!ip_parse(str_head(s, slash), &ip))
		return false;
	if (slash < s.n) {
		/* ::ffff:192.0.2.0/120 counts all 128 bits. */
		bool dotted = str_find(str_head(s, slash), ':') == slash;

		if (!parse_prefix(str_skip(s, slash + 1), &prefix) ||
		    prefix > (dotted ? 32u : 128u))
			return false;
		prefix += dotted ? 96 : 0;
	}
	*out = block(ip, prefix);
	*was_masked = ip_compare(out->first, ip) != 0;
	return true;
}

struct str
network_print(struct arena *a, struct ip_range range)
{
	bool v4 = ip_is_v4(range.first) && ip_is_v4(range.last);
	char text[INET6_ADDRSTRLEN];
	int prefix = 0;

	while (prefix < 128 &&
	       !((range.first.b[prefix / 8] ^ range.last.b[prefix / 8]) >>
		       (7 - prefix % 8) &
		   1))
		prefix++;
	if (!print(range.first, text))
		return (struct str){ NULL, 0 };
	return arena_printf(a, "%s/%d", text, v4 ? prefix - 96 : prefix);
}

size_t
network_parts(const struct ip_range *network, struct ip_range parts[2])
{
	static const struct ip before = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	    0xfe, 0xff, 0xff, 0xff, 0xff } };
	static const struct ip behind = { { [9] = 1 } };

	/* Blocks are nested or disjoint: one from before to behind has it. */
	parts[0] = *network;
	if (ip_is_v4(network->first) ||
	    ip_compare(network->first, before) > 0 ||
	    ip_compare(network->last, before) <= 0)
		return 1;
	parts[0].last = before;
	parts[1] = (struct ip_range){ behind, network->last };
	return ip_compare(network->last, behind) < 0 ? 1 : 2;
}

bool
network_holds(const struct ip_range *network, const struct ip_range *other)
{
	struct ip_range mine[2], theirs[2];
	size_t m = network_parts(network, mine);
	size_t n = network_parts(other, theirs);

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (
		    k < m && (ip_compare(theirs[i].first, mine[k].first) < 0 ||
				 ip_compare(theirs[i].last, mine[k].last) > 0))
			k++;
		if (k == m)
			return false;
	}
	return true;
}

struct ip_range
ip_network(struct ip ip)
{
	return block(ip, ip_is_v4(ip) ? 96 + 24 : 64);
}
