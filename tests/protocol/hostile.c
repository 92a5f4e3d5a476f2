/* Peers that break the protocol: the daemon goes on serving the others. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum { TIMEOUT_MS = 30000 };

static struct filter f;

static void
good_session(void)
{
	CHECK_STR(letter_text(&f,
		      &(struct letter){ .header = "X: 1\n", .body = "b\r\n" }),
	    "accept at eom | add X-Tag: sender@client.invalid");
	CHECK_STR(letter_text(&f, &(struct letter){ .helo = "bad" }),
	    "reject 550 5.7.1 bad at rcpt");
}

/* The bytes of a whole connection with two messages. */
static struct bytes
recorded(void)
{
	struct bytes all = { 0 };
	struct letter l = { .to = { "<a@example.com>", "<b@example.com>" },
		.header = "X: 1\nSubject: s\n",
		.body = "body\r\n" };
	struct mta m;
	struct mta_outcome o;

	CHECK(mta_open(&m, f.where, TIMEOUT_MS));
	m.tap = &all;
	CHECK(mta_negotiate(&m, &mta_offer_postfix));
	mta_connect(&m, STR("x"), SMFIA_INET, 1, STR("192.0.2.1"));
	mta_helo(&m, STR("x"));
	letter_send(&m, &l, &o);
	letter_send(&m, &l, &o);
	CHECK(o.reply.verdict == MTA_ACCEPT);
	mta_quit(&m);
	return all;
}

static void
test_vanish_anywhere(void)
{
	struct bytes all = recorded();
	size_t failed = 0;

	printf("# %zu bytes\n", all.n);
	for (size_t n = 0; n <= all.n; n++) {
		struct mta m;

		failed += !mta_open(&m, f.where, TIMEOUT_MS) ||
			  (n > 0 && !mta_raw(&m, all.p, n));
		mta_close(&m);
	}
	CHECK(failed == 0);
	good_session();
	/* Each prefix with something else behind it. */
	for (size_t n = 0; n <= all.n; n += 7) {
		struct mta m;

		CHECK(mta_open(&m, f.where, TIMEOUT_MS));
		if (n > 0)
			mta_raw(&m, all.p, n);
		mta_raw(&m, "\0\0\0\2\377\377\377\377\377", 9);
		mta_close(&m);
	}
	good_session();
	bytes_free(&all);
}

static void
raw_packet(struct mta *m, const void *bytes, size_t n)
{
	mta_raw(m, bytes, n);
}

