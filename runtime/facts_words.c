/*
 * Encoded words (RFC 2047).  GMime decodes them; what it cannot decode it
 * guesses, where a policy wants to see it as it was written.  So such words
 * are made unrecognisable to it, and recognisable again afterwards.
 */
#include <gmime/gmime.h>

#include "runtime/facts_decode.h"

/* Stands for the `=` of a word that is left alone: a noncharacter. */
static const struct str mark = { "\xef\xb7\x90", 3 };

enum { MAX_WORD = 4096, MAX_CHARSET = 64 };

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
	GMimeEncoding state;
	char text[MAX_WORD + 1], octets[MAX_WORD + 16];
	size_t n;

	for (size_t i = 0; i < w->text.n; i++)
		text[i] =
		    !w->base64 && w->text.p[i] == '_' ? ' ' : w->text.p[i];
	g_mime_encoding_init_decode(
	    &state, w->base64 ? GMIME_CONTENT_ENCODING_BASE64
			      : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	n = g_mime_encoding_flush(&state, text, w->text.n, octets);
	g_byte_array_append(out, (const guint8 *)octets, (guint)n);
}

/* Are these octets text in that charset? */
static bool
converts(const GByteArray *octets, struct str charset)
{
	char name[MAX_CHARSET + 1];
	gchar *text;

	memcpy(name, charset.p, charset.n);
	name[charset.n] = 0;
	if (octets->len == 0)
		return true;
	text = g_convert((const gchar *)octets->data, (gssize)octets->len,
	    "UTF-8", g_mime_charset_iconv_name(name), NULL, NULL, NULL);
	g_free(text);
	return text != NULL;
}

static bool
word_converts(const struct word *w)
{
	GByteArray *octets = g_byte_array_new();
	bool ok;

	append_octets(octets, w);
	ok = converts(octets, w->charset);
	g_byte_array_unref(octets);
	return ok;
}

/*
 * The word at `at`, and those behind it of the same charset with nothing but
 * blanks between: a character may be split between two.  *end is behind them.
 */
static bool
run_converts(struct str s, size_t at, size_t *end)
{
	GByteArray *octets = g_byte_array_new();
	struct word w, first;
	bool ok;

	while (word_at(s, at, &w)) {
		if (octets->len == 0)
			first = w;
		else if (!str_eq_ascii(first.charset, w.charset))
			break;
		append_octets(octets, &w);
		*end = at = w.end;
		while (at < s.n && strchr(" \t\r\n", s.p[at]) && s.p[at])
			at++;
		if (octets->len == 0)
			break;
	}
	ok = octets->len == 0 || converts(octets, first.charset);
	g_byte_array_unref(octets);
	return ok;
}

static void
mask_run(struct str s, size_t at, size_t end, GString *out)
{
	struct word w;

	while (at < end) {
		size_t n = 1;

		if (word_at(s, at, &w)) {
			n = w.end - at;
			if (!word_converts(&w)) {
				g_string_append_len(
				    out, mark.p, (gssize)mark.n);
				at++;
				n--;
			}
		}
		g_string_append_len(out, s.p + at, (gssize)n);
		at += n;
	}
}

char *
words_mask(struct str s, bool *masked)
{
	GString *out = g_string_sized_new(s.n);
	size_t i = 0, end = 0;
	struct word w;

	*masked = !memmem(s.p, s.n, mark.p, mark.n);
	while (i < s.n) {
		end = i + str_find(str_skip(s, i), '=');
		g_string_append_len(out, s.p + i, (gssize)(end - i));
		i = end;
		if (i == s.n)
			break;
		end = i + 1;
		if (!*masked || !word_at(s, i, &w) || run_converts(s, i, &end))
			g_string_append_len(out, s.p + i, (gssize)(end - i));
		else
			mask_run(s, i, end, out);
		i = end;
	}
	return g_string_free(out, FALSE);
}

struct str
words_unmask(struct arena *a, const char *z, bool masked)
{
	struct str s = arena_dup(a, str_from(z));
	char *p = (char *)s.p;
	size_t n = 0;

	if (!s.p || !masked || !strstr(z, mark.p))
		return s;
	for (size_t i = 0; i < s.n;) {
		if (str_starts(str_skip(s, i), mark)) {
			p[n++] = '=';
			i += mark.n;
		} else {
			p[n++] = p[i++];
		}
	}
	return (struct str){ p, n };
}

static struct str
decode_piece(struct arena *a, GMimeParserOptions *options, struct str s)
{
	bool masked;
	char *z = words_mask(s, &masked);
	char *text = g_mime_utils_header_decode_text(options, z);
	struct str out = words_unmask(a, text, masked);

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
