#include "compiler/testrun.h"

#include "runtime/encode_words.h"

struct str
answer_word(enum milt_answer_kind kind)
{
	switch (kind) {
	case ANSWER_ACCEPT:
		return STR("accept");
	case ANSWER_REJECT:
		return STR("reject");
	case ANSWER_TEMPFAIL:
		return STR("tempfail");
	case ANSWER_DISCARD:
		return STR("discard");
	case ANSWER_CONTINUE:
	case ANSWER_SKIP:
		break;
	}
	return STR("nothing");
}

static enum milt_answer_kind
answer_of(enum milt_action verdict)
{
	return verdict == ACTION_ACCEPT     ? ANSWER_ACCEPT
	       : verdict == ACTION_REJECT   ? ANSWER_REJECT
	       : verdict == ACTION_TEMPFAIL ? ANSWER_TEMPFAIL
					    : ANSWER_DISCARD;
}

struct str
speaker_name(const struct milt_image *im, struct milt_speaker s)
{
	if (s.rule + 1 == im->count[SECTION_RULES])
		return STR("default");
	return image_text(im, im->rules[s.rule].name);
}

struct str
verdict_text(
    struct arena *a, const struct milt_image *im, const struct play_verdict *v)
{
	struct str reply = STR(""), name = speaker_name(im, v->speaker);

	if (v->code)
		reply = arena_printf(a, " %u %.*s", v->code, STR_ARG(v->xcode));
	if (v->speaker.failure)
		return arena_printf(a,
		    "%.*s%.*s because rule %.*s failed (%s) at %.*s",
		    STR_ARG(answer_word(v->kind)), STR_ARG(reply),
		    STR_ARG(name), v->speaker.what ? v->speaker.what : "limit",
		    STR_ARG(stage_rows[v->stage].name));
	return arena_printf(a, "%.*s%.*s by %.*s at %.*s",
	    STR_ARG(answer_word(v->kind)), STR_ARG(reply), STR_ARG(name),
	    STR_ARG(stage_rows[v->stage].name));
}

/* As readers see it: a test states what the policy writes. */
static struct str
read_value(struct arena *a, const struct milt_change *c)
{
	return c->action == ACTION_ADD_HEADER ||
		       c->action == ACTION_SET_HEADER ||
		       c->action == ACTION_INSERT_HEADER
		   ? header_value_text(a, c->value)
		   : c->value;
}

struct str
change_text(struct arena *a, const struct milt_change *c)
{
	struct str word = action_rows[c->action].name;
	struct str value = read_value(a, c);

	switch (c->action) {
	case ACTION_ADD_HEADER:
	case ACTION_SET_HEADER:
		return arena_printf(a, "%.*s \"%.*s\" \"%.*s\"", STR_ARG(word),
		    STR_ARG(c->name), STR_ARG(value));
	case ACTION_INSERT_HEADER:
		return arena_printf(a, "%.*s %lld \"%.*s\" \"%.*s\"",
		    STR_ARG(word), c->index, STR_ARG(c->name), STR_ARG(value));
	case ACTION_DELAY:
		return c->milliseconds % 1000
			   ? arena_printf(a, "%.*s %lldms", STR_ARG(word),
				 c->milliseconds)
			   : arena_printf(a, "%.*s %llds", STR_ARG(word),
				 c->milliseconds / 1000);
	case ACTION_REMOVE_HEADER:
		return arena_printf(
		    a, "%.*s \"%.*s\"", STR_ARG(word), STR_ARG(c->name));
	case ACTION_ADD_RECIPIENT:
	case ACTION_SET_SENDER:
		return arena_printf(
		    a, "%.*s <%.*s>", STR_ARG(word), STR_ARG(c->value));
	case ACTION_QUARANTINE:
	case ACTION_PREPEND_TEXT:
	case ACTION_APPEND_TEXT:
	case ACTION_REPLACE_BODY:
		return arena_printf(
		    a, "%.*s \"%.*s\"", STR_ARG(word), STR_ARG(c->value));
	case ACTION_NONE:
	case ACTION_ACCEPT:
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
	case ACTION_DISCARD:
	case ACTION_REMOVE_RECIPIENT:
	case ACTION_LOG:
	case ACTION_METRIC:
	case ACTION_COUNT:
		break;
	}
	return word;
}

/* ---- expectations ----------------------------------------------------- */

struct run {
	struct arena *arena;
	const struct milt_image *image;
	struct test_result *result;
};

static void
failed(struct run *r, struct span span, struct str text)
{
	struct test_failure f = { span, text };

	vec_push(r->arena, &r->result->failures, f);
}

/* The only text of a template that is literal. */
static struct str
literal(struct run *r, const struct ast_template *t)
{
	struct str s = STR("");

	for (size_t i = 0; t && i < t->pieces.n; i++)
		s = arena_printf(r->arena, "%.*s%.*s", STR_ARG(s),
		    STR_ARG(t->pieces.v[i].text));
	return s;
}

