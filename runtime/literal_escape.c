#include "runtime/literal_escape.h"

static const struct escape failed = { .kind = ESCAPE_FAILED };

struct cursor {
	struct str s;
	size_t i;
};

static int
peek(const struct cursor *c)
{
	return c->i < c->s.n ? (uint8_t)c->s.p[c->i] : -1;
}

static struct escape
character(uint32_t c)
{
	return (struct escape){ .kind = ESCAPE_CHARACTER, .character = c };
}

static struct escape
one_of(enum line_ends ends, char l)
{
	return (
	    struct escape){ .kind = ESCAPE_CLASS, .ends = ends, .letter = l };
}

static int
hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Digits of a base up to `most` of them. */
static uint32_t
digits(struct cursor *c, int base, unsigned most)
{
	uint32_t value = 0;

	for (; most > 0; most--, c->i++) {
		int d = hex_value(peek(c));

		if (d < 0 || d >= base || value > 0x10ffff)
			break;
		value = value * (uint32_t)base + (uint32_t)d;
	}
	return value;
}

/* Behind `\x{` or `\o{`: nothing but digits, and the brace. */
static struct escape
braced(struct cursor *c, int base)
{
	size_t begin = ++c->i;
	uint32_t value = digits(c, base, 12);

	if (c->i == begin || peek(c) != '}' || value > 0x10ffff)
		return failed;
	c->i++;
	return character(value);
}

/* A group by number or name: \g and \k.  A call of a group fails. */
static struct escape
reference(struct cursor *c, bool may_call)
{
	int open = peek(c);
	char close = open == '{' ? '}' : open == '<' ? '>' : '\'';

	if (open == '{' || (!may_call && (open == '<' || open == '\''))) {
		size_t n = str_find(str_skip(c->s, c->i), close);

		c->i += n + 1;
		return c->i <= c->s.n ? (struct escape){ .kind = ESCAPE_ANY }
				      : failed;
	}
	if (!may_call || open == '<' || open == '\'')
		return failed;
	if (open == '-' || open == '+')
		c->i++;
	if (hex_value(peek(c)) < 0 || hex_value(peek(c)) > 9)
		return failed;
	digits(c, 10, 6);
	return (struct escape){ .kind = ESCAPE_ANY };
}

static struct escape
property(struct cursor *c)
{
	if (peek(c) == '{')
		c->i += str_find(str_skip(c->s, c->i), '}');
	c->i++;
	return c->i <= c->s.n ? one_of(ENDS_MAYBE, 'p') : failed;
}

static struct escape
letter(struct cursor *c, int l, bool in_class)
{
	switch (l) {
	case 'a':
		return character('\a');
	case 'e':
		return character(27);
	case 'f':
		return character('\f');
	case 'n':
		return character('\n');
	case 'r':
		return character('\r');
	case 't':
		return character('\t');
	case 'x':
		return peek(c) == '{' ? braced(c, 16)
				      : character(digits(c, 16, 2));
	case 'o':
		return peek(c) == '{' ? braced(c, 8) : failed;
	case 'd':
	case 'S':
	case 'w':
	case 'h':
	case 'V':
		return one_of(ENDS_NONE, (char)l);
	case 'D':
	case 's':
	case 'W':
	case 'H':
	case 'v':
		return one_of(ENDS_BOTH, (char)l);
	case 'p':
	case 'P':
		return property(c);
	case 'b':
		if (in_class)
			return character('\b');
		return (struct escape){ .kind = ESCAPE_EMPTY, .letter = 'b' };
	}
	if (in_class)
		return failed;
	switch (l) {
	case 'N':
		return peek(c) == '{' ? failed : one_of(ENDS_NONE, 'N');
	case 'R':
		return (struct escape){ .kind = ESCAPE_NEWLINE };
	case 'X':
		return (struct escape){ .kind = ESCAPE_ANY };
	case 'g':
		return reference(c, true);
	case 'k':
		return reference(c, false);
	case 'A':
	case 'B':
	case 'z':
	case 'Z':
	case 'K':
		return (
		    struct escape){ .kind = ESCAPE_EMPTY, .letter = (char)l };
	case 'Q':
		return (struct escape){ .kind = ESCAPE_QUOTE };
	case 'E':
		return (struct escape){ .kind = ESCAPE_UNQUOTE };
	}
	/* \G, \C, \c and what PCRE2 does not know either. */
	return failed;
}

/*
 * \1 to \9 are groups; with more digits it depends on how many groups there
 * are, and in a class all are octal or not.
 */
static struct escape
number(struct cursor *c, int first, bool in_class)
{
	if (first == '0')
		return character(digits(c, 8, 2));
	if (in_class || (peek(c) >= '0' && peek(c) <= '9'))
		return failed;
	return (struct escape){ .kind = ESCAPE_GROUP, .letter = (char)first };
}

struct escape
escape_read(struct str s, size_t *i, bool in_class)
{
	struct cursor c = { s, *i + 1 };
	int first = peek(&c);
	struct escape e;

	c.i++;
	if (first < 0 || first >= 0x80)
		e = failed;
	else if (first >= '0' && first <= '9')
		e = number(&c, first, in_class);
	else if ((first | 0x20) >= 'a' && (first | 0x20) <= 'z')
		e = letter(&c, first, in_class);
	else
		e = character((uint32_t)first);
	*i = c.i;
	return e;
}

uint32_t
escape_decode(struct str s, size_t *i)
{
	uint8_t first = (uint8_t)s.p[(*i)++];
	unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	uint32_t c = first & (0x3fu >> more);

	for (; more > 0 && *i < s.n; more--)
		c = c << 6 | ((uint8_t)s.p[(*i)++] & 0x3f);
	return c;
}

uint32_t
escape_encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}
