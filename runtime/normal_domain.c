/* Domains: IDNA by libidn2, public suffixes by libpsl.  See normal.h. */
#include "runtime/normal.h"

#include <glib.h>
#include <idn2.h>
#include <libpsl.h>

enum {
	MAX_DOMAIN = 253, /* RFC 1035 2.3.4, as text */
	MAX_LABEL = 63,
	/*
	 * No U-label of more octets can become an A-label of 63; also bounds
	 * the work of libidn2, which grows with the square of the length.
	 */
	MAX_U_LABEL = 4 * MAX_LABEL,
};

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/*
 * Length of the dot at the start of `s`: the ASCII one, or one that IDNA reads
 * as such (RFC 3490 3.1): U+3002, U+FF0E, U+FF61.  0 if there is none.
 */
static size_t
dot(struct str s)
{
	if (s.n && s.p[0] == '.')
		return 1;
	if (str_starts(s, STR("\xe3\x80\x82")) ||
	    str_starts(s, STR("\xef\xbc\x8e")) ||
	    str_starts(s, STR("\xef\xbd\xa1")))
		return 3;
	return 0;
}

static struct str
without_last_dots(struct str s)
{
	for (;;) {
		if (s.n >= 1 && s.p[s.n - 1] == '.')
			s.n -= 1;
		else if (s.n >= 3 && dot(str_skip(s, s.n - 3)) == 3)
			s.n -= 3;
		else
			return s;
	}
}

static struct str
ascii_lower(struct arena *a, struct str s)
{
	size_t i = 0;
	char *p;

	while (i < s.n && s.p[i] == lower(s.p[i]))
		i++;
	if (i == s.n)
		return s;
	p = arena_alloc(a, s.n);
	if (!p)
		return (struct str){ NULL, 0 };
	for (i = 0; i < s.n; i++)
		p[i] = lower(s.p[i]);
	return (struct str){ p, s.n };
}

