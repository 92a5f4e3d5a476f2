/* What js rules were answered, and what follows for their effects. */
#include <stdlib.h>

#include "runtime/state.h"

enum { FIRST = 4, KEPT = 64 };

static struct js_answers *
answers_of(struct milt_session *s, uint32_t rule)
{
	return s->image->rules[rule].flags & RULE_RECIPIENT ? &s->own
							    : &s->shared;
}

/* Of shared ones `recipient` is 0. */
static bool
is_before(const struct js_answer *a, uint32_t recipient, uint32_t rule)
{
	return a->recipient != recipient ? a->recipient < recipient
					 : a->rule < rule;
}

static size_t
place_of(const struct js_answers *all, uint32_t recipient, uint32_t rule)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(&all->v[middle], recipient, rule))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct js_answer *
answer_find(const struct milt_session *s, uint32_t rule)
{
	bool own = s->image->rules[rule].flags & RULE_RECIPIENT;
	const struct js_answers *all = own ? &s->own : &s->shared;
	uint32_t recipient = own ? s->current : 0;
	size_t at = place_of(all, recipient, rule);

	if (at == all->n || all->v[at].rule != rule ||
	    all->v[at].recipient != recipient)
		return NULL;
	return &all->v[at];
}

bool
answers_reserve(struct milt_session *s, uint32_t rule)
{
	struct js_answers *all = answers_of(s, rule);
	size_t cap = all->cap ? 2 * all->cap : FIRST;
	struct js_answer *v;

	if (all->n < all->cap)
		return true;
	v = realloc(all->v, cap * sizeof(*v));
	if (!v)
		return false;
	all->v = v;
	all->cap = cap;
	return true;
}

void
answers_put(struct milt_session *s, const struct js_answer *a)
{
	struct js_answers *all = answers_of(s, a->rule);
	struct js_answer fresh = *a;
	size_t at;

	fresh.recipient = all == &s->own ? s->current : 0;
	at = place_of(all, fresh.recipient, fresh.rule);
	memmove(all->v + at + 1, all->v + at, (all->n - at) * sizeof(*all->v));
	all->v[at] = fresh;
	all->n++;
}

struct arena *
answer_arena(struct milt_session *s, uint32_t rule)
{
	switch ((enum milt_stage)s->image->rules[rule].known) {
	case STAGE_CONNECT:
		return &s->connect_answers;
	case STAGE_HELO:
		return &s->helo_answers;
	case STAGE_MAIL:
	case STAGE_RCPT:
	case STAGE_DATA:
	case STAGE_HEADERS:
	case STAGE_MESSAGE:
	case STAGE_COUNT:
		break;
	}
	return facts_arena(s->facts);
}

static void
clear(struct js_answers *all)
{
	all->n = 0;
	if (all->cap <= KEPT)
		return;
	free(all->v);
	*all = (struct js_answers){ 0 };
}

/* Keeps those of rules that are known before the stage. */
static void
keep_before(struct milt_session *s, enum milt_stage stage)
{
	size_t n = 0;

	for (size_t i = 0; i < s->shared.n; i++)
		if (s->image->rules[s->shared.v[i].rule].known < stage)
			s->shared.v[n++] = s->shared.v[i];
	s->shared.n = n;
	if (!n)
		clear(&s->shared);
}

void
answers_forget(struct milt_session *s, enum milt_stage stage)
{
	s->waiting = false;
	switch (stage) {
	case STAGE_CONNECT:
		arena_free(&s->connect_answers);
		/* fall through */
	case STAGE_HELO:
		arena_free(&s->helo_answers);
		/* fall through */
	case STAGE_MAIL:
		keep_before(s, stage);
		clear(&s->own);
		return;
	case STAGE_RCPT:
		while (s->own.n &&
		       s->own.v[s->own.n - 1].recipient >= s->accepted.n)
			s->own.n--;
		return;
	case STAGE_DATA:
	case STAGE_HEADERS:
	case STAGE_MESSAGE:
	case STAGE_COUNT:
		return;
	}
}

void
answers_free(struct milt_session *s)
{
	free(s->shared.v);
	free(s->own.v);
	arena_free(&s->connect_answers);
	arena_free(&s->helo_answers);
}

enum truth
effect_value(const struct milt_session *s, uint32_t rule, enum reading reading,
    enum truth v)
{
	const struct image_rule *r = &s->image->rules[rule];
	const struct js_answer *a;

	/* What was seen for recipients is about their answers already. */
	if (!(r->flags & RULE_JS) ||
	    (reading == READ_OPEN && r->flags & RULE_RECIPIENT) || v == FALSE_)
		return v;
	if (v == ERROR_)
		return FALSE_;
	a = v == TRUE_ ? answer_find(s, rule) : NULL;
	if (!a)
		return UNKNOWN_;
	return truth_of(a->kind == REPLY_ANSWER);
}
