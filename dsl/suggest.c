#include "dsl/diag.h"

#include <stdlib.h>

enum { LONGEST = 64 };

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/*
 * Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; case
 * does not count.  Both are at most LONGEST bytes.
 */
static unsigned
distance(struct str a, struct str b)
{
	unsigned rows[3][LONGEST + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b.n; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);

			row[j] = least(last[j] + 1, row[j - 1] + 1,
			    last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b.p[j - 2]) &&
			    lower(a.p[i - 2]) == y &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[b.n];
}

struct str
nearest_name(struct str name, const struct str *names, size_t count)
{
	unsigned best = name.n / 3 > 1 ? (unsigned)(name.n / 3) : 1;
	struct str found = STR("");

	if (name.n == 0 || name.n > LONGEST)
		return found;
	best++;
	for (size_t i = 0; i < count && best > 0; i++) {
		size_t gap = name.n > names[i].n ? name.n - names[i].n
						 : names[i].n - name.n;
		unsigned d;

		if (gap >= best || names[i].n > LONGEST || names[i].n == 0)
			continue;
		d = distance(name, names[i]);
		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
