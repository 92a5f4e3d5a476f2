/*
 * Encoded words (RFC 2047).  GMime finds its way through a field, but words it
 * does not know it guesses, and of several base64 words in a row it loses all
 * but the first (3.2.13, its issue 133).  So each run of words is decoded here
 * and handed to GMime as one plain word; a word that cannot be decoded is made
 * unrecognisable to it, and itself again afterwards.
 */
#include "runtime/facts_decode.h"
#include "runtime/base64.h"
#include "runtime/charset.h"
#include "runtime/mime.h"
#include "runtime/mime_names.h"

/*
 * Characters that are hidden from GMime, each as a noncharacter from U+FDD0 on,
 * which no text of ours holds meanwhile.
 */
static const char hidden[] = { '=', '(', ')', '\\' };

enum { MAX_WORD = 4096, MAX_CHARSET = 64, MARK = 3 };

struct word {
	size_t start, end;
	struct str charset, text;
	bool base64;
};

static bool
is_charset_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != 0 && strchr("-_.:+", c));
}

/* Which hidden character begins s, or -1. */
static int
mark_at(struct str s)
{
	int i;

	if (!str_starts(s, STR("\xef\xb7")) || s.n < MARK)
		return -1;
	i = (unsigned char)s.p[2] - 0x90;
	return i >= 0 && i < (int)sizeof(hidden) ? i : -1;
}

static bool
has_mark(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (mark_at(str_skip(s, i)) >= 0)
			return true;
	return false;
}

