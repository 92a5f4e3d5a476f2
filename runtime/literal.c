/*
 * Reads the source of a regex that PCRE2 has compiled.  What is read is a
 * superset of what the regex matches: zero-width items are empty, references
 * to groups and most classes are anything, atomic groups are groups.
 */
#include "runtime/literal.h"

#include "runtime/image.h"
#include "runtime/literal_escape.h"
#include "runtime/literal_part.h"
#include "runtime/literal_reader.h"

enum {
	MAX_DEPTH = 40,   /* of groups */
	CLASS_MOST = 8,   /* characters of a class that are taken one by one */
	CLASS_SCORE = 60, /* tenths of bits that classes must tell */
	CLASS_ENOUGH = 200, /* more are of no use */
};

static void read_alternatives(struct reader *, struct flags, struct part *);

static void
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

static void
part_character(
    const struct reader *r, struct flags f, uint32_t c, struct part *p)
{
	struct class_set set = { { 0 } };
	uint8_t text[4];

	/* As the scan reads them. */
	if (r->utf && !f.caseless && (c == 0x212a || c == 0x17f))
		c = c == 0x17f ? 's' : 'k';
	if (c < 0x80 || !r->utf) {
		text[0] = (uint8_t)c;
		part_text(p, text, 1);
		class_add(&set, text[0]);
		if (f.caseless)
			set = class_caseless(&set);
	} else {
		set = class_all();
		if (f.caseless)
			part_any_character(r, true, &set, p);
		else
			part_text(p, text, escape_encode(c, text));
	}
	p->fixed = false;
	if (r->classes)
		part_class(p, &set);
}

/* ---- classes ------------------------------------------------------------ */

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

/* Behind `[`. */
static void
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

/* ---- groups ------------------------------------------------------------- */

/* Behind `(?`: letters that set options, and `)` or `:`. */
static bool
read_flags(struct reader *r, struct flags *f)
{
	bool on = true;

	if (reader_take(r, "^"))
		*f = (struct flags){ .dotall = false };
	for (;; r->i++) {
		switch (reader_peek(r, 0)) {
		case 'i':
			f->caseless = on;
			continue;
		case 'x':
			r->failed |= reader_peek(r, 1) == 'x';
			f->extended = on;
			continue;
		case '-':
			on = false;
			continue;
		case 's':
			f->dotall = on;
			continue;
		case 'm':
		case 'n':
		case 'J':
		case 'U':
			continue;
		case ')':
		case ':':
			return r->s.p[r->i++] == ':';
		}
		r->failed = true;
		return false;
	}
}

enum group { GROUP_PLAIN, GROUP_LOOK, GROUP_DONE };

/* Behind `(`.  GROUP_DONE: the group is read, and is `p`. */
static enum group
open_group(
    struct reader *r, struct flags *outer, struct flags *inner, struct part *p)
{
	part_empty(p);
	if (reader_peek(r, 0) == '*')
		r->failed = true;
	if (!reader_take(r, "?"))
		return GROUP_PLAIN;
	if (reader_take(r, ":") || reader_take(r, "|") || reader_take(r, ">"))
		return GROUP_PLAIN;
	if (reader_take(r, "=") || reader_take(r, "!") ||
	    reader_take(r, "<=") || reader_take(r, "<!"))
		return GROUP_LOOK;
	if (reader_take(r, "#")) {
		reader_skip_to(r, ')');
		return GROUP_DONE;
	}
	if (reader_take(r, "P=")) {
		reader_skip_to(r, ')');
		part_unknown(p, 0, LITERAL_ANY);
		return GROUP_DONE;
	}
	if (reader_take(r, "P<") || reader_take(r, "<")) {
		r->failed |= reader_peek(r, 0) == '*';
		reader_skip_to(r, '>');
		return GROUP_PLAIN;
	}
	if (reader_take(r, "'")) {
		reader_skip_to(r, '\'');
		return GROUP_PLAIN;
	}
	if (read_flags(r, inner))
		return GROUP_PLAIN;
	*outer = *inner;
	return GROUP_DONE;
}

static void
read_group(struct reader *r, struct flags *outer, struct part *p)
{
	struct flags inner = *outer;
	enum group kind = open_group(r, outer, &inner, p);

	if (r->failed || kind == GROUP_DONE)
		return;
	if (++r->depth > MAX_DEPTH) {
		r->failed = true;
		return;
	}
	read_alternatives(r, inner, p);
	r->depth--;
	if (!reader_take(r, ")"))
		r->failed = true;
	if (kind == GROUP_LOOK)
		part_empty(p);
}

