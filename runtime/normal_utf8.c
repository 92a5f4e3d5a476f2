/* Texts: UTF-8 and case folding.  See normal.h. */
#include "runtime/normal.h"

#include "runtime/fold.h"

/* Does this octet continue a sequence? */
static bool
continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Length of the character at p, or 0: then *skip is that of the maximal
 * beginning of one that is there (at least 1; Unicode 3.9, table 3-7).
 */
static size_t
sequence(const unsigned char *p, size_t n, size_t *skip)
{
	unsigned char c = p[0], low = 0x80, high = 0xbf;
	size_t length;

	*skip = 1;
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		low = 0xa0; /* overlong */
	if (c == 0xed)
		high = 0x9f; /* surrogates */
	if (c == 0xf0)
		low = 0x90; /* overlong */
	if (c == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (n < 2 || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (i >= n || !continues(p[i])) {
			*skip = i;
			return 0;
		}
	}
	return length;
}

/* Offset of the first octet at or behind i that is not ASCII, or n. */
static size_t
skip_ascii(struct str s, size_t i)
{
	uint64_t word;

	for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		if (word & 0x8080808080808080u)
			break;
	}
	while (i < s.n && !((unsigned char)s.p[i] & 0x80))
		i++;
	return i;
}

/* Offset of the first invalid octet, or s.n. */
static size_t
valid_part(struct str s)
{
	size_t i = 0, skip;

	while ((i = skip_ascii(s, i)) < s.n) {
		size_t n =
		    sequence((const unsigned char *)s.p + i, s.n - i, &skip);

		if (n == 0)
			break;
		i += n;
	}
	return i;
}

bool
utf8_is_valid(struct str s)
{
	return valid_part(s) == s.n;
}

/*
 * Writes `s` made valid to `out`, or only counts (out NULL); the length, or
 * SIZE_MAX where it does not fit a size_t.
 */
static size_t
replace_invalid(struct str s, size_t start, char *out)
{
	size_t n = start;

	if (out)
		memcpy(out, s.p, start);
	for (size_t i = start, skip; i < s.n;) {
		size_t length =
		    sequence((const unsigned char *)s.p + i, s.n - i, &skip);
		const char *from = length ? s.p + i : "\xef\xbf\xbd";
		size_t put = length ? length : 3;

		if (n > SIZE_MAX / 2)
			return SIZE_MAX;
		if (out)
			memcpy(out + n, from, put);
		n += put;
		i += length ? length : skip;
	}
	return n;
}

struct str
utf8_make_valid(struct arena *a, struct str s)
{
	size_t start = valid_part(s);
	size_t n;
	char *p;

	if (start == s.n)
		return s;
	n = replace_invalid(s, start, NULL);
	p = arena_alloc(a, n);
	if (!p)
		return (struct str){ NULL, 0 };
	replace_invalid(s, start, p);
	return (struct str){ p, n };
}

/* The character at p, of `length` octets. */
static uint32_t
decode(const unsigned char *p, size_t length)
{
	uint32_t c = length == 1 ? p[0] : p[0] & (0x7fu >> length);

	for (size_t i = 1; i < length; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return c;
}

static size_t
encode(uint32_t c, char out[4])
{
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (length == 1) {
		out[0] = (char)c;
		return 1;
	}
	for (size_t i = length - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(0xf00u >> length | c);
	return length;
}

/*
 * Folds s from `i` on behind the n octets at `out`, or only counts (out NULL).
 * Octets that are no UTF-8 stay as they are.
 */
static size_t
fold_rest(struct str s, size_t i, char *out, size_t n)
{
	while (i < s.n) {
		const unsigned char *p = (const unsigned char *)s.p + i;
		size_t skip, length = sequence(p, s.n - i, &skip);
		char utf8[4];
		size_t put = 1;

		if (length == 1) {
			utf8[0] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		} else if (length) {
			put = encode(fold_character(decode(p, length)), utf8);
		} else {
			utf8[0] = (char)*p;
			length = 1;
		}
		if (out)
			memcpy(out + n, utf8, put);
		n += put;
		i += length;
	}
	return n;
}

/* Offset of the first character that folding changes, or s.n. */
static size_t
folded_part(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		const unsigned char *p = (const unsigned char *)s.p + i;
		size_t skip, length;
		uint32_t c;

		if (*p < 0x80) {
			if (*p >= 'A' && *p <= 'Z')
				return i;
			i++;
			continue;
		}
		length = sequence(p, s.n - i, &skip);
		if (length) {
			c = decode(p, length);
			if (fold_character(c) != c)
				return i;
		}
		i += length ? length : skip;
	}
	return i;
}

struct str
text_fold(struct arena *a, struct str s)
{
	size_t start = folded_part(s);
	size_t n;
	char *p;

	if (start == s.n)
		return s;
	n = fold_rest(s, start, NULL, start);
	p = arena_alloc(a, n);
	if (!p)
		return (struct str){ NULL, 0 };
	memcpy(p, s.p, start);
	fold_rest(s, start, p, start);
	return (struct str){ p, n };
}
