#include "runtime/reply.h"

#include <stdio.h>

#include "runtime/log.h"
#include "runtime/safe.h"

/* libmilter refuses longer lines (MAXREPLYLEN), after `%` was doubled. */
enum { REPLY_LINES = 32, REPLY_BYTES = 980 };

static const unsigned long no_reply[EVENT_COUNT] = {
	[EVENT_CONNECT] = SMFIP_NR_CONN,
	[EVENT_HELO] = SMFIP_NR_HELO,
	[EVENT_MAIL] = SMFIP_NR_MAIL,
	[EVENT_RCPT] = SMFIP_NR_RCPT,
	[EVENT_DATA] = SMFIP_NR_DATA,
	[EVENT_HEADER] = SMFIP_NR_HDR,
	[EVENT_EOH] = SMFIP_NR_EOH,
	[EVENT_BODY] = SMFIP_NR_BODY,
	[EVENT_EOM] = 0,
	[EVENT_UNKNOWN] = SMFIP_NR_UNKN,
};

/*
 * What each event may return.  An accept at RCPT settles one recipient, while
 * libmilter's would be for the message.  A discard before DATA is the
 * session's mistake.  Anything but `continue` at an unknown command can make
 * Postfix panic.
 */
#define VERDICTS                                                            \
	[ANSWER_CONTINUE] = SMFIS_CONTINUE, [ANSWER_ACCEPT] = SMFIS_ACCEPT, \
	[ANSWER_REJECT] = SMFIS_REJECT, [ANSWER_TEMPFAIL] = SMFIS_TEMPFAIL

static const sfsistat clamp[EVENT_COUNT][ANSWER_SKIP + 1] = {
	[EVENT_CONNECT] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_TEMPFAIL },
	[EVENT_HELO] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_TEMPFAIL },
	[EVENT_MAIL] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_DISCARD },
	[EVENT_RCPT] = { SMFIS_CONTINUE, SMFIS_CONTINUE, SMFIS_REJECT,
	    SMFIS_TEMPFAIL, SMFIS_TEMPFAIL, SMFIS_CONTINUE },
	[EVENT_DATA] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_DISCARD },
	[EVENT_HEADER] = { SMFIS_CONTINUE, SMFIS_TEMPFAIL, SMFIS_TEMPFAIL,
	    SMFIS_TEMPFAIL, SMFIS_TEMPFAIL, SMFIS_CONTINUE },
	[EVENT_EOH] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_DISCARD },
	[EVENT_BODY] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_DISCARD,
	    [ANSWER_SKIP] = SMFIS_SKIP },
	[EVENT_EOM] = { VERDICTS, [ANSWER_DISCARD] = SMFIS_DISCARD },
	[EVENT_UNKNOWN] = { 0 },
};
_Static_assert(SMFIS_CONTINUE == 0, "what is left out continues");

bool
reply_expected(enum milter_event event, unsigned long steps)
{
	return (steps & no_reply[event]) == 0;
}

/* A copy with `%` doubled, because libmilter's text is a format. */
static void
format_line(struct str line, char out[REPLY_BYTES + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		size_t width = c == '%' ? 2 : 1;

		if (n + width > REPLY_BYTES)
			break;
		out[n++] = c < ' ' || c == 127 ? ' ' : (char)c;
		if (c == '%')
			out[n++] = '%';
	}
	out[n] = 0;
}

static int
set_lines(SMFICTX *ctx, char *code, char *xcode, const struct milt_answer *a)
{
	char text[REPLY_LINES][REPLY_BYTES + 1];
	char *l[REPLY_LINES] = { NULL };

	for (unsigned i = 0; i < a->line_count && i < REPLY_LINES; i++) {
		format_line(a->lines[i], text[i]);
		l[i] = text[i];
	}
	if (a->line_count < 2)
		return smfi_setreply(ctx, code, xcode, l[0]);
	return smfi_setmlreply(ctx, code, xcode, l[0], l[1], l[2], l[3], l[4],
	    l[5], l[6], l[7], l[8], l[9], l[10], l[11], l[12], l[13], l[14],
	    l[15], l[16], l[17], l[18], l[19], l[20], l[21], l[22], l[23],
	    l[24], l[25], l[26], l[27], l[28], l[29], l[30], l[31],
	    (char *)NULL);
}

static void
set_reply(SMFICTX *ctx, const struct milt_answer *a)
{
	unsigned class = a->kind == ANSWER_REJECT ? 5 : 4;
	char code[4], xcode[10];
	bool has_xcode = xcode_is_valid(a->xcode, a->code / 100);

	/* Not of the verdict's class: the MTA's own text is better. */
	if (a->code / 100 != class)
		return;
	snprintf(code, sizeof(code), "%u", a->code);
	if (has_xcode) {
		memcpy(xcode, a->xcode.p, a->xcode.n);
		xcode[a->xcode.n] = 0;
	}
	if (set_lines(ctx, code, has_xcode ? xcode : NULL, a) != MI_SUCCESS)
		log_say(LEVEL_ERROR, "libmilter refuses the reply %s %s", code,
		    has_xcode ? xcode : "");
}

sfsistat
reply_give(SMFICTX *ctx, enum milter_event event, unsigned long steps,
    const struct milt_answer *a)
{
	sfsistat s = SMFIS_TEMPFAIL;

	if ((unsigned)a->kind <= ANSWER_SKIP)
		s = clamp[event][a->kind];
	if (s == SMFIS_SKIP && !(steps & SMFIP_SKIP))
		s = SMFIS_CONTINUE;
	if (!reply_expected(event, steps)) {
		if (s != SMFIS_CONTINUE && s != SMFIS_SKIP)
			log_say(LEVEL_ERROR,
			    "an answer cannot be given: the policy did not "
			    "announce it at this stage");
		return SMFIS_NOREPLY;
	}
	if ((s == SMFIS_REJECT && a->kind == ANSWER_REJECT) ||
	    (s == SMFIS_TEMPFAIL && a->kind == ANSWER_TEMPFAIL))
		set_reply(ctx, a);
	return s;
}