/* What cannot be the start of a conversation closes it. */
static void
test_framing(void)
{
	static const struct {
		const char *name;
		struct str bytes;
		bool stays_open; /* more is to come */
	} cases[] = {
		{ "length 0", { "\0\0\0\0", 4 }, true },
		{ "length 0 and more", { "\0\0\0\0O\0\0\0\0", 9 }, false },
		{ "huge length", { "\377\377\377\377O", 5 }, false },
		{ "64K and one", { "\0\1\0\1O", 5 }, false },
		{ "not a negotiation", { "\0\0\0\1Q", 5 }, false },
		{ "short negotiation", { "\0\0\0\5O\0\0\0\6", 9 }, false },
		{ "version 1", { "\0\0\0\15O\0\0\0\1\0\0\0\0\0\0\0\0", 17 },
		    false },
		{ "HTTP", { "GET / HTTP/1.0\r\n\r\n", 18 }, false },
		{ "half a length", { "\0\0", 2 }, true },
		{ "half a packet", { "\0\0\0\15O\0\0", 7 }, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mta m;

		CHECK(mta_open(&m, f.where, cases[i].stays_open ? 200 : 20000));
		raw_packet(&m, cases[i].bytes.p, cases[i].bytes.n);
		if (mta_is_closed_by_peer(&m) == cases[i].stays_open)
			printf("# %s\n", cases[i].name);
		CHECK(cases[i].stays_open || mta_is_closed_by_peer(&m));
		mta_close(&m);
	}
	good_session();
}

static void
test_negotiate_twice(void)
{
	struct mta m;
	struct mta_outcome o;
	struct letter l = { .header = "X: 1\n" };

	CHECK(letter_open(&m, f.where, &l));
	letter_send(&m, &l, &o);
	m.timeout = 5000;
	mta_negotiate(&m, &mta_offer_postfix);
	if (m.state == MTA_READY) {
		mta_connect(&m, STR("x"), SMFIA_INET, 1, STR("192.0.2.1"));
		letter_send(&m, &l, &o);
	}
	mta_close(&m);
	good_session();
}

static unsigned
next(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/*
 * Well-framed packets of any command with any data.  Data ends in NUL, and
 * macros come in pairs: libmilter itself does not look.
 */
static void
random_packet(struct mta *m, unsigned *seed)
{
	static const char commands[] = "ABCDEHKLMNORTUBLRMNETLLBxyz";
	char data[80];
	char c = commands[next(seed) % (sizeof(commands) - 1)];
	size_t n = next(seed) % sizeof(data);
	struct str part = { data, n };

	for (size_t i = 0; i < n; i++)
		data[i] =
		    (char)(next(seed) % 5 ? 'a' + next(seed) % 26 : next(seed));
	if (c == SMFIC_MACRO)
		part = (struct str){ "M{x}\0v\0i\0q\0", 11 };
	else if (n > 0)
		data[n - 1] = 0;
	mta_put(m, c, &part, 1);
}

static void
test_garbage(void)
{
	unsigned seed = 1;

	for (int i = 0; i < 400; i++) {
		struct mta m;

		CHECK(mta_open(&m, f.where, TIMEOUT_MS));
		if (mta_negotiate(&m, &mta_offer_postfix))
			for (unsigned n = next(&seed) % 20; n > 0; n--)
				random_packet(&m, &seed);
		mta_flush(&m);
		mta_close(&m);
	}
	good_session();
}

/* Packets whose texts do not end, or are not there. */
static void
test_malformed_packets(void)
{
	static const struct str packets[] = {
		STR("C"),
		STR("Cx"),
		STR("Cx\0"),
		STR("Cx\0004"),
		STR("Cx\0004\0"),
		STR("Cx\0004\0\1"),
		STR("Cx\0004\0\1y"),
		STR("Cx\0Z\0\1y\0"),
		STR("Cx\0004\0\1not an address\0"),
		STR("Cx\0006\0\1\0"),
		STR("Cx\0L\0\1/path\0"),
		STR("H"),
		STR("Hx"),
		STR("M"),
		STR("M<a@b>"),
		STR("R"),
		STR("R<a@b>"),
		STR("L"),
		STR("Lname\0"),
		STR("Lname\0value"),
		STR("D"),
		STR("T\0data"),
		STR("Nx"),
		STR("Ex"),
		STR("\0"),
	};

	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		struct mta m;
		uint32_t n = htonl((uint32_t)packets[i].n);

		CHECK(mta_open(&m, f.where, TIMEOUT_MS));
		CHECK(mta_negotiate(&m, &mta_offer_postfix));
		mta_raw(&m, &n, 4);
		mta_raw(&m, packets[i].p, packets[i].n);
		mta_raw(&m, "\0\0\0\1Q", 5);
		CHECK(mta_is_closed_by_peer(&m));
		mta_close(&m);
	}
	good_session();
}

static void
test_half_open(void)
{
	enum { N = 200 };
	struct bytes all = recorded();
	struct mta m[N];

	for (int i = 0; i < N; i++) {
		CHECK(mta_open(&m[i], f.where, TIMEOUT_MS));
		/* In all states, most in the middle of a packet. */
		mta_raw(&m[i], all.p, 1 + (size_t)i * (all.n - 2) / N);
	}
	printf("# %zu threads\n", process_threads(f.pid));
	for (int i = 0; i < 10; i++)
		good_session();
	for (int i = 0; i < N; i++)
		mta_close(&m[i]);
	good_session();
	bytes_free(&all);
}

static void
test_connects(void)
{
	size_t failed = 0;

	for (int i = 0; i < 1000; i++) {
		struct mta m;

		failed += !mta_open(&m, f.where, TIMEOUT_MS);
		if (i % 2)
			failed += !mta_negotiate(&m, &mta_offer_postfix);
		mta_close(&m);
	}
	CHECK(failed == 0);
	good_session();
}

/* A peer that sends and never reads. */
static void
test_not_reading(void)
{
	struct bytes many = { 0 };
	struct mta m;

	for (int i = 0; i < 20000; i++)
		bytes_add(&many, "\0\0\0\3Hx\0", 7);
	CHECK(mta_open(&m, f.where, 300));
	mta_negotiate(&m, &mta_offer_postfix);
	mta_raw(&m, many.p, many.n);
	good_session();
	mta_close(&m);
	good_session();
	bytes_free(&many);
}

int
main(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < 1024) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	CHECK(filter_start(&f, "milt 1\n"
			       "rule helo { when helo is \"bad\"\n"
			       "  reject 550 5.7.1 \"bad\" }\n"
			       "rule x { when header(\"X\") exists\n"
			       "  add header \"X-Tag\" \"{sender}\" }\n"
			       "rule b { when body.raw contains \"virus\"\n"
			       "  reject 550 5.7.1 \"virus\" }\n"));
	if (test_failures)
		TEST_DONE();
	test_vanish_anywhere();
	test_framing();
	test_negotiate_twice();
	test_garbage();
	test_malformed_packets();
	test_half_open();
	test_connects();
	test_not_reading();
	CHECK(filter_is_alive(&f));
	CHECK(filter_stop(&f) == 0);
	TEST_DONE();
}
