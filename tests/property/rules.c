/*
 * The index of rules against the plain walk: random policies of many rules,
 * compiled with and without it, give the same answers at every stage of the
 * same transactions, with the same changes and notes.  Sessions go on over
 * several messages, HELO commands and given-up messages.
 *
 *	rules [TRANSACTIONS [SEED]]
 */
#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/session.h"
#include "tests/unit/test.h"

enum { MAX_RULES = 40, SESSIONS = 12, POOL = 6, ATOMS_DEEP = 3 };

static uint64_t state;

static unsigned
rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

/* ---- policies --------------------------------------------------------- */

struct writer {
	char text[65536];
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void
put(struct writer *w, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->text + w->n, sizeof(w->text) - w->n, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(w->text) - w->n)
		abort();
	w->n += (size_t)n;
}

/* `%u` is a number below POOL. */
static const char *const atoms[STAGE_COUNT][22] = {
	[STAGE_CONNECT] = { "client.ip in near%u", "client.ip is 192.0.2.%u",
	    "client.ip in 192.0.2.%u", "client.name is \"h%u.d1.example\"",
	    "client.name under \"d%u.example\"", "client.name in domains%u",
	    "client.name under domains%u", "client.port is %u",
	    "client.port in ports%u", "client.port > %u",
	    "client.name matches /h%u/", "client.network is 192.0.%u.0/24",
	    "client.name exists", "client.port >= %u", "client.port < 1%u",
	    "client.port <= %u", "client.ip contains \"0.2.%u\"",
	    "client.name starts with \"h%u.\"" },
	[STAGE_HELO] = { "helo is \"h%u.d1.example\"",
	    "helo under \"d%u.example\"", "helo matches /^h%u\\./",
	    "helo in names%u", "helo under domains%u", "helo contains \"h%u\"",
	    "helo matches /^(a|aa)+%u$/", "helo is client.name",
	    "helo starts with \"h%u.\"", "helo ends with \"d%u.example\"",
	    "helo like \"H%u.*.ex?mple\"", "helo contains exactly \"h%u.d\"",
	    "helo ends with exactly \"%u.example\"",
	    "helo like exactly \"?%u.d*\"" },
	[STAGE_MAIL] = { "sender is <u%u@d1.example>", "sender in people%u",
	    "sender.domain under domains%u", "sender.local is exactly \"u%u\"",
	    "declared-size is %u", "sender is <>",
	    "sender.domain is \"d%u.example\"", "sender matches /u%u@/i",
	    "sender starts with \"u%u@d1\"", "declared-size > %u",
	    "declared-size <= %u", "sender.local like \"u%u\"" },
	[STAGE_RCPT] = { "recipient is <u%u@d1.example>",
	    "recipient in people%u", "recipient.domain in domains%u",
	    "recipient.local matches /u%u/", "recipient.local is \"u%u\"",
	    "recipient.domain under \"d%u.example\"",
	    "recipient ends with exactly \"@d%u.example\"",
	    "recipient.local contains \"u%u\"" },
	[STAGE_DATA] = { "any recipient { local is \"u%u\" }",
	    "any recipient { address in people%u }", "count(recipients) is %u",
	    "every recipient { domain under domains%u }",
	    "any recipient { client.port is %u and local exists }",
	    "count(recipients) > %u", "count(recipients) <= %u",
	    "any recipient { address starts with \"u%u@\" }" },
	[STAGE_HEADERS] = { "header(\"X-%u\") is \"v1\"",
	    "header(\"X-1\") is \"v%u\"", "header(\"X-2\") matches /v%u/",
	    "header.subject matches /\\bword%u\\b/i",
	    "header.subject matches /(word1|word%u).*end/",
	    "any header { name is \"x-%u\" and value contains \"v2\" }",
	    "header.from.domain under domains%u",
	    "header.from is <u%u@d1.example>", "header.to in people%u",
	    "count(header(\"X-1\")) is %u", "raw header(\"X-3\") matches /v%u/",
	    "header.subject matches /^(a|aa)+%u/", "header(\"X-%u\") in names1",
	    "header(\"X-1\") contains \"v%u\"",
	    "header.subject contains \"word%u\"",
	    "header.subject like \"*word%u*end\"",
	    "header(\"X-%u\") ends with \"v1\"", "count(header(\"X-1\")) >= %u",
	    "any header { value starts with exactly \"v%u\" }" },
	[STAGE_MESSAGE] = { "body.raw matches /b%u/",
	    "body.raw contains \"b%u\"", "body.size > %u00",
	    "body.raw matches /b1.*b%u/s", "message.size > 10%u",
	    "body.raw like \"*b%u*\"", "body.raw contains exactly \"b%u\"",
	    "body.size <= %u00", "body.size < %u00", "message.size >= 10%u" },
};

