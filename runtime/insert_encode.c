#include "runtime/insert_state.h"

enum { LINE = 76 };

struct str
join3(struct arena *arena, struct str a, struct str b, struct str c)
{
	char *p = NULL;

	if (a.p && b.p && c.p)
		p = arena_alloc(arena, a.n + b.n + c.n + 1);
	if (!p)
		return (struct str){ NULL, 0 };
	if (a.n)
		memcpy(p, a.p, a.n);
	if (b.n)
		memcpy(p + a.n, b.p, b.n);
	if (c.n)
		memcpy(p + a.n + b.n, c.p, c.n);
	return (struct str){ p, a.n + b.n + c.n };
}

/* ---- quoted-printable ---------------------------------------------------- */

static bool
is_line_end(struct str s, size_t i)
{
	return i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n';
}

/* Stands for itself, but not blanks at the end and dashes at the begin. */
static bool
is_plain(struct str s, size_t i, size_t column)
{
	char c = s.p[i];

	if (c == ' ' || c == '\t')
		return i + 1 < s.n && !is_line_end(s, i + 1);
	if (c == '-' || c == '.' || c == 'F')
		return column > 0;
	return c > ' ' && c < 127 && c != '=';
}

struct str
qp_encode(struct arena *arena, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *p = arena_array(arena, s.n + 1, 4);
	size_t n = 0, column = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = is_plain(s, i, column);

		if (is_line_end(s, i)) {
			p[n++] = '\r';
			p[n++] = '\n';
			column = 0;
			i++;
			continue;
		}
		if (column + (plain ? 1 : 3) > LINE - 1) {
			memcpy(p + n, "=\r\n", 3);
			n += 3;
			column = 0;
			plain = is_plain(s, i, column);
		}
		if (plain) {
			p[n++] = (char)c;
			column++;
		} else {
			p[n++] = '=';
			p[n++] = hex[c >> 4];
			p[n++] = hex[c & 15];
			column += 3;
		}
	}
	return (struct str){ p, n };
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets of a soft line break at i, blanks before its end included, or 0. */
static size_t
soft_break(struct str s, size_t i)
{
	size_t k = i + 1;

	if (s.p[i] != '=')
		return 0;
	while (k < s.n && (s.p[k] == ' ' || s.p[k] == '\t'))
		k++;
	if (k < s.n && s.p[k] == '\n')
		return k + 1 - i;
	if (is_line_end(s, k))
		return k + 2 - i;
	return k == s.n ? k - i : 0;
}

struct str
qp_decode(struct arena *arena, struct str s, uint32_t **map)
{
	char *p = arena_alloc(arena, s.n + 1);
	uint32_t *at = ARENA_ARRAY(arena, s.n + 1, uint32_t);
	size_t n = 0;

	if (!p || !at)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.n;) {
		size_t soft = soft_break(s, i);

		if (soft) {
			i += soft;
			continue;
		}
		at[n] = (uint32_t)i;
		if (s.p[i] == '=' && i + 2 < s.n && digit(s.p[i + 1]) >= 0 &&
		    digit(s.p[i + 2]) >= 0) {
			p[n++] =
			    (char)(digit(s.p[i + 1]) << 4 | digit(s.p[i + 2]));
			i += 3;
		} else {
			p[n++] = s.p[i++];
		}
	}
	at[n] = (uint32_t)s.n;
	*map = at;
	return (struct str){ p, n };
}

/* ---- base64 -------------------------------------------------------------- */

struct str
base64_encode(struct arena *arena, struct str s)
{
	size_t room = s.n / 3 * 4 + 8;
	char *one = arena_alloc(arena, room);
	char *p = arena_alloc(arena, room + room / LINE * 2 + 4);
	gint state = 0, save = 0;
	size_t length, n = 0;

	if (!one || !p)
		return (struct str){ NULL, 0 };
	length = g_base64_encode_step(
	    (const guchar *)s.p, s.n, FALSE, one, &state, &save);
	length += g_base64_encode_close(FALSE, one + length, &state, &save);
	for (size_t i = 0; i < length; i += LINE) {
		size_t line = length - i < LINE ? length - i : LINE;

		memcpy(p + n, one + i, line);
		memcpy(p + n + line, "\r\n", 2);
		n += line + 2;
	}
	return (struct str){ p, n };
}

static bool
is_sextet(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/*
 * Words that somebody wrote below might be base64, too: they are known by
 * blanks, by an empty line above them and by the full lines before the last.
 */
bool
base64_is_whole(struct str s)
{
	size_t full = 0, sextets = 0, padding = 0;
	bool ended = false;

	while (s.n) {
		struct str line = str_trim(str_line(&s));

		if ((ended && line.n) || (full && line.n > full))
			return false;
		ended = line.n < full;
		full = full ? full : line.n;
		for (size_t i = 0; i < line.n; i++)
			if (is_sextet(line.p[i]) && !padding)
				sextets++;
			else if (line.p[i] == '=')
				padding++;
			else
				return false;
	}
	return padding < 3 && (sextets + padding) % 4 == 0;
}