/* What a js rule gives on failure is its own. */
static bool
speaks_itself(const struct milt_image *im, const struct milt_speaker *who)
{
	return !who->failure || im->rules[who->rule].flags & RULE_JS;
}

static bool
verdict_is(
    struct run *r, const struct ast_expect *e, const struct play_verdict *v)
{
	struct str name = speaker_name(r->image, v->speaker);
	bool by_default = str_eq(name, STR("default"));

	if (v->kind != answer_of(e->verdict))
		return false;
	if (e->code && e->code != v->code)
		return false;
	if (e->xcode.n && !str_eq(e->xcode, v->xcode))
		return false;
	if (e->at.text.n && e->stage != v->stage)
		return false;
	if (e->by_default)
		return by_default;
	return !e->by.text.n ||
	       (!by_default && speaks_itself(r->image, &v->speaker) &&
		   str_eq(e->by.text, name));
}

static bool
same_address(struct arena *a, struct str x, struct str y)
{
	struct mailbox mx = mailbox_parse(a, x), my = mailbox_parse(a, y);

	return str_eq(
	    mailbox_normal(a, &mx, false), mailbox_normal(a, &my, false));
}

/* Calls for each recipient that the expectation is about. */
static void
check_verdicts(struct run *r, const struct ast_expect *e)
{
	const struct test_result *t = r->result;
	bool found = false;

	for (size_t i = 0; i < t->outcome.count; i++) {
		const struct play_verdict *v = &t->outcome.verdicts[i];
		struct str path = t->transaction.recipients.v[i].path;
		bool ok;

		if (e->recipient &&
		    !same_address(r->arena, e->recipient->text, path))
			continue;
		found = true;
		ok = e->kind == EXPECT_TEXT ? str_eq(e->text, v->text)
					    : verdict_is(r, e, v);
		if (ok)
			continue;
		if (e->kind == EXPECT_TEXT)
			failed(r, e->span,
			    arena_printf(r->arena,
				"the reply to %.*s is \"%.*s\"", STR_ARG(path),
				STR_ARG(v->text)));
		else
			failed(r, e->span,
			    arena_printf(r->arena, "%.*s: %.*s", STR_ARG(path),
				STR_ARG(verdict_text(r->arena, r->image, v))));
	}
	if (!found)
		failed(
		    r, e->span, STR("the transaction has no such recipient"));
}

/* Texts that are lines of the body. */
static bool
is_of_body(enum milt_action action)
{
	return action == ACTION_PREPEND_TEXT || action == ACTION_APPEND_TEXT ||
	       action == ACTION_REPLACE_BODY;
}

static bool
change_is(
    struct run *r, const struct ast_action *want, const struct milt_change *c)
{
	struct str value = STR("");

	if (want->action != c->action || want->action == ACTION_DELAY)
		return false;
	if (want->name && !str_eq_ascii(literal(r, want->name), c->name))
		return false;
	if (want->action == ACTION_INSERT_HEADER && want->index != c->index)
		return false;
	if (want->address)
		return same_address(
		    r->arena, literal(r, want->address), c->value);
	for (size_t i = 0; i < want->texts.n; i++)
		value =
		    is_of_body(want->action)
			? arena_printf(r->arena, "%.*s%.*s\r\n", STR_ARG(value),
			      STR_ARG(literal(r, want->texts.v[i])))
			: literal(r, want->texts.v[i]);
	return want->texts.n == 0 || str_eq(value, c->value) ||
	       str_eq(value, read_value(r->arena, c));
}

static bool
has_note(struct run *r, enum milt_note_kind kind, struct str text)
{
	const struct outcome *o = &r->result->outcome;

	for (size_t i = 0; i < o->notes.n; i++) {
		const struct milt_note *n = &o->notes.v[i];

		if (n->kind == kind &&
		    str_eq(kind == NOTE_SHADOW
			       ? image_text(
				     r->image, r->image->rules[n->rule].name)
			       : n->text,
			text))
			return true;
	}
	return false;
}

static struct str
add_note_text(struct run *r, struct str s, const struct milt_note *n)
{
	switch (n->kind) {
	case NOTE_SHADOW:
	case NOTE_IGNORED:
		break;
	case NOTE_LOG:
		return arena_printf(r->arena, "%.*s%slog \"%.*s\"", STR_ARG(s),
		    s.n ? ", " : "", STR_ARG(n->text));
	case NOTE_METRIC:
		return arena_printf(r->arena, "%.*s%scount %.*s", STR_ARG(s),
		    s.n ? ", " : "", STR_ARG(n->text));
	}
	return s;
}

/* What happened to the message, for a message about what did not. */
static struct str
effects_text(struct run *r)
{
	const struct outcome *o = &r->result->outcome;
	struct str s = STR("");

	for (size_t i = 0; i < o->changes.n; i++)
		s = arena_printf(r->arena, "%.*s%s%.*s", STR_ARG(s),
		    s.n ? ", " : "",
		    STR_ARG(change_text(r->arena, &o->changes.v[i])));
	for (size_t i = 0; i < o->notes.n; i++)
		s = add_note_text(r, s, &o->notes.v[i]);
	return s.n ? arena_printf(r->arena, "the effects are: %.*s", STR_ARG(s))
		   : STR("there is no effect");
}