static void
put_atom(struct writer *w, int stage)
{
	const char *const *v = atoms[stage];
	unsigned n = 0;

	while (v[n])
		n++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	put(w, v[rnd(n)], rnd(POOL));
#pragma GCC diagnostic pop
}

static void
put_condition(struct writer *w, int deep, int top, bool recipient)
{
	int stage;

	if (deep && rnd(3)) {
		unsigned op = rnd(6);

		put(w, op == 0 ? "not (" : "(");
		put_condition(w, deep - 1, top, recipient);
		if (op) {
			put(w, op < 4 ? " and " : " or ");
			put_condition(w, deep - 1, top, recipient);
		}
		put(w, ")");
		return;
	}
	if (rnd(8) == 0) {
		put(w, "shared%u", rnd(2));
		return;
	}
	do
		stage = (int)rnd((unsigned)top + 1);
	while (stage == STAGE_RCPT && !recipient);
	put_atom(w, stage);
}

static void
put_actions(struct writer *w, unsigned rule, bool recipient, bool pinned)
{
	static const char *const verdicts[] = { "accept", "reject", "tempfail",
		"discard" };
	unsigned v = rnd(8);

	if (pinned)
		v = 1 + rnd(2);
	if (v < 4 && !(v == 3 && recipient)) {
		put(w, "  %s%s", verdicts[v],
		    v == 1 || v == 2 ? " \"no {helo}\"" : "");
		put(w, v == 0 && rnd(3) == 0 ? " log \"too\" }\n" : " }\n");
	} else if (v < 6) {
		put(w, "  add header \"X-Rule\" \"%u {client.port}\" }\n",
		    rule);
	} else {
		put(w, "  log \"%u {sender}\" }\n", rule);
	}
}

static void
put_rule(struct writer *w, unsigned rule)
{
	static const int tops[] = { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL,
		STAGE_RCPT, STAGE_RCPT, STAGE_DATA, STAGE_HEADERS,
		STAGE_HEADERS, STAGE_MESSAGE };
	int top = tops[rnd(sizeof(tops) / sizeof(*tops))];
	bool pinned = rnd(12) == 0 && top <= STAGE_HELO;
	bool recipient = top == STAGE_RCPT || rnd(20) == 0;

	put(w, "%srule r%u {\n", pinned || rnd(10) ? "" : "shadow ", rule);
	if (pinned)
		put(w, "  at %s\n", rnd(2) ? "helo" : "rcpt");
	if (rnd(20)) {
		put(w, "  when ");
		put_condition(w, (int)rnd(ATOMS_DEEP), top, recipient);
		put(w, "\n");
	}
	put_actions(w, rule, recipient, pinned);
}

static void
put_lists(struct writer *w)
{
	for (unsigned i = 0; i < POOL; i++) {
		unsigned many = rnd(4) == 0 ? 400 : 3;

		put(w, "list near%u of network { 192.0.2.0/%u 198.51.%u.0/24",
		    i, 24 + i, i);
		for (unsigned k = 0; k < many; k++)
			put(w, " 10.%u.%u.0/24", i, k % 256);
		put(w, " }\nlist names%u of text { \"h%u.d1.example\" \"v%u\"",
		    i, i, i);
		for (unsigned k = 0; k < many; k++)
			put(w, " \"n%u\"", k);
		put(w, " }\nlist domains%u of domain { d%u.example", i, i);
		for (unsigned k = 0; k < many / 10; k++)
			put(w, " x%u.example", k);
		put(w, " }\nlist people%u of address { <u%u@d1.example>", i, i);
		put(w, " }\nlist ports%u of number { %u %u }\n", i, i, i + 2);
	}
}

