/*
 * The reply of a host to a question: checked and made safe here, whatever the
 * host did.  What cannot be taken makes the rule fail.
 */
#include "runtime/limits.h"
#include "runtime/safe.h"
#include "runtime/state.h"

static const char malformed[] = "malformed answer";
static const char not_permitted[] = "not permitted by may";
static const char too_large[] = "the answer is too large";
static const char body_not_needed[] = "changes a body that it does not need";
static const char no_memory[] = "not enough memory";

/* A reply while it is taken over. */
struct taking {
	const struct image_js *js;
	const struct milt_reply *reply;
	struct arena *arena;
	struct js_answer *out;
};

static bool
is_refusal(enum milt_action verdict)
{
	return verdict == ACTION_REJECT || verdict == ACTION_TEMPFAIL;
}

/* ---- what it holds --------------------------------------------------------
 */

/* Adds to *sum; false beyond the limit. */
static bool
weigh(size_t *sum, size_t n)
{
	if (n > LIMIT_VALUE_JS_ANSWER - *sum)
		return false;
	*sum += n;
	return true;
}

static const char *
check_size(const struct milt_reply *r)
{
	size_t sum = r->xcode.n < LIMIT_VALUE_JS_ANSWER ? r->xcode.n
							: LIMIT_VALUE_JS_ANSWER;
	bool ok = true;

	if (r->line_count > LIMIT_VALUE_REPLY_LINES ||
	    r->change_count > LIMIT_VALUE_JS_CHANGES ||
	    r->log_count > LIMIT_VALUE_JS_CHANGES) {
		limit_hit(LIMIT_JS_CHANGES);
		return too_large;
	}
	for (unsigned i = 0; ok && i < r->line_count; i++)
		ok = weigh(&sum, r->lines[i].n);
	for (size_t i = 0; ok && i < r->change_count; i++)
		ok = weigh(&sum, r->changes[i].name.n) &&
		     weigh(&sum, r->changes[i].value.n);
	for (size_t i = 0; ok && i < r->log_count; i++)
		ok = weigh(&sum, r->logs[i].n);
	if (ok)
		return NULL;
	limit_hit(LIMIT_JS_ANSWER);
	return too_large;
}

/* ---- the verdict ----------------------------------------------------------
 */

static const char *
take_lines(struct taking *t)
{
	const struct milt_reply *r = t->reply;
	struct str fallback = t->out->verdict == ACTION_REJECT
				  ? STR("Refused")
				  : STR("Temporary failure, try again later");
	unsigned n = r->line_count ? r->line_count : 1;

	t->out->lines = ARENA_ARRAY(t->arena, n, struct str);
	if (!t->out->lines)
		return no_memory;
	t->out->lines[0] = fallback;
	t->out->line_count = n;
	for (unsigned i = 0; i < r->line_count; i++) {
		t->out->lines[i] = safe_reply_line(
		    t->arena, r->lines[i], reply_line_room(t->out->xcode));
		if (!t->out->lines[i].p)
			return no_memory;
	}
	return NULL;
}

static const char *
take_refusal(struct taking *t)
{
	const struct milt_reply *r = t->reply;
	bool reject = r->verdict == ACTION_REJECT;
	unsigned class = reject ? 5 : 4;

	t->out->code = r->code ? r->code : reject ? 550 : 451;
	t->out->xcode = reject ? STR("5.7.1") : STR("4.7.1");
	if (t->out->code / 100 != class)
		return malformed;
	if (r->xcode.n) {
		if (!xcode_is_valid(r->xcode, class))
			return malformed;
		t->out->xcode = arena_dup(t->arena, r->xcode);
		if (!t->out->xcode.p)
			return no_memory;
	}
	return take_lines(t);
}

static const char *
take_verdict(struct taking *t)
{
	const struct milt_reply *r = t->reply;

	t->out->verdict = r->verdict;
	if (is_refusal(r->verdict))
		return r->change_count ? malformed : take_refusal(t);
	if (r->code || r->xcode.n || r->line_count ||
	    (r->verdict == ACTION_DISCARD && r->change_count))
		return malformed;
	return NULL;
}

/* ---- effects --------------------------------------------------------------
 */

static const char *
take_header(struct taking *t, struct milt_change *c)
{
	if (c->action == ACTION_INSERT_HEADER &&
	    (c->index < 0 || c->index > INT32_MAX))
		return malformed;
	if (!c->name.n)
		return malformed;
	c->name = safe_header_name(t->arena, c->name);
	if (!c->name.p)
		return no_memory;
	if (c->action == ACTION_REMOVE_HEADER) {
		c->value = STR("");
		return NULL;
	}
	c->value = safe_header_value(t->arena, c->value, c->name.n);
	return c->value.p ? NULL : no_memory;
}

