/*
 * Reads the source of a regex that PCRE2 has compiled.  What is read is a
 * superset of what the regex matches: zero-width items are empty, references
 * to groups are of the group's classes or anything, most classes are anything,
 * atomic groups are groups.
 */
#include "runtime/literal.h"

#include "runtime/image.h"
#include "runtime/literal_bracket.h"
#include "runtime/literal_escape.h"

enum {
	MAX_DEPTH = 40,     /* of groups */
	CLASS_SCORE = 60,   /* tenths of bits that classes must tell */
	CLASS_ENOUGH = 200, /* more are of no use */
};

static void read_alternatives(struct reader *, struct flags, struct part *);

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
		case 'n':
			r->unnumbered = true;
			continue;
		case 'm':
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

enum group { GROUP_CAPTURE, GROUP_PLAIN, GROUP_LOOK, GROUP_DONE };

/* Behind `(`.  GROUP_DONE: the group is read, and is `p`. */
static enum group
open_group(
    struct reader *r, struct flags *outer, struct flags *inner, struct part *p)
{
	part_empty(p);
	if (reader_peek(r, 0) == '*')
		r->failed = true;
	if (!reader_take(r, "?"))
		return GROUP_CAPTURE;
	if (reader_take(r, "|")) {
		r->unnumbered = true;
		return GROUP_PLAIN;
	}
	if (reader_take(r, ":") || reader_take(r, ">"))
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
		return GROUP_CAPTURE;
	}
	if (reader_take(r, "'")) {
		reader_skip_to(r, '\'');
		return GROUP_CAPTURE;
	}
	if (read_flags(r, inner))
		return GROUP_PLAIN;
	*outer = *inner;
	return GROUP_DONE;
}

static void
close_group(struct reader *r, unsigned number, const struct part *p)
{
	if (r->classes && number < GROUPS_MOST && p->fixed)
		r->group[number] = p->classes;
}

/*
 * What a group matched before: nothing is known of one in which we are, nor of
 * one that comes later.  One that took no part in the match matches nothing.
 */
static void
part_group(const struct reader *r, struct flags f, char digit, struct part *p)
{
	unsigned number = (unsigned)(digit - '1');
	const struct classes *known = &r->group[number];

	part_unknown(p, 0, LITERAL_ANY);
	if (r->unnumbered || !known->n)
		return;
	p->fixed = true;
	for (uint32_t i = 0; i < known->n; i++) {
		struct class_set set = known->set[i];

		if (f.caseless)
			set = class_caseless(&set);
		classes_push(&p->classes, &set);
	}
}

static void
read_group(struct reader *r, struct flags *outer, struct part *p)
{
	struct flags inner = *outer;
	enum group kind = open_group(r, outer, &inner, p);
	unsigned number = r->groups;

	if (r->failed || kind == GROUP_DONE)
		return;
	r->groups += kind == GROUP_CAPTURE;
	if (++r->depth > MAX_DEPTH) {
		r->failed = true;
		return;
	}
	read_alternatives(r, inner, p);
	r->depth--;
	if (!reader_take(r, ")"))
		r->failed = true;
	if (kind == GROUP_CAPTURE)
		close_group(r, number, p);
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
	case ESCAPE_GROUP:
		part_group(r, f, e.letter, p);
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
literals_readable(struct str source, uint32_t flags)
{
	struct part p;

	return read_regex(source, flags, false, &p);
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