static void
put_policy(struct writer *w)
{
	unsigned rules = 1 + rnd(MAX_RULES);
	bool group = false;

	w->n = 0;
	put(w, "milt 1\noption regex-match-limit 100\n");
	if (rnd(3) == 0)
		put(w, "option on-failure ignore\n");
	if (rnd(3) == 0)
		put(w, "option scan-limit 1024\n");
	put_lists(w);
	put(w, "let shared0 = client.ip in near1 or sasl.username exists\n");
	put(w, "let shared1 = ");
	put_atom(w, rnd(2) ? STAGE_CONNECT : STAGE_HELO);
	put(w, "\n");
	for (unsigned i = 0; i < rules; i++) {
		if (rnd(8) == 0 && group) {
			put(w, "}\n");
			group = false;
		} else if (rnd(8) == 0 && !group) {
			put(w, "group g%u %s shared%u {\n", i,
			    rnd(2) ? "when" : "unless", rnd(2));
			group = true;
		}
		put_rule(w, i);
	}
	if (group)
		put(w, "}\n");
	if (rnd(4) == 0)
		put(w, "otherwise tempfail \"not now\"\n");
}

/* ---- images ----------------------------------------------------------- */

static struct milt_image *
compile(struct str text, bool plain, char *error, size_t room)
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

struct twins {
	struct milt_session *v[2]; /* indexed, plain */
	struct milt_answer answer[2];
	enum milt_status status[2];
	const char *differs;
	unsigned verdicts[ANSWER_SKIP + 1];
	unsigned failures;
};

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

static void
answer(struct twins *t)
{
	for (int i = 0; i < 2; i++) {
		t->status[i] = milt_session_answer(t->v[i], &t->answer[i]);
		if (t->status[i] == MILT_QUESTION) {
			facts_clock(milt_session_facts(t->v[i]), 0);
			t->status[i] =
			    milt_session_answer(t->v[i], &t->answer[i]);
		}
	}
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

/* ---- all -------------------------------------------------------------- */

struct tally {
	unsigned sessions, policies, refused, failures;
	unsigned verdicts[ANSWER_SKIP + 1];
};

static bool
try_images(struct milt_image *const *im, struct tally *sum)
{
	for (int i = 0; i < SESSIONS; i++) {
		struct twins t = { .v = { milt_session_new(im[0]),
				       milt_session_new(im[1]) } };

		if (!t.v[0] || !t.v[1])
			abort();
		play_session(&t);
		milt_session_free(t.v[0]);
		milt_session_free(t.v[1]);
		sum->sessions++;
		sum->failures += t.failures;
		for (int k = 0; k <= ANSWER_SKIP; k++)
			sum->verdicts[k] += t.verdicts[k];
		if (t.differs) {
			printf("# differs: %s\n", t.differs);
			return false;
		}
	}
	return true;
}

/* False if the evaluations differ. */
static bool
try_policy(struct tally *sum)
{
	static struct writer w;
	char error[200] = "";
	struct milt_image *im[2];
	struct str text;
	bool same = true;

	put_policy(&w);
	text = (struct str){ w.text, w.n };
	im[0] = compile(text, false, error, sizeof(error));
	im[1] = compile(text, true, error, sizeof(error));
	if (!im[0] != !im[1])
		same = false;
	if (im[0] && im[1]) {
		same = try_images(im, sum);
		sum->policies++;
	} else {
		sum->refused++;
		if (getenv("RULES_SHOW"))
			printf("# %s\n", error);
	}
	if (!same)
		printf("%.*s", STR_ARG(text));
	if (im[0])
		milt_image_free(im[0]);
	if (im[1])
		milt_image_free(im[1]);
	return same;
}

int
main(int argc, char **argv)
{
	unsigned want = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
	struct tally sum = { 0 };
	bool same = true;

	facts_init();
	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20260101;
	state = state * 6364136223846793005u + 1442695040888963407u;
	while (same && sum.sessions < want && sum.refused < want)
		same = try_policy(&sum);
	printf("# %u sessions of %u policies; %u were refused; accept %u, "
	       "reject %u, tempfail %u, discard %u, failures %u\n",
	    sum.sessions, sum.policies, sum.refused,
	    sum.verdicts[ANSWER_ACCEPT], sum.verdicts[ANSWER_REJECT],
	    sum.verdicts[ANSWER_TEMPFAIL], sum.verdicts[ANSWER_DISCARD],
	    sum.failures);
	CHECK(same);
	CHECK(sum.sessions >= want);
	CHECK(sum.failures > 0);
	TEST_DONE();
}
