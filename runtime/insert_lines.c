/* Lines of a message, and what its readers may take them for. */
#include "runtime/insert_state.h"

/* What a line may be that is more than text. */
enum suspect {
	SUSPECT_DASHES,   /* the boundary of a reader who reads otherwise */
	SUSPECT_BOUNDARY, /* one that we know */
	SUSPECT_LONG,     /* RFC 5322 2.1.1: cut on its way */
	SUSPECTS
};

enum { LINE_LIMIT = 998 };

/* Nothing but dashes and blanks: a rule, or above a signature. */
static bool
is_rule(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != '-' && line.p[i] != ' ')
			return false;
	return true;
}

static bool
is_boundary(const boundaries *all, struct str line)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_starts(str_skip(line, 2), all->v[i]))
			return true;
	return false;
}

static void
count_suspects(const boundaries *all, struct str s, size_t n[SUSPECTS])
{
	while (s.n) {
		struct str line = str_line(&s);

		n[SUSPECT_LONG] += line.n > LINE_LIMIT;
		if (!str_starts(line, STR("--")))
			continue;
		n[SUSPECT_DASHES] += !is_rule(line);
		n[SUSPECT_BOUNDARY] += is_boundary(all, line);
	}
}

bool
lines_are_safe(const boundaries *all, struct str old, struct str new)
{
	size_t was[SUSPECTS] = { 0 }, is[SUSPECTS] = { 0 };

	count_suspects(all, old, was);
	count_suspects(all, new, is);
	for (size_t i = 0; i < SUSPECTS; i++)
		if (is[i] > was[i])
			return false;
	return true;
}

bool
lines_fit(struct str s)
{
	static const boundaries none;
	size_t n[SUSPECTS] = { 0 };

	count_suspects(&none, s, n);
	return n[SUSPECT_LONG] == 0;
}

/* ---- header fields ------------------------------------------------------- */

size_t
field_end(struct str s, size_t at)
{
	do {
		at += str_find(str_skip(s, at), '\n');
		at += at < s.n;
	} while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'));
	return at;
}

size_t
empty_line(struct str s, size_t contents)
{
	size_t at = contents;

	if (at == 0 || s.p[at - 1] != '\n')
		return 0;
	at--;
	at -= at > 0 && s.p[at - 1] == '\r';
	return at > 0 && s.p[at - 1] == '\n' ? at : 0;
}

/* ---- format=flowed ------------------------------------------------------- */

/* RFC 3676 4.3: what stands above a signature, and does not flow. */
static bool
is_separator(struct str line)
{
	return str_eq(line, STR("-- "));
}

bool
flowed_goes_on(struct str s)
{
	struct str line = STR("");

	while (s.n)
		line = str_line(&s);
	return str_ends(line, STR(" ")) && !is_separator(line);
}

struct str
flowed_text(struct arena *arena, struct str s)
{
	char *p = arena_array(arena, s.n + 1, 2);
	size_t n = 0;

	while (p && s.n) {
		struct str line = str_line(&s);

		while (str_ends(line, STR(" ")) && !is_separator(line))
			line.n--;
		if (str_starts(line, STR(">")) || str_starts(line, STR(" ")) ||
		    str_starts(line, STR("From ")))
			p[n++] = ' ';
		memcpy(p + n, line.p, line.n);
		n += line.n;
		p[n++] = '\r';
		p[n++] = '\n';
	}
	return (struct str){ p, n };
}
