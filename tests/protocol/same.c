/*
 * The transactions of all `test` blocks, once in the process, as `milterc
 * test` plays them, and once on the wire against milterd: same answers, same
 * words, same changes.
 */
#include <glob.h>
#include <stdlib.h>

#include "compiler/testrun.h"
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum { TIMEOUT_MS = 30000 };

/* One test: what was expected in the process, what came over the wire. */
struct pair {
	const char *file;
	const struct test_result *test;
	struct mta *m;
	const struct mta_outcome *got;
	size_t wrong;
};

static void
differ(struct pair *p, const char *what, struct str want, struct str got)
{
	p->wrong++;
	printf("# %s: %.*s: %s\n#  milterd: %.*s\n# milterc: %.*s\n", p->file,
	    STR_ARG(p->test->test->item.name.text), what, STR_ARG(got),
	    STR_ARG(want));
}

static bool
is_gone(const struct mta *m)
{
	return m->state == MTA_REFUSED_SESSION ||
	       m->state == MTA_ACCEPTED_SESSION;
}

/* The event at which milterd gives an answer of a stage. */
static bool
is_at(const struct mta *m, enum milt_stage stage, int event)
{
	switch (stage) {
	case STAGE_CONNECT:
	case STAGE_HELO:
		return is_gone(m);
	case STAGE_MAIL:
		return !is_gone(m) && event == SMFIC_MAIL;
	case STAGE_RCPT:
		return event == SMFIC_RCPT;
	case STAGE_DATA:
		return event == SMFIC_DATA;
	case STAGE_HEADERS:
		return event == SMFIC_EOH;
	case STAGE_MESSAGE:
		return event == SMFIC_BODYEOB;
	case STAGE_COUNT:
		break;
	}
	return false;
}

static enum mta_verdict
verdict_of(enum milt_answer_kind kind)
{
	switch (kind) {
	case ANSWER_CONTINUE:
	case ANSWER_ACCEPT:
	case ANSWER_SKIP:
		return MTA_ACCEPT;
	case ANSWER_REJECT:
		return MTA_REJECT;
	case ANSWER_TEMPFAIL:
		return MTA_TEMPFAIL;
	case ANSWER_DISCARD:
		return MTA_DISCARD;
	}
	return MTA_FAILED;
}

static void
compare_verdict(struct pair *p, size_t i)
{
	const struct play_verdict *want = &p->test->outcome.verdicts[i];
	struct mta_reply got = p->got->reply;
	int event = p->got->stage;
	struct arena *a = &p->m->arena;

	if (i < p->got->recipient_total &&
	    p->got->recipient_replies[i].code != 0) {
		got = p->got->recipient_replies[i];
		event = SMFIC_RCPT;
	}
	if (got.verdict != verdict_of(want->kind))
		differ(p, "verdict", answer_word(want->kind),
		    arena_dup(a, reply_text(p->m, got)));
	if (!is_at(p->m, want->stage, event))
		differ(p, "stage", stage_rows[want->stage].name,
		    arena_printf(a, "event %c", event));
	if (want->kind != ANSWER_REJECT && want->kind != ANSWER_TEMPFAIL)
		return;
	if (got.code != want->code || !str_eq(got.xcode, want->xcode))
		differ(p, "code",
		    arena_printf(
			a, "%u %.*s", want->code, STR_ARG(want->xcode)),
		    arena_printf(a, "%u %.*s", got.code, STR_ARG(got.xcode)));
	if (!str_eq(got.text, want->text))
		differ(p, "text", want->text, got.text);
}

static char
wire_kind(enum edit_kind kind)
{
	switch (kind) {
	case EDIT_SET_SENDER:
		return SMFIR_CHGFROM;
	case EDIT_ADD_RECIPIENT:
		return SMFIR_ADDRCPT;
	case EDIT_REMOVE_RECIPIENT:
		return SMFIR_DELRCPT;
	case EDIT_CHANGE_HEADER:
	case EDIT_DELETE_HEADER:
		return SMFIR_CHGHEADER;
	case EDIT_INSERT_HEADER:
		return SMFIR_INSHEADER;
	case EDIT_ADD_HEADER:
		return SMFIR_ADDHEADER;
	case EDIT_QUARANTINE:
		return SMFIR_QUARANTINE;
	case EDIT_REPLACE_BODY:
		return SMFIR_REPLBODY;
	}
	return 0;
}

