#include "runtime/authres.h"

#include "runtime/normal.h"

/* ---- words --------------------------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A quote or a comment is not closed: nothing is left. */
static bool
break_off(struct authres_reader *r)
{
	r->broken = true;
	r->rest = str_skip(r->rest, r->rest.n);
	return false;
}

/*
 * Skips blanks and comments (RFC 5322 3.2.2), and keeps the comments.  False if
 * broken off.
 */
static bool
skip_blanks(struct authres_reader *r)
{
	struct str *s = &r->rest;

	while (s->n && (is_blank(s->p[0]) || s->p[0] == '(')) {
		size_t i = 1, depth = s->p[0] == '(';

		for (; depth && i < s->n; i++) {
			if (s->p[i] == '\\' && i + 1 < s->n)
				i++;
			else if (s->p[i] == '(')
				depth++;
			else if (s->p[i] == ')')
				depth--;
		}
		if (depth)
			return break_off(r);
		if (s->p[0] == '(' && r->comments < AUTHRES_COMMENTS)
			r->comment[r->comments++] =
			    (struct str){ s->p + 1, i - 2 };
		*s = str_skip(*s, i);
	}
	return true;
}

/* Length of the quoted string at the beginning of `s`, or 0. */
static size_t
quoted_length(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/*
 * A word up to a blank, a comment or one of `ends`, quoted strings in it
 * included.  False if broken off.
 */
static bool
take(struct authres_reader *r, const char *ends, struct str *out)
{
	struct str *s = &r->rest;
	size_t i = 0;

	while (i < s->n && !is_blank(s->p[i]) && s->p[i] != '(' &&
	       !(s->p[i] && strchr(ends, s->p[i]))) {
		size_t n = s->p[i] == '"' ? quoted_length(str_skip(*s, i)) : 1;

		if (!n)
			return break_off(r);
		i += n;
	}
	*out = str_head(*s, i);
	*s = str_skip(*s, i);
	return true;
}

static bool
take_sign(struct authres_reader *r, char sign)
{
	if (!r->rest.n || r->rest.p[0] != sign)
		return false;
	r->rest = str_skip(r->rest, 1);
	return true;
}

/* ---- results ------------------------------------------------------------- */

static bool
method_of(struct str s, enum authres_method *out)
{
	static const struct str names[AUTHRES_COUNT] = {
		[AUTHRES_SPF] = STR("spf"),
		[AUTHRES_DKIM] = STR("dkim"),
		[AUTHRES_DMARC] = STR("dmarc"),
		[AUTHRES_ARC] = STR("arc"),
	};

	for (int i = 0; i < AUTHRES_COUNT; i++) {
		if (str_eq_ascii(s, names[i])) {
			*out = (enum authres_method)i;
			return true;
		}
	}
	return false;
}

/* `hardfail` is of RFC 5451, `policy` a signature that is not acceptable. */
static bool
result_of(struct str s, enum milt_result *out)
{
	int i = result_by_name(s);

	if (str_eq_ascii(s, STR("hardfail")) || str_eq_ascii(s, STR("policy")))
		i = RESULT_FAIL;
	*out = (enum milt_result)i;
	return i >= 0;
}

/* What stands behind the last @ of an address or domain, without brackets. */
static struct str
domain_part(struct str s)
{
	if (s.n && s.p[0] == '<')
		s = str_skip(s, 1);
	if (s.n && s.p[s.n - 1] == '>')
		s.n--;
	for (size_t i = s.n; i-- > 0;) {
		if (s.p[i] == '@') {
			s = str_skip(s, i + 1);
			break;
		}
	}
	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

/* `(p=reject dis=none)`, `(policy=none)`: as filters comment on DMARC. */
static struct str
comment_policy(struct str comment)
{
	struct authres_reader r = { .rest = comment };
	struct str name, value;

	while (skip_blanks(&r) && r.rest.n && take(&r, "=,;)", &name)) {
		if (!take_sign(&r, '=')) {
			if (r.rest.n)
				r.rest = str_skip(r.rest, 1);
			continue;
		}
		if (!take(&r, ",;)", &value))
			break;
		if (str_eq_ascii(name, STR("p")) ||
		    str_eq_ascii(name, STR("policy")))
			return value;
	}
	return (struct str){ NULL, 0 };
}

/* How well a property tells what is wanted: the best one is kept. */
static unsigned
property_rank(enum authres_method method, struct str ptype, struct str property)
{
	static const struct {
		enum authres_method method;
		struct str ptype, property;
	} wanted[] = {
		{ AUTHRES_SPF, STR("smtp"), STR("helo") },
		{ AUTHRES_SPF, STR("smtp"), STR("mfrom") },
		{ AUTHRES_SPF, STR("smtp"), STR("mail") },
		{ AUTHRES_SPF, STR("smtp"), STR("mailfrom") },
		{ AUTHRES_DKIM, STR("header"), STR("i") },
		{ AUTHRES_DKIM, STR("header"), STR("d") },
		{ AUTHRES_DMARC, STR("policy"),
		    STR("published-domain-policy") },
		{ AUTHRES_DMARC, STR("policy"), STR("dmarc") },
	};

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (wanted[i].method == method &&
		    str_eq_ascii(wanted[i].ptype, ptype) &&
		    str_eq_ascii(wanted[i].property, property))
			return i + 1;
	return 0;
}

/* A result while it is read, and the rank of the property that it has. */
struct reading {
	struct authres *out;
	unsigned rank;
};

static bool
keep_property(struct authres_reader *r, struct reading *g, struct str ptype,
    struct str property, struct str value)
{
	unsigned rank = property_rank(g->out->method, ptype, property);

	if (rank <= g->rank)
		return true;
	value = unquote(r->arena, value);
	r->failed = !value.p;
	if (g->out->method != AUTHRES_DMARC)
		value = domain_part(value);
	if (!value.n)
		return !r->failed;
	if (g->out->method == AUTHRES_DMARC)
		g->out->policy = value;
	else
		g->out->domain = value;
	g->rank = rank;
	return true;
}

/* `word` and blanks behind it. */
static bool
take_part(struct authres_reader *r, const char *ends, struct str *out)
{
	return skip_blanks(r) && take(r, ends, out) && skip_blanks(r);
}

/* `reason=value` and `ptype.property=value`, up to the semicolon. */
static void
read_properties(struct authres_reader *r, struct reading *g)
{
	struct str ptype, property, value;

	while (skip_blanks(r) && r->rest.n && r->rest.p[0] != ';') {
		size_t before = r->rest.n;

		property = STR("");
		if (!take_part(r, ";=.", &ptype) ||
		    (take_sign(r, '.') && !take_part(r, ";=", &property)))
			return;
		if (take_sign(r, '=') &&
		    (!take_part(r, ";", &value) ||
			!keep_property(r, g, ptype, property, value)))
			return;
		if (r->rest.n == before)
			r->rest = str_skip(r->rest, 1);
	}
}

static void
read_comments(const struct authres_reader *r, struct authres *out)
{
	for (unsigned i = 0; i < r->comments; i++)
		if (out->method == AUTHRES_DMARC && !out->policy.n)
			out->policy = comment_policy(r->comment[i]);
}

/* Leaves the reader at the next semicolon or the end. */
static void
skip_result(struct authres_reader *r)
{
	struct str word;

	while (r->rest.n && r->rest.p[0] != ';')
		if (!take_part(r, ";", &word))
			return;
}

/* `method [/ version] = result`; false where it is not one that is known. */
static bool
read_result(struct authres_reader *r, struct authres *out)
{
	struct str method, word;

	if (!take_part(r, ";=/", &method) ||
	    (take_sign(r, '/') && !take_part(r, ";=", &word)))
		return false;
	if (!take_sign(r, '=') || !skip_blanks(r) || !take(r, ";", &word) ||
	    !skip_blanks(r))
		return false;
	return method_of(method, &out->method) && result_of(word, &out->result);
}

struct str
authres_open(struct authres_reader *r, struct arena *arena, struct str value)
{
	struct str id;

	*r = (struct authres_reader){ .arena = arena, .rest = value };
	if (!take_part(r, ";", &id))
		return STR("");
	/* No filter needs escapes here; a forger may. */
	if (str_find(id, '\\') < id.n)
		return STR("");
	if (id.n >= 2 && id.p[0] == '"')
		id = (struct str){ id.p + 1, id.n - 2 };
	skip_result(r); /* the version */
	return id;
}

bool
authres_next(struct authres_reader *r, struct authres *out)
{
	while (take_sign(r, ';')) {
		struct reading g = { .out = out };

		*out = (struct authres){ .policy = { NULL, 0 } };
		r->comments = 0;
		if (read_result(r, out)) {
			read_properties(r, &g);
			read_comments(r, out);
			/* What is cut off is not to be believed. */
			return !r->failed && !r->broken;
		}
		skip_result(r);
	}
	return false;
}