/* The A-label of a label in valid UTF-8; false where it has none. */
static bool
a_label(struct arena *a, struct str label, struct str *out)
{
	char text[MAX_U_LABEL + 1];
	char *result = NULL;
	struct str made;

	if (label.n > MAX_U_LABEL || memchr(label.p, 0, label.n))
		return false;
	memcpy(text, label.p, label.n);
	text[label.n] = 0;
	if (idn2_to_ascii_8z(text, &result,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	made = str_from(result);
	if (made.n == 0) {
		/* Made of nothing but characters that IDNA ignores. */
		idn2_free(result);
		return false;
	}
	*out = arena_dup(a, made);
	idn2_free(result);
	return true;
}

/* Normal form of one label; {NULL, 0} with no memory. */
static struct str
label_normal(struct arena *a, struct str label)
{
	struct str out;

	if (str_is_ascii(label))
		return ascii_lower(a, label);
	if (!utf8_is_valid(label))
		return ascii_lower(a, label);
	if (a_label(a, label, &out))
		return out.p ? ascii_lower(a, out) : out;
	return text_fold(a, label);
}

/*
 * Browsers take what IDNA 2008 has no A-label for, such as symbols and hyphens
 * at the ends (UTS 46 with neither CheckHyphens nor UseSTD3ASCIIRules), nearly
 * all of which IDNA 2003 has one for.
 */
static struct str
host_label_normal(struct arena *a, struct str label)
{
	struct str out = label_normal(a, label);
	char *text, *ascii;

	if (out.n == 0 || out.n > MAX_U_LABEL || str_is_ascii(out) ||
	    memchr(out.p, 0, out.n))
		return out;
	text = g_strndup(out.p, out.n);
	ascii = g_hostname_to_ascii(text);
	if (ascii)
		out = arena_dup(a, str_from(ascii));
	g_free(ascii);
	g_free(text);
	return out;
}

/*
 * Label by label: a label that is none does not hide from `under` the domain
 * that stands behind it.
 */
static struct str
labels_normal(struct arena *a, struct str s,
    struct str (*normal)(struct arena *, struct str))
{
	VEC(char) out = { 0 };

	while (s.n) {
		size_t n = 0;
		struct str label;

		while (n < s.n && dot(str_skip(s, n)) == 0)
			n++;
		label = normal(a, str_head(s, n));
		if (n && !label.p)
			return label;
		for (size_t i = 0; i < label.n; i++)
			if (!vec_push(a, &out, label.p[i]))
				return (struct str){ NULL, 0 };
		s = str_skip(s, n);
		n = dot(s);
		if (n && !vec_push(a, &out, '.'))
			return (struct str){ NULL, 0 };
		s = str_skip(s, n);
	}
	return without_last_dots((struct str){ out.v, out.n });
}

static struct str
normal_by(struct arena *a, struct str s,
    struct str (*normal)(struct arena *, struct str))
{
	s = without_last_dots(s);
	if (s.n == 0)
		return STR("");
	return str_is_ascii(s) ? ascii_lower(a, s)
			       : labels_normal(a, s, normal);
}

struct str
domain_normal(struct arena *a, struct str s)
{
	return normal_by(a, s, label_normal);
}

/* ---- what is one --------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_label_character(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

/* WHATWG URL 3.5: no forbidden domain code point. */
static bool
is_host_character(char c)
{
	static const struct str forbidden = STR("\x7f#%/:<>?@[\\]^|");

	return (unsigned char)c > ' ' && str_find(forbidden, c) == forbidden.n;
}

static bool
is_made_of(struct str s, bool (*is_character)(char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_character(s.p[i]))
			return false;
	return true;
}

static bool
label_is_valid(struct str s)
{
	return s.p[0] != '-' && s.p[s.n - 1] != '-' &&
	       is_made_of(s, is_label_character);
}

static bool
host_label_is_valid(struct str s)
{
	return is_made_of(s, is_host_character);
}

/* Labels of the right lengths, none of which is_valid() refuses. */
static bool
has_labels(struct str s, bool (*is_valid)(struct str), struct str *last)
{
	if (s.n == 0 || s.n > MAX_DOMAIN)
		return false;
	for (;;) {
		*last = str_head(s, str_find(s, '.'));
		if (last->n == 0 || last->n > MAX_LABEL || !is_valid(*last))
			return false;
		if (last->n == s.n)
			return true;
		s = str_skip(s, last->n + 1);
	}
}

/* A host name's form; 192.0.2.1 is an address, not a name. */
static bool
normal_is_valid(struct str s)
{
	struct str last;

	return has_labels(s, label_is_valid, &last) &&
	       !is_made_of(last, is_digit);
}

static bool
is_hex_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* WHATWG URL 3.5: what ends in a number is an address, or nothing. */
static bool
host_is_valid(struct str s)
{
	struct str last;

	if (!has_labels(s, host_label_is_valid, &last))
		return false;
	if (str_starts(last, STR("0x")))
		return !is_made_of(str_skip(last, 2), is_hex_digit);
	return !is_made_of(last, is_digit);
}

/*
 * Longer than the longest domain with each character written as four octets,
 * or with more than the one dot at its end that says that it is all.
 */
static bool
has_no_form(struct str s)
{
	return s.n > 4 * (size_t)MAX_DOMAIN + 4 || str_ends(s, STR(".."));
}

bool
domain_is_valid(struct str s)
{
	struct arena a;
	struct str normal;
	bool ok;

	if (has_no_form(s))
		return false;
	arena_init(&a, 64 * 1024, NULL);
	normal = domain_normal(&a, s);
	ok = normal.p && normal_is_valid(normal);
	arena_free(&a);
	return ok;
}

struct str
host_domain(struct arena *a, struct str host)
{
	struct str normal;

	if (has_no_form(host))
		return (struct str){ NULL, 0 };
	normal = normal_by(a, host, host_label_normal);
	return host_is_valid(normal) ? normal : (struct str){ NULL, 0 };
}

/* ---- public suffixes ----------------------------------------------------- */

/* Of a domain of at most MAX_DOMAIN octets. */
static struct str
registrable(struct str normal)
{
	const psl_ctx_t *psl = psl_builtin();
	char text[MAX_DOMAIN + 1];
	const char *org;

	if (!psl)
		return STR("");
	memcpy(text, normal.p, normal.n);
	text[normal.n] = 0;
	org = psl_registrable_domain(psl, text);
	return org ? str_skip(normal, (size_t)(org - text)) : STR("");
}

struct str
domain_org(struct arena *a, struct str normal)
{
	(void)a;
	return normal_is_valid(normal) ? registrable(normal) : STR("");
}

struct str
host_org(struct str domain)
{
	return host_is_valid(domain) ? registrable(domain) : STR("");
}

/*
 * By the ICANN part of the list alone: a name such as github.io may well be
 * meant in a policy, and so may a name that is in no list.
 */
bool
domain_is_suffix(struct str normal)
{
	const psl_ctx_t *psl = psl_builtin();
	char text[MAX_DOMAIN + 1];

	if (!psl || !normal_is_valid(normal))
		return false;
	memcpy(text, normal.p, normal.n);
	text[normal.n] = 0;
	return psl_is_public_suffix2(
	    psl, text, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}
