#include "runtime/encode_words.h"

#include <glib.h>

#include "runtime/facts_state.h"

#define BASE64_WORD "=?UTF-8?b?"
#define Q_WORD "=?UTF-8?q?"

enum {
	WORD = ENCODED_LINE - 1,
	FRAME = sizeof(Q_WORD "?=") - 1,
	CHARACTER = 4 * 3, /* octets of the longest one */
};

struct writer {
	char *p;
	size_t n;
};

static void
put(struct writer *w, struct str s)
{
	memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
}

/* ---- one word ------------------------------------------------------------ */

/* RFC 2047 5 (3): what may stand for itself wherever the word is. */
static bool
is_plain(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("!*+-/", c));
}

static size_t
q_cost(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ' ' || is_plain(s.p[i]) ? 1 : 3;
	return n;
}

static size_t
base64_cost(struct str s)
{
	return (s.n + 2) / 3 * 4;
}

static void
put_q(struct writer *w, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	put(w, STR(Q_WORD));
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		char code[] = { '=', hex[c >> 4], hex[c & 15] };

		if (c == ' ')
			w->p[w->n++] = '_';
		else if (is_plain(s.p[i]))
			w->p[w->n++] = s.p[i];
		else
			put(w, (struct str){ code, sizeof(code) });
	}
	put(w, STR("?="));
}

static void
put_base64(struct writer *w, struct str s)
{
	gint state = 0, save = 0;

	put(w, STR(BASE64_WORD));
	w->n += g_base64_encode_step(
	    (const guchar *)s.p, s.n, FALSE, w->p + w->n, &state, &save);
	w->n += g_base64_encode_close(FALSE, w->p + w->n, &state, &save);
	put(w, STR("?="));
}

/* ---- several ------------------------------------------------------------- */

/* Behind the character that begins at i. */
static size_t
character_end(struct str s, size_t i)
{
	do
		i++;
	while (i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80);
	return i;
}

/* The first characters of s that cost no more than `room`. */
static struct str
fitting(struct str s, size_t (*cost)(struct str), size_t room)
{
	size_t n = 0, next = 0;

	while (next < s.n) {
		next = character_end(s, n);
		if (cost(str_head(s, next)) > room)
			break;
		n = next;
	}
	return str_head(s, n);
}

static void
put_run(struct writer *w, struct str run, size_t column)
{
	bool base64 = base64_cost(run) < q_cost(run);
	size_t left =
	    w->n || column > ENCODED_LINE ? WORD : ENCODED_LINE - column;

	left = left < FRAME + CHARACTER ? FRAME + CHARACTER : left;
	while (run.n) {
		struct str word =
		    fitting(run, base64 ? base64_cost : q_cost, left - FRAME);

		if (base64)
			put_base64(w, word);
		else
			put_q(w, word);
		run = str_skip(run, word.n);
		if (run.n)
			put(w, STR(" "));
		left = WORD;
	}
}

/* The next word and the blanks in front of it. */
static struct str
next_word(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == ' ')
		n++;
	return str_head(s, n + str_find(str_skip(s, n), ' '));
}

/* A word that somebody has encoded already. */
static bool
is_encoded(struct str word)
{
	word = str_trim(word);
	return str_starts(word, STR("=?")) && str_ends(word, STR("?="));
}

/*
 * What s begins with from a word that is not ASCII to the last such one; empty
 * where the first word is ASCII.
 */
static struct str
next_run(struct str s)
{
	size_t n = 0, end = 0;

	while (n < s.n) {
		struct str word = next_word(str_skip(s, n));

		n += word.n;
		if (!str_is_ascii(word))
			end = n;
		else if (!end || is_encoded(word))
			break;
	}
	return str_head(s, end);
}

struct str
encode_words(struct arena *a, struct str s, size_t column)
{
	/* At worst one character of two octets makes a word, and a blank. */
	struct writer w = { .p = arena_array(a, s.n + 4, 10) };

	if (!w.p)
		return (struct str){ NULL, 0 };
	while (s.n) {
		struct str run = next_run(s), blanks;

		if (!run.n) {
			run = next_word(s);
			put(&w, run);
			s = str_skip(s, run.n);
			continue;
		}
		s = str_skip(s, run.n);
		blanks = str_head(run, 0);
		while (run.n && run.p[0] == ' ') {
			blanks.n++;
			run = str_skip(run, 1);
		}
		put(&w, blanks);
		put_run(&w, run, column);
	}
	return (struct str){ w.p, w.n };
}

/* ---- and back ------------------------------------------------------------ */

struct str
header_value_text(struct arena *arena, struct str value)
{
	struct str line = arena_dup(arena, value);
	char *p = (char *)line.p;
	size_t n = 0;

	if (!p)
		return line;
	for (size_t i = 0; i < line.n; i++)
		if (p[i] != '\r' && p[i] != '\n')
			p[n++] = p[i];
	return decode_words(arena, str_head(line, n));
}
