#include "runtime/decision.h"

#include <stdatomic.h>

#include "runtime/decision_json.h"
#include "runtime/log.h"

enum { LISTED = 10 };

static void (*_Atomic watcher)(const struct decision_record *);

struct str
verdict_word(enum milt_answer_kind kind)
{
	switch (kind) {
	case ANSWER_ACCEPT:
	case ANSWER_CONTINUE:
	case ANSWER_SKIP:
		return STR("accept");
	case ANSWER_REJECT:
		return STR("reject");
	case ANSWER_TEMPFAIL:
		return STR("tempfail");
	case ANSWER_DISCARD:
		return STR("discard");
	}
	return STR("tempfail");
}

static void
add_id(struct log_line *l, struct str queue_id)
{
	if (queue_id.n)
		line_word(l, queue_id);
	else
		line_add(l, "NOQUEUE");
	line_add(l, ": ");
}

static void
add_rule(struct log_line *l, const struct milt_image *im, uint32_t rule)
{
	const struct image_rule *r = &im->rules[rule];

	line_add(l, " rule=");
	line_word(l, image_text(im, r->name));
	if (r->line == 0)
		return;
	line_add(l, " at=");
	line_word(l, image_text(im, r->file));
	line_add(l, ":%u", (unsigned)r->line);
}

static void
add_value(struct log_line *l, const char *name, struct str value)
{
	if (!value.n)
		return;
	line_add(l, " %s=", name);
	line_value(l, value, '<', '>');
}

/* An address; the null sender's text has its brackets already. */
static void
add_address(struct log_line *l, struct str a)
{
	if (a.n >= 2 && a.p[0] == '<' && a.p[a.n - 1] == '>')
		a = (struct str){ a.p + 1, a.n - 2 };
	line_value(l, a, '<', '>');
}

static bool
attribute(struct facts *f, enum milt_attr attr, struct str *out)
{
	struct fact_value v;

	if (facts_get(f, attr, STR(""), 0, &v) != FACT_THERE)
		return false;
	*out = v.text;
	return true;
}

static void
add_recipients(struct log_line *l, struct facts *f, enum milt_stage stage)
{
	size_t n = facts_recipients(f);
	struct str one;

	if (stage == STAGE_RCPT) {
		if (attribute(f, ATTR_RECIPIENT, &one)) {
			line_add(l, " to=");
			add_address(l, one);
		}
		return;
	}
	for (size_t i = 0; i < n && i < LISTED; i++) {
		line_add(l, i ? "," : " to=");
		add_address(l, facts_recipient(f, i));
	}
	if (n > LISTED)
		line_add(l, ",+%zu", n - LISTED);
}

static void
add_envelope(struct log_line *l, struct facts *f, enum milt_stage stage)
{
	struct str client = facts_client_text(f);
	struct str sender = facts_sender_text(f), text;

	if (client.n) {
		line_add(l, " client=");
		line_word(l, client);
	}
	if (stage >= STAGE_HELO && attribute(f, ATTR_HELO, &text))
		add_value(l, "helo", text);
	if (stage < STAGE_MAIL || !sender.p)
		return;
	line_add(l, " from=");
	add_address(l, sender);
	if (stage >= STAGE_RCPT)
		add_recipients(l, f, stage);
}

static void
add_reply(struct log_line *l, const struct milt_answer *a)
{
	struct log_line text;

	if (a->kind != ANSWER_REJECT && a->kind != ANSWER_TEMPFAIL)
		return;
	line_start(&text);
	line_add(&text, "%u", a->code);
	if (a->xcode.n)
		line_add(&text, " %.*s", STR_ARG(a->xcode));
	for (unsigned i = 0; i < a->line_count; i++)
		line_add(
		    &text, "%s%.*s", i ? " / " : " ", STR_ARG(a->lines[i]));
	line_add(l, " reply=");
	line_value(l, (struct str){ text.text, text.n }, '"', '"');
}

