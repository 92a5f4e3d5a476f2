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
	CHECK_STR(first(s), "http://a/()");
	free((char *)s.p);
	s = large(STR("http://a/("), STR("]"));
	CHECK_STR(first(s), "http://a/(");
	free((char *)s.p);
	s = large(STR("http://a/"), STR("\u00e4\u3002a"));
	CHECK(first(s).n == s.n);
	free((char *)s.p);
}

/* How many URLs there are. */
static size_t
count(struct str text)
{
	size_t at = 0, n = 0;

	while (url_find(text, &at).p)
		n++;
	return n;
}

/* Behind each URL the search goes on where it ended. */
static void
test_many(void)
{
	static const struct str pieces[] = { STR("www.["), STR("www.a["),
		STR("http://[a "), STR("http://["), STR("http://a@["),
		STR("http://a\u3002 "), STR("www.a{"), STR("[www.[:") };
	static const size_t counts[] = { 0, LARGE / 6, 0, 0, LARGE / 10,
		LARGE / 12, LARGE / 6, 0 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct str s = large(STR(""), pieces[i]);

		test_check(
		    count(s) == counts[i], __FILE__, __LINE__, pieces[i].p);
		free((char *)s.p);
	}
}

/* What stands behind a URL and is none of it. */
static void
test_ends(void)
{
	static const struct str marks[] = { STR(" b"), STR("\u00a0b"),
		STR("\u3000b"), STR("\u2028b"), STR("\u2003b"),
		STR("\xc2\x85"
		    "b"),
		STR("\u201db"), STR("\u2019b"), STR("\u00bbb"), STR("\u2014b"),
		STR("\u2026b"), STR("\uff0cb"), STR("\u3002"), STR("\uff0e "),
		STR("\u3002\u8c22"), STR("\uff08b\uff09"), STR("\u300db"),
		STR("\uff01b"), STR("\u202cb"), STR("|b"), STR("`b"), STR("<b"),
		STR("\"b"), STR(".\u201d"), STR(")."), STR("]"), STR("}!") };
	static const struct str urls[] = { STR("http://a.test"),
		STR("https://\u00e4\u8c22.test/\u00fc\u8c22"),
		STR("ftp://a.test/(b)/c?d=[e]"), STR("www.a\u3002test/"),
		STR("http://[::1]"), STR("http://a@[2001:db8::1]:80/[b]"),
		STR("http://a\u00b7\u30fb.test/x-y_z") };
	char text[100];

	for (size_t u = 0; u < sizeof(urls) / sizeof(*urls); u++)
		for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
			snprintf(text, sizeof(text), "\u201c(%s%s", urls[u].p,
			    marks[i].p);
			test_str(first(str_from(text)), urls[u], __FILE__,
			    __LINE__, text);
		}
}

#define FIRST(text, want) CHECK_STR(first(STR(text)), want)

/* Brackets in a host end it, elsewhere they pair. */
static void
test_brackets(void)
{
	FIRST("http://a.test[1]", "http://a.test");
	FIRST("http://a.test[1]/x", "http://a.test");
	FIRST("http://a.test{x}", "http://a.test");
	FIRST("http://a.test/x[1]", "http://a.test/x[1]");
	FIRST("[http://a.test][http://b.test]", "http://a.test");
	FIRST("http://[::1 http://[x] http://a.test", "http://a.test");
	FIRST("(http://a.test/a_(b))", "http://a.test/a_(b)");
	FIRST("(http://a.test/a_(b)).", "http://a.test/a_(b)");
	FIRST("(a http://a.test/b)", "http://a.test/b");
	FIRST("{[http://a.test/[b]{c}]}", "http://a.test/[b]{c}");
	FIRST("http://a.test/(b", "http://a.test/(b");
	FIRST("_http://a.test/_", "http://a.test/");
	FIRST("_www.a.test_", "www.a.test");
	FIRST("xhttp://a.test 1www.a.test http://b.test", "http://b.test");
	FIRST("http://... www.... ftp://a.", "ftp://a");
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
		STR("info@evil.test, bank.co.uk"), STR("a.b c.d www.bank.com"),
		STR("ba\u200cnk.com"), STR("bank\u200e.com"),
		STR("bank.\u2060com") };
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

