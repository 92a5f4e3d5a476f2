/* Globs: see normal.h. */
#include "runtime/normal.h"

/* Length of the character at i; one octet where there is no valid one. */
static size_t
character(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];
	size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n <= s.n - i ? n : 1;
}

/*
 * One piece of the glob at g against the text at t: `?` or a literal octet.
 * On success both are moved behind it.
 */
static bool
step(struct str glob, size_t *g, struct str text, size_t *t)
{
	size_t at = *g;

	if (glob.p[at] == '?') {
		*t += character(text, *t);
		*g = at + 1;
		return true;
	}
	if (glob.p[at] == '\\' && at + 1 < glob.n)
		at++;
	if (glob.p[at] != text.p[*t])
		return false;
	*g = at + 1;
	*t += 1;
	return true;
}

/*
 * It is enough to go back to the last `*`, which then takes one character
 * more: what the earlier ones took was the least that fits.  So the time is at
 * most the product of the lengths: linear in the text for a given glob.
 */
bool
glob_match(struct str glob, struct str text)
{
	size_t g = 0, t = 0, star = SIZE_MAX, taken = 0;

	while (t < text.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = ++g;
			taken = t;
		} else if (g == glob.n || !step(glob, &g, text, &t)) {
			if (star == SIZE_MAX)
				return false;
			taken += character(text, taken);
			t = taken;
			g = star;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}
