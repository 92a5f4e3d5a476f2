#include "runtime/decision_json.h"

enum { LISTED = 50, VALUE = 1000 };

static struct str
attribute(struct facts *f, enum milt_attr attr)
{
	struct fact_value v;

	if (facts_get(f, attr, STR(""), 0, &v) != FACT_THERE)
		return STR("");
	return v.text;
}

size_t
decision_recipients(const struct decision_record *d)
{
	if (d->answer->stage < STAGE_RCPT)
		return 0;
	return d->answer->stage == STAGE_RCPT
		   ? 1
		   : facts_recipients(milt_session_facts(d->session));
}

struct str
decision_recipient(const struct decision_record *d, size_t i)
{
	struct facts *f = milt_session_facts(d->session);

	return d->answer->stage == STAGE_RCPT ? attribute(f, ATTR_RECIPIENT)
					      : facts_recipient(f, i);
}

static void
put(json_t *o, const char *name, struct str s)
{
	if (s.n)
		json_put_text(o, name, str_head(s, VALUE));
}

static void
put_rule(json_t *o, const struct milt_image *im, uint32_t rule)
{
	const struct image_rule *r = &im->rules[rule];

	json_put_text(o, "rule", image_text(im, r->name));
	if (r->line == 0)
		return;
	json_put_text(o, "file", image_text(im, r->file));
	json_put_number(o, "line", r->line);
}

static void
put_envelope(json_t *o, struct facts *f, enum milt_stage stage)
{
	put(o, "client", facts_client_text(f));
	if (stage >= STAGE_HELO)
		put(o, "helo", attribute(f, ATTR_HELO));
	if (stage >= STAGE_MAIL)
		put(o, "sender", facts_sender_text(f));
}

static void
put_recipients(json_t *o, const struct decision_record *d)
{
	size_t n = decision_recipients(d);
	json_t *list = json_array();

	for (size_t i = 0; i < n && i < LISTED; i++)
		json_array_append_new(
		    list, json_text(str_head(decision_recipient(d, i), VALUE)));
	json_put(o, "recipients", list);
	json_put_number(o, "recipient_count", n);
}

static void
put_reply(json_t *o, const struct milt_answer *a)
{
	json_t *lines;

	if (a->kind != ANSWER_REJECT && a->kind != ANSWER_TEMPFAIL)
		return;
	lines = json_array();
	for (unsigned i = 0; i < a->line_count; i++)
		json_array_append_new(lines, json_text(a->lines[i]));
	json_put_number(o, "code", a->code);
	json_put_text(o, "xcode", a->xcode);
	json_put(o, "text", lines);
}

static void
put_changes(json_t *o, struct milt_session *s)
{
	const struct milt_image *im = milt_session_image(s);
	const struct milt_change *c;
	size_t n = milt_session_changes(s, &c);
	json_t *list = json_array();

	for (size_t i = 0; i < n && i < LISTED; i++) {
		json_t *one = json_object();

		json_put_text(
		    one, "rule", image_text(im, im->rules[c[i].rule].name));
		json_put_text(one, "effect", action_rows[c[i].action].name);
		json_array_append_new(list, one);
	}
	json_put(o, "effects", list);
}

json_t *
decision_json(const struct decision_record *d)
{
	const struct milt_answer *a = d->answer;
	struct facts *f = milt_session_facts(d->session);
	json_t *o = json_object();

	put(o, "id", d->queue_id);
	json_put_text(o, "verdict", verdict_word(a->kind));
	json_put_text(o, "stage", stage_rows[a->stage].name);
	if (d->decided)
		put_rule(o, milt_session_image(d->session), a->speaker.rule);
	put_envelope(o, f, a->stage);
	put_recipients(o, d);
	put_reply(o, a);
	if (d->changed)
		put_changes(o, d->session);
	if (d->failure)
		json_put(o, "failure", json_string(d->failure));
	if (d->delayed > 0)
		json_put(o, "delayed", json_real(d->delayed));
	json_put(o, "ms", json_real(d->ms));
	return o;
}

const char *
note_word(enum milt_note_kind kind)
{
	switch (kind) {
	case NOTE_SHADOW:
		return "shadow";
	case NOTE_IGNORED:
		return "ignored";
	case NOTE_LOG:
	case NOTE_METRIC:
		return "log";
	}
	return "log";
}

json_t *
note_json(
    struct milt_session *s, struct str queue_id, const struct milt_note *n)
{
	json_t *o = json_object();

	put(o, "id", queue_id);
	json_put(o, "note", json_string(note_word(n->kind)));
	put_rule(o, milt_session_image(s), n->rule);
	put_envelope(o, milt_session_facts(s), STAGE_MAIL);
	put(o, "recipient", n->recipient);
	put(o, n->kind == NOTE_IGNORED ? "failure" : "text", n->text);
	return o;
}

json_t *
question_json(const struct question_record *q)
{
	json_t *o = json_object();

	put(o, "id", q->queue_id);
	json_put(o, "question", json_string("js"));
	put_rule(o, milt_session_image(q->session), q->rule);
	put_envelope(o, milt_session_facts(q->session), STAGE_MAIL);
	put(o, "recipient", q->recipient);
	json_put(o, "failure", json_string(q->failure));
	json_put(o, "ms", json_real(q->ms));
	return o;
}
