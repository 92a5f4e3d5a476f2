/*
 * The texts of a rule are a pure function of the facts: rules of random
 * conditions give the same texts alone and amid others, whatever those have
 * looked at before, and whatever was noted when a recipient was refused.
 *
 *	texts [POLICIES [SEED]]
 */
#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/session.h"
#include "tests/property/random.h"
#include "tests/property/writer.h"
#include "tests/unit/test.h"

enum { RULES = 8, MESSAGES = 6, POOL = 4 };

/* ---- policies ------------------------------------------------------------ */

/* `%u` is a number below POOL. */
static const char *const atoms[] = { "header.to.local is \"u%u\"",
	"any header.to { local is \"u%u\" or domain is \"d%u.example\" }",
	"any header.to { local is \"u%u\" and body.size > %u }",
	"any header.to { domain is \"d%u.example\" and subject%u }",
	"every header.to { local is \"u%u\" }", "header(\"X-A\") is \"v%u\"",
	"header(\"X-A\") matches /(v%u)/", "header(\"X-A\") matches /(.)%u/",
	"any header { name is \"x-a\" and value contains \"%u\" }",
	"any recipient { local is \"u%u\" }", "body.size > 1%u",
	"header.subject contains \"word%u\"", "file.extension is \"e%u\"",
	"any file { extension is \"e%u\" and depth is 0 }",
	"any part { name is \"f.e%u\" or charset is \"c%u\" }",
	"no file { extension is \"e%u\" }",
	"any file { extension is \"e%u\" and any header.to { local is "
	"\"u%u\" } }" };

