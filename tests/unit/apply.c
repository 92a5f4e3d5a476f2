/*
 * Edits as libmilter calls.  The library's functions are ours here: they note
 * what is asked for, and call number `fail_at` fails.
 */
#include "runtime/apply.h"
#include "tests/unit/test.h"

static char calls[4096];
static int count, fail_at;

static int
note(const char *fmt, const char *a, const char *b, int n)
{
	char text[1024];

	snprintf(text, sizeof(text), fmt, a ? a : "-", b ? b : "-", n);
	strcat(strcat(calls, calls[0] ? "|" : ""), text);
	return ++count == fail_at ? MI_FAILURE : MI_SUCCESS;
}

int
smfi_addheader(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	return note("add %s:%s", name, value, 0);
}

int
smfi_insheader(SMFICTX *ctx, int index, char *name, char *value)
{
	(void)ctx;
	return note("insert %s:%s %d", name, value, index);
}

int
smfi_chgheader(SMFICTX *ctx, char *name, int index, char *value)
{
	(void)ctx;
	return note("change %s:%s %d", name, value, index);
}

int
smfi_chgfrom(SMFICTX *ctx, char *mail, char *args)
{
	(void)ctx;
	return note("from %s %s", mail, args, 0);
}

int
smfi_addrcpt(SMFICTX *ctx, char *rcpt)
{
	(void)ctx;
	return note("to %s", rcpt, NULL, 0);
}

int
smfi_delrcpt(SMFICTX *ctx, char *rcpt)
{
	(void)ctx;
	return note("not-to %s", rcpt, NULL, 0);
}

int
smfi_quarantine(SMFICTX *ctx, char *reason)
{
	(void)ctx;
	return note("hold %s", reason, NULL, 0);
}

int
smfi_replacebody(SMFICTX *ctx, unsigned char *body, int n)
{
	char text[64];

	(void)ctx;
	snprintf(text, sizeof(text), "%.*s", n, (const char *)body);
	return note("body %s %s%d", text, "", n);
}

static const char *
apply(const struct edit *edits, size_t n)
{
	struct arena arena;
	const char *why;

	calls[0] = 0;
	count = 0;
	arena_init(&arena, 0, NULL);
	why = apply_edits(NULL, edits, n, &arena);
	arena_free(&arena);
	return why;
}

#define CHECK_CALLS(want) \
	test_str(str_from(calls), str_from(want), __FILE__, __LINE__, "calls")

static void
test_each(void)
{
	static const struct edit all[] = {
		{ EDIT_SET_SENDER, 0, { 0 }, { "a@b.example?", 11 } },
		{ EDIT_SET_SENDER, 0, { 0 }, { "<>", 2 } },
		{ EDIT_ADD_RECIPIENT, 0, { 0 }, { "<c@d>", 5 } },
		{ EDIT_REMOVE_RECIPIENT, 0, { 0 }, { "e@f", 3 } },
		{ EDIT_CHANGE_HEADER, 2, { "Subject:", 7 }, { "new", 3 } },
		{ EDIT_DELETE_HEADER, 3, { "X-A", 3 }, { 0 } },
		{ EDIT_INSERT_HEADER, 0, { "X-B", 3 }, { "v\n w", 4 } },
		{ EDIT_ADD_HEADER, 0, { "X-C", 3 }, { "%s", 2 } },
		{ EDIT_QUARANTINE, 0, { 0 }, { "why\r\nnot", 8 } },
		{ EDIT_REPLACE_BODY, 0, { 0 }, { "text\r\n", 6 } },
	};
	enum { N = sizeof(all) / sizeof(*all) };

	CHECK(apply(all, N) == NULL);
	CHECK_CALLS("from <a@b.example> -|from <> -|to <c@d>|not-to <e@f>|"
		    "change Subject:new 2|change X-A:- 3|insert X-B:v\n w 0|"
		    "add X-C:%s|hold why  not|body text\r\n 6");
	/* The first that fails is the last that is tried. */
	for (fail_at = 1; fail_at <= N; fail_at++) {
		CHECK(apply(all, N) != NULL);
		CHECK(count == fail_at);
	}
	fail_at = 0;
	CHECK(apply(NULL, 0) == NULL);
	CHECK(count == 0);
}

/* What libmilter would take for something else. */
static void
test_empty(void)
{
	CHECK(!apply(
	    &(struct edit){ EDIT_CHANGE_HEADER, 1, { "X", 1 }, { 0 } }, 1));
	CHECK_CALLS("change X:  1");
	CHECK(
	    !apply(&(struct edit){ EDIT_ADD_HEADER, 0, { "X", 1 }, { 0 } }, 1));
	CHECK_CALLS("add X: ");
	CHECK(!apply(&(struct edit){ EDIT_SET_SENDER, 0, { 0 }, { 0 } }, 1));
	CHECK_CALLS("from <> -");
	CHECK(!apply(&(struct edit){ EDIT_QUARANTINE, 0, { 0 }, { 0 } }, 1));
	CHECK_CALLS("hold policy");
	CHECK(!apply(&(struct edit){ EDIT_REPLACE_BODY, 0, { 0 }, { 0 } }, 1));
	CHECK_CALLS("body \r\n 2");
}

static void
test_refused(void)
{
	static char large[70000];
	struct edit e = { EDIT_ADD_HEADER, 0, { "X", 1 }, { large, 65532 } };

	memset(large, 'x', sizeof(large));
	CHECK(apply(
	    &(struct edit){ EDIT_ADD_HEADER, 0, { "X", 1 }, { "a\0b", 3 } },
	    1));
	CHECK(count == 0);
	CHECK(apply(
	    &(struct edit){ EDIT_ADD_HEADER, 0, { "X\0Y", 3 }, { "a", 1 } },
	    1));
	CHECK(apply(
	    &(struct edit){ EDIT_ADD_RECIPIENT, 0, { 0 }, { "a\0@b", 4 } }, 1));
	CHECK(count == 0);
	/* Name, value and their NULs fill a packet of 65535 octets. */
	e.value.n = 65533;
	CHECK(apply(&e, 1) != NULL);
	CHECK(count == 0);
	e.kind = EDIT_ADD_RECIPIENT;
	e.value.n = 65534;
	CHECK(apply(&e, 1) != NULL);
	CHECK(count == 0);
	e.kind = (enum edit_kind)99;
	CHECK(apply(&e, 1) != NULL);
	CHECK(count == 0);
}

/* With no memory for the copies nothing is sent. */
static void
test_memory(void)
{
	struct arena arena;
	char text[2000];
	struct edit e = { EDIT_ADD_HEADER, 0, { "X", 1 },
		{ text, sizeof(text) } };

	memset(text, 'x', sizeof(text));
	count = 0;
	arena_init(&arena, 1000, NULL);
	CHECK(apply_edits(NULL, &e, 1, &arena) != NULL);
	e.kind = EDIT_ADD_RECIPIENT;
	CHECK(apply_edits(NULL, &e, 1, &arena) != NULL);
	e.kind = EDIT_QUARANTINE;
	CHECK(apply_edits(NULL, &e, 1, &arena) != NULL);
	CHECK(count == 0);
	arena_free(&arena);
}

int
main(void)
{
	test_each();
	test_empty();
	test_refused();
	test_memory();
	TEST_DONE();
}