/* The edit as it goes over the wire. */
static struct mta_edit
wire_edit(struct arena *a, const struct edit *e)
{
	struct mta_edit w = { .kind = wire_kind(e->kind) };

	switch (e->kind) {
	case EDIT_SET_SENDER:
	case EDIT_ADD_RECIPIENT:
	case EDIT_REMOVE_RECIPIENT:
		w.name = e->value.n && e->value.p[0] == '<'
			     ? e->value
			     : arena_printf(a, "<%.*s>", STR_ARG(e->value));
		break;
	case EDIT_CHANGE_HEADER:
	case EDIT_INSERT_HEADER:
	case EDIT_ADD_HEADER:
		w.index = e->index;
		w.name = e->name;
		w.value = e->value.n ? e->value : STR(" ");
		break;
	case EDIT_DELETE_HEADER:
		w.index = e->index;
		w.name = e->name;
		break;
	case EDIT_QUARANTINE:
		w.name = e->value;
		break;
	case EDIT_REPLACE_BODY:
		w.value = e->value;
		break;
	}
	return w;
}

static void
compare_edits(struct pair *p)
{
	const struct outcome *want = &p->test->outcome;
	struct arena *a = &p->m->arena;
	size_t n = want->edits.n;

	if (p->got->reply.verdict != MTA_ACCEPT)
		return;
	if (n != p->got->edit_count) {
		differ(p, "changes", arena_printf(a, "%zu of them", n),
		    outcome_text(p->m, p->got));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct mta_edit w = wire_edit(a, &want->edits.v[i]);
		const struct mta_edit *g = &p->got->edits[i];

		if (w.kind != g->kind || w.index != g->index ||
		    !str_eq(w.name, g->name) || !str_eq(w.value, g->value))
			differ(p, "change",
			    arena_printf(a, "%c %u %.*s: %.*s", w.kind, w.index,
				STR_ARG(w.name), STR_ARG(w.value)),
			    arena_printf(a, "%c %u %.*s: %.*s", g->kind,
				g->index, STR_ARG(g->name), STR_ARG(g->value)));
	}
}

static bool
begin(struct mta *m, const struct filter *f, const struct transaction *t)
{
	struct str address, host;

	if (!mta_open(m, f->where, TIMEOUT_MS) ||
	    !mta_negotiate(m, &mta_offer_postfix))
		return false;
	address = t->has_ip ? ip_print(&m->fixed, t->ip) : STR("");
	host = t->client_name.n ? t->client_name
	       : t->has_ip ? arena_printf(&m->fixed, "[%.*s]", STR_ARG(address))
			   : STR("localhost");
	for (size_t i = 0; i < t->macros.n; i++)
		mta_macro(m, t->macros.v[i].name, t->macros.v[i].value);
	mta_connect(m, host,
	    !t->has_ip        ? SMFIA_UNKNOWN
	    : ip_is_v4(t->ip) ? SMFIA_INET
			      : SMFIA_INET6,
	    t->port, address);
	mta_helo(m, t->helo);
	return m->state != MTA_BROKEN;
}

static struct str
queue_id(const struct transaction *t)
{
	for (size_t i = 0; i < t->macros.n; i++)
		if (str_eq(t->macros.v[i].name, STR("i")))
			return t->macros.v[i].value;
	return (struct str){ NULL, 0 };
}

