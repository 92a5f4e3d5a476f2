#include "runtime/literal_bracket.h"

#include "runtime/literal_escape.h"

enum { CLASS_MOST = 8 }; /* characters that are taken one by one */

void
part_any_character(const struct reader *r, bool in_line,
    const struct class_set *set, struct part *p)
{
	part_unknown(p, 1, r->utf ? 4 : 1);
	p->in_line = in_line;
	p->first = p->last = near_class(set);
	p->one = true;
	if (r->classes)
		part_class(p, set);
}

struct class
{
	struct class_set set;
	bool unknown; /* it holds what is not in `set` */
	bool named;   /* or what was there by its name */
	bool cr, lf;  /* are in it */
	bool may_end; /* they may be */
};

/* Behind `[:`. */
static void
read_posix(struct reader *r)
{
	if (reader_peek(r, 0) == '^')
		r->i++;
	while (reader_peek(r, 0) >= 'a' && reader_peek(r, 0) <= 'z')
		r->i++;
	if (!reader_take(r, ":]"))
		r->failed = true;
}

/*
 * One member: its character, or ESCAPE_NONE where it is several or beyond what
 * is told apart.
 */
static uint32_t
read_member(struct reader *r, struct class *c)
{
	int first = reader_peek(r, 0);
	struct class_set named;
	struct escape e;

	if (first == '[') {
		int next = reader_peek(r, 1);

		if (next == ':') {
			r->i += 2;
			read_posix(r);
			c->unknown = c->may_end = true;
			return ESCAPE_NONE;
		}
		r->failed |= next == '.' || next == '=';
	}
	if (first != '\\') {
		r->i++;
		return (uint32_t)first;
	}
	e = escape_read(r->s, &r->i, true);
	switch (e.kind) {
	case ESCAPE_CHARACTER:
		return e.character;
	case ESCAPE_CLASS:
		named = class_named(e.letter);
		c->set = class_either(&c->set, &named);
		c->named = true;
		c->unknown |= e.letter == 'p' || e.letter == 'P';
		c->may_end |= e.ends == ENDS_MAYBE;
		c->cr |= e.ends == ENDS_BOTH;
		c->lf |= e.ends == ENDS_BOTH;
		return ESCAPE_NONE;
	case ESCAPE_EMPTY:
	case ESCAPE_NEWLINE:
	case ESCAPE_ANY:
	case ESCAPE_GROUP:
	case ESCAPE_QUOTE:
	case ESCAPE_UNQUOTE:
	case ESCAPE_FAILED:
		break;
	}
	r->failed = true;
	return ESCAPE_NONE;
}

static void
add_range(const struct reader *r, struct class *c, uint32_t from, uint32_t to)
{
	uint32_t most = r->utf ? 0x7f : 0xff;

	c->cr |= from <= '\r' && to >= '\r';
	c->lf |= from <= '\n' && to >= '\n';
	if (from > most || to > most || from > to) {
		c->unknown = true;
		return;
	}
	for (uint32_t i = from; i <= to; i++)
		class_add(&c->set, (uint8_t)i);
}

static void
read_members(struct reader *r, struct class *c)
{
	size_t begin = r->i;

	while (!r->failed && (reader_peek(r, 0) != ']' || r->i == begin)) {
		uint32_t from, to;

		if (reader_at_end(r)) {
			r->failed = true;
			return;
		}
		from = to = read_member(r, c);
		if (reader_peek(r, 0) == '-' && reader_peek(r, 1) != ']') {
			r->i++;
			if (reader_at_end(r)) {
				r->failed = true;
				return;
			}
			to = read_member(r, c);
			if (from == ESCAPE_NONE || to == ESCAPE_NONE)
				c->unknown = c->may_end = true;
		}
		if (from != ESCAPE_NONE && to != ESCAPE_NONE)
			add_range(r, c, from, to);
	}
	r->i++;
}

/* What one character of the class may be in a text of ASCII. */
static struct class_set
class_octets(const struct class *c, bool caseless, bool negated)
{
	struct class_set set = c->set;

	if (c->unknown)
		return class_all();
	if (caseless)
		set = class_caseless(&set);
	if (negated) {
		set = class_without(&set);
		set.in[2] = set.in[3] = UINT64_MAX;
	}
	return set;
}

/* The characters one by one, if they are few. */
static void
part_few(struct part *p, const struct class_set *set)
{
	struct class_set folded = { { 0 } };

	for (unsigned i = 0; i < 256; i++)
		if (class_has(set, (uint8_t)i))
			class_add(&folded, literal_fold((uint8_t)i));
	p->texts.n = 0;
	for (unsigned i = 0; i < 256; i++) {
		if (!class_has(&folded, (uint8_t)i))
			continue;
		if (p->texts.n == CLASS_MOST)
			return;
		p->texts.v[p->texts.n] = literal_empty();
		p->texts.v[p->texts.n].text[0] = (uint8_t)i;
		p->texts.v[p->texts.n++].n = 1;
	}
	p->exact = p->texts.n > 0;
}

void
read_class(struct reader *r, struct flags f, struct part *p)
{
	struct class c = { .unknown = false };
	bool negated = reader_take(r, "^"), in_line;
	struct class_set set;

	read_members(r, &c);
	in_line = negated ? c.cr && c.lf : !c.cr && !c.lf && !c.may_end;
	set = class_octets(&c, f.caseless, negated);
	part_any_character(r, in_line, &set, p);
	if (c.unknown || c.named || negated)
		return;
	p->min = p->max = 1;
	part_few(p, &c.set);
}
