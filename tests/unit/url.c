/* URLs: where they are found, their parts, and bodies made to take long. */
#include "runtime/url.h"

#include <stdlib.h>

#include "tests/unit/test.h"

/*
 * A body as large as a mail may be: what takes a step for each two octets of
 * it never ends.
 */
enum { LARGE = 9000000 };

/* `head`, and then `piece` again and again; to be freed. */
static struct str
large(struct str head, struct str piece)
{
	char *p = malloc(LARGE);
	size_t n = head.n;

	memcpy(p, head.p, n);
	for (; n + piece.n <= LARGE; n += piece.n)
		memcpy(p + n, piece.p, piece.n);
	return (struct str){ p, n };
}

static struct str
first(struct str text)
{
	size_t at = 0;

	return url_find(text, &at);
}

static void
test_long(void)
{
	struct str s = large(STR("http://a/"), STR(")"));

	CHECK_STR(first(s), "http://a/");
	free((char *)s.p);
	s = large(STR("http://a/("), STR(")"));
	CHECK(first(s).n == s.n);
	free((char *)s.p);
	s = large(STR("http://a/("), STR("]"));
	CHECK_STR(first(s), "http://a/(");
	free((char *)s.p);
}

/* Hints of URLs that are none. */
static void
test_none(void)
{
	static const struct str pieces[] = { STR("x://"), STR("xhttp://a "),
		STR("wwww."), STR("."), STR("//////"), STR("http://<") };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct str s = large(STR("x"), pieces[i]);

		CHECK(first(s).p == NULL);
		free((char *)s.p);
	}
}

static bool
deceives(struct str link, struct str text)
{
	struct url_site site = { .raw = { NULL, 0 } };
	struct arena a;
	struct url url;
	bool out;

	arena_init(&a, 0, NULL);
	out = url_split(&a, link, &site, &url) &&
	      url_is_deceptive(&a, &url, text);
	arena_free(&a);
	return out;
}

static void
test_deceptive(void)
{
	struct str s = large(STR("http://a.com/"), STR("a"));

	CHECK(deceives(STR("http://evil.test/"), s));
	CHECK(!deceives(STR("http://b.a.com/"), s));
	free((char *)s.p);
}

/* A name counts as one by its last label; a file does not. */
static void
test_names(void)
{
	static const struct str evil = STR("http://evil.test/");
	static const struct str deceptive[] = { STR("bank.com/login"),
		STR("BANK.com:443"), STR("Go to bank.com now."),
		STR("bank\uff0ecom"), STR("(bank.example)"), STR("bank.com!"),
		STR("info@evil.test, bank.co.uk"),
		STR("a.b c.d www.bank.com") };
	static const struct str honest[] = { STR("report.pdf"),
		STR("evil.test/login"), STR("bank.com is at www.evil.test"),
		STR("x@bank.com"), STR("Version 2.0"), STR("e.g. this"),
		STR("1.2.3.4"), STR("bank .com"), STR("") };

	for (size_t i = 0; i < sizeof(deceptive) / sizeof(*deceptive); i++)
		test_check(deceives(evil, deceptive[i]), __FILE__, __LINE__,
		    deceptive[i].p);
	for (size_t i = 0; i < sizeof(honest) / sizeof(*honest); i++)
		test_check(!deceives(evil, honest[i]), __FILE__, __LINE__,
		    honest[i].p);
}

static void
test_parts(void)
{
	static const struct str same[] = { STR("http://evil.test/x"),
		STR("http:/evil.test/x"), STR("http:evil.test/x"),
		STR("HTTP:\\\\evil.test\\x"), STR("h\tttp:///\\/evil.test/x"),
		STR("https:/evil.test/x"), STR("ftp:evil.test/x"),
		STR("//evil.test/x"), STR("\\/evil.test/x"),
		STR("///evil.test/x") };

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		struct url_site site = { .raw = { NULL, 0 } };
		struct arena a;
		struct url url;

		arena_init(&a, 0, NULL);
		CHECK(url_split(&a, same[i], &site, &url));
		CHECK_STR(url.host, "evil.test");
		CHECK_STR(url.path, "/x");
		arena_free(&a);
	}
}

int
main(void)
{
	test_long();
	test_none();
	test_deceptive();
	test_names();
	test_parts();
	TEST_DONE();
}