/* By all rules together. */
static bool
is_delayed(const struct outcome *o, long long milliseconds)
{
	bool any = false;

	for (size_t i = 0; i < o->changes.n; i++)
		any |= o->changes.v[i].action == ACTION_DELAY;
	return any && milt_delay(o->changes.v, o->changes.n) == milliseconds;
}

static void
check_effect(struct run *r, const struct ast_expect *e)
{
	const struct outcome *o = &r->result->outcome;
	bool ok = false;

	if (e->effect && (e->effect->action == ACTION_LOG ||
			     e->effect->action == ACTION_METRIC))
		ok = e->effect->texts.n &&
		     has_note(r,
			 e->effect->action == ACTION_METRIC ? NOTE_METRIC
							    : NOTE_LOG,
			 literal(r, e->effect->texts.v[0]));
	else if (e->effect && e->effect->action == ACTION_DELAY)
		ok = is_delayed(o, e->effect->milliseconds);
	for (size_t i = 0; e->effect && i < o->changes.n; i++)
		ok = ok || change_is(r, e->effect, &o->changes.v[i]);
	if (!ok)
		failed(r, e->span, effects_text(r));
}

static void
check_one(struct run *r, const struct ast_expect *e)
{
	struct str effects;

	switch (e->kind) {
	case EXPECT_VERDICT:
	case EXPECT_TEXT:
		check_verdicts(r, e);
		return;
	case EXPECT_EFFECT:
		check_effect(r, e);
		return;
	case EXPECT_NO_EFFECT:
		effects = effects_text(r);
		if (!str_eq(effects, STR("there is no effect")))
			failed(r, e->span, effects);
		return;
	case EXPECT_SHADOW:
		if (!has_note(r, NOTE_SHADOW, e->by.text))
			failed(r, e->span,
			    arena_printf(r->arena,
				"shadow rule %.*s did not match",
				STR_ARG(e->by.text)));
		return;
	}
}

static struct str
rule_name(struct run *r, uint32_t rule)
{
	return image_text(r->image, r->image->rules[rule].name);
}

/* Each js rule that is asked has an answer, and each answer is asked for. */
static void
check_answers(struct run *r, const struct js_run *js)
{
	const struct test_result *t = r->result;
	struct span name = t->test->item.name.span;
	uint32_t rule = t->outcome.unanswered;

	if (rule != IMAGE_NONE)
		failed(r, name,
		    arena_printf(r->arena,
			"js rule %.*s is asked, and no answer is given (--js "
			"would ask its function)",
			STR_ARG(rule_name(r, rule))));
	for (size_t i = 0; js && i < js->failures.n; i++)
		failed(r, name,
		    arena_printf(r->arena, "js rule %.*s: %.*s",
			STR_ARG(rule_name(r, js->failures.v[i].rule)),
			STR_ARG(js->failures.v[i].why)));
	for (size_t i = 0; i < t->transaction.given.n; i++)
		if (!t->outcome.asked[i])
			failed(r, t->transaction.given.v[i].span,
			    arena_printf(r->arena, "js rule %.*s is not asked",
				STR_ARG(t->transaction.given.v[i].rule)));
}

static struct str
directory_of(struct str path)
{
	size_t n = path.n;

	while (n && path.p[n - 1] != '/')
		n--;
	return n ? str_head(path, n) : STR(".");
}

static enum milt_status
run_test(struct run *r, struct str directory, struct js_run *js)
{
	struct test_result *t = r->result;

	t->error =
	    transaction_make(r->arena, t->test, directory, &t->transaction);
	if (t->error)
		return MILT_OK;
	if (js) {
		js->failures.n = 0;
		t->transaction.js = js_run_answer;
		t->transaction.js_data = js;
	}
	if (transaction_play(
		r->arena, r->image, &t->transaction, &t->outcome) != MILT_OK)
		return MILT_NO_MEMORY;
	check_answers(r, js);
	for (size_t k = 0; k < t->test->expects.n; k++)
		check_one(r, t->test->expects.v[k]);
	return MILT_OK;
}

enum milt_status
tests_run(struct arena *a, struct compilation *c, const struct milt_image *im,
    struct js_run *js, struct test_results *out)
{
	*out = (struct test_results){ .n = c->ir->tests.n };
	out->v = ARENA_ARRAY(a, out->n + 1, struct test_result);
	if (!out->v)
		return MILT_NO_MEMORY;
	for (size_t i = 0; i < out->n; i++) {
		struct test_result *t = &out->v[i];
		struct run r = { a, im, t };
		uint32_t source = c->ir->tests.v[i]->item.span.source;

		t->test = c->ir->tests.v[i];
		if (run_test(&r, directory_of(c->sources.list.v[source]->path),
			js) != MILT_OK)
			return MILT_NO_MEMORY;
		out->failed += t->error || t->failures.n;
	}
	return MILT_OK;
}
