#include "runtime/safe.h"

#include "dsl/tables.h"
#include "runtime/encode_words.h"
#include "runtime/limits.h"
#include "runtime/normal.h"

enum {
	SMTP_LINE = 512,        /* RFC 5321 4.5.3.1.5, CRLF included */
	REPLY_OVERHEAD = 2 + 4, /* CRLF, code and a blank or hyphen */
};

static bool
is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

static bool
is_printable(unsigned char c)
{
	return c >= ' ' && c <= '~';
}

size_t
reply_line_room(struct str xcode)
{
	return SMTP_LINE - REPLY_OVERHEAD - (xcode.n ? xcode.n + 1 : 0);
}

bool
xcode_is_valid(struct str s, unsigned class)
{
	size_t i = 2;

	if (s.n < 5 || s.p[0] != (char)('0' + class) || s.p[1] != '.')
		return false;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
			i++, digits++;
		if (digits < 1 || digits > 3)
			return false;
		if (part == 0 && (i == s.n || s.p[i++] != '.'))
			return false;
	}
	return i == s.n;
}

struct str
safe_reply_line(struct arena *a, struct str s, size_t max)
{
	struct str text = str_trim(s);
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0, i = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	for (; i < text.n && n < max; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_printable(c))
			p[n++] = (char)c;
		else if (c < 0x80)
			p[n++] = ' ';
		else if (!is_continuation(c) || i == 0 ||
			 (unsigned char)text.p[i - 1] < 0x80)
			p[n++] = '?';
	}
	if (i < text.n)
		limit_hit(LIMIT_REPLY_LINE);
	return n ? (struct str){ p, n } : STR("(no text)");
}

struct str
safe_header_name(struct arena *a, struct str s)
{
	struct str name = arena_dup(a, s);
	char *p = (char *)(uintptr_t)name.p;

	for (size_t i = 0; p && i < name.n; i++)
		if (p[i] <= ' ' || p[i] > '~' || p[i] == ':')
			p[i] = '-';
	return name;
}

/* ---- values of header fields --------------------------------------------- */

/* Its first octets, and no piece of a character. */
static struct str
head_of_text(struct str s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s;
	while (n > 0 && is_continuation((unsigned char)s.p[n]))
		n--;
	return str_head(s, n);
}

static struct str
without_controls(struct arena *a, struct str s)
{
	struct str value = arena_dup(a, str_trim(s));
	char *p = (char *)(uintptr_t)value.p;

	for (size_t i = 0; p && i < value.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = ' ';
	return str_trim(value);
}

/* The next word and the blanks in front of it, taken from *s. */
static struct str
take_word(struct str *s)
{
	struct str all = *s;
	size_t n = 0;

	while (n < all.n && all.p[n] == ' ')
		n++;
	n += str_find(str_skip(all, n), ' ');
	*s = str_skip(all, n);
	return str_head(all, n);
}

/*
 * In lines of `line` octets where there are blanks to fold at; what is longer
 * than any line may be is cut.
 */
static struct str
fold(struct arena *a, struct str value, size_t column, size_t line, bool *over)
{
	char *p = arena_array(a, value.n + 1, 2);
	size_t n = 0, room;

	while (p && value.n) {
		struct str word = take_word(&value);
		bool folds = n && column + word.n > line;

		column = folds ? 0 : column;
		room = LIMIT_VALUE_HEADER_LINE;
		room -= column < room ? column : room;
		if (word.n > room) {
			limit_hit(LIMIT_HEADER_LINE);
			word.n = room;
			value.n = 0;
		}
		*over |= n + folds + word.n > LIMIT_VALUE_HEADER_VALUE;
		if (*over)
			break;
		if (folds)
			p[n++] = '\n';
		memcpy(p + n, word.p, word.n);
		n += word.n;
		column += word.n;
	}
	return str_trim((struct str){ p, n });
}

struct str
safe_header_value(struct arena *a, struct str s, size_t name_length)
{
	bool over = s.n > LIMIT_VALUE_HEADER_VALUE, later = false;
	struct str value =
	    without_controls(a, head_of_text(s, LIMIT_VALUE_HEADER_VALUE));
	size_t column = name_length + 2, line = LIMIT_VALUE_HEADER_LINE;

	if (value.p && !str_is_ascii(value)) {
		line = ENCODED_LINE;
		value = utf8_make_valid(a, value);
		if (value.p)
			value = encode_words(a, value, column);
	}
	if (value.p && value.n + column > line)
		value = fold(a, value, column, line, &later);
	if (over || later)
		limit_hit(LIMIT_HEADER_VALUE);
	return value;
}

struct str
safe_log(struct arena *a, struct str s, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	struct str text = str_head(s, max);
	char *p = arena_alloc(a, text.n * 4 + 4);
	size_t n = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '\\' || c == '"') {
			p[n++] = '\\';
			p[n++] = (char)c;
		} else if (is_printable(c)) {
			p[n++] = (char)c;
		} else {
			p[n++] = '\\';
			p[n++] = 'x';
			p[n++] = hex[c >> 4];
			p[n++] = hex[c & 15];
		}
	}
	if (text.n < s.n) {
		memcpy(p + n, "...", 3);
		n += 3;
	}
	return (struct str){ p, n };
}

struct str
safe_body(struct arena *a, struct str s)
{
	char *p = arena_array(a, s.n + 2, 2);
	size_t n = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		if (c == '\n' || c == '\r') {
			p[n++] = '\r';
			p[n++] = '\n';
		} else {
			p[n++] = c ? c : ' ';
		}
	}
	if (n < 2 || p[n - 1] != '\n') {
		p[n++] = '\r';
		p[n++] = '\n';
	}
	return (struct str){ p, n };
}
