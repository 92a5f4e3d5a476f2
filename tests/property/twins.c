#include "tests/property/twins.h"

#include <stdio.h>
#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/state.h"
#include "tests/property/random.h"
#include "tests/property/text.h"

/* ---- images ----------------------------------------------------------- */

struct milt_image *
twins_compile(struct str text, bool plain, char *error, size_t room)
{
	struct compile_options options = { .plain = plain };
	struct milt_image *im = NULL;
	struct compilation c;

	if (milt_compile_text(&c, STR("p.milt"), text, &options) == MILT_OK) {
		if (milt_image_load(c.image, c.image_size, &im, NULL) !=
		    MILT_OK)
			abort();
	} else if (c.diags.list.n) {
		const struct diag *d = c.diags.list.v[0];

		snprintf(error, room, "%.*s", STR_ARG(d->message));
	}
	milt_compile_free(&c);
	return im;
}

/* ---- transactions ----------------------------------------------------- */

static void
differ(struct twins *t, const char *what)
{
	if (!t->differs)
		t->differs = what;
}

static void
compare_notes(struct twins *t)
{
	const struct milt_note *a, *b;
	size_t n = milt_session_notes(t->v[0], &a);

	if (n != milt_session_notes(t->v[1], &b)) {
		differ(t, "number of notes");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (a[i].rule != b[i].rule || a[i].kind != b[i].kind ||
		    !str_eq(a[i].text, b[i].text) ||
		    !str_eq(a[i].recipient, b[i].recipient))
			differ(t, "notes");
}

static void
compare_changes(struct twins *t)
{
	const struct milt_change *a, *b;
	size_t n = milt_session_changes(t->v[0], &a);

	if (n != milt_session_changes(t->v[1], &b)) {
		differ(t, "number of changes");
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (a[i].rule != b[i].rule || a[i].action != b[i].action ||
		    !str_eq(a[i].name, b[i].name) ||
		    !str_eq(a[i].value, b[i].value))
			differ(t, "changes");
}

static void
compare_answers(struct twins *t)
{
	const struct milt_answer *a = &t->answer[0], *b = &t->answer[1];

	if (t->status[0] != t->status[1])
		differ(t, "status");
	if (a->kind != b->kind)
		differ(t, "kind");
	if (a->code != b->code || !str_eq(a->xcode, b->xcode) ||
	    a->line_count != b->line_count)
		differ(t, "reply");
	for (unsigned i = 0; i < a->line_count && !t->differs; i++)
		if (!str_eq(a->lines[i], b->lines[i]))
			differ(t, "text");
	if (a->decided != b->decided ||
	    (a->decided && (a->speaker.rule != b->speaker.rule ||
			       a->speaker.failure != b->speaker.failure)))
		differ(t, "speaker");
	t->verdicts[a->kind]++;
	t->failures += a->decided && a->speaker.failure;
	compare_notes(t);
}

static void
begin(struct twins *t, enum milt_stage stage)
{
	milt_session_begin(t->v[0], stage);
	milt_session_begin(t->v[1], stage);
}

/* The answer follows from the rule and the recipient. */
static void
answer_js(struct milt_session *s, const struct milt_question *q)
{
	static const enum milt_action verdicts[] = { ACTION_NONE, ACTION_ACCEPT,
		ACTION_REJECT, ACTION_TEMPFAIL, ACTION_DISCARD };
	struct str log = STR("said");
	struct milt_change change = { .action = ACTION_SET_HEADER,
		.name = STR("X-Js"),
		.value = q->recipient };
	unsigned h = q->rule * 7;
	struct milt_reply r = { .kind = REPLY_ANSWER };

	for (size_t i = 0; i < q->recipient.n; i++)
		h = h * 31 + (unsigned char)q->recipient.p[i];
	r.verdict = verdicts[h % 5];
	r.changes = &change;
	r.change_count = h / 5 % 3 == 0;
	r.logs = &log;
	r.log_count = h / 15 % 2;
	if (h / 30 % 4 == 0)
		r = (struct milt_reply){ .kind = REPLY_NOTHING };
	if (milt_session_reply(s, &r) != MILT_OK)
		abort();
}

/* Both are asked the same, in the same order. */
static void
answer(struct twins *t)
{
	uint64_t asked[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		struct milt_session *s = t->v[i];

		while ((t->status[i] = milt_session_answer(s, &t->answer[i])) ==
		       MILT_QUESTION) {
			const struct milt_question *q =
			    milt_session_question(s);

			asked[i] = asked[i] * 131 + q->kind * 64 + q->rule +
				   q->stage + 1;
			t->questions += q->kind == QUESTION_JS;
			if (q->kind == QUESTION_CLOCK)
				facts_clock(milt_session_facts(s), 0);
			else
				answer_js(s, q);
		}
	}
	if (asked[0] != asked[1])
		differ(t, "questions");
	compare_answers(t);
}

#define GIVE(t, call)                                                       \
	do {                                                                \
		for (int twin = 0; twin < 2; twin++) {                      \
			struct facts *f = milt_session_facts((t)->v[twin]); \
                                                                            \
			if ((call) != MILT_OK)                              \
				differ((t), "a fact is refused");           \
		}                                                           \
	} while (0)

static struct str
word(char *room, size_t size, const char *format)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int n = snprintf(room, size, format, rnd(POOL), rnd(POOL), rnd(POOL));
#pragma GCC diagnostic pop

	return (struct str){ room, (size_t)n };
}

static void
play_connect(struct twins *t)
{
	char name[64], address[64];
	struct str host = word(name, sizeof(name), "h%u.d%u.example");
	struct ip ip;
	unsigned port = rnd(POOL);

	if (!ip_parse(word(address, sizeof(address),
			  rnd(3) ? "192.0.2.%u" : "10.%u.%u.%u"),
		&ip))
		abort();
	begin(t, STAGE_CONNECT);
	GIVE(t, facts_client(f, host, host.p[1] != '0', &ip, port));
	answer(t);
}

static void
play_helo(struct twins *t)
{
	char room[64];
	struct str helo = rnd(8) ? word(room, sizeof(room), "h%u.d%u.example")
				 : word(room, sizeof(room),
				       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!%u");

	begin(t, STAGE_HELO);
	GIVE(t, facts_helo(f, helo));
	answer(t);
}

static bool
play_mail(struct twins *t)
{
	char room[64], size[16];
	struct str sender =
	    rnd(8) ? word(room, sizeof(room), "<u%u@d%u.example>") : STR("<>");
	struct str parameter = word(size, sizeof(size), "SIZE=%u");

	begin(t, STAGE_MAIL);
	GIVE(t, facts_mail(f, sender, &parameter, 1));
	answer(t);
	return t->answer[0].kind == ANSWER_CONTINUE;
}

static bool
play_recipients(struct twins *t)
{
	bool some = false;

	for (unsigned n = 1 + rnd(3); n; n--) {
		char room[64];
		struct str to = word(room, sizeof(room), "<u%u@d%u.example>");

		begin(t, STAGE_RCPT);
		GIVE(t, facts_rcpt(f, to, NULL, 0));
		answer(t);
		some |= t->answer[0].kind == ANSWER_CONTINUE;
	}
	return some;
}

static bool
go_on(struct twins *t, enum milt_stage stage)
{
	answer(t);
	if (milt_session_skip_body(t->v[0]) != milt_session_skip_body(t->v[1]))
		differ(t, "skip");
	(void)stage;
	return t->answer[0].kind == ANSWER_CONTINUE;
}

static void
play_fields(struct twins *t)
{
	static const char *const fields[][2] = { { "X-%u", "v%u" },
		{ "X-1", "v%u" }, { "X-2", "a v%u b" }, { "X-3", "v%u" },
		{ "Subject", "word%u word%u end" },
		{ "Subject", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!%u" },
		{ "From", "A <u%u@d%u.example>" },
		{ "To", "<u%u@d%u.example>, <u%u@d1.example>" } };

	for (unsigned n = rnd(10); n; n--) {
		unsigned i = rnd(sizeof(fields) / sizeof(*fields));
		char name[32], value[96];
		struct str x = word(name, sizeof(name), fields[i][0]);
		struct str y = word(value, sizeof(value), fields[i][1]);

		GIVE(t, facts_header(f, x, y));
	}
}

static void
play_message(struct twins *t)
{
	static const char filler[2000] = "b";
	char room[64];
	struct str body = word(room, sizeof(room), "b%u and b%u\r\n");
	bool large = rnd(8) == 0;

	if (!play_mail(t) || !play_recipients(t) || rnd(10) == 0)
		return;
	begin(t, STAGE_DATA);
	if (!go_on(t, STAGE_DATA))
		return;
	begin(t, STAGE_HEADERS);
	play_fields(t);
	if (!go_on(t, STAGE_HEADERS))
		return;
	begin(t, STAGE_MESSAGE);
	GIVE(t, facts_body(f, body));
	if (large)
		GIVE(t, facts_body(f, (struct str){ filler, sizeof(filler) }));
	answer(t);
	compare_changes(t);
	for (size_t i = 0; i < 3; i++)
		if (milt_session_speaker(t->v[0], i).rule !=
		    milt_session_speaker(t->v[1], i).rule)
			differ(t, "speaker of a recipient");
}

static void
play_session(struct twins *t)
{
	play_connect(t);
	if (t->answer[0].kind != ANSWER_CONTINUE)
		return;
	play_helo(t);
	for (unsigned n = 1 + rnd(3); n && !t->differs; n--) {
		if (rnd(5) == 0)
			play_helo(t);
		if (t->answer[0].kind != ANSWER_CONTINUE && rnd(2))
			return;
		play_message(t);
		if (rnd(3) == 0) {
			milt_session_abort(t->v[0]);
			milt_session_abort(t->v[1]);
		}
	}
}

bool
twins_play(struct milt_image *const im[2], struct twins *t)
{
	*t = (struct twins){ .v = { milt_session_new(im[0]),
				 milt_session_new(im[1]) } };
	if (!t->v[0] || !t->v[1])
		abort();
	t->v[1]->interp.plain = true;
	play_session(t);
	milt_session_free(t->v[0]);
	milt_session_free(t->v[1]);
	return !t->differs;
}
