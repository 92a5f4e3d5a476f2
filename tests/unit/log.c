/* Lines of the log: what a client sends cannot break out of its place. */
#include "runtime/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"

static struct str
value(struct str v, char open, char close)
{
	static struct log_line l;

	line_start(&l);
	line_value(&l, v, open, close);
	return (struct str){ l.text, l.n };
}

static struct str
word(struct str v)
{
	static struct log_line l;

	line_start(&l);
	line_word(&l, v);
	return (struct str){ l.text, l.n };
}

static void
test_escapes(void)
{
	CHECK_STR(value(STR("a b"), '<', '>'), "<a b>");
	CHECK_STR(value(STR(""), '"', '"'), "\"\"");
	CHECK_STR(value(STR("a>b<c\"d"), '<', '>'), "<a\\x3eb\\x3cc\"d>");
	CHECK_STR(value(STR("a\"b"), '"', '"'), "\"a\\x22b\"");
	CHECK_STR(value(STR("\n\r\t\0\x7f\xff\\"), '<', '>'),
	    "<\\x0a\\x0d\\x09\\x00\\x7f\\xff\\x5c>");
	CHECK_STR(word(STR("a b\nc=%s")), "a\\x20b\\x0ac=%s");
}

static void
test_lengths(void)
{
	char large[1000];
	struct log_line l;
	struct str s;

	memset(large, 'x', sizeof(large));
	s = value((struct str){ large, LOG_VALUE_BYTES }, '<', '>');
	CHECK(s.n == LOG_VALUE_BYTES + 2 && s.p[s.n - 1] == '>');
	s = value((struct str){ large, LOG_VALUE_BYTES + 1 }, '<', '>');
	CHECK(s.n == LOG_VALUE_BYTES + 5);
	CHECK(str_ends(s, STR("x...>")));
	/* Full: nothing is written beyond, and all is ended. */
	memset(large, '\n', sizeof(large));
	line_start(&l);
	for (int i = 0; i < 100; i++) {
		line_add(&l, " x=");
		line_value(&l, (struct str){ large, sizeof(large) }, '<', '>');
	}
	CHECK(l.n < sizeof(l.text));
	CHECK(l.text[l.n] == 0 && strlen(l.text) == l.n);
	for (int i = 0; i < 100; i++)
		line_word(&l, (struct str){ large, sizeof(large) });
	CHECK(l.n < sizeof(l.text) && l.text[l.n] == 0);
}

/* What is said is one line on standard error. */
static void
test_said(void)
{
	char name[] = "/tmp/milt-log.XXXXXX", text[200] = "", want[200];
	int fd = mkstemp(name), saved = dup(STDERR_FILENO);

	CHECK(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	log_say(LEVEL_WARNING, "a %s %d", "b\nc\x1b", 7);
	log_say(LEVEL_DEBUG, "not this");
	dup2(saved, STDERR_FILENO);
	CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0);
	snprintf(want, sizeof(want), "milterd[%ld]: warning: a b c  7\n",
	    (long)getpid());
	CHECK_STR(str_from(text), want);
	unlink(name);
}

int
main(void)
{
	test_escapes();
	test_lengths();
	test_said();
	TEST_DONE();
}
