/* Regexes: flags, captures, limits that are never "no match". */
#include "tests/unit/test.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/match.h"
#include "runtime/scan.h"
#include "tests/unit/builder.h"

static struct milt_image *
load(const char *source, uint32_t flags, uint32_t captures)
{
	struct builder b = { 0 };
	struct milt_image *im = NULL;
	size_t size;
	void *data;

	build_regex(&b, source, flags, captures);
	data = build_image(&b, &size);
	if (milt_image_load(data, size, &im, NULL) != MILT_OK)
		im = NULL;
	free(data);
	return im;
}

static enum match_result
try(const char *source, uint32_t flags, struct str subject)
{
	struct milt_image *im = load(source, flags, 0);
	enum match_result r =
	    match_run(im, 0, subject, match_scratch(), NULL, 0);

	milt_image_free(im);
	return r;
}

static void
test_flags(void)
{
	CHECK(try("abc", 0, STR("xabcx")) == MATCH_YES);
	CHECK(try("abc", 0, STR("xABCx")) == MATCH_NO);
	CHECK(try("abc", REGEX_I, STR("xABCx")) == MATCH_YES);
	CHECK(try("^b$", 0, STR("a\nb\nc")) == MATCH_NO);
	CHECK(try("^b$", REGEX_M, STR("a\nb\nc")) == MATCH_YES);
	CHECK(try("^b$", REGEX_M, STR("a\r\nb\r\nc")) == MATCH_YES);
	CHECK(try("a.b", 0, STR("a\nb")) == MATCH_NO);
	CHECK(try("a.b", REGEX_S, STR("a\nb")) == MATCH_YES);
	CHECK(try("a b # c", REGEX_X, STR("ab")) == MATCH_YES);
	CHECK(try("^$", 0, (struct str){ NULL, 0 }) == MATCH_YES);
	CHECK(try("x", 0, (struct str){ NULL, 0 }) == MATCH_NO);
	CHECK(try("a\\x00b", 0, STR("a\0b")) == MATCH_YES);
}

static void
test_characters(void)
{
	struct str umlaut = STR("\xc3\x84rger");

	CHECK(try("^.rger$", 0, umlaut) == MATCH_YES);
	CHECK(try("^.rger$", REGEX_BYTES, umlaut) == MATCH_NO);
	CHECK(try("^..rger$", REGEX_BYTES, umlaut) == MATCH_YES);
	CHECK(try("^\xc3\xa4rger$", REGEX_I, umlaut) == MATCH_YES);
	CHECK(try("^\\w+$", 0, umlaut) == MATCH_YES);
	CHECK(try("^\\w+$", REGEX_BYTES, umlaut) == MATCH_NO);
	CHECK(try("\\xff", REGEX_BYTES, STR("a\xff")) == MATCH_YES);
}

static void
test_groups(void)
{
	struct milt_image *im = load("(a+)(x)?(b+)", 0, 3);
	struct str groups[100];
	struct str subject = STR("--aabbb--");

	CHECK(im && match_run(im, 0, subject, match_scratch(), groups, 100) ==
			MATCH_YES);
	CHECK_STR(groups[0], "aabbb");
	CHECK_STR(groups[1], "aa");
	CHECK(!groups[2].p && !groups[2].n);
	CHECK_STR(groups[3], "bbb");
	CHECK(!groups[4].p && !groups[99].p);
	CHECK(groups[1].p == subject.p + 2);
	milt_image_free(im);
	CHECK(!load("(a+)(x)?(b+)", 0, 2));
	im = load("(?=ab\\K)", 0, 0);
	CHECK(!im || match_run(im, 0, STR("ab"), match_scratch(), groups, 1) !=
			 MATCH_NO_MEMORY);
	milt_image_free(im);
}

static void
test_checking(void)
{
	size_t offset = 0;
	char message[256] = "";
	uint32_t captures = 9;
	struct arena arena;
	struct str source = STR("(?<year>\\d+)-(\\d+)");
	struct str nul = STR("a\0(b)");

	CHECK(match_check(source, 0, &offset, message, &captures));
	CHECK(captures == 2);
	CHECK(match_check(nul, 0, &offset, message, &captures));
	CHECK(captures == 1);
	CHECK(!match_check(STR("ab(cd"), 0, &offset, message, &captures));
	CHECK(offset == 5);
	CHECK_STR(str_from(message), "missing closing parenthesis");
	CHECK(!match_check(STR("\\C"), 0, &offset, message, &captures));
	CHECK(!match_check(
	    STR("(*UTF)a"), REGEX_BYTES, &offset, message, &captures));
	CHECK(!match_check(STR("a\xff"), 0, &offset, message, &captures));
	CHECK(match_check(
	    STR("a\xff"), REGEX_BYTES, &offset, message, &captures));
	CHECK(!match_check(STR("((a{1,1000}){1,1000}){1,1000}"), 0, &offset,
	    message, &captures));
	arena_init(&arena, 0, NULL);
	CHECK_STR(match_group_name(&arena, source, 0, 1), "year");
	CHECK_STR(match_group_name(&arena, source, 0, 2), "");
	CHECK_STR(match_group_name(&arena, STR("("), 0, 1), "");
	arena_free(&arena);
}

