/*
 * Texts put into messages: runtime/insert.h.
 *
 * tests/cases/insert/NAME.eml is a message whose fields X-Before and X-After
 * are the texts (| is a line end); NAME.out is what becomes of it: the fields
 * that change, an empty line and the body.  With BLESS in the environment the
 * expectations are written anew.
 */
#include "runtime/insert.h"

#include <dirent.h>

#include "runtime/safe.h"
#include "tests/unit/facts_fake.h"
#include "tests/unit/message.h"
#include "tests/unit/test.h"

#define CASES "tests/cases/insert"

static const char before_mark[] = "BEFORE-\xc3\xa4-\xe2\x82\xac\r\n";
static const char after_mark[] = "AFTER-\xc3\xa4-\xe2\x82\xac\r\n";

static struct facts *f;

static struct str
give(struct str s)
{
	struct str body;

	facts_reset(f, STAGE_CONNECT);
	body = message_header(f, s);
	(void)facts_body(f, body);
	return body;
}

/* ---- cases --------------------------------------------------------------- */

static struct str
text_of(const char *field)
{
	struct arena *arena = facts_arena(f);
	struct fact_value v;
	struct str s;

	if (facts_get(f, ATTR_HEADER, str_from(field), 0, &v) != FACT_THERE)
		return STR("");
	s = arena_dup(arena, v.text);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '|')
			((char *)s.p)[i] = '\n';
	return safe_body(arena, s);
}

static const char *
status_word(enum insert_status s)
{
	switch (s) {
	case INSERT_OK:
		return "ok";
	case INSERT_SEALED:
		return "sealed";
	case INSERT_NO_TEXT:
		return "no text";
	case INSERT_UNSOUND:
		return "unsound";
	case INSERT_FAILED:
		return "failed";
	case INSERT_PARTS:
		return "parts";
	case INSERT_NO_MEMORY:
		return "no memory";
	}
	return "?";
}

static struct str
outcome(void)
{
	struct arena *arena = facts_arena(f);
	struct inserted out;
	enum insert_status s =
	    insert_texts(f, text_of("X-Before"), text_of("X-After"), &out);
	struct str type = STR(""), encoding = STR("");

	if (s != INSERT_OK)
		return arena_printf(arena, "(%s)\r\n", status_word(s));
	if (out.type.p)
		type = arena_printf(
		    arena, "Content-Type: %.*s\r\n", STR_ARG(out.type));
	if (out.encoding.p)
		encoding =
		    arena_printf(arena, "Content-Transfer-Encoding: %.*s\r\n",
			STR_ARG(out.encoding));
	return arena_printf(arena, "%.*s%.*s\r\n%.*s", STR_ARG(type),
	    STR_ARG(encoding), STR_ARG(out.body));
}

static void
run_case(const char *name)
{
	char path[512];
	struct str message, want, got;
	FILE *out;

	snprintf(path, sizeof(path), CASES "/%s", name);
	message = message_file(path);
	give(message);
	got = outcome();
	snprintf(path + strlen(path) - 3, 8, "out");
	if (getenv("BLESS")) {
		out = fopen(path, "wb");
		CHECK(out && fwrite(got.p, 1, got.n, out) == got.n);
		CHECK(out && fclose(out) == 0);
	}
	want = message_file(path);
	test_str(got, want, path, 0, name);
	free((char *)message.p);
	free((char *)want.p);
}

static void
test_cases(void)
{
	struct dirent **e = NULL;
	int n = scandir(CASES, &e, NULL, alphasort);

	CHECK(n > 10);
	for (int i = 0; i < n; i++) {
		size_t length = strlen(e[i]->d_name);

		if (length > 4 && !strcmp(e[i]->d_name + length - 4, ".eml"))
			run_case(e[i]->d_name);
		free(e[i]);
	}
	free(e);
}

/* ---- damaged messages ---------------------------------------------------- */

static unsigned
draw(unsigned n)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Some octets changed, some pieces left out or repeated. */
static struct str
damage(struct str s)
{
	char *p = malloc(s.n * 2 + 1);
	size_t n = 0, i = 0;

	while (p && i < s.n && n < s.n * 2 - 64) {
		size_t piece = 1 + draw(60);

		if (piece > s.n - i)
			piece = s.n - i;
		memcpy(p + n, s.p + i, piece);
		if (draw(30) == 0)
			p[n + draw((unsigned)piece)] = (char)draw(256);
		n += piece;
		if (draw(40) == 0)
			i = draw((unsigned)s.n);
		else if (draw(40) != 0)
			i += piece;
	}
	return (struct str){ p, n };
}

