/* Normal forms: runtime/normal.h. */
#include "runtime/normal.h"

#include "tests/unit/test.h"

static struct arena arena;

static struct str
fold(const char *z)
{
	return text_fold(&arena, str_from(z));
}

static struct str
domain(const char *z)
{
	return domain_normal(&arena, str_from(z));
}

static struct str
org(const char *z)
{
	return domain_org(&arena, str_from(z));
}

static struct str
printed(const char *z)
{
	struct ip ip;

	return ip_parse(str_from(z), &ip) ? ip_print(&arena, ip) : STR("-");
}

/* Network, `!` behind it if it was masked; - if it is none. */
static struct str
network(const char *z)
{
	struct ip_range r;
	bool masked;
	struct str s;

	if (!network_parse(str_from(z), &r, &masked))
		return STR("-");
	s = network_print(&arena, r);
	return arena_printf(&arena, "%.*s%s", STR_ARG(s), masked ? "!" : "");
}

static void
test_ip(void)
{
	struct ip ip;

	CHECK_STR(printed("192.0.2.1"), "192.0.2.1");
	CHECK_STR(printed("2001:DB8::1"), "2001:db8::1");
	CHECK_STR(printed("::ffff:192.0.2.1"), "192.0.2.1");
	CHECK_STR(printed("IPv6:2001:db8::1"), "2001:db8::1");
	CHECK_STR(printed("ipv6:::1"), "::1");
	CHECK_STR(printed("IPv6:192.0.2.1"), "-");
	CHECK_STR(printed("::"), "::");
	CHECK_STR(printed("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	CHECK_STR(printed("192.0.2"), "-");
	CHECK_STR(printed("192.0.2.256"), "-");
	CHECK_STR(printed("192.0.2.01"), "-");
	CHECK_STR(printed(" 192.0.2.1"), "-");
	CHECK_STR(printed("fe80::1%eth0"), "-");
	CHECK_STR(printed(""), "-");
	CHECK(!ip_parse(STR("192.0.2.1\0"), &ip));
	CHECK(ip_parse(STR("192.0.2.1"), &ip) && ip_is_v4(ip));
	CHECK(ip_parse(STR("::1"), &ip) && !ip_is_v4(ip));

	CHECK_STR(network("192.0.2.0/24"), "192.0.2.0/24");
	CHECK_STR(network("192.0.2.77/24"), "192.0.2.0/24!");
	CHECK_STR(network("192.0.2.77"), "192.0.2.77/32");
	CHECK_STR(network("10.1.2.3/9"), "10.0.0.0/9!");
	CHECK_STR(network("0.0.0.0/0"), "0.0.0.0/0");
	CHECK_STR(network("2001:db8::/32"), "2001:db8::/32");
	CHECK_STR(network("2001:db8::1/127"), "2001:db8::/127!");
	CHECK_STR(network("::/0"), "::/0");
	CHECK_STR(network("::1"), "::1/128");
	CHECK_STR(network("::ffff:192.0.2.0/120"), "192.0.2.0/24");
	CHECK_STR(network("192.0.2.0/33"), "-");
	CHECK_STR(network("192.0.2.0/024"), "-");
	CHECK_STR(network("192.0.2.0/"), "-");
	CHECK_STR(network("192.0.2.0/-1"), "-");
	CHECK_STR(network("2001:db8::/129"), "-");
	CHECK_STR(network("/24"), "-");
	CHECK_STR(network("example.com"), "-");

	ip_parse(STR("192.0.2.77"), &ip);
	CHECK_STR(network_print(&arena, ip_network(ip)), "192.0.2.0/24");
	ip_parse(STR("2001:db8:1:2:3::4"), &ip);
	CHECK_STR(network_print(&arena, ip_network(ip)), "2001:db8:1:2::/64");
}

static struct str
valid(const char *z)
{
	return utf8_make_valid(&arena, str_from(z));
}

#define R "\xef\xbf\xbd"

static void
test_utf8(void)
{
	CHECK(utf8_is_valid(STR("")));
	CHECK(utf8_is_valid(STR("plain ASCII, longer than a word")));
	CHECK(utf8_is_valid(STR("a\0b")));
	CHECK(utf8_is_valid(STR("\u00e4\u20ac\U0001f600\U0010ffff")));
	CHECK(!utf8_is_valid(STR("\x80")));
	CHECK(!utf8_is_valid(STR("\xc0\x80")));
	CHECK(!utf8_is_valid(STR("\xc1\xbf")));
	CHECK(!utf8_is_valid(STR("\xe0\x9f\xbf")));
	CHECK(!utf8_is_valid(STR("\xed\xa0\x80")));
	CHECK(utf8_is_valid(STR("\xed\x9f\xbf")));
	CHECK(!utf8_is_valid(STR("\xf0\x8f\xbf\xbf")));
	CHECK(!utf8_is_valid(STR("\xf4\x90\x80\x80")));
	CHECK(!utf8_is_valid(STR("\xf5\x80\x80\x80")));
	CHECK(!utf8_is_valid(STR("12345678\xc3")));
	CHECK(!utf8_is_valid(STR("1234567\xe2\x82")));

	/* Unicode 3.9, table 3-8 and its neighbours */
	CHECK_STR(valid("a\xf1\x80\x80\xe1\x80\xc2"
			"b\x80"
			"c\x80\xbf"
			"d"),
	    "a" R R R "b" R "c" R R "d");
	CHECK_STR(valid("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82"
			"A"),
	    R R R R R R R R "A");
	CHECK_STR(valid("\xed\xa0\x80"), R R R);
	CHECK_STR(valid("\xe2\x82"), R);
	CHECK_STR(valid("gr\xfc\xdf"), "gr" R R);
	CHECK_STR(utf8_make_valid(&arena, STR("")), "");
	struct str same = STR("unchanged \u00e4");
	CHECK(utf8_make_valid(&arena, same).p == same.p);
}

static void
test_fold(void)
{
	CHECK_STR(fold("Hello, World 09 [\\]^_`{|}~@"),
	    "hello, world 09 [\\]^_`{|}~@");
	CHECK_STR(fold("\u212a"), "k");
	CHECK_STR(fold("\u017f"), "s");
	CHECK_STR(fold("\u03c2"), "\u03c3");
	CHECK_STR(fold("\u1e9e"), "\u00df");
	CHECK_STR(fold("\u00df"), "\u00df");
	CHECK_STR(fold("\u0130"), "\u0130");
	CHECK_STR(fold("\u0131"), "\u0131");
	CHECK_STR(fold("\u212b"), "\u00e5");
	CHECK_STR(fold("\u00b5"), "\u03bc");
	CHECK_STR(fold("\u0345"), "\u03b9");
	CHECK_STR(fold("\u1f88"), "\u1f80");
	CHECK_STR(fold("\u0149"), "\u0149");
	CHECK_STR(fold("\u023a"), "\u2c65");
	CHECK_STR(fold("\u13a0\uab70\u13f0\u13f8"), "\u13a0\u13a0\u13f0\u13f0");
	CHECK_STR(fold("\u01c4\u01c5\u01c6"), "\u01c6\u01c6\u01c6");
	CHECK_STR(fold("\U00010400"), "\U00010428");
	CHECK_STR(fold("\u00c4\u00d6\u00dc GR\u00dcN"),
	    "\u00e4\u00f6\u00fc gr\u00fcn");
	CHECK_STR(fold("A\xff\xc3Z"), "a\xff\xc3z");
	struct str same = STR("lower \u00e4\u00df");
	CHECK(text_fold(&arena, same).p == same.p);
	CHECK(text_fold(&arena, STR("A\0B")).n == 3);
}

static void
test_domain(void)
{
	CHECK_STR(domain("Example.COM"), "example.com");
	CHECK_STR(domain("example.com."), "example.com");
	CHECK_STR(domain("b\u00fccher.example"), "xn--bcher-kva.example");
	CHECK_STR(domain("B\u00dcCHER.Example."), "xn--bcher-kva.example");
	CHECK_STR(domain("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
	CHECK_STR(domain("bu\u0308cher.example"), "xn--bcher-kva.example");
	CHECK_STR(domain("fa\u00df.example"), "xn--fa-hia.example");
	CHECK_STR(domain("\uff45xample\u3002com"), "example.com");
	CHECK_STR(domain("\u4f8b\u3048\u3002\u30c6\u30b9\u30c8\u3002"),
	    "xn--r8jz45g.xn--zckzah");
	CHECK_STR(domain("_dmarc.Example.com"), "_dmarc.example.com");
	CHECK_STR(domain("[192.0.2.1]"), "[192.0.2.1]");
	CHECK_STR(domain("[IPv6:::1]"), "[ipv6:::1]");
	CHECK_STR(domain(""), "");
	CHECK_STR(domain("."), "");
	CHECK_STR(domain("a..B"), "a..b");
	/* what is no label does not hide the rest */
	CHECK_STR(domain("\u2028X.b\u00fccher.example"),
	    "\u2028x.xn--bcher-kva.example");
	CHECK_STR(
	    domain("\xff.B\u00fccher.example"), "\xff.xn--bcher-kva.example");
	CHECK_STR(domain("\u00ad.example"), "\u00ad.example");

	CHECK(domain_is_valid(STR("example.com")));
	CHECK(domain_is_valid(STR("example.com.")));
	CHECK(domain_is_valid(STR("localhost")));
	CHECK(domain_is_valid(STR("_spf.example.com")));
	CHECK(domain_is_valid(STR("b\u00fccher.example")));
	CHECK(!domain_is_valid(STR("")));
	CHECK(!domain_is_valid(STR(".")));
	CHECK(!domain_is_valid(STR(".example.com")));
	CHECK(!domain_is_valid(STR("example.com..")));
	CHECK(!domain_is_valid(STR("a..b")));
	CHECK(!domain_is_valid(STR("*.example.com")));
	CHECK(!domain_is_valid(STR("-a.example")));
	CHECK(!domain_is_valid(STR("a b.example")));
	CHECK(!domain_is_valid(STR("192.0.2.1")));
	CHECK(!domain_is_valid(STR("a@example.com")));
	CHECK(!domain_is_valid(STR("a\0.example")));
	CHECK(!domain_is_valid(STR("\xff.example")));

	CHECK_STR(org("www.example.com"), "example.com");
	CHECK_STR(org("a.b.example.co.uk"), "example.co.uk");
	CHECK_STR(org("example.com"), "example.com");
	CHECK_STR(org("com"), "");
	CHECK_STR(org("co.uk"), "");
	CHECK_STR(org("mail.server.invalid"), "server.invalid");
	CHECK_STR(org("x.xn--bcher-kva.de"), "xn--bcher-kva.de");
	CHECK_STR(org("[192.0.2.1]"), "");
	CHECK_STR(org("192.0.2.1"), "");
	CHECK_STR(org(""), "");
	CHECK_STR(org("example.com.."), "");
	CHECK(domain_is_suffix(STR("com")));
	CHECK(domain_is_suffix(STR("co.uk")));
	CHECK(!domain_is_suffix(STR("example.com")));
	CHECK(!domain_is_suffix(STR("localhost")));
	CHECK(!domain_is_suffix(STR("")));
}

static struct str
host(struct str s)
{
	struct str out = host_domain(&arena, s);

	return out.p ? out : STR("-");
}

/* More than a policy may name, and less than DNS could hold. */
static void
test_hosts(void)
{
	CHECK_STR(host(STR("WWW.example.com.")), "www.example.com");
	CHECK_STR(host(STR("-a.!$&'()*+,;=_`{}~.x-.test")),
	    "-a.!$&'()*+,;=_`{}~.x-.test");
	CHECK_STR(host(STR("b\u00fccher.example")), "xn--bcher-kva.example");
	CHECK_STR(host(STR("\u2603.-\u00e4.test")), "xn--n3h.xn----0fa.test");
	CHECK_STR(host(STR("\U0001f4a9\u3002la")), "xn--ls8h.la");
	CHECK_STR(host(STR("\ufffd.test")), "\ufffd.test");
	CHECK_STR(host(STR("\u00e4\0.test")), "-");
	CHECK_STR(host(STR("a\0.test")), "-");
	CHECK_STR(host(STR("a%.test")), "-");
	CHECK_STR(host(STR("a b.test")), "-");
	CHECK_STR(host(STR("a:b|c^d.test")), "-");
	CHECK_STR(host(STR("\u2100.test")), "-");
	CHECK_STR(host(STR("a..test")), "-");
	CHECK_STR(host(STR(".test")), "-");
	CHECK_STR(host(STR("test..")), "-");
	CHECK_STR(host(STR("")), "-");
	CHECK_STR(host(STR("192.0.2.1")), "-");
	CHECK_STR(host(STR("a.1")), "-");
	CHECK_STR(host(STR("0x7F000001.")), "-");
	CHECK_STR(host(STR("a.0x")), "-");
	CHECK_STR(host(STR("a.0xg")), "a.0xg");

	CHECK_STR(host_org(STR("a.-b.example.co.uk")), "example.co.uk");
	CHECK_STR(host_org(STR("-b.example.com")), "example.com");
	CHECK_STR(host_org(STR("com")), "");
	CHECK_STR(host_org(STR("a b.example.com")), "");
	CHECK_STR(org("-b.example.com"), "");
}

static struct str
mixed(const char *z)
{
	return domain_mixed_label(&arena, domain(z));
}

static void
test_scripts(void)
{
	CHECK_STR(mixed("example.com"), "");
	CHECK_STR(mixed("b\xc3\xbc"
			"cher.example"),
	    "");
	/* one script in each label */
	CHECK_STR(mixed("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc.example"), "");
	CHECK_STR(mixed("www.ex\xd0\xb0mple.com"), "ex\xd0\xb0mple");
	CHECK_STR(mixed("xn--exmple-4nf.com"), "ex\xd0\xb0mple");
	/* Greek and Cyrillic */
	CHECK_STR(mixed("\xce\xb1\xd0\xb0.example"), "\xce\xb1\xd0\xb0");
	/* Japanese with Latin; digits belong to all */
	CHECK_STR(mixed("\xe6\x97\xa5\xe3\x81\xae\xe3\x82\xab"
			"a1.example"),
	    "");
	/* kana with Hangul */
	CHECK_STR(mixed("\xe3\x81\xae\xea\xb0\x80.example"),
	    "\xe3\x81\xae\xea\xb0\x80");
	CHECK_STR(mixed("xn--.example"), "");
	CHECK_STR(mixed(""), "");
}

/* "text|local|domain|normal" */
static struct str
mailbox(const char *z)
{
	struct mailbox m = mailbox_parse(&arena, str_from(z));
	struct str normal = mailbox_normal(&arena, &m, false);

	return arena_printf(&arena, "%.*s|%.*s|%.*s|%.*s%s", STR_ARG(m.text),
	    STR_ARG(m.local), STR_ARG(m.domain), STR_ARG(normal),
	    m.null ? "|null" : "");
}

static void
test_mailbox(void)
{
	struct mailbox m;

	CHECK_STR(mailbox("<Amy@Example.com>"),
	    "Amy@Example.com|Amy|Example.com|amy@example.com");
	CHECK_STR(mailbox("Amy@Example.com"),
	    "Amy@Example.com|Amy|Example.com|amy@example.com");
	CHECK_STR(mailbox("<>"), "<>||||null");
	CHECK_STR(mailbox(""), "<>||||null");
	CHECK_STR(mailbox(" < > "), "<>||||null");
	CHECK_STR(mailbox("<\"john\"@x.example>"),
	    "\"john\"@x.example|john|x.example|john@x.example");
	CHECK_STR(mailbox("<\"a\\\"b@c d\"@x.example>"),
	    "\"a\\\"b@c d\"@x.example|a\"b@c d|x.example|"
	    "a\"b@c d@x.example");
	CHECK_STR(mailbox("<@relay.example,@b:c@x.example>"),
	    "c@x.example|c|x.example|c@x.example");
	CHECK_STR(mailbox("<@[IPv6:::1]:c@x.example>"),
	    "c@x.example|c|x.example|c@x.example");
	CHECK_STR(
	    mailbox("<a@x.example.>"), "a@x.example.|a|x.example|a@x.example");
	CHECK_STR(mailbox("<postmaster>"), "postmaster|postmaster||postmaster");
	CHECK_STR(mailbox("<a@b@x.example>"),
	    "a@b@x.example|a@b|x.example|a@b@x.example");
	CHECK_STR(mailbox("<\"a@b"), "\"a@b|a|b|a@b");
	CHECK_STR(mailbox("<\"a>b\"@c>"), "\"a>b\"@c|a>b|c|a>b@c");
	CHECK_STR(mailbox("<a@c> SIZE"), "a@c|a|c|a@c");
	CHECK_STR(mailbox("<a@[192.0.2.1]>"),
	    "a@[192.0.2.1]|a|[192.0.2.1]|a@[192.0.2.1]");
	CHECK_STR(mailbox("<J\u00dcRGEN@b\u00fccher.example>"),
	    "J\u00dcRGEN@b\u00fccher.example|J\u00dcRGEN|"
	    "b\u00fccher.example|j\u00fcrgen@xn--bcher-kva.example");
	CHECK_STR(mailbox("@x.example"), "@x.example||x.example|@x.example");
	CHECK_STR(mailbox("<\"\"@x>"), "\"\"@x||x|@x");
	m = mailbox_parse(&arena, STR("<Amy@Example.com>"));
	CHECK_STR(mailbox_normal(&arena, &m, true), "Amy@example.com");

	CHECK(mailbox_is_valid(STR("a@example.com")));
	CHECK(mailbox_is_valid(STR("a.b+c@example.com")));
	CHECK(mailbox_is_valid(STR("\"a b\"@example.com")));
	CHECK(mailbox_is_valid(STR("a@[192.0.2.1]")));
	CHECK(mailbox_is_valid(STR("a@[IPv6:::1]")));
	CHECK(mailbox_is_valid(STR("Postmaster")));
	CHECK(mailbox_is_valid(STR("j\u00fcrgen@b\u00fccher.example")));
	CHECK(!mailbox_is_valid(STR("")));
	CHECK(!mailbox_is_valid(STR("<a@example.com>")));
	CHECK(!mailbox_is_valid(STR("bad addr")));
	CHECK(!mailbox_is_valid(STR("bad addr@example.com")));
	CHECK(!mailbox_is_valid(STR("amy")));
	CHECK(!mailbox_is_valid(STR("a@")));
	CHECK(!mailbox_is_valid(STR("@example.com")));
	CHECK(!mailbox_is_valid(STR("a..b@example.com")));
	CHECK(!mailbox_is_valid(STR("a@b@example.com")));
	CHECK(!mailbox_is_valid(STR("a@example.com\r\nX: y")));
	CHECK(!mailbox_is_valid(STR("\"a\n\"@example.com")));
	CHECK(!mailbox_is_valid(STR("\"a\\\"@example.com")));
	CHECK(!mailbox_is_valid(STR("a@[example.com]")));
	CHECK(!mailbox_is_valid(STR("a\xff@example.com")));
	CHECK(!mailbox_is_valid(STR("a\0@example.com")));
}

static long long
time_of(const char *z)
{
	long long t;

	return time_parse(str_from(z), &t) ? t : -1;
}

static long long
date_of(const char *z)
{
	long long d;

	return date_parse(str_from(z), &d) ? d : -1;
}

static void
test_time(void)
{
	CHECK(time_of("1970-01-01") == 0);
	CHECK(time_of("2026-01-31T12:00:00Z") == 1769860800000);
	CHECK(time_of("2026-01-31T12:00:00+01:00") == 1769857200000);
	CHECK(time_of("2026-01-31T12:00:00-01:30") == 1769866200000);
	CHECK(time_of("2026-01-31") == 1769817600000);
	CHECK(time_of("2024-02-29") == 1709164800000);
	CHECK(time_of("2026-02-29") == -1);
	CHECK(time_of("2026-13-01") == -1);
	CHECK(time_of("2026-00-01") == -1);
	CHECK(time_of("2026-01-31T24:00:00Z") == -1);
	CHECK(time_of("2026-01-31T12:00:00") == -1);
	CHECK(time_of("2026-01-31T12:00Z") == -1);
	CHECK(time_of("2026-01-31 12:00:00Z") == -1);
	CHECK(time_of("2026-01-31T12:00:00+0100") == -1);
	CHECK(time_of("2026-01-3") == -1);
	CHECK(time_of("") == -1);
	CHECK(date_of("1970-01-01") == 0);
	CHECK(date_of("2000-03-01") == 11017);
	CHECK(date_of("2026-01-31") == 20484);
	CHECK(date_of("2026-01-31Z") == -1);
	CHECK(date_of("0000-01-01") == -1);
	long long d;
	CHECK(date_parse(STR("0001-01-01"), &d) && d == -719162);
	CHECK(date_parse(STR("9999-12-31"), &d) && d == 2932896);
}

static bool
glob(const char *g, const char *t)
{
	return glob_match(str_from(g), str_from(t));
}

static void
test_glob(void)
{
	static char long_text[100001], long_glob[64];

	CHECK(glob("", ""));
	CHECK(!glob("", "a"));
	CHECK(glob("*", ""));
	CHECK(glob("*", "anything"));
	CHECK(glob("*.exe", "a.b.exe"));
	CHECK(!glob("*.exe", "a.exe.txt"));
	CHECK(glob("a?c", "abc"));
	CHECK(glob("a?c", "a\u00e4c"));
	CHECK(glob("a?c", "a\U0001f600c"));
	CHECK(!glob("a??c", "a\u00e4c"));
	CHECK(!glob("a?c", "ac"));
	CHECK(glob("a\\*c", "a*c"));
	CHECK(!glob("a\\*c", "abc"));
	CHECK(glob("a\\?", "a?"));
	CHECK(glob("a\\\\", "a\\"));
	CHECK(glob("a\\", "a\\"));
	CHECK(glob("*a*b*", "xxaxxbxx"));
	CHECK(!glob("*a*b*", "xxbxxaxx"));
	CHECK(glob("a**b", "ab"));
	CHECK(glob("*ab", "aab"));
	CHECK(glob("*?", "\u00e4"));
	CHECK(!glob("?", ""));
	CHECK(glob("*\u00e4", "x\u00e4"));
	memset(long_text, 'a', sizeof(long_text) - 1);
	memset(long_glob, 'a', sizeof(long_glob) - 1);
	for (size_t i = 0; i < sizeof(long_glob) - 2; i += 2)
		long_glob[i] = '*';
	long_glob[sizeof(long_glob) - 2] = 'b';
	CHECK(!glob(long_glob, long_text));
}

/* No memory is an answer, not a crash. */
static void
test_memory(void)
{
	struct arena tight;
	struct mailbox m = mailbox_parse(&arena, STR("AB@CD.example"));

	arena_init(&tight, 1, NULL);
	CHECK(text_fold(&tight, STR("ABC")).p == NULL);
	CHECK(utf8_make_valid(&tight, STR("\xff")).p == NULL);
	CHECK(domain_normal(&tight, STR("ABC")).p == NULL);
	CHECK(domain_normal(&tight, STR("\u00e4")).p == NULL);
	CHECK(mailbox_normal(&tight, &m, false).p == NULL);
	CHECK(ip_print(&tight, (struct ip){ { 0 } }).p == NULL);
	arena_free(&tight);
}

int
main(void)
{
	arena_init(&arena, 0, NULL);
	test_ip();
	test_utf8();
	test_fold();
	test_domain();
	test_hosts();
	test_scripts();
	test_mailbox();
	test_time();
	test_glob();
	test_memory();
	arena_free(&arena);
	TEST_DONE();
}