static void
test_limits(void)
{
	enum { N = 65536 };
	static char a[N];
	struct str all = { a, N };
	struct milt_image *im;

	memset(a, 'a', N);
	CHECK(try("^(?:a+)+$", 0, all) == MATCH_YES);
	a[N - 1] = '!';
	CHECK(try("^(?:a+)+$", 0, all) == MATCH_LIMIT);
	CHECK(try("^(?:a|aa)+$", 0, all) == MATCH_LIMIT);
	/* A pattern cannot raise the limit. */
	CHECK(try("(*LIMIT_MATCH=4000000000)^(?:a+)+$", 0, all) == MATCH_LIMIT);
	im = load("^(?:a|aa)+$", 0, 0);
	CHECK(match_run(im, 0, all, match_scratch(), NULL, 0) == MATCH_LIMIT);
	/* A limit leaves nothing behind. */
	CHECK(match_run(im, 0, STR("aaaa"), match_scratch(), NULL, 0) ==
	      MATCH_YES);
	CHECK(
	    match_run(im, 0, STR("ab"), match_scratch(), NULL, 0) == MATCH_NO);
	CHECK(match_run(im, 0, STR("ab"), NULL, NULL, 0) == MATCH_NO_MEMORY);
	milt_image_free(im);
}

static void *
run_thread(void *im)
{
	struct match_scratch *s = match_scratch();
	bool ok = s && s == match_scratch();

	for (int i = 0; ok && i < 1000; i++)
		ok = match_run(im, 0, STR("xx 2026-01"), s, NULL, 0) ==
		     MATCH_YES;
	return ok ? im : NULL;
}

static void
test_threads(void)
{
	struct milt_image *im = load("(\\d+)-(\\d+)", 0, 2);
	pthread_t thread[4];
	int right = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, run_thread, im);
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(thread[i], &result);
		right += result == im;
	}
	CHECK(right == 4);
	CHECK(im->jit ? !im->jit_error : im->jit_error != NULL);
	milt_image_free(im);
}

enum { MANY = 1200 };

/* Each regex matches its own text and no other. */
static void *
run_many(void *of)
{
	const struct milt_image *im = of;
	struct match_scratch *s = match_scratch();
	char text[32];

	for (uint32_t i = 0; i < MANY; i++) {
		struct str t = { text, (size_t)sprintf(text, "-word%u-", i) };
		const struct scan_window w[] = { { 1, 1, 1 },
			{ 0, 0, IMAGE_NONE } };

		if (match_run(im, i, t, s, NULL, 0) != MATCH_YES ||
		    match_run(im, (i + 7) % MANY, t, s, NULL, 0) != MATCH_NO ||
		    match_windows(im, i, t, s, w, 0) != MATCH_YES ||
		    match_windows(im, i, t, s, w, 1) != MATCH_NO)
			return NULL;
	}
	return of;
}

/* Of many regexes each gets its machine code when it is first tried. */
static void
test_many(void)
{
	struct builder b = { 0 };
	struct milt_image *im = NULL;
	pthread_t thread[4];
	size_t size, right = 0;
	char source[32];
	void *data;

	for (int i = 0; i < MANY; i++) {
		sprintf(source, "word%d(?!\\d)", i);
		build_regex(&b, source, 0, 0);
	}
	data = build_image(&b, &size);
	CHECK(milt_image_load(data, size, &im, NULL) == MILT_OK);
	free(data);
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, run_many, im);
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(thread[i], &result);
		right += result == im;
	}
	CHECK(right == 4);
	milt_image_free(im);
}

/* Where a match may begin: never inside a character, nor between CR and LF. */
static void
test_windows(void)
{
	const struct scan_window at_2[] = { { 2, 2, IMAGE_NONE } };
	const struct scan_window past[] = { { 9, 9, IMAGE_NONE } };
	struct str lines = STR("a\r\nb"), umlaut = STR("a\xc3\xa4"
						       "b");
	struct milt_image *im = load("[^x]b", 0, 0);

	CHECK(match_windows(im, 0, lines, match_scratch(), at_2, 0) ==
	      match_run(im, 0, lines, match_scratch(), NULL, 0));
	milt_image_free(im);
	im = load("^b", 0, 0);
	CHECK(
	    match_windows(im, 0, lines, match_scratch(), at_2, 0) == MATCH_NO);
	CHECK(
	    match_windows(im, 0, lines, match_scratch(), past, 0) == MATCH_NO);
	milt_image_free(im);
	im = load("^\\v100%??", REGEX_M, 0);
	CHECK(
	    match_windows(im, 0, STR("\r\n100%"), match_scratch(),
		(struct scan_window[]){ { 1, 1, IMAGE_NONE } }, 0) == MATCH_NO);
	milt_image_free(im);
	im = load("[^\xc3\xa4]b", 0, 0);
	CHECK(
	    match_windows(im, 0, umlaut, match_scratch(), at_2, 0) == MATCH_NO);
	milt_image_free(im);
	im = load("(?<=\xc3\xa4)b", 0, 0);
	CHECK(match_windows(im, 0, umlaut, match_scratch(),
		  (struct scan_window[]){ { 3, 3, IMAGE_NONE } },
		  0) == MATCH_YES);
	milt_image_free(im);
}

/* Where no memory may become executable, regexes are interpreted. */
static void
test_no_jit(void)
{
	enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 }; /* Linux 6.3 */
	struct milt_image *im;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
			_exit(2);
		im = load("^(?:a|aa)+$", 0, 0);
		_exit(!im || im->jit || !im->jit_error ||
		      match_run(im, 0, STR("aaa"), match_scratch(), NULL, 0) !=
			  MATCH_YES);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		printf("# this system cannot refuse executable memory\n");
	else
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	test_no_jit(); /* before this process has any such memory */
	test_flags();
	test_characters();
	test_groups();
	test_checking();
	test_limits();
	test_threads();
	test_many();
	test_windows();
	TEST_DONE();
}