static void
send_transaction(
    struct mta *m, const struct transaction *t, struct mta_outcome *o)
{
	struct mta_address *to = calloc(t->recipients.n + 1, sizeof(*to));
	struct mta_pair *fields = calloc(t->fields.n + 1, sizeof(*fields));
	struct mta_message msg = {
		.sender = { t->sender, t->parameters.v, t->parameters.n },
		.recipients = to,
		.recipient_count = t->recipients.n,
		.queue_id = queue_id(t),
		.headers = fields,
		.header_count = t->fields.n,
		.body = t->body,
	};

	if (!to || !fields)
		abort();
	for (size_t i = 0; i < t->recipients.n; i++) {
		const struct play_recipient *r = &t->recipients.v[i];

		to[i] = (struct mta_address){ r->path, r->parameters.v,
			r->parameters.n };
	}
	for (size_t i = 0; i < t->fields.n; i++)
		fields[i] = (struct mta_pair){ t->fields.v[i].name,
			t->fields.v[i].value };
	mta_deliver(m, &msg, o);
	free(to);
	free(fields);
}

static size_t
compare_test(
    const char *file, const struct filter *f, const struct test_result *r)
{
	struct mta m;
	struct mta_outcome o = { 0 };
	struct pair p = { file, r, &m, &o, 0 };

	if (!begin(&m, f, &r->transaction)) {
		differ(&p, "connection", STR("one"), str_from(m.error));
	} else {
		send_transaction(&m, &r->transaction, &o);
		for (size_t i = 0; i < r->outcome.count; i++)
			compare_verdict(&p, i);
		compare_edits(&p);
	}
	mta_quit(&m);
	return p.wrong;
}

/* A NUL ends a text of the milter protocol: MTAs cut what is behind it. */
static bool
can_be_sent(const struct transaction *t)
{
	for (size_t i = 0; i < t->fields.n; i++)
		if (memchr(t->fields.v[i].value.p, 0, t->fields.v[i].value.n))
			return false;
	return true;
}

/* That long nobody waits for a test; protocol/delay has delays. */
static bool
is_delayed(const struct outcome *o)
{
	return milt_delay(o->changes.v, o->changes.n) > 1000;
}

static size_t
compare_tests(const char *file, const struct test_results *results)
{
	struct filter f;
	size_t wrong = 0;

	if (!filter_start_file(&f, file))
		return 1;
	for (size_t i = 0; i < results->n; i++)
		if (!results->v[i].error &&
		    can_be_sent(&results->v[i].transaction) &&
		    !is_delayed(&results->v[i].outcome))
			wrong += compare_test(file, &f, &results->v[i]);
	wrong += filter_log_count(&f, "claimed not to reply");
	wrong += filter_log_count(&f, "cannot be given");
	return wrong + (filter_stop(&f) != 0);
}

static void
compare_file(const char *file)
{
	static const struct compile_options options = { .lint = false };
	struct compilation c;
	struct milt_image *im = NULL;
	struct test_results results = { 0 };
	struct arena a;
	size_t wrong = 1;

	arena_init(&a, 0, NULL);
	if (milt_compile(&c, file, &options) == MILT_OK &&
	    milt_image_load(c.image, c.image_size, &im, NULL) == MILT_OK &&
	    tests_run(&a, &c, im, NULL, &results) == MILT_OK)
		wrong = 0;
	/*
	 * The clock of a running daemon is not ours to set, nor what functions
	 * answer: protocol/js.
	 */
	if (!wrong && results.n &&
	    !(im->needs->flags & (NEED_CLOCK | NEED_JS))) {
		wrong = compare_tests(file, &results);
		printf("# %s: %zu tests\n", file, results.n);
	}
	test_check(wrong == 0, __FILE__, __LINE__, file);
	milt_image_free(im);
	milt_compile_free(&c);
	arena_free(&a);
}

int
main(void)
{
	static const char *const patterns[] = { "tests/cases/verdicts/*.milt",
		"policies/*.milt", "policies/*/*.milt" };
	glob_t found = { 0 };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		compare_file(found.gl_pathv[i]);
	CHECK(found.gl_pathc > 0);
	globfree(&found);
	TEST_DONE();
}
