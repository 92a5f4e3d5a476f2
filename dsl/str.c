#include "dsl/str.h"

bool
str_eq_ascii(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned char x = (unsigned char)a.p[i];
		unsigned char y = (unsigned char)b.p[i];

		x = x >= 'A' && x <= 'Z' ? x + 32 : x;
		y = y >= 'A' && y <= 'Z' ? y + 32 : y;
		if (x != y)
			return false;
	}
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_line(struct str *s)
{
	size_t n = str_find(*s, '\n');
	struct str line = str_head(*s, n);

	*s = str_skip(*s, n + (n < s->n));
	line.n -= line.n && line.p[line.n - 1] == '\r';
	return line;
}

size_t
str_find_text(struct str s, struct str what, size_t rare)
{
	for (size_t at = rare; at < s.n; at++) {
		at += str_find(str_skip(s, at), what.p[rare]);
		if (str_starts(str_skip(s, at - rare), what))
			return at - rare;
	}
	return s.n;
}

bool
str_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] & 0x80)
			return false;
	return true;
}
