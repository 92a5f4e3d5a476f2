#include "addon/compat_change.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/queue.h>

/* Octets of data in one of libmilter's packets, and of a number in it. */
enum { PACKET_BYTES = 65535, NUMBER_BYTES = 4 };

struct kept {
	STAILQ_ENTRY(kept) link;
	struct change change;
	char text[];
};

struct compat_changes {
	STAILQ_HEAD(, kept) list, bodies;
};

static const unsigned long needed[CHANGE_KINDS] = {
#define CHANGE(id, flag) [CHANGE_##id] = flag,
#include "addon/compat_changes.def"
#undef CHANGE
};

struct compat_changes *
changes_new(void)
{
	struct compat_changes *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	STAILQ_INIT(&c->list);
	STAILQ_INIT(&c->bodies);
	return c;
}

void
changes_free(struct compat_changes *c)
{
	struct kept *k;

	if (!c)
		return;
	STAILQ_CONCAT(&c->list, &c->bodies);
	while ((k = STAILQ_FIRST(&c->list))) {
		STAILQ_REMOVE_HEAD(&c->list, link);
		free(k);
	}
	free(c);
}

/* ---- checks -------------------------------------------------------------- */

/* RFC 5322 3.6.8 */
static bool
is_field_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':')
			return false;
	return s.n > 0;
}

/* Lines may be folded: LF, and a line that begins with a blank and has more. */
static bool
is_field_value(struct str s)
{
	bool folded = false; /* only blanks since LF */

	for (size_t i = 0; i < s.n; i++) {
		bool blank = s.p[i] == ' ' || s.p[i] == '\t';

		if (s.p[i] == 0 || s.p[i] == '\r')
			return false;
		if (i > 0 && s.p[i - 1] == '\n' && !blank)
			return false;
		if (s.p[i] == '\n') {
			if (folded)
				return false;
			folded = true;
		} else if (!blank)
			folded = false;
	}
	return !folded;
}

static bool
is_line(struct str s)
{
	return str_find(s, 0) == s.n && str_find(s, '\r') == s.n &&
	       str_find(s, '\n') == s.n;
}

static bool
is_possible_field(const struct change *c)
{
	size_t number = c->kind == CHANGE_ADD_HEADER ? 0 : NUMBER_BYTES;

	return c->index >= 0 && c->index <= INT_MAX && is_field_name(c->what) &&
	       is_field_value(c->with) &&
	       c->what.n + c->with.n + 2 + number <= PACKET_BYTES;
}

static bool
is_possible(const struct change *c)
{
	switch (c->kind) {
	case CHANGE_ADD_HEADER:
	case CHANGE_SET_HEADER:
	case CHANGE_INSERT_HEADER:
		return is_possible_field(c);
	case CHANGE_BODY:
		return c->what.n <= INT_MAX;
	case CHANGE_ADD_RECIPIENT:
	case CHANGE_ADD_RECIPIENT_PAR:
	case CHANGE_REMOVE_RECIPIENT:
	case CHANGE_SENDER:
	case CHANGE_QUARANTINE:
		return c->what.n > 0 && is_line(c->what) && is_line(c->with) &&
		       c->what.n + c->with.n + 2 <= PACKET_BYTES;
	case CHANGE_KINDS:
		break;
	}
	return false;
}

bool
changes_add(
    struct compat_changes *list, const struct change *c, unsigned long actions)
{
	struct kept *k;
	char *p;

	if ((actions & needed[c->kind]) == 0 || !is_possible(c))
		return false;
	k = malloc(sizeof(*k) + c->what.n + c->with.n + 2);
	if (!k)
		return false;
	k->change = *c;
	p = k->text;
	if (c->what.n > 0)
		memcpy(p, c->what.p, c->what.n);
	p[c->what.n] = 0;
	k->change.what.p = p;
	if (c->with.p) {
		p += c->what.n + 1;
		memcpy(p, c->with.p, c->with.n);
		p[c->with.n] = 0;
		k->change.with.p = p;
	}
	if (c->kind == CHANGE_BODY)
		STAILQ_INSERT_TAIL(&list->bodies, k, link);
	else
		STAILQ_INSERT_TAIL(&list->list, k, link);
	return true;
}

/* ---- libmilter ----------------------------------------------------------- */

static int
send_change(SMFICTX *ctx, const struct change *c)
{
	/* libmilter takes pointers to char that it does not write to. */
	char *what = (char *)c->what.p, *with = (char *)c->with.p;

	switch (c->kind) {
	case CHANGE_ADD_HEADER:
		return smfi_addheader(ctx, what, with);
	case CHANGE_SET_HEADER:
		return smfi_chgheader(ctx, what, (int)c->index, with);
	case CHANGE_INSERT_HEADER:
		return smfi_insheader(ctx, (int)c->index, what, with);
	case CHANGE_BODY:
		return smfi_replacebody(
		    ctx, (unsigned char *)what, (int)c->what.n);
	case CHANGE_ADD_RECIPIENT:
		return smfi_addrcpt(ctx, what);
	case CHANGE_ADD_RECIPIENT_PAR:
		return smfi_addrcpt_par(ctx, what, with);
	case CHANGE_REMOVE_RECIPIENT:
		return smfi_delrcpt(ctx, what);
	case CHANGE_SENDER:
		return smfi_chgfrom(ctx, what, with);
	case CHANGE_QUARANTINE:
		return smfi_quarantine(ctx, what);
	case CHANGE_KINDS:
		break;
	}
	return MI_FAILURE;
}

static bool
send_list(SMFICTX *ctx, const struct kept *k)
{
	for (; k; k = STAILQ_NEXT(k, link))
		if (send_change(ctx, &k->change) != MI_SUCCESS)
			return false;
	return true;
}

bool
changes_send(SMFICTX *ctx, const struct compat_changes *list)
{
	return !list || (send_list(ctx, STAILQ_FIRST(&list->list)) &&
			    send_list(ctx, STAILQ_FIRST(&list->bodies)));
}
