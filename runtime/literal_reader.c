#include "runtime/literal_reader.h"

#include "runtime/literal_part.h"

enum { MAX_REPEAT = 65535 };

bool
reader_at_end(const struct reader *r)
{
	return r->i >= r->s.n;
}

int
reader_peek(const struct reader *r, size_t ahead)
{
	return r->i + ahead < r->s.n ? (uint8_t)r->s.p[r->i + ahead] : -1;
}

bool
reader_take(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->i + n > r->s.n || memcmp(r->s.p + r->i, word, n) != 0)
		return false;
	r->i += n;
	return true;
}

void
reader_skip_to(struct reader *r, char end)
{
	while (!reader_at_end(r) && r->s.p[r->i] != end)
		r->i++;
	r->i++;
}

static bool
is_blank(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip_comment(struct reader *r)
{
	while (!reader_at_end(r) && reader_peek(r, 0) != '\n' &&
	       reader_peek(r, 0) != '\r')
		r->i++;
}

void
reader_skip(struct reader *r, struct flags f)
{
	for (;;) {
		if (r->quoting) {
			if (!reader_take(r, "\\E"))
				return;
			r->quoting = false;
		} else if (reader_take(r, "\\Q\\E") || reader_take(r, "\\E")) {
			continue;
		} else if (reader_take(r, "(?#")) {
			reader_skip_to(r, ')');
		} else if (f.extended && is_blank(reader_peek(r, 0))) {
			r->i++;
		} else if (f.extended && reader_peek(r, 0) == '#') {
			skip_comment(r);
		} else {
			/* Some characters beyond ASCII are blanks too. */
			r->failed |= f.extended && reader_peek(r, 0) >= 0x80;
			return;
		}
	}
}

static bool
read_number(struct reader *r, uint32_t *out)
{
	size_t begin = r->i;

	*out = 0;
	while (reader_peek(r, 0) >= '0' && reader_peek(r, 0) <= '9' &&
	       *out <= MAX_REPEAT)
		*out = *out * 10 + (uint32_t)(r->s.p[r->i++] - '0');
	return r->i > begin;
}

/* Behind `{`; where it is none, the brace is a character. */
static bool
read_braces(struct reader *r, uint32_t *low, uint32_t *high)
{
	int c = reader_peek(r, 0);

	/* Later versions of PCRE2 read `{,n}` and blanks as well. */
	if (c == ',' || is_blank(c))
		r->failed = true;
	if (!read_number(r, low))
		return false;
	*high = *low;
	if (reader_take(r, ",") && !read_number(r, high))
		*high = REPEAT_ANY;
	if (!reader_take(r, "}"))
		r->failed = true;
	return true;
}

void
reader_quantifier(struct reader *r, uint32_t *low, uint32_t *high)
{
	size_t begin = r->i;

	*low = *high = 1;
	if (r->quoting)
		return;
	if (reader_take(r, "?")) {
		*low = 0;
	} else if (reader_take(r, "+")) {
		*high = REPEAT_ANY;
	} else if (reader_take(r, "*")) {
		*low = 0;
		*high = REPEAT_ANY;
	} else if (!reader_take(r, "{")) {
		return;
	} else if (!read_braces(r, low, high)) {
		*low = *high = 1;
		r->i = begin;
		return;
	}
	if (!reader_take(r, "?"))
		reader_take(r, "+");
}
