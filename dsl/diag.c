#include "dsl/diag_order.h"

#include <stdlib.h>

#include "dsl/tables.h"

#define ERROR SEVERITY_ERROR
#define WARNING SEVERITY_WARNING

const struct diag_row diag_rows[DIAG_COUNT] = {
#define DIAG(id, code, severity, title, why, wrong, right) \
	{ STR(code), severity, STR(title), STR(why), STR(wrong), STR(right) },
#include "dsl/diagnostics.def"
#undef DIAG
};

#undef ERROR
#undef WARNING

static struct diag *
scratch(struct diags *ds)
{
	if (!ds->scratch)
		ds->scratch = ARENA_NEW(ds->arena, struct diag);
	return ds->scratch;
}

/* Counts one, and keeps it if there are not too many of its severity. */
static struct diag *
add(struct diags *ds, enum diag_id id)
{
	size_t *count = diag_rows[id].severity == SEVERITY_ERROR
			    ? &ds->errors
			    : &ds->warnings;
	struct diag *d;

	if (++*count >
	    (ds->all ? (size_t)DIAGS_ALL : (size_t)LIMIT_VALUE_ERRORS))
		return scratch(ds);
	d = ARENA_NEW(ds->arena, struct diag);
	d->id = id;
	d->number = ds->list.n;
	vec_push(ds->arena, &ds->list, d);
	return d;
}

static struct diag **
chain_of(struct diags *ds, struct span span)
{
	enum { CHAINS = 4096 };

	if (!ds->places)
		ds->places = ARENA_ARRAY(ds->arena, CHAINS, struct diag *);
	return &ds->places[(span.begin + span.source * 31) % CHAINS];
}

/* Is there the same already? */
static bool
is_there(struct diags *ds, enum diag_id id, struct span span)
{
	const struct diag *d = *chain_of(ds, span);

	while (d && !(d->id == id && d->span.source == span.source &&
			d->span.begin == span.begin && d->span.end == span.end))
		d = d->next;
	return d != NULL;
}

/* A sentence that names what is longer than anybody reads loses its middle. */
static struct str
shortened(struct diags *ds, struct str message)
{
	enum { END = 100, MOST = 1000 };
	size_t head = MOST - END, tail = message.n - END;

	if (message.n <= MOST)
		return message;
	while (((unsigned char)message.p[head] & 0xc0) == 0x80 && head > 0)
		head--;
	while (((unsigned char)message.p[tail] & 0xc0) == 0x80 && tail > head)
		tail--;
	return arena_printf(ds->arena, "%.*s...%.*s", (int)head, message.p,
	    (int)(message.n - tail), message.p + tail);
}

struct diag *
diag_at(
    struct diags *ds, enum diag_id id, struct span span, const char *fmt, ...)
{
	struct diag *d = is_there(ds, id, span) ? scratch(ds) : add(ds, id);
	struct diag **chain = chain_of(ds, span);
	va_list ap;

	if (d == ds->scratch)
		return d;
	d->next = *chain;
	*chain = d;
	d->span = span;
	d->has_span = true;
	va_start(ap, fmt);
	d->message = shortened(ds, arena_vprintf(ds->arena, fmt, ap));
	va_end(ap);
	return d;
}

struct diag *
diag_file(
    struct diags *ds, enum diag_id id, struct str path, const char *fmt, ...)
{
	struct diag *d = add(ds, id);
	va_list ap;

	if (d == ds->scratch)
		return d;
	d->path = path;
	va_start(ap, fmt);
	d->message = shortened(ds, arena_vprintf(ds->arena, fmt, ap));
	va_end(ap);
	return d;
}

void
diag_primary_label(struct diags *ds, struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (d == ds->scratch)
		return;
	va_start(ap, fmt);
	d->label = arena_vprintf(ds->arena, fmt, ap);
	va_end(ap);
}

void
diag_label(
    struct diags *ds, struct diag *d, struct span span, const char *fmt, ...)
{
	struct diag_label label = { .span = span };
	va_list ap;

	if (d == ds->scratch)
		return;
	va_start(ap, fmt);
	label.text = arena_vprintf(ds->arena, fmt, ap);
	va_end(ap);
	vec_push(ds->arena, &d->labels, label);
}

void
diag_help(struct diags *ds, struct diag *d, const char *fmt, ...)
{
	va_list ap;
	struct str help;

	if (d == ds->scratch)
		return;
	va_start(ap, fmt);
	help = arena_vprintf(ds->arena, fmt, ap);
	va_end(ap);
	vec_push(ds->arena, &d->helps, help);
}

enum diag_id
diag_by_code(struct str code)
{
	for (int i = 0; i < DIAG_COUNT; i++)
		if (str_eq_ascii(diag_rows[i].code, code))
			return (enum diag_id)i;
	return DIAG_COUNT;
}

static int
compare(const void *left, const void *right)
{
	const struct diag *a = *(struct diag *const *)left;
	const struct diag *b = *(struct diag *const *)right;

	if (a->has_span != b->has_span)
		return a->has_span - b->has_span;
	if (a->span.source != b->span.source)
		return a->span.source < b->span.source ? -1 : 1;
	if (a->span.begin != b->span.begin)
		return a->span.begin < b->span.begin ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void
diags_sort(struct diags *ds)
{
	if (ds->list.n)
		qsort(ds->list.v, ds->list.n, sizeof(*ds->list.v), compare);
}
