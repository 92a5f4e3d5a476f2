/* The changes that rules make, as they are stated over the message. */
#include "runtime/insert.h"
#include "runtime/limits.h"
#include "runtime/safe.h"
#include "runtime/state.h"

/* ---- what `where` means ----------------------------------------------------
 */

/* False with no memory, or if not all of them are known. */
static bool
begin_choice(struct milt_session *s, enum milt_attr all, struct milt_change *c,
    bool **chosen, size_t *n)
{
	if (facts_count(s->facts, all, STR(""), n) != FACT_THERE) {
		s->change_failure = facts_failure(s->facts);
		return false;
	}
	*chosen = ARENA_ARRAY(facts_arena(s->facts), *n + 1, bool);
	if (!*chosen)
		return false;
	memset(*chosen, 0, (*n + 1) * sizeof(**chosen));
	c->chosen = *chosen;
	return true;
}

/* One that cannot be decided is not chosen, if the policy goes on. */
static bool
choose(struct milt_session *s, uint32_t where, enum milt_attr all, size_t i,
    uint32_t rule, bool *chosen)
{
	enum truth v = interp_where(&s->interp, where, all, i);

	*chosen = v == TRUE_;
	return v != ERROR_ || effect_failed(s, rule, s->interp.failure);
}

static bool
choose_fields(struct milt_session *s, uint32_t where, struct milt_change *c)
{
	bool *chosen;
	size_t n;

	if (!begin_choice(s, ATTR_ALL_HEADERS, c, &chosen, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct fact_value v;

		if (facts_get(s->facts, ATTR_ALL_HEADERS_NAME, STR(""), i,
			&v) != FACT_THERE)
			return false;
		if (str_eq_ascii(v.text, c->name) &&
		    !choose(s, where, ATTR_ALL_HEADERS, i, c->rule, &chosen[i]))
			return false;
	}
	return true;
}

static bool
choose_recipients(struct milt_session *s, uint32_t where, struct milt_change *c)
{
	bool *chosen;
	size_t n;

	if (where == IMAGE_NONE)
		return true;
	if (!begin_choice(s, ATTR_RECIPIENTS, c, &chosen, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!choose(s, where, ATTR_RECIPIENTS, i, c->rule, &chosen[i]))
			return false;
	return true;
}

/* ---- one change ------------------------------------------------------------
 */

static bool
set_address(struct milt_session *s, const struct image_action *a,
    struct milt_change *c, bool *skip)
{
	struct str text = interp_text(&s->interp, a->address);
	struct mailbox m;

	if (!text.p)
		return false;
	m = mailbox_parse(facts_arena(s->facts), text);
	*skip = !(m.null && c->action == ACTION_SET_SENDER) &&
		(m.null || !mailbox_is_valid(m.text));
	c->value = m.text;
	return !*skip || effect_failed(s, c->rule,
			     "an effect's address is not a mail address");
}

static bool
set_header(struct milt_session *s, const struct image_action *a,
    struct milt_change *c, bool *skip)
{
	struct arena *arena = facts_arena(s->facts);
	struct str text = interp_text(&s->interp, a->name);

	if (!text.p)
		return false;
	c->name = safe_header_name(arena, text);
	c->index = a->index;
	*skip = c->name.n == 0;
	if (*skip)
		return effect_failed(
		    s, c->rule, "an effect's header field has no name");
	if (a->where != IMAGE_NONE && !choose_fields(s, a->where, c))
		return false;
	if (!a->text_count)
		return true;
	text = interp_text(&s->interp, a->texts);
	if (!text.p)
		return false;
	c->value = safe_header_value(arena, text, c->name.n);
	return c->value.p != NULL;
}

static bool
set_body(
    struct milt_session *s, const struct image_action *a, struct milt_change *c)
{
	struct arena *arena = facts_arena(s->facts);
	VEC(char) body = { 0 };

	for (uint32_t k = 0; k < a->text_count; k++) {
		struct str text = interp_text(&s->interp, a->texts + k);

		text = text.p ? utf8_make_valid(arena, text) : text;
		text = text.p ? safe_body(arena, text) : text;
		if (!text.p)
			return false;
		for (size_t i = 0; i < text.n; i++)
			if (!vec_push(arena, &body, text.p[i]))
				return false;
	}
	c->value = (struct str){ body.v, body.n };
	return true;
}

/* A text of the rule, where something is skipped. */
static void
note_skipped(struct milt_session *s, uint32_t rule, const char *why)
{
	const struct image_rule *r = &s->image->rules[rule];

	push_note(s, rule, NOTE_LOG, str_from(why), r->flags & RULE_RECIPIENT);
}

static enum insert_status
insertable(struct milt_session *s, enum milt_action action)
{
	if (action == ACTION_REPLACE_BODY)
		return insert_is_sealed(s->facts) ? INSERT_SEALED : INSERT_OK;
	if (!s->insertable_known)
		s->insertable = insert_check(s->facts);
	s->insertable_known = true;
	return s->insertable;
}

/* Lines for the body: left out where they must not or cannot go. */
static bool
text_is_possible(
    struct milt_session *s, const struct milt_change *c, bool *skip)
{
	enum insert_status status = insertable(s, c->action);

	*skip = status != INSERT_OK;
	switch (status) {
	case INSERT_OK:
		return true;
	case INSERT_SEALED:
		note_skipped(s, c->rule,
		    c->action == ACTION_REPLACE_BODY
			? "replace body is skipped: the message is signed or "
			  "encrypted"
			: "a text is not put in: the message is signed or "
			  "encrypted");
		return true;
	case INSERT_NO_TEXT:
		note_skipped(
		    s, c->rule, "a text is not put in: the message has none");
		return true;
	case INSERT_UNSOUND:
		note_skipped(s, c->rule,
		    "a text is not put in: the message cannot be decoded");
		return true;
	case INSERT_FAILED:
		return effect_failed(s, c->rule, facts_failure(s->facts));
	case INSERT_PARTS:
		return effect_failed(s, c->rule,
		    "the message has more parts than are looked at");
	case INSERT_NO_MEMORY:
		break;
	}
	return false;
}

static bool
set_text(struct milt_session *s, const struct image_action *a,
    struct milt_change *c, bool *skip)
{
	return text_is_possible(s, c, skip) && (*skip || set_body(s, a, c));
}

static bool
push_change(struct milt_session *s, uint32_t rule, const struct image_action *a)
{
	struct arena *arena = facts_arena(s->facts);
	struct milt_change c = {
		.action = (enum milt_action)a->action,
		.rule = rule,
	};
	bool skip = false, ok = true;

	switch (c.action) {
	case ACTION_NONE:
	case ACTION_COUNT:
	case ACTION_ACCEPT:
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
	case ACTION_DISCARD:
	case ACTION_LOG:
	case ACTION_METRIC:
		return true;
	case ACTION_QUARANTINE:
		c.value = interp_text(&s->interp, a->texts);
		ok = c.value.p != NULL;
		if (ok)
			c.value = safe_reply_line(arena, c.value, 400);
		break;
	case ACTION_ADD_HEADER:
	case ACTION_INSERT_HEADER:
	case ACTION_SET_HEADER:
	case ACTION_REMOVE_HEADER:
		ok = set_header(s, a, &c, &skip);
		break;
	case ACTION_ADD_RECIPIENT:
	case ACTION_SET_SENDER:
		ok = set_address(s, a, &c, &skip);
		break;
	case ACTION_REMOVE_RECIPIENT:
		ok = choose_recipients(s, a->where, &c);
		break;
	case ACTION_DELAY:
		c.milliseconds = a->milliseconds;
		break;
	case ACTION_PREPEND_TEXT:
	case ACTION_APPEND_TEXT:
	case ACTION_REPLACE_BODY:
		ok = set_text(s, a, &c, &skip);
		break;
	}
	return ok && (skip || vec_push(arena, &s->changes, c));
}

/* Of an answer all is checked, but for what the message allows. */
static bool
push_answer_change(struct milt_session *s, const struct milt_change *c)
{
	bool skip = false, ok = true;

	if (action_changes_body(c->action))
		ok = text_is_possible(s, c, &skip);
	return ok && (skip || vec_push(facts_arena(s->facts), &s->changes, *c));
}

bool
push_changes(struct milt_session *s, uint32_t rule)
{
	const struct image_rule *r = &s->image->rules[rule];
	const struct js_answer *a =
	    r->flags & RULE_JS ? answer_find(s, rule) : NULL;

	for (size_t k = 0; a && k < a->change_count; k++)
		if (!push_answer_change(s, &a->changes[k]))
			return false;
	for (uint32_t k = 0; k < r->count; k++)
		if (!push_change(s, rule, &s->image->actions[r->first + k]))
			return false;
	return true;
}

long long
milt_delay(const struct milt_change *c, size_t n)
{
	long long sum = 0;

	for (size_t i = 0; i < n; i++)
		if (c[i].action == ACTION_DELAY)
			sum += c[i].milliseconds;
	if (sum <= (long long)LIMIT_VALUE_DELAY)
		return sum;
	limit_hit(LIMIT_DELAY);
	return (long long)LIMIT_VALUE_DELAY;
}