/* Beside punctuation and marks of any script. */
static void
test_names_beside(void)
{
	static const char *const beside[] = { "\u201c%s\u201d",
		"\u00ab%s\u00bb", "%s\uff0c\u8c22", "%s\u2026",
		"%s\u3002\u8c22", "\u2014%s\u2014", "%s\u00a0x", "\u3000%s",
		"\u300c%s\u300d", "\u202a%s\u202c" };
	static const char *const beside_name[] = { "//%s", "*%s*", "...%s...",
		"_%s_", "\U0001f449%s\U0001f448", "%s\u2122", "\\\\%s",
		"-%s~" };
	static const char *const names[] = { "bank.com", "www.bank.com",
		"http://bank.com", "http://www.bank.com/" };
	char text[100];

	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
			snprintf(text, sizeof(text), beside[i], names[k]);
			test_check(
			    deceives(STR("http://evil.test/"), str_from(text)),
			    __FILE__, __LINE__, text);
			test_check(!deceives(STR("http://a.bank.com/"),
				       str_from(text)),
			    __FILE__, __LINE__, text);
		}
	for (size_t i = 0; i < sizeof(beside_name) / sizeof(*beside_name);
	     i++) {
		snprintf(text, sizeof(text), beside_name[i], "bank.com");
		test_check(deceives(STR("http://evil.test/"), str_from(text)),
		    __FILE__, __LINE__, text);
		test_check(!deceives(STR("http://a.bank.com/"), str_from(text)),
		    __FILE__, __LINE__, text);
	}
}

static void
test_parts(void)
{
	static const struct str same[] = { STR("http://evil.test/x"),
		STR("http:/evil.test/x"), STR("http:evil.test/x"),
		STR("HTTP:\\\\evil.test\\x"), STR("h\tttp:///\\/evil.test/x"),
		STR("https:/evil.test/x"), STR("ftp:evil.test/x"),
		STR("//evil.test/x"), STR("\\/evil.test/x"),
		STR("///evil.test/x"), STR("file:\\\\evil.test\\x") };

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

/* As HOST DOMAIN ORG PATH, - where there is none; or "relative". */
static struct str
parts(struct arena *a, struct str s)
{
	struct url_site site = { .raw = { NULL, 0 } };
	struct str none = STR("-");
	struct url url;

	if (!url_split(a, s, &site, &url))
		return STR("relative");
	return arena_printf(a, "%.*s %.*s %.*s %.*s",
	    STR_ARG(url.host.p ? url.host : none),
	    STR_ARG(url.domain.p ? url.domain : none),
	    STR_ARG(url.org.p ? url.org : none),
	    STR_ARG(url.path.p ? url.path : none));
}

#define PARTS(s, want) CHECK_STR(parts(&arena, STR(s)), want)

/* The authority ends at a slash, ? or #; its host stands behind the last @. */
static void
test_authority(void)
{
	static struct arena arena;

	arena_init(&arena, 0, NULL);
	PARTS("http://%ff@evil.test/", "evil.test evil.test evil.test /");
	PARTS("http://%00@evil.test/x", "evil.test evil.test evil.test /x");
	PARTS("http://%@evil.test", "evil.test evil.test evil.test ");
	PARTS("http://a@bank.com:b@evil.test:80/",
	    "evil.test evil.test evil.test /");
	PARTS("http://bank.com/@evil.test",
	    "bank.com bank.com bank.com /@evil.test");
	PARTS("http://bank.com?@evil.test/", "bank.com bank.com bank.com ");
	PARTS("http://bank.com#@evil.test/", "bank.com bank.com bank.com ");
	PARTS("http://bank.com\\@evil.test/",
	    "bank.com bank.com bank.com /@evil.test/");
	PARTS("http://www.bank.com;.evil.test/",
	    "www.bank.com;.evil.test www.bank.com;.evil.test evil.test /");
	PARTS("http://evil.test:x/", "evil.test evil.test evil.test /");
	PARTS("http://evil.test:/", "evil.test evil.test evil.test /");
	PARTS("http://@/x", "- - - /x");
	PARTS("http://[::1]:80/x", "::1 - - /x");
	PARTS("http://a@[2001:db8::1]", "2001:db8::1 - - ");
	PARTS("http://[::1/x", "::1 - - /x");
	arena_free(&arena);
}

/* Names that a wildcard record answers, and what browsers refuse. */
static void
test_hosts(void)
{
	static const struct str labels[] = { STR("-a"), STR("a-"), STR("a!b"),
		STR("a$b"), STR("a,b"), STR("a*b"), STR("a~b"), STR("a&b"),
		STR("(a)"), STR("a'b"), STR("_"), STR("a=b"), STR("a+b"),
		STR("a;b"), STR("{a}"), STR("xn--a"), STR("0x1") };
	static struct arena arena;
	char url[100], want[100];

	arena_init(&arena, 0, NULL);
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		snprintf(url, sizeof(url), "http://%s.evil.test/", labels[i].p);
		snprintf(want, sizeof(want),
		    "%s.evil.test %s.evil.test evil.test /", labels[i].p,
		    labels[i].p);
		test_str(parts(&arena, str_from(url)), str_from(want), __FILE__,
		    __LINE__, url);
	}
	PARTS("http://a\u2603.evil.test/",
	    "a\u2603.evil.test xn--a-1xp.evil.test evil.test /");
	PARTS("http://-\u00e4.Evil.test/",
	    "-\u00e4.Evil.test xn----0fa.evil.test evil.test /");
	PARTS("http://ev%69l%2etest/", "evil.test evil.test evil.test /");
	PARTS("http://%C3%A4.test/", "\u00e4.test xn--4ca.test xn--4ca.test /");
	PARTS("http://a%40evil.test/", "a@evil.test - - /");
	PARTS("http://a b.test/", "a b.test - - /");
	PARTS("http://a%zz.test/", "a%zz.test - - /");
	PARTS("http://a..test/", "a..test - - /");
	PARTS("http://\uff0f.test/", "\uff0f.test - - /");
	arena_free(&arena);
}