static void
read_escape(struct reader *r, struct flags f, struct part *p)
{
	struct escape e = escape_read(r->s, &r->i, false);
	struct class_set set;

	switch (e.kind) {
	case ESCAPE_CHARACTER:
		part_character(r, f, e.character, p);
		return;
	case ESCAPE_CLASS:
		set = class_named(e.letter);
		part_any_character(r, e.ends == ENDS_NONE, &set, p);
		return;
	case ESCAPE_NEWLINE:
		part_unknown(p, 1, 3);
		return;
	case ESCAPE_ANY:
		part_unknown(p, 0, LITERAL_ANY);
		return;
	case ESCAPE_QUOTE:
		r->quoting = true;
		part_empty(p);
		return;
	case ESCAPE_EMPTY:
		part_between(p, e.letter);
		return;
	case ESCAPE_UNQUOTE:
		part_empty(p);
		return;
	case ESCAPE_FAILED:
		break;
	}
	r->failed = true;
}

static void
read_literal(struct reader *r, struct flags f, struct part *p)
{
	uint32_t c = (uint8_t)r->s.p[r->i];

	if (c >= 0x80 && r->utf)
		c = escape_decode(r->s, &r->i);
	else
		r->i++;
	part_character(r, f, c, p);
}

static void
read_item(struct reader *r, struct flags *f, struct part *p)
{
	struct class_set set;

	if (r->quoting) {
		read_literal(r, *f, p);
		return;
	}
	switch (r->s.p[r->i]) {
	case '\\':
		read_escape(r, *f, p);
		return;
	case '(':
		r->i++;
		read_group(r, f, p);
		return;
	case '[':
		r->i++;
		read_class(r, *f, p);
		return;
	case '.':
		r->i++;
		set = f->dotall ? class_all() : class_named('N');
		part_any_character(r, !f->dotall, &set, p);
		return;
	case '^':
	case '$':
		part_between(p, r->s.p[r->i++]);
		return;
	case '*':
	case '+':
	case '?':
		/* Behind something that has been read as no item. */
		r->failed = true;
		return;
	}
	/* A quantifier of a quantifier. */
	r->failed |= r->s.p[r->i] == '{' && reader_peek(r, 1) >= '0' &&
		     reader_peek(r, 1) <= '9';
	read_literal(r, *f, p);
}

static void
read_sequence(struct reader *r, struct flags *f, struct part *out)
{
	struct sequence s;
	struct part p;

	sequence_begin(&s);
	for (reader_skip(r, *f); !reader_at_end(r) && !r->failed;
	     reader_skip(r, *f)) {
		uint32_t low, high;

		if (!r->quoting &&
		    (reader_peek(r, 0) == '|' || reader_peek(r, 0) == ')'))
			break;
		read_item(r, f, &p);
		if (r->failed)
			return;
		reader_skip(r, *f);
		reader_quantifier(r, &low, &high);
		sequence_add(&s, &p, low, high);
	}
	sequence_end(&s, out);
}

/* Options that are set in an alternative hold in those that follow. */
static void
read_alternatives(struct reader *r, struct flags f, struct part *out)
{
	struct part next;

	read_sequence(r, &f, out);
	while (!r->failed && reader_take(r, "|")) {
		read_sequence(r, &f, &next);
		if (!r->failed)
			part_either(out, &next);
	}
}

static bool
read_regex(struct str source, uint32_t flags, bool classes, struct part *out)
{
	struct reader r = {
		.s = source, .utf = !(flags & REGEX_BYTES), .classes = classes
	};
	struct flags f = { .caseless = (flags & REGEX_I) != 0,
		.extended = (flags & REGEX_X) != 0,
		.dotall = (flags & REGEX_S) != 0 };

	read_alternatives(&r, f, out);
	return !r.failed && reader_at_end(&r);
}

/* Any letter of ASCII may be matched by one beyond it. */
static void
allow_high(struct literal *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		v[i].before |= NEAR_HIGH;
		for (int k = 0; k < NEAR_AFTER; k++)
			v[i].after[k] |= NEAR_HIGH;
	}
}

bool
literals_of(struct str source, uint32_t flags, struct literals *out,
    struct literals_also *also)
{
	struct part p;

	if (!read_regex(source, flags, false, &p) || p.score < 0)
		return false;
	literals_copy(out, &p.best);
	*also = p.also;
	if (!(flags & REGEX_BYTES)) {
		allow_high(out->v, out->n);
		allow_high(also->v, also->n);
	}
	return true;
}

bool
classes_of(struct str source, uint32_t flags, struct classes *out)
{
	struct part p;

	if (!read_regex(source, flags, true, &p) || p.class_score < CLASS_SCORE)
		return false;
	*out = p.best_classes;
	while (classes_score(out) - (int)out->rarity[out->n - 1] > CLASS_ENOUGH)
		out->n--;
	return true;
}
