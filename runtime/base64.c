#include "runtime/base64.h"

#include <glib.h>

enum { BLOCK = 64 };

/* ---- the alphabet --------------------------------------------------------
 */

static inline uint8_t
is_within(uint8_t c, uint8_t first, uint8_t last)
{
	return (uint8_t)(c - first) <= (uint8_t)(last - first);
}

/* / stands in front of the digits. */
static inline uint8_t
is_letter(uint8_t c)
{
	return is_within(c | 0x20, 'a', 'z') | is_within(c, '/', '9') |
	       (c == '+');
}

/*
 * How many of BLOCK octets are of the alphabet, padding or white space?  Sums
 * without branches are what compilers make vectors of; several do not wait for
 * each other.
 */
static unsigned
count_known(const uint8_t *p)
{
	uint8_t letters = 0, digits = 0, blanks = 0, others = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		letters = (uint8_t)(letters + is_within(p[i] | 0x20, 'a', 'z'));
		digits = (uint8_t)(digits + is_within(p[i], '/', '9'));
		blanks = (uint8_t)(blanks + is_within(p[i], '\t', '\r'));
		others = (uint8_t)(others + (p[i] == '+'));
		others = (uint8_t)(others + (p[i] == '='));
		blanks = (uint8_t)(blanks + (p[i] == ' '));
	}
	return letters + digits + blanks + others;
}

bool
base64_is_loose(struct str text)
{
	const uint8_t *p = (const uint8_t *)text.p;
	uint8_t rest[BLOCK];
	size_t i = 0;

	for (; i + BLOCK <= text.n; i += BLOCK)
		if (count_known(p + i) < BLOCK)
			return true;
	memset(rest, ' ', sizeof(rest));
	for (size_t n = 0; i + n < text.n; n++)
		rest[n] = p[i + n];
	return count_known(rest) < BLOCK;
}

bool
base64_goes_on(struct str text)
{
	for (size_t i = str_find(text, '='); i < text.n; i++)
		if (is_letter((uint8_t)text.p[i]))
			return true;
	return false;
}

/* ---- decoding ------------------------------------------------------------
 */

/* Without padding in it.  The library keeps what is no whole group. */
static size_t
decode_run(struct str text, uint8_t *out)
{
	gint kept = 0;
	guint save = 0;
	size_t n = g_base64_decode_step(text.p, text.n, out, &kept, &save);

	if (kept > 1)
		out[n++] = (uint8_t)(save >> (kept == 2 ? 4 : 10));
	if (kept > 2)
		out[n++] = (uint8_t)(save >> 2);
	return n;
}

size_t
base64_decode(struct str text, uint8_t *out)
{
	size_t n = 0, run;

	while (text.n) {
		run = str_find(text, '=');
		n += decode_run(str_head(text, run), out + n);
		text = str_skip(text, run + (run < text.n));
	}
	return n;
}
