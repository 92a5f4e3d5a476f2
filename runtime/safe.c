#include "runtime/safe.h"
#include "runtime/limits.h"

#include <gmime/gmime.h>

#include "dsl/tables.h"

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

/* Without controls; encoded words for what is not ASCII.  NULL: no memory. */
static struct str
plain_value(struct arena *a, struct str s)
{
	struct str value = arena_dup(a, str_trim(s));
	char *p = (char *)(uintptr_t)value.p;
	bool ascii = true;
	struct str encoded;
	char *words;

	if (!p)
		return value;
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)p[i];

		ascii = ascii && c < 0x80;
		if (c < ' ' || c == 0x7f)
			p[i] = ' ';
	}
	if (ascii)
		return value;
	words = g_mime_utils_header_encode_text(NULL, p, "utf-8");
	encoded = arena_dup(a, str_from(words));
	g_free(words);
	return encoded;
}

struct str
safe_header_value(struct arena *a, struct str s, size_t name_length)
{
	struct str value =
	    plain_value(a, str_head(s, LIMIT_VALUE_HEADER_VALUE));
	size_t column = name_length + 2, line = 0, blank = 0, n = 0;
	char *p;

	if (!value.p)
		return value;
	if (s.n > LIMIT_VALUE_HEADER_VALUE ||
	    value.n > LIMIT_VALUE_HEADER_VALUE)
		limit_hit(LIMIT_HEADER_VALUE);
	value = str_head(value, LIMIT_VALUE_HEADER_VALUE);
	if (value.n + column <= LIMIT_VALUE_HEADER_LINE)
		return value;
	p = arena_alloc(a, value.n + value.n / 256 + 16);
	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == ' ' && n > line)
			blank = n;
		p[n++] = value.p[i];
		if (n - line + column < LIMIT_VALUE_HEADER_LINE)
			continue;
		if (blank <= line) { /* nowhere to fold: cut it */
			limit_hit(LIMIT_HEADER_LINE);
			n--;
			break;
		}
		memmove(p + blank + 1, p + blank, n - blank);
		p[blank] = '\n';
		n++;
		line = blank + 1;
		column = 0;
	}
	return (struct str){ p, n };
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
