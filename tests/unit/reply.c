/*
 * Answers to libmilter: what is set as a reply, and what is returned.  The
 * library's functions are ours here.
 */
#include <stdarg.h>

#include "runtime/reply.h"
#include "tests/unit/test.h"

static char set[40000]; /* the replies set, as text */
static int result = MI_SUCCESS;

int
smfi_setreply(SMFICTX *ctx, char *code, char *xcode, char *text)
{
	(void)ctx;
	snprintf(set + strlen(set), sizeof(set) - strlen(set), "[%s|%s|%s]",
	    code, xcode ? xcode : "-", text ? text : "-");
	return result;
}

int
smfi_setmlreply(SMFICTX *ctx, const char *code, const char *xcode, ...)
{
	va_list ap;
	char *line;

	(void)ctx;
	snprintf(set + strlen(set), sizeof(set) - strlen(set), "{%s|%s", code,
	    xcode ? xcode : "-");
	va_start(ap, xcode);
	while ((line = va_arg(ap, char *)))
		snprintf(
		    set + strlen(set), sizeof(set) - strlen(set), "|%s", line);
	va_end(ap);
	strcat(set, "}");
	return result;
}

static sfsistat
give(enum milter_event event, unsigned long steps, struct milt_answer a)
{
	set[0] = 0;
	return reply_give(NULL, event, steps, &a);
}

static struct milt_answer
refusal(unsigned code, const char *xcode, const char *text)
{
	return (struct milt_answer){
		.kind = code < 500 ? ANSWER_TEMPFAIL : ANSWER_REJECT,
		.code = code,
		.xcode = str_from(xcode),
		.lines = { str_from(text) },
		.line_count = text ? 1 : 0,
	};
}

#define CHECK_SET(want) \
	test_str(str_from(set), str_from(want), __FILE__, __LINE__, "reply set")

static void
test_texts(void)
{
	struct milt_answer a;

	CHECK(give(EVENT_RCPT, 0, refusal(550, "5.7.1", "no")) == SMFIS_REJECT);
	CHECK_SET("[550|5.7.1|no]");
	CHECK(give(EVENT_RCPT, 0, refusal(421, "4.7.0", "later")) ==
	      SMFIS_TEMPFAIL);
	CHECK_SET("[421|4.7.0|later]");
	give(EVENT_RCPT, 0, refusal(550, "", "100% %s %%"));
	CHECK_SET("[550|-|100%% %%s %%%%]");
	give(EVENT_RCPT, 0, refusal(550, "5.7.1", "a\r\nb\tc\x7f"));
	CHECK_SET("[550|5.7.1|a  b c ]");
	give(EVENT_RCPT, 0, refusal(550, "5.7.1", NULL));
	CHECK_SET("[550|5.7.1|-]");
	a = refusal(550, "5.7.1", "one");
	a.lines[1] = STR("two %");
	a.lines[2] = STR("three");
	a.line_count = 3;
	CHECK(give(EVENT_EOM, 0, a) == SMFIS_REJECT);
	CHECK_SET("{550|5.7.1|one|two %%|three}");
	/* Length-counted, not ended by a NUL. */
	a = refusal(550, "5.7.1", "abcdef");
	a.lines[0].n = 3;
	a.xcode = (struct str){ "5.7.1234", 5 };
	give(EVENT_EOM, 0, a);
	CHECK_SET("[550|5.7.1|abc]");
}

static void
test_codes(void)
{
	static const char *const bad[] = { "4.7.1", "5.1234.1", "5.7", "5..1",
		"5.7.", "5.7.1.1", "5.a.1", "5.7.1\r", "57.1.1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(give(EVENT_EOM, 0, refusal(550, bad[i], "x")) ==
		      SMFIS_REJECT);
		CHECK_SET("[550|-|x]");
	}
	give(EVENT_EOM, 0, refusal(451, "4.100.100", "x"));
	CHECK_SET("[451|4.100.100|x]");
	/* A code of the wrong class: the verdict without a text. */
	{
		struct milt_answer a = refusal(550, "5.7.1", "x");

		a.kind = ANSWER_TEMPFAIL;
		CHECK(give(EVENT_EOM, 0, a) == SMFIS_TEMPFAIL);
		CHECK_SET("");
		a.code = 250;
		CHECK(give(EVENT_EOM, 0, a) == SMFIS_TEMPFAIL);
		CHECK_SET("");
	}
}

