#include "dsl/lexer.h"

/* Runs of bad bytes after which a file is taken for no text at all. */
enum { MOST_RUNS = 20 };

size_t
utf8_length(const char *p, const char *limit)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t room = (size_t)(limit - p), n;
	unsigned char low = 0x80, high = 0xBF;

	if (room == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xC2 || u[0] > 0xF4)
		return 0;
	n = u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
	if (room < n)
		return 0;
	if (u[0] == 0xE0)
		low = 0xA0;
	else if (u[0] == 0xED)
		high = 0x9F;
	else if (u[0] == 0xF0)
		low = 0x90;
	else if (u[0] == 0xF4)
		high = 0x8F;
	if (u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((u[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

static bool
is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

enum byte_class { BYTES_GOOD, BYTES_CONTROL, BYTES_INVALID };

/* What stands at p, and how many bytes it takes. */
static enum byte_class
classify(const char *p, const char *limit, size_t *n)
{
	*n = utf8_length(p, limit);
	if (*n == 0) {
		*n = 1;
		return BYTES_INVALID;
	}
	return *n == 1 && is_control((unsigned char)*p) ? BYTES_CONTROL
							: BYTES_GOOD;
}

bool
text_is_clean(struct str s)
{
	const char *p = s.p, *limit = s.n ? s.p + s.n : s.p;
	size_t n;

	for (; p < limit; p += n)
		if (classify(p, limit, &n) != BYTES_GOOD)
			return false;
	return true;
}

static void
report(struct diags *ds, enum byte_class class, struct span span, const char *p)
{
	unsigned char c = (unsigned char)*p;
	struct diag *d;

	if (class == BYTES_CONTROL) {
		d = diag_at(ds, D_CONTROL, span,
		    "the control character U+%04X stands in the "
		    "policy",
		    c);
		diag_help(ds, d, "in a text in quotes write \\u{%X}", c);
		return;
	}
	d = diag_at(
	    ds, D_ENCODING, span, "the byte 0x%02X is not UTF-8 here", c);
	diag_help(ds, d, "save the file in UTF-8");
}

bool
text_check(struct diags *ds, uint32_t source, bool *clean)
{
	struct str text = ds->sources->list.v[source]->text;
	const char *p = text.p, *limit = text.p + text.n, *begin;
	size_t n, runs = 0;

	*clean = true;
	while (p < limit) {
		enum byte_class class = classify(p, limit, &n);
		struct span span = { source, (uint32_t)(p - text.p), 0 };

		begin = p;
		p += n;
		if (class == BYTES_GOOD)
			continue;
		while (p < limit && classify(p, limit, &n) == class)
			p += n;
		span.end = (uint32_t)(p - text.p);
		*clean = false;
		report(ds, class, span, begin);
		if (++runs == MOST_RUNS)
			return false;
	}
	return true;
}