static size_t
dashed_lines(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < s.n; i++)
		n += (i == 0 || s.p[i - 1] == '\n') && s.p[i] == '-' &&
		     s.p[i + 1] == '-';
	return n;
}

/* The marks have no such lines, so none may come into being. */
static bool
makes_no_boundary(struct str message)
{
	struct str body = give(message);
	struct inserted out;

	return insert_texts(f, str_from(before_mark), str_from(after_mark),
		   &out) != INSERT_OK ||
	       (out.body.n > 0 && dashed_lines(out.body) <= dashed_lines(body));
}

static void
test_damaged(void)
{
	const char *rounds = getenv("FUZZ_ROUNDS");
	long n = rounds ? atol(rounds) : 100;
	struct dirent **e = NULL;
	int files = scandir(CASES, &e, NULL, alphasort);
	bool ok = true;

	for (int i = 0; i < files; i++) {
		char path[512];
		struct str s;
		size_t length = strlen(e[i]->d_name);

		snprintf(path, sizeof(path), CASES "/%s", e[i]->d_name);
		s = length > 4 && !strcmp(e[i]->d_name + length - 4, ".eml")
			? message_file(path)
			: STR("");
		for (long k = 0; s.n && k < n; k++) {
			struct str bad = damage(s);

			ok = makes_no_boundary(bad) && ok;
			free((char *)bad.p);
		}
		if (s.n)
			free((char *)s.p);
		free(e[i]);
	}
	free(e);
	CHECK(ok);
}

/* ---- hostile messages ---------------------------------------------------- */

static enum insert_status
insert_into(const char *header, const char *piece, size_t times)
{
	size_t n = strlen(header), length = strlen(piece);
	char *p = malloc(n + times * length + 1);
	struct inserted out;
	enum insert_status s;

	if (!p)
		return INSERT_NO_MEMORY;
	memcpy(p, header, n);
	for (size_t i = 0; i < times; i++, n += length)
		memcpy(p + n, piece, length);
	give((struct str){ p, n });
	s = insert_texts(f, str_from(before_mark), str_from(after_mark), &out);
	free(p);
	return s;
}

static void
test_hostile(void)
{
	static const char mixed[] =
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

	/* boundaries that are alike at every depth: one level is seen */
	CHECK(insert_into(mixed,
		  "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
		  5000) != INSERT_OK);
	CHECK(insert_into(mixed, "--b\r\n\r\nx\r\n", 5000) == INSERT_OK);
	CHECK(insert_into(mixed, "--b\r\n\r\nx\r\n", 100000) == INSERT_PARTS);
	CHECK(insert_into("Content-Type: text/html\r\n\r\n", "<!--", 100000) ==
	      INSERT_OK);
	CHECK(insert_into("Content-Type: text/html\r\n\r\n", "<script x='",
		  100000) == INSERT_OK);
	CHECK(insert_into("Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		  "=", 100000) == INSERT_OK);
	CHECK(insert_into("Content-Transfer-Encoding: base64\r\n\r\n", "=A",
		  100000) == INSERT_UNSOUND);
	CHECK(insert_into("Content-Transfer-Encoding: base64\r\n\r\n",
		  "AAAA\r\n", 100000) == INSERT_OK);
}

/* ---- a body of the text alone -------------------------------------------- */

static void
check_new(size_t length, const char *encoding)
{
	char text[1200];
	struct str s = { text, length + 2 };
	struct inserted new;

	memset(text, 'x', sizeof(text));
	memcpy(text + length, "\r\n", 2);
	CHECK(insert_new_body(facts_arena(f), s, &new));
	CHECK_STR(new.type, "text/plain; charset=utf-8");
	CHECK_STR(new.encoding, encoding);
	CHECK(new.body.n > length);
	CHECK(str_eq(new.body, s) == (length <= 998));
	CHECK(str_find(new.body, '\r') <= 998);
}

static void
test_new(void)
{
	check_new(0, "8bit");
	check_new(998, "8bit");
	check_new(999, "quoted-printable");
}

int
main(void)
{
	f = facts_new(fake_reset());
	CHECK(f != NULL);
	facts_init();
	test_cases();
	test_damaged();
	test_hostile();
	test_new();
	facts_free(f);
	TEST_DONE();
}