static void
put_condition(struct writer *w, int deep)
{
	if (deep && rnd(4)) {
		unsigned op = rnd(6);

		put(w, op == 0 ? "not (" : "(");
		put_condition(w, deep - 1);
		if (op) {
			put(w, op < 3 ? " and " : " or ");
			put_condition(w, deep - 1);
		}
		put(w, ")");
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	put(w, atoms[rnd(sizeof(atoms) / sizeof(*atoms))], rnd(POOL),
	    rnd(POOL));
#pragma GCC diagnostic pop
}

static const char text[] = "{header.to} {header(\"X-A\")} {headers.value} "
			   "{recipients.local} {file.name} {part.type}";

static void
put_rule(struct writer *w, unsigned number)
{
	put(w, "rule r%u {\n  when header(\"X-A\") matches /^(x)/ or ", number);
	put_condition(w, 3);
	if (number + 1 < RULES)
		put(w, "\n  add header \"X-R\" \"%u %s {1}\"\n}\n", number,
		    text);
	else
		put(w, "\n  reject \"%u %s {1}\"\n}\n", number, text);
}

static void
put_head(struct writer *w)
{
	put(w, "milt 1\n");
	for (unsigned i = 0; i < POOL; i++)
		put(w, "let subject%u = header.subject contains \"word%u\"\n",
		    i, i);
}

static void
put_refusal(struct writer *w)
{
	put(w, "rule refused { when recipient.local is \"refused\" "
	       "reject \"no\" }\n");
}

static struct milt_session *
session_of(const char *source, size_t n, struct milt_image **im)
{
	struct compile_options options = { .plain = false };
	struct compilation c;

	*im = NULL;
	if (milt_compile_text(&c, STR("p.milt"), (struct str){ source, n },
		&options) == MILT_OK &&
	    milt_image_load(c.image, c.image_size, im, NULL) != MILT_OK)
		abort();
	if (!*im && c.diags.list.n)
		printf("# %.*s\n", STR_ARG(c.diags.list.v[0]->message));
	milt_compile_free(&c);
	return *im ? milt_session_new(*im) : NULL;
}

/* ---- messages -------------------------------------------------------------
 */

struct message {
	char to[200], a[3][16], subject[32], type[64], body[400];
	unsigned count;
};

static void
make_message(struct message *m)
{
	snprintf(m->to, sizeof(m->to),
	    "<u%u@d%u.example>, <u%u@d%u.example>, <u%u@d%u.example>",
	    rnd(POOL), rnd(POOL), rnd(POOL), rnd(POOL), rnd(POOL), rnd(POOL));
	m->count = rnd(4);
	for (unsigned i = 0; i < m->count; i++)
		snprintf(m->a[i], sizeof(m->a[i]), "%c%u", rnd(2) ? 'v' : 'w',
		    rnd(POOL));
	snprintf(m->subject, sizeof(m->subject), "word%u word%u", rnd(POOL),
	    rnd(POOL));
	snprintf(m->body, sizeof(m->body),
	    "--b\nContent-Type: text/plain; charset=c%u\n\nx\n"
	    "--b\nContent-Type: a/b; name=f.e%u\n\nx\n"
	    "--b\nContent-Type: a/c; name=f.e%u\n\nx\n--b--\n",
	    rnd(POOL), rnd(POOL), rnd(POOL));
}

static enum milt_answer_kind
answer(struct milt_session *s, enum milt_stage stage, struct milt_answer *out)
{
	(void)stage;
	if (milt_session_answer(s, out) != MILT_OK)
		abort();
	return out->kind;
}

/* As far as the session wants it. */
static void
play(struct milt_session *s, const struct message *m, struct milt_answer *out)
{
	struct facts *f = milt_session_facts(s);
	enum milt_status ok = MILT_OK;

	milt_session_begin(s, STAGE_MAIL);
	ok |= facts_mail(f, STR("<a@b.example>"), NULL, 0);
	if (answer(s, STAGE_MAIL, out) != ANSWER_CONTINUE)
		return;
	for (int i = 0; i < 3; i++) {
		static const char *const to[] = { "<refused@x.example>",
			"<u1@d1.example>", "<u2@d2.example>" };

		milt_session_begin(s, STAGE_RCPT);
		ok |= facts_rcpt(f, str_from(to[i]), NULL, 0);
		answer(s, STAGE_RCPT, out);
	}
	milt_session_begin(s, STAGE_DATA);
	answer(s, STAGE_DATA, out);
	milt_session_begin(s, STAGE_HEADERS);
	ok |= facts_header(f, STR("To"), str_from(m->to));
	for (unsigned i = 0; i < m->count; i++)
		ok |= facts_header(f, STR("X-A"), str_from(m->a[i]));
	ok |= facts_header(f, STR("Subject"), str_from(m->subject));
	ok |= facts_header(
	    f, STR("Content-Type"), STR("multipart/mixed; boundary=b"));
	if (ok != MILT_OK)
		abort();
	if (answer(s, STAGE_HEADERS, out) != ANSWER_CONTINUE)
		return;
	milt_session_begin(s, STAGE_MESSAGE);
	if (facts_body(f, str_from(m->body)) != MILT_OK)
		abort();
	answer(s, STAGE_MESSAGE, out);
}

/* What the rule says of the message; p NULL: nothing. */
static struct str
said(struct milt_session *s, unsigned number, const struct milt_answer *a)
{
	const struct milt_change *changes;
	size_t n = milt_session_changes(s, &changes);
	char digit = (char)('0' + number);

	if (a->kind == ANSWER_REJECT)
		return number + 1 == RULES ? a->lines[0]
					   : (struct str){ NULL, 0 };
	for (size_t i = 0; i < n; i++)
		if (changes[i].value.n && changes[i].value.p[0] == digit)
			return changes[i].value;
	return (struct str){ NULL, 0 };
}

/* ---- all ------------------------------------------------------------------
 */

struct tally {
	unsigned said, policies;
};

static bool
try_policy(struct tally *sum)
{
	static struct writer all, one[RULES];
	struct milt_image *im[RULES + 1];
	struct milt_session *s[RULES + 1];
	bool same = true;

	all.n = 0;
	put_head(&all);
	put(&all, "rule early { log \"{header.subject} %s\" }\n", text);
	put_refusal(&all);
	for (unsigned i = 0; i < RULES; i++) {
		size_t begin;

		one[i].n = 0;
		put_head(&one[i]);
		put_refusal(&one[i]);
		begin = one[i].n;
		put_rule(&one[i], i);
		put(&all, "%s", one[i].text + begin);
		s[i] = session_of(one[i].text, one[i].n, &im[i]);
	}
	s[RULES] = session_of(all.text, all.n, &im[RULES]);
	for (int m = 0; m < MESSAGES && same; m++) {
		static struct message message;
		struct milt_answer whole, alone;

		make_message(&message);
		for (unsigned i = 0; i <= RULES; i++)
			same = same && s[i];
		if (!same)
			break;
		play(s[RULES], &message, &whole);
		for (unsigned i = 0; i < RULES; i++) {
			struct str a, b;

			play(s[i], &message, &alone);
			if (whole.kind == ANSWER_REJECT && i + 1 < RULES)
				continue;
			a = said(s[RULES], i, &whole);
			b = said(s[i], i, &alone);
			sum->said += a.p != NULL;
			if (str_eq(a, b))
				continue;
			same = false;
			printf("# %s# amid: %.*s\n# alone: %.*s\n", one[i].text,
			    STR_ARG(a), STR_ARG(b));
		}
	}
	for (unsigned i = 0; i <= RULES; i++) {
		milt_session_free(s[i]);
		milt_image_free(im[i]);
	}
	sum->policies++;
	return same;
}

int
main(int argc, char **argv)
{
	unsigned policies =
	    argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 150;
	struct tally sum = { 0 };
	bool same = true;

	random_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
	for (unsigned i = 0; i < policies && same; i++)
		same = try_policy(&sum);
	printf("# %u policies, %u texts\n", sum.policies, sum.said);
	CHECK(same);
	CHECK(sum.said > sum.policies);
	TEST_DONE();
}
