/* Forms of values by which they are compared, made once. */
#include "runtime/facts_state.h"

/* The forms of a value; NULL with no memory. */
static struct derived *
derived(struct facts *f, const struct fact_value *v)
{
	struct cell *c = (struct cell *)v->memo;

	if (!c)
		return ARENA_NEW(&f->message_arena, struct derived);
	if (!c->derived)
		c->derived = ARENA_NEW(c->arena, struct derived);
	return c->derived;
}

static struct arena *
arena_of(struct facts *f, const struct fact_value *v)
{
	const struct cell *c = v->memo;

	return c ? c->arena : &f->message_arena;
}

/* Never {NULL, 0} for an empty text. */
static struct str
some(struct str s)
{
	return s.n ? s : STR("");
}

struct str
facts_folded(struct facts *f, const struct fact_value *v)
{
	struct derived *d = derived(f, v);

	if (!d)
		return (struct str){ NULL, 0 };
	if (!d->folded.p)
		d->folded = text_fold(arena_of(f, v), some(v->text));
	return d->folded;
}

static struct str
address_key(struct facts *f, const struct fact_value *v)
{
	struct arena *a = arena_of(f, v);
	struct mailbox m = mailbox_parse(a, some(v->text));

	return mailbox_normal(a, &m,
	    f->image->needs->options[OPTION_LOCAL_PARTS] == LOCAL_PARTS_EXACT);
}

struct str
facts_key(struct facts *f, const struct fact_value *v, enum milt_type as)
{
	struct derived *d;

	switch (type_rows[as].key) {
	case KEY_NONE:
	case KEY_FOLDED:
	case KEY_BYTES16:
	case KEY_NUMBER:
		break;
	case KEY_DOMAIN:
		d = derived(f, v);
		if (d && !d->domain.p)
			d->domain =
			    domain_normal(arena_of(f, v), some(v->text));
		return d ? d->domain : (struct str){ NULL, 0 };
	case KEY_ADDRESS:
		d = derived(f, v);
		if (d && !d->address.p)
			d->address = address_key(f, v);
		return d ? d->address : (struct str){ NULL, 0 };
	}
	return facts_folded(f, v);
}