void
words_hide(GString *out, char c)
{
	const char *at = memchr(hidden, c, sizeof(hidden));

	if (at)
		g_string_append_printf(
		    out, "\xef\xb7%c", (char)(0x90 + (at - hidden)));
	else
		g_string_append_c(out, c);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The word that begins at `at`. */
static bool
word_at(struct str s, size_t at, struct word *w)
{
	struct str rest = str_skip(s, at);
	const char *end;
	size_t n = 0;

	if (!str_starts(rest, STR("=?")))
		return false;
	rest = str_skip(rest, 2);
	while (n < rest.n && n < MAX_CHARSET && is_charset_character(rest.p[n]))
		n++;
	w->charset = str_head(rest, n);
	if (n < rest.n && rest.p[n] == '*') /* RFC 2231 5: language */
		n += str_find(str_head(str_skip(rest, n), MAX_CHARSET), '?');
	if (w->charset.n == 0 || rest.n < n + 3 || rest.p[n] != '?' ||
	    !strchr("BbQq", rest.p[n + 1]) || rest.p[n + 1] == 0 ||
	    rest.p[n + 2] != '?')
		return false;
	w->base64 = rest.p[n + 1] == 'B' || rest.p[n + 1] == 'b';
	rest = str_head(str_skip(rest, n + 3), MAX_WORD);
	end = memmem(rest.p, rest.n, "?=", 2);
	if (!end)
		return false;
	w->text = str_head(rest, (size_t)(end - rest.p));
	w->start = at;
	w->end = (size_t)(end - s.p) + 2;
	return true;
}

static void
append_octets(GByteArray *out, const struct word *w)
{
	char text[MAX_WORD + 1], octets[MAX_WORD + 16];
	GMimeEncoding state;
	size_t n;

	if (w->base64) {
		n = base64_decode(w->text, (uint8_t *)octets);
	} else {
		for (size_t i = 0; i < w->text.n; i++)
			text[i] = w->text.p[i] == '_' ? ' ' : w->text.p[i];
		g_mime_encoding_init_decode(
		    &state, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
		n = g_mime_encoding_flush(&state, text, w->text.n, octets);
	}
	g_byte_array_append(out, (const guint8 *)octets, (guint)n);
}

/*
 * Writes the octets, text in `charset`, as one word that GMime takes for what
 * it is, in a phrase too.  False where they are no such text.
 */
static bool
put_word(GString *out, const GByteArray *octets, struct str charset)
{
	char name[MAX_CHARSET + 1];
	size_t n = 0;
	char *text;

	memcpy(name, charset.p, charset.n);
	name[charset.n] = 0;
	text = charset_to_utf8(
	    (struct str){ (const char *)octets->data, octets->len }, name, &n);
	if (!text || has_mark((struct str){ text, n })) {
		g_free(text);
		return false;
	}
	g_string_append(out, "=?utf-8?q?");
	for (size_t i = 0; i < n; i++) {
		if (g_ascii_isalnum(text[i]))
			g_string_append_c(out, text[i]);
		else
			g_string_append_printf(
			    out, "=%02X", (unsigned char)text[i]);
	}
	g_string_append(out, "?=");
	g_free(text);
	return true;
}

/*
 * The word at `at`, and those behind it of the same charset with nothing but
 * blanks between: a character may be split between two.  *end is behind them.
 */
static bool
put_run(GString *out, struct str s, size_t at, size_t *end)
{
	GByteArray *octets = g_byte_array_new();
	struct str charset = { NULL, 0 };
	struct word w;
	bool ok;

	while (word_at(s, at, &w)) {
		if (charset.n && !str_eq_ascii(charset, w.charset))
			break;
		charset = w.charset;
		append_octets(octets, &w);
		*end = at = w.end;
		while (at < s.n && is_blank(s.p[at]))
			at++;
	}
	ok = put_word(out, octets, charset);
	g_byte_array_unref(octets);
	return ok;
}

/* The same word by word: a bad one does not spoil those beside it. */
static void
put_words(GString *out, struct str s, size_t at, size_t end)
{
	struct word w;

	while (at < end) {
		GByteArray *octets;

		if (!word_at(s, at, &w)) {
			g_string_append_c(out, s.p[at++]);
			continue;
		}
		octets = g_byte_array_new();
		append_octets(octets, &w);
		if (!put_word(out, octets, w.charset)) {
			words_hide(out, '=');
			g_string_append_len(
			    out, s.p + at + 1, (gssize)(w.end - at - 1));
		}
		g_byte_array_unref(octets);
		at = w.end;
	}
}

/* Where the last "?=" is, or 0. */
static size_t
last_end(struct str s)
{
	for (size_t i = s.n; i > 1; i--)
		if (s.p[i - 2] == '?' && s.p[i - 1] == '=')
			return i - 2;
	return 0;
}

char *
words_mask(struct str s)
{
	GString *out = g_string_sized_new(s.n);
	size_t i = 0, end = 0, last = last_end(s);
	struct word w;

	while (i < s.n) {
		struct str rest = str_skip(s, i);

		if (mark_at(rest) >= 0) {
			g_string_append(out, "\xef\xbf\xbd");
			i += MARK;
		} else if (word_at(s, i, &w)) {
			if (!put_run(out, s, i, &end))
				put_words(out, s, i, end);
			i = end;
		} else if (i > last + 1 && str_starts(rest, STR("=?"))) {
			/* For each GMime would look for an end to the end. */
			words_hide(out, s.p[i++]);
		} else {
			g_string_append_c(out, s.p[i++]);
		}
	}
	return g_string_free(out, FALSE);
}

struct str
words_unmask(struct arena *a, const char *z)
{
	struct str s = arena_dup(a, str_from(z));
	char *p = (char *)s.p;
	size_t n = 0;

	if (!s.p || !has_mark(s))
		return s;
	for (size_t i = 0; i < s.n;) {
		int mark = mark_at(str_skip(s, i));

		if (mark >= 0) {
			p[n++] = hidden[mark];
			i += MARK;
		} else {
			p[n++] = p[i++];
		}
	}
	return (struct str){ p, n };
}

static struct str
decode_piece(struct arena *a, GMimeParserOptions *options, struct str s)
{
	char *z = words_mask(s);
	char *text;
	struct str out;

	mime_names_enter();
	text = g_mime_utils_header_decode_text(options, z);
	mime_names_leave(s.n);
	out = words_unmask(a, text);
	g_free(z);
	g_free(text);
	return out.p ? utf8_make_valid(a, out) : out;
}

/* GMime's texts end at a NUL; ours do not. */
struct str
decode_words(struct arena *a, struct str s)
{
	GMimeParserOptions *options;
	VEC(char) out = { 0 };
	bool ok = true;

	if (!memmem(s.p, s.n, "=?", 2))
		return s;
	facts_init();
	options = g_mime_parser_options_new();
	while (ok) {
		size_t n = str_find(s, 0);
		struct str piece = decode_piece(a, options, str_head(s, n));

		ok = piece.p != NULL;
		for (size_t i = 0; ok && i < piece.n; i++)
			ok = vec_push(a, &out, piece.p[i]);
		if (n == s.n)
			break;
		ok = ok && vec_push(a, &out, 0);
		s = str_skip(s, n + 1);
	}
	g_mime_parser_options_free(options);
	if (!ok)
		return (struct str){ NULL, 0 };
	return out.n ? (struct str){ out.v, out.n } : STR("");
}
