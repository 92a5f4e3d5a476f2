/*
 * No memory, at each allocation of ours in a compilation, in the loading of a
 * policy, and in a session: it is said or survived, and nothing leaks or
 * falls.  The Makefile wraps malloc and its kin for this program.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/compile.h"
#include "runtime/edits.h"
#include "runtime/js_host.h"
#include "runtime/policy.h"
#include "tests/unit/test.h"

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

/* The allocation with this number fails; 0: none. */
static long fail_at, allocations;

static bool
fails(void)
{
	return ++allocations == fail_at;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static void
fail(long at)
{
	fail_at = at;
	allocations = 0;
}

static const char policy[] =
    "milt 1\n"
    "list ours of domain { example.com example.org }\n"
    "list nets of network { 192.0.2.0/24 2001:db8::/32 }\n"
    "rule a { when helo matches /^bad(.*)/ reject \"{1}\" count n }\n"
    "rule b { when recipient.domain not in ours reject \"{recipient}\" }\n"
    "rule c { when client.ip in nets and header.from.domain under ours\n"
    "  add header \"X\" \"{header.subject}\" log \"{sender}\"\n"
    "  set sender \"{header.from}\" }\n"
    "js rule j { when recipient.local matches /^(b)/ call \"x#f\"\n"
    "  timeout 1s on failure tempfail \"{1}\" may reject }\n"
    "js rule k { when client.name exists call \"x#f\" timeout 1s\n"
    "  on failure tempfail needs body }\n"
    "rule d { when body.raw contains \"virus\" discard }\n";

static char path[64];

static enum milt_status
compile(const char *file, FILE *diagnostics, struct policy_text *out)
{
	static const struct compile_options options = { .lint = true };
	struct compilation c;
	enum milt_status s = milt_compile(&c, file, &options);

	(void)diagnostics;
	if (s == MILT_OK) {
		out->image = c.image;
		out->size = c.image_size;
		c.image = NULL;
	}
	milt_compile_free(&c);
	return s;
}

/* Fails each allocation in turn, until one run needs fewer. */
static void
each_allocation(const char *what, bool (*run)(bool failed))
{
	long n = 0;
	bool ok = true, failed;

	do {
		fail(++n);
		ok = run(true) && ok;
		failed = allocations >= n;
		fail(0);
	} while (failed && n < 1000000);
	printf("# %s: %ld allocations\n", what, n - 1);
	CHECK(ok);
	CHECK(n > 2);
	CHECK(run(false));
}

static bool
compiles(bool failed)
{
	static const struct compile_options options = { .lint = true };
	struct compilation c;
	enum milt_status s =
	    milt_compile_text(&c, STR("p"), str_from(policy), &options);

	milt_compile_free(&c);
	return s == MILT_OK || (failed && s == MILT_NO_MEMORY);
}

static FILE *nowhere;

static bool
loads(bool failed)
{
	struct policy *p = NULL;
	enum milt_status s = policy_load(path, compile, nowhere, &p);

	if (s == MILT_OK)
		policy_free(p);
	return s == MILT_OK || (failed && s == MILT_NO_MEMORY);
}

static struct policy *loaded;

/* A reply that cannot be kept makes the rule fail. */
static void
reply(struct milt_session *s)
{
	const struct milt_change change = { .action = ACTION_ADD_HEADER,
		.name = STR("X-Js"),
		.value = STR("y") };
	const struct milt_change text = { .action = ACTION_APPEND_TEXT,
		.value = STR("z") };
	const struct str log = STR("seen");
	bool body = milt_session_question(s)->js->flags & JS_BODY;
	struct milt_reply r = { .kind = REPLY_ANSWER,
		.changes = body ? &text : &change,
		.change_count = 1,
		.logs = &log,
		.log_count = 1 };

	(void)milt_session_reply(s, &r);
}

/* An answer: where memory lacks, never more than was asked for. */
static bool
answers(
    struct milt_session *s, enum milt_status given, enum milt_answer_kind *kind)
{
	struct milt_answer a;
	enum milt_status r;

	while ((r = milt_session_answer(s, &a)) == MILT_QUESTION)
		reply(s);

	*kind = a.kind;
	if (r == MILT_NO_MEMORY)
		return a.kind == ANSWER_TEMPFAIL;
	return r == MILT_OK && (given == MILT_OK || given == MILT_NO_MEMORY);
}

static bool
message(struct milt_session *s)
{
	static const struct ip ip = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct facts *f = milt_session_facts(s);
	struct str parameter = STR("SIZE=100");
	enum milt_answer_kind kind;
	const struct edit *edits;
	enum milt_status r;
	size_t n;
	bool ok;

	milt_session_begin(s, STAGE_CONNECT);
	r = facts_client(f, STR("mx.example.net"), true, &ip, 25);
	ok = answers(s, r, &kind);
	milt_session_begin(s, STAGE_HELO);
	r = facts_helo(f, STR("mx.example.net"));
	ok = answers(s, r, &kind) && ok;
	milt_session_begin(s, STAGE_MAIL);
	r = facts_mail(f, STR("<a@example.net>"), &parameter, 1);
	ok = answers(s, r, &kind) && ok;
	milt_session_begin(s, STAGE_RCPT);
	r = facts_rcpt(f, STR("<b@example.org>"), NULL, 0);
	ok = answers(s, r, &kind) && ok;
	milt_session_begin(s, STAGE_HEADERS);
	(void)facts_header(f, STR("From"), STR("<x@example.com>"));
	r = facts_header(f, STR("Subject"), STR("plain words"));
	ok = answers(s, r, &kind) && ok;
	milt_session_begin(s, STAGE_MESSAGE);
	r = facts_body(f, STR("some text\r\n"));
	ok = answers(s, r, &kind) && ok;
	if (kind == ANSWER_ACCEPT) {
		r = milt_edits(s, &edits, &n);
		ok = ok && (r == MILT_OK || r == MILT_NO_MEMORY);
	}
	return ok;
}

/* Twice: after one that failed, the next is as if nothing had been. */
static bool
serves(bool failed)
{
	struct milt_session *s = milt_session_new(loaded->image);
	bool ok;

	if (!s)
		return failed;
	ok = message(s);
	fail_at = 0;
	ok = message(s) && ok;
	milt_session_free(s);
	return ok;
}

int
main(void)
{
	char name[] = "/tmp/milt-memory.XXXXXX";
	int fd = mkstemp(name);

	facts_init();
	conn_set_js(&js_host_failure);
	nowhere = fopen("/dev/null", "w");
	CHECK(fd >= 0 && nowhere);
	CHECK(write(fd, policy, sizeof(policy) - 1) ==
	      (ssize_t)sizeof(policy) - 1);
	close(fd);
	snprintf(path, sizeof(path), "%s", name);
	each_allocation("compile", compiles);
	each_allocation("load", loads);
	CHECK(policy_load(path, compile, stderr, &loaded) == MILT_OK);
	each_allocation("session", serves);
	policy_free(loaded);
	fclose(nowhere);
	unlink(path);
	TEST_DONE();
}