static void
test_lengths(void)
{
	static char text[3000], percent[3000];
	struct milt_answer a = refusal(550, "5.7.1", "x");

	memset(text, 'x', sizeof(text));
	memset(percent, '%', sizeof(percent));
	a.lines[0] = (struct str){ text, 980 };
	give(EVENT_EOM, 0, a);
	CHECK(strlen(set) == strlen("[550|5.7.1|]") + 980);
	a.lines[0].n = 3000;
	give(EVENT_EOM, 0, a);
	CHECK(strlen(set) == strlen("[550|5.7.1|]") + 980);
	/* Never half of a doubled sign. */
	a.lines[0] = (struct str){ percent, 3000 };
	give(EVENT_EOM, 0, a);
	CHECK(strlen(set) == strlen("[550|5.7.1|]") + 980);
	a.lines[0] = (struct str){ text, 979 };
	text[978] = '%';
	give(EVENT_EOM, 0, a);
	CHECK(strlen(set) == strlen("[550|5.7.1|]") + 980);
	a.lines[0].n = 980;
	text[979] = '%';
	text[978] = 'x';
	give(EVENT_EOM, 0, a);
	CHECK(strlen(set) == strlen("[550|5.7.1|]") + 979);
	for (int i = 0; i < 32; i++)
		a.lines[i] = STR("l");
	a.line_count = 32;
	give(EVENT_EOM, 0, a);
	CHECK(strlen(set) == strlen("{550|5.7.1}") + 64);
}

/* Each event with each answer. */
static void
test_clamp(void)
{
	enum {
		C = SMFIS_CONTINUE,
		A = SMFIS_ACCEPT,
		R = SMFIS_REJECT,
		T = SMFIS_TEMPFAIL,
		D = SMFIS_DISCARD,
		S = SMFIS_SKIP
	};
	static const int want[EVENT_COUNT][6] = {
		[EVENT_CONNECT] = { C, A, R, T, T, C },
		[EVENT_HELO] = { C, A, R, T, T, C },
		[EVENT_MAIL] = { C, A, R, T, D, C },
		[EVENT_RCPT] = { C, C, R, T, T, C },
		[EVENT_DATA] = { C, A, R, T, D, C },
		[EVENT_HEADER] = { C, T, T, T, T, C },
		[EVENT_EOH] = { C, A, R, T, D, C },
		[EVENT_BODY] = { C, A, R, T, D, S },
		[EVENT_EOM] = { C, A, R, T, D, C },
		[EVENT_UNKNOWN] = { C, C, C, C, C, C },
	};

	for (int e = 0; e < EVENT_COUNT; e++)
		for (int k = 0; k < 6; k++) {
			struct milt_answer a =
			    refusal(k == ANSWER_TEMPFAIL ? 451 : 550, "", "x");
			sfsistat s;

			a.kind = (enum milt_answer_kind)k;
			s = give((enum milter_event)e, SMFIP_SKIP, a);
			if (s != want[e][k])
				printf("# event %d answer %d: %d\n", e, k, s);
			CHECK(s == want[e][k]);
			/* A reply only with the verdict that takes it. */
			CHECK((set[0] != 0) ==
			      ((s == R && k == ANSWER_REJECT) ||
				  (s == T && k == ANSWER_TEMPFAIL)));
		}
	CHECK(give(EVENT_EOM, 0,
		  (struct milt_answer){ .kind = (enum milt_answer_kind)99 }) ==
	      SMFIS_TEMPFAIL);
}

static void
test_no_reply(void)
{
	CHECK(give(EVENT_MAIL, SMFIP_NR_MAIL, (struct milt_answer){ 0 }) ==
	      SMFIS_NOREPLY);
	CHECK(give(EVENT_MAIL, SMFIP_NR_HELO, (struct milt_answer){ 0 }) ==
	      SMFIS_CONTINUE);
	/* Nothing may stick in libmilter that is not taken at once. */
	CHECK(give(EVENT_RCPT, SMFIP_NR_RCPT, refusal(550, "5.7.1", "x")) ==
	      SMFIS_NOREPLY);
	CHECK_SET("");
	CHECK(
	    give(EVENT_EOM, ~0ul, (struct milt_answer){ 0 }) == SMFIS_CONTINUE);
	CHECK(
	    give(EVENT_BODY, 0, (struct milt_answer){ .kind = ANSWER_SKIP }) ==
	    SMFIS_CONTINUE);
	/* libmilter refuses the text: the verdict stays. */
	result = MI_FAILURE;
	CHECK(give(EVENT_EOM, 0, refusal(550, "5.7.1", "x")) == SMFIS_REJECT);
}

int
main(void)
{
	test_texts();
	test_codes();
	test_lengths();
	test_clamp();
	test_no_reply();
	TEST_DONE();
}
