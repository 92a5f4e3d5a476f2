#include "runtime/negotiate.h"

#include "runtime/log.h"

/*
 * MAIL is never skipped: libmilter's table of states is one for the whole
 * process, and a session without MAIL would let stray aborts through in all
 * later ones.  CONNECT, MAIL and RCPT name in the log who wrote to whom.  DATA
 * is never skipped and always answered: without it each message over TCP waits
 * 40 ms (Nagle at the MTA, delayed acknowledgement here).  The end of the
 * header is skipped with the header alone: of a message without fields the body
 * would else come right behind DATA, and libmilter would ignore it, without a
 * reply.
 */
static unsigned long
skipped(const struct policy *p)
{
	const struct image_needs *needs = p->image->needs;
	unsigned wanted = needs->answers | p->macro_stages;
	unsigned long no = SMFIP_NOUNKNOWN;

	if (!(needs->flags & NEED_HELO) && !(wanted >> STAGE_HELO & 1))
		no |= SMFIP_NOHELO;
	if (!(needs->flags & (NEED_HEADERS | NEED_SIZES)))
		no |= SMFIP_NOHDRS;
	if (no & SMFIP_NOHDRS && !(wanted >> STAGE_HEADERS & 1))
		no |= SMFIP_NOEOH;
	if (!(needs->flags & (NEED_BODY | NEED_SIZES)))
		no |= SMFIP_NOBODY;
	return no;
}

/*
 * Events at which nothing but `continue` can be said need no reply.  Body
 * chunks are answered where the answer may be that no more are needed.
 */
static unsigned long
unanswered(const struct policy *p, unsigned long offered)
{
	unsigned answers = p->image->needs->answers;
	unsigned long nr = SMFIP_NR_HDR | SMFIP_NR_UNKN;

	if (!(answers >> STAGE_CONNECT & 1))
		nr |= SMFIP_NR_CONN;
	if (!(answers >> STAGE_HELO & 1))
		nr |= SMFIP_NR_HELO;
	if (!(answers >> STAGE_MAIL & 1))
		nr |= SMFIP_NR_MAIL;
	if (!(answers >> STAGE_RCPT & 1))
		nr |= SMFIP_NR_RCPT;
	if (!(answers >> STAGE_HEADERS & 1))
		nr |= SMFIP_NR_EOH;
	if (!(offered & SMFIP_SKIP) || skipped(p) & SMFIP_NOBODY)
		nr |= SMFIP_NR_BODY;
	return nr;
}

unsigned long
negotiate_steps(const struct policy *p, unsigned long offered)
{
	return (skipped(p) | unanswered(p, offered) | SMFIP_SKIP) & offered;
}

bool
negotiate_actions(
    const struct policy *p, unsigned long offered, unsigned long *out)
{
	unsigned long needed = p->image->needs->actions;

	*out = (needed | SMFIF_SETSYMLIST) & offered;
	return (needed & ~offered) == 0;
}

void
negotiate_macros(SMFICTX *ctx, const struct policy *p, unsigned long offered)
{
	static const int where[STAGE_COUNT] = {
		[STAGE_CONNECT] = SMFIM_CONNECT,
		[STAGE_HELO] = SMFIM_HELO,
		[STAGE_MAIL] = SMFIM_ENVFROM,
		[STAGE_RCPT] = SMFIM_ENVRCPT,
		[STAGE_DATA] = SMFIM_DATA,
		[STAGE_HEADERS] = SMFIM_EOH,
		[STAGE_MESSAGE] = SMFIM_EOM,
	};

	if (!(offered & SMFIF_SETSYMLIST))
		return;
	for (int s = 0; s < STAGE_COUNT; s++)
		if (smfi_setsymlist(ctx, where[s], p->symbols[s]) != MI_SUCCESS)
			log_say(LEVEL_WARNING,
			    "cannot ask the MTA for macros at %s",
			    stage_rows[s].name.p);
}