/* As tag-newsletters/add-header: which rule made which change. */
static void
add_changes(struct log_line *l, struct milt_session *s)
{
	const struct milt_image *im = milt_session_image(s);
	const struct milt_change *c;
	size_t n = milt_session_changes(s, &c);

	for (size_t i = 0; i < n && i < LISTED; i++) {
		struct str action = action_rows[c[i].action].name;

		line_add(l, i ? "," : " effects=");
		line_word(l, image_text(im, im->rules[c[i].rule].name));
		line_add(l, "/");
		for (size_t k = 0; k < action.n; k++)
			line_add(
			    l, "%c", action.p[k] == ' ' ? '-' : action.p[k]);
	}
	if (n > LISTED)
		line_add(l, ",+%zu", n - LISTED);
}

static void
write_decision(const struct decision_record *d)
{
	const struct milt_answer *a = d->answer;
	struct facts *f = milt_session_facts(d->session);
	enum log_level level = d->failure ? LEVEL_WARNING : LEVEL_INFO;
	struct log_line l;

	if (log_is_json()) {
		log_json(level, decision_json(d));
		return;
	}
	line_start(&l);
	add_id(&l, d->queue_id);
	line_add(&l, "%s stage=%s", verdict_word(a->kind).p,
	    stage_rows[a->stage].name.p);
	if (d->decided)
		add_rule(&l, milt_session_image(d->session), a->speaker.rule);
	add_envelope(&l, f, a->stage);
	if (d->changed)
		add_changes(&l, d->session);
	add_reply(&l, a);
	if (d->failure)
		line_add(&l, " failure=\"%s\"", d->failure);
	if (d->delayed > 0)
		line_add(&l, " delayed=%.1fs", d->delayed);
	line_add(&l, " time=%.2fms", d->ms);
	line_end(level, &l);
}

void
decision_watch(void (*watch)(const struct decision_record *))
{
	atomic_store(&watcher, watch);
}

void
log_decision(const struct decision_record *d)
{
	void (*watch)(const struct decision_record *) = atomic_load(&watcher);

	write_decision(d);
	if (watch)
		watch(d);
}

void
log_note(struct milt_session *s, struct str queue_id, const struct milt_note *n)
{
	bool ignored = n->kind == NOTE_IGNORED;
	enum log_level level = ignored ? LEVEL_WARNING : LEVEL_INFO;
	struct log_line l;

	if (log_is_json()) {
		log_json(level, note_json(s, queue_id, n));
		return;
	}
	line_start(&l);
	add_id(&l, queue_id);
	line_add(&l, "%s", n->kind == NOTE_LOG ? "note" : note_word(n->kind));
	add_rule(&l, milt_session_image(s), n->rule);
	add_envelope(&l, milt_session_facts(s), STAGE_MAIL);
	if (n->recipient.n) {
		line_add(&l, " to=");
		add_address(&l, n->recipient);
	}
	if (n->kind == NOTE_LOG)
		line_add(&l, " text=\"%.*s\"",
		    (int)(n->text.n < 1000 ? n->text.n : 1000),
		    n->text.p ? n->text.p : "");
	if (ignored)
		line_add(&l, " failure=\"%.*s\"", STR_ARG(n->text));
	line_end(level, &l);
}

void
log_question(const struct question_record *q)
{
	struct log_line l;

	if (log_is_json()) {
		log_json(LEVEL_WARNING, question_json(q));
		return;
	}
	line_start(&l);
	add_id(&l, q->queue_id);
	line_add(&l, "question");
	add_rule(&l, milt_session_image(q->session), q->rule);
	add_envelope(&l, milt_session_facts(q->session), STAGE_MAIL);
	if (q->recipient.n) {
		line_add(&l, " to=");
		add_address(&l, q->recipient);
	}
	line_add(&l, " failure=\"%s\" time=%.2fms", q->failure, q->ms);
	line_end(LEVEL_WARNING, &l);
}