static const char *
take_address(struct taking *t, struct milt_change *c)
{
	struct mailbox m;
	bool any = c->action == ACTION_REMOVE_RECIPIENT;

	if (any && !c->value.n)
		return NULL;
	m = mailbox_parse(t->arena, c->value);
	if (!m.text.p)
		return no_memory;
	if (m.null ? c->action != ACTION_SET_SENDER : !mailbox_is_valid(m.text))
		return malformed;
	c->value = arena_dup(t->arena, m.text);
	return c->value.p ? NULL : no_memory;
}

static const char *
take_body(struct taking *t, struct milt_change *c)
{
	if (!(t->js->flags & JS_BODY))
		return body_not_needed;
	c->value = utf8_make_valid(t->arena, c->value);
	if (c->value.p)
		c->value = safe_body(t->arena, c->value);
	return c->value.p ? NULL : no_memory;
}

static const char *
take_change(struct taking *t, const struct milt_change *from)
{
	struct milt_change c = {
		.action = from->action,
		.rule = t->js->rule,
		.index = from->action == ACTION_INSERT_HEADER ? from->index : 0,
		.name = from->name,
		.value = from->value.p ? from->value : STR(""),
	};
	const char *why = malformed;

	switch (from->action) {
	case ACTION_QUARANTINE:
		c.value = safe_reply_line(t->arena, c.value, 400);
		why = c.value.p ? NULL : no_memory;
		break;
	case ACTION_ADD_HEADER:
	case ACTION_INSERT_HEADER:
	case ACTION_SET_HEADER:
	case ACTION_REMOVE_HEADER:
		why = take_header(t, &c);
		break;
	case ACTION_ADD_RECIPIENT:
	case ACTION_REMOVE_RECIPIENT:
	case ACTION_SET_SENDER:
		why = take_address(t, &c);
		break;
	case ACTION_PREPEND_TEXT:
	case ACTION_APPEND_TEXT:
	case ACTION_REPLACE_BODY:
		why = take_body(t, &c);
		break;
	case ACTION_DELAY: /* a function waits by itself */
	case ACTION_NONE:
	case ACTION_ACCEPT:
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
	case ACTION_DISCARD:
	case ACTION_METRIC:
	case ACTION_LOG:
	case ACTION_COUNT:
		break;
	}
	if (!why)
		t->out->changes[t->out->change_count++] = c;
	return why;
}

static const char *
take_effects(struct taking *t)
{
	const struct milt_reply *r = t->reply;
	const char *why = NULL;

	t->out->changes =
	    ARENA_ARRAY(t->arena, r->change_count, struct milt_change);
	t->out->logs = ARENA_ARRAY(t->arena, r->log_count, struct str);
	if (!t->out->changes || !t->out->logs)
		return no_memory;
	for (size_t i = 0; !why && i < r->change_count; i++)
		why = take_change(t, &r->changes[i]);
	for (size_t i = 0; !why && i < r->log_count; i++) {
		t->out->logs[i] = arena_dup(t->arena, r->logs[i]);
		why = t->out->logs[i].p ? NULL : no_memory;
	}
	if (!why)
		t->out->log_count = r->log_count;
	return why;
}

/* ---- all ------------------------------------------------------------------
 */

/* NULL, or why the answer cannot be taken. */
static const char *
take_answer(struct taking *t)
{
	enum milt_action verdict = t->reply->verdict;
	const char *why;

	if (verdict < ACTION_NONE || verdict >= ACTION_COUNT ||
	    (verdict != ACTION_NONE &&
		action_rows[verdict].kind != ACTION_VERDICT))
		return malformed;
	if (verdict != ACTION_NONE && !(t->js->may >> verdict & 1))
		return not_permitted;
	why = check_size(t->reply);
	if (!why)
		why = take_verdict(t);
	return why ? why : take_effects(t);
}

enum milt_status
milt_session_reply(struct milt_session *s, const struct milt_reply *r)
{
	struct js_answer a = { .kind = r->kind };
	struct taking t = { .reply = r, .out = &a };

	if (!s->waiting || s->question.kind != QUESTION_JS)
		return MILT_INVALID;
	t.js = s->question.js;
	t.arena = answer_arena(s, t.js->rule);
	s->reply_failure = NULL;
	switch (r->kind) {
	case REPLY_NOTHING:
		break;
	case REPLY_ANSWER:
		s->reply_failure = take_answer(&t);
		break;
	case REPLY_FAILURE:
		s->reply_failure = r->failure ? r->failure : malformed;
		break;
	}
	if (s->reply_failure)
		a = (struct js_answer){ .kind = REPLY_FAILURE,
			.failure = s->reply_failure };
	a.rule = t.js->rule;
	answers_put(s, &a);
	s->reply_kind = a.kind;
	s->waiting = false;
	return MILT_OK;
}

bool
milt_session_is_waiting(const struct milt_session *s)
{
	return s->waiting;
}

enum milt_reply_kind
milt_session_reply_kind(const struct milt_session *s)
{
	return s->reply_kind;
}

const char *
milt_session_reply_failure(const struct milt_session *s)
{
	return s->reply_failure;
}
