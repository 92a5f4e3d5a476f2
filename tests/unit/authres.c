/* Authentication-Results fields: runtime/authres.h. */
#include "runtime/authres.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static struct arena arena;
static char shown[4096];

/* The id and the results of a field, as `id|method result domain policy|...`.
 */
static struct str
show(const char *value)
{
	struct authres_reader r;
	struct authres x;
	struct str id = authres_open(&r, &arena, str_from(value));
	size_t n = (size_t)snprintf(shown, sizeof(shown), "%.*s", STR_ARG(id));

	while (authres_next(&r, &x))
		n += (size_t)snprintf(shown + n, sizeof(shown) - n,
		    "|%d %.*s %.*s %.*s", (int)x.method,
		    STR_ARG(result_rows[x.result].name), STR_ARG(x.domain),
		    STR_ARG(x.policy));
	return (struct str){ shown, n };
}

/* The examples of RFC 8601, appendix B. */
static void
test_rfc(void)
{
	CHECK_STR(show("example.org 1; none"), "example.org");
	CHECK_STR(show("example.com; spf=pass smtp.mailfrom=example.net"),
	    "example.com|0 pass example.net ");
	CHECK_STR(show("example.com; auth=pass (cleartext) smtp.auth=sender@"
		       "example.net; spf=pass smtp.mailfrom=example.net"),
	    "example.com|0 pass example.net ");
	CHECK_STR(show("example.com; sender-id=pass header.from=example.net"),
	    "example.com");
	CHECK_STR(show("example.com; dkim=pass (good signature) "
		       "header.d=example.com"),
	    "example.com|1 pass example.com ");
	CHECK_STR(show("example.com; dkim=pass reason=\"good signature\" "
		       "header.i=@mail-router.example.net; dkim=fail "
		       "reason=\"bad signature\" header.i=@newyork.example"
		       ".com"),
	    "example.com|1 pass mail-router.example.net "
	    "|1 fail newyork.example.com ");
	CHECK_STR(show("foo.example.net (foobar) 1 (baz); dkim (Because I like "
		       "it) / 1 (One yay) = (wait for it) fail policy (A dot "
		       "can go here) . (like that) expired (this surprised me) "
		       "= (as I wasn't expecting it) 1362471462"),
	    "foo.example.net|1 fail  ");
}

static void
test_bad(void)
{
	CHECK_STR(show(""), "");
	CHECK_STR(show("("), "");
	CHECK_STR(show("\"x"), "");
	CHECK_STR(show("x"), "x");
	CHECK_STR(show("x;"), "x");
	CHECK_STR(show("x; spf"), "x");
	CHECK_STR(show("x; spf="), "x");
	CHECK_STR(show("x; =pass; spf=pass"), "x|0 pass  ");
	CHECK_STR(show("x; spf/=pass"), "x|0 pass  ");
	CHECK_STR(show("x; spf=pass ="), "x|0 pass  ");
	CHECK_STR(show("x; spf=pass smtp.=a .mailfrom=b smtp.mailfrom="),
	    "x|0 pass  ");
	CHECK_STR(show("x; spf=pass\\"), "x");
	CHECK_STR(show("x; spf=pass smtp.mailfrom=a)"), "x|0 pass a) ");
}

static unsigned
draw(unsigned n)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Whatever comes, the reading ends and gives what is in the text. */
static void
test_random(void)
{
	static const char *const pieces[] = { "x", ";", " ", "=", "/", ".", "(",
		")", "\"", "\\", "spf", "dkim=pass", "header.d=", "dmarc",
		"(p=reject)", "arc=fail", "\n ", "\xff", "@", "<", ">" };
	bool ok = true;

	for (int i = 0; i < 50000; i++) {
		char text[512];
		size_t n = 0, results = 0;
		struct authres_reader r;
		struct authres x;
		struct str id;

		for (unsigned k = draw(40); k > 0; k--) {
			const char *piece =
			    pieces[draw(sizeof(pieces) / sizeof(*pieces))];

			memcpy(text + n, piece, strlen(piece));
			n += strlen(piece);
			if (draw(50) == 0)
				text[n++] = 0;
		}
		id = authres_open(&r, &arena, (struct str){ text, n });
		while (authres_next(&r, &x))
			ok = ok && ++results <= n && x.domain.n <= n &&
			     x.method < AUTHRES_COUNT &&
			     x.result < RESULT_COUNT && !r.broken;
		ok = ok && id.n <= n && !r.failed;
		arena_reset(&arena);
	}
	CHECK(ok);
}

/* A field as long as a header may be takes time in proportion. */
static void
test_long(void)
{
	static const char *const pieces[] = { "x;dkim=pass ", "((((", "\"a",
		";spf=pass smtp.mailfrom=a", "; dmarc=fail (p=x)", "x " };
	size_t limit = (size_t)LIMIT_VALUE_HEADER_BYTES;
	char *text = malloc(limit + 64);

	CHECK(text != NULL);
	for (size_t i = 0; text && i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct authres_reader r;
		struct authres x;
		size_t n = 0;

		for (; n < limit; n += strlen(pieces[i]))
			memcpy(text + n, pieces[i], strlen(pieces[i]));
		(void)authres_open(&r, &arena, (struct str){ text, n });
		while (authres_next(&r, &x))
			;
		CHECK(!r.failed);
		arena_reset(&arena);
	}
	free(text);
}

int
main(void)
{
	arena_init(&arena, 64 << 20, NULL);
	test_rfc();
	test_bad();
	test_random();
	test_long();
	arena_free(&arena);
	TEST_DONE();
}
