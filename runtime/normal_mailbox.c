/* Envelope addresses: see normal.h. */
#include "runtime/normal.h"

enum { MAX_MAILBOX = 254 }; /* RFC 5321 4.5.3.1.3, without the brackets */

/*
 * Offset of the first or last `c` that is not in a quoted string, or s.n.  A
 * quote that is never closed quotes nothing.
 */
static size_t
find_unquoted(struct str s, char c, bool last)
{
	size_t found = s.n, any = s.n;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == c && (last || any == s.n))
			any = i;
		if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == c && (last || found == s.n))
			found = i;
	}
	return quoted ? any : found;
}

static struct str
without_brackets(struct str s)
{
	s = str_trim(s);
	if (s.n == 0 || s.p[0] != '<')
		return s;
	s = str_skip(s, 1);
	return str_trim(str_head(s, find_unquoted(s, '>', false)));
}

/* RFC 5321 4.1.2, A-d-l: "@a,@b:" before the mailbox. */
static struct str
without_route(struct str s)
{
	bool literal = false;

	if (s.n == 0 || s.p[0] != '@')
		return s;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '[')
			literal = true;
		else if (s.p[i] == ']')
			literal = false;
		else if (s.p[i] == ':' && !literal)
			return str_skip(s, i + 1);
	}
	return s;
}

struct str
unquote(struct arena *a, struct str s)
{
	bool quoted = false;
	size_t n = 0;
	char *p;

	if (str_find(s, '"') == s.n)
		return s;
	p = arena_alloc(a, s.n);
	if (!p)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			p[n++] = s.p[++i];
		else if (s.p[i] == '"')
			quoted = !quoted;
		else
			p[n++] = s.p[i];
	}
	return (struct str){ p, n };
}

struct mailbox
mailbox_parse(struct arena *a, struct str s)
{
	struct mailbox m = { .text = without_route(without_brackets(s)) };
	size_t at;

	if (m.text.n == 0) {
		m.text = STR("<>");
		m.local = m.domain = STR("");
		m.null = true;
		return m;
	}
	at = find_unquoted(m.text, '@', true);
	m.local = unquote(a, str_head(m.text, at));
	m.domain = at < m.text.n ? str_skip(m.text, at + 1) : STR("");
	while (m.domain.n && m.domain.p[m.domain.n - 1] == '.')
		m.domain.n--;
	return m;
}

static bool
is_atom_character(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("()<>[]:;@\\,\".", c);
}

/* RFC 5321 4.1.2 and RFC 6531 3.3: Dot-string. */
static bool
is_dot_string(struct str s)
{
	if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '.' ? s.p[i - 1] == '.'
				  : !is_atom_character((unsigned char)s.p[i]))
			return false;
	return true;
}

/* Quoted-string: one, and nothing outside it. */
static bool
is_quoted_string(struct str s)
{
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return false;
	for (size_t i = 1; i < s.n - 1; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f || c == '"')
			return false;
		if (c == '\\' &&
		    (++i >= s.n - 1 || (unsigned char)s.p[i] < ' ' ||
			s.p[i] == 0x7f))
			return false;
	}
	return true;
}

/* [192.0.2.1] and [IPv6:2001:db8::1]. */
static bool
is_literal(struct str s)
{
	struct ip ip;

	return s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' &&
	       ip_parse((struct str){ s.p + 1, s.n - 2 }, &ip);
}

bool
mailbox_is_valid(struct str s)
{
	size_t at = find_unquoted(s, '@', true);
	struct str local = str_head(s, at);

	if (s.n > MAX_MAILBOX || !utf8_is_valid(s) ||
	    !(is_dot_string(local) || is_quoted_string(local)))
		return false;
	if (at == s.n) /* RFC 5321 4.1.1.3: it alone needs no domain */
		return str_eq_ascii(s, STR("postmaster"));
	s = str_skip(s, at + 1);
	return domain_is_valid(s) || is_literal(s);
}

struct str
mailbox_normal(struct arena *a, const struct mailbox *m, bool exact)
{
	struct str local = exact ? m->local : text_fold(a, m->local);
	struct str domain = domain_normal(a, m->domain);
	char *p;

	if (m->null)
		return STR("");
	if ((m->local.n && !local.p) || !domain.p)
		return (struct str){ NULL, 0 };
	if (domain.n == 0)
		return local.n ? local : STR("");
	p = arena_alloc(a, local.n + 1 + domain.n);
	if (!p)
		return (struct str){ NULL, 0 };
	if (local.n)
		memcpy(p, local.p, local.n);
	p[local.n] = '@';
	memcpy(p + local.n + 1, domain.p, domain.n);
	return (struct str){ p, local.n + 1 + domain.n };
}