/* WHATWG URL 3.5: what ends in a number is an address. */
static void
test_addresses(void)
{
	static struct arena arena;

	arena_init(&arena, 0, NULL);
	PARTS("http://1.2.3.4/", "1.2.3.4 - - /");
	PARTS("http://%31.2.3.4/", "1.2.3.4 - - /");
	PARTS("http://\uff11.2.3.4/", "\uff11.2.3.4 - - /");
	PARTS("http://2130706433/", "2130706433 - - /");
	PARTS("http://0x7f000001/", "0x7f000001 - - /");
	PARTS("http://0X7F.1/", "0X7F.1 - - /");
	PARTS("http://127.0x/", "127.0x - - /");
	PARTS("http://127.0x1./", "127.0x1. - - /");
	PARTS("http://a.0xg/", "a.0xg a.0xg a.0xg /");
	arena_free(&arena);
}

/* The path as it is written; what has no // has no host. */
static void
test_paths(void)
{
	static struct arena arena;

	arena_init(&arena, 0, NULL);
	PARTS("http://a.test/a b/\u00fc", "a.test a.test a.test /a b/\u00fc");
	PARTS("http://a.test/%ff%2F/%zz", "a.test a.test a.test /%ff%2F/%zz");
	PARTS("http://a.test/a;b=[c]|{d}^`\\e?f",
	    "a.test a.test a.test /a;b=[c]|{d}^`/e");
	PARTS("http://a.test/../x.exe", "a.test a.test a.test /../x.exe");
	PARTS("mailto:a\\b@c.test?d", "- - - a\\b@c.test");
	PARTS("javascript:x", "- - - x");
	PARTS("/a", "relative");
	PARTS("a b:c", "relative");
	PARTS("1a:b", "relative");
	PARTS(":a", "relative");
	PARTS("://a", "relative");
	PARTS("", "relative");
	PARTS("cid:a@b", "relative");
	PARTS(" \1/\t/\na.test/b\n ", "a.test a.test a.test /b");
	arena_free(&arena);
}

int
main(void)
{
	test_long();
	test_none();
	test_many();
	test_ends();
	test_brackets();
	test_deceptive();
	test_names();
	test_names_beside();
	test_parts();
	test_authority();
	test_hosts();
	test_addresses();
	test_paths();
	TEST_DONE();
}
