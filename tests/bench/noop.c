/*
 * A filter that does nothing, with libmilter: the floor that others are
 * measured against.  It answers every event with `continue`, or only those of
 * the stages named with --like, and negotiates the others away.  With
 * --accept-at-data it lets the message go at DATA, as a filter does that has
 * no more questions.
 */
#include <getopt.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage {
	const char *name;
	unsigned long no, no_reply;
};

static const struct stage stages[] = {
	{ "connect", SMFIP_NOCONNECT, SMFIP_NR_CONN },
	{ "helo", SMFIP_NOHELO, SMFIP_NR_HELO },
	{ "mail", SMFIP_NOMAIL, SMFIP_NR_MAIL },
	{ "rcpt", SMFIP_NORCPT, SMFIP_NR_RCPT },
	{ "data", SMFIP_NODATA, SMFIP_NR_DATA },
	{ "headers", SMFIP_NOHDRS, SMFIP_NR_HDR },
	{ "eoh", SMFIP_NOEOH, SMFIP_NR_EOH },
	{ "body", SMFIP_NOBODY, SMFIP_NR_BODY },
	{ "unknown", SMFIP_NOUNKNOWN, SMFIP_NR_UNKN },
};
enum { STAGES = sizeof(stages) / sizeof(*stages) };

static unsigned long protocol;
static char *lists[SMFIM_LAST + 1];
static int accept_at_data;

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	(void)f2;
	(void)f3;
	for (int i = 0; i <= SMFIM_LAST; i++)
		if (lists[i])
			smfi_setsymlist(ctx, i, lists[i]);
	*pf0 = f0 & SMFIF_SETSYMLIST;
	*pf1 = f1 & protocol;
	*pf2 = 0;
	*pf3 = 0;
	return SMFIS_CONTINUE;
}

/* What `event` gives: nothing at all where no reply was promised. */
static sfsistat
answer(unsigned long no_reply)
{
	return protocol & no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)ctx;
	(void)host;
	(void)address;
	return answer(SMFIP_NR_CONN);
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	(void)ctx;
	(void)name;
	return answer(SMFIP_NR_HELO);
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
	(void)ctx;
	(void)args;
	return answer(SMFIP_NR_MAIL);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **args)
{
	(void)ctx;
	(void)args;
	return answer(SMFIP_NR_RCPT);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	(void)ctx;
	return accept_at_data ? SMFIS_ACCEPT : answer(SMFIP_NR_DATA);
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return answer(SMFIP_NR_HDR);
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
	(void)ctx;
	return answer(SMFIP_NR_EOH);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *p, size_t n)
{
	(void)ctx;
	(void)p;
	(void)n;
	return answer(SMFIP_NR_BODY);
}

static sfsistat
on_unknown(SMFICTX *ctx, const char *command)
{
	(void)ctx;
	(void)command;
	return answer(SMFIP_NR_UNKN);
}

static sfsistat
on_other(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static struct smfiDesc filter = { "noop", SMFI_VERSION, SMFIF_SETSYMLIST,
	on_connect, on_helo, on_mail, on_rcpt, on_header, on_eoh, on_body,
	on_other, on_other, on_other, on_unknown, on_data, on_negotiate };

static void
usage(void)
{
	fprintf(stderr, "usage: noop -p SOCKET [--like STAGE,...] "
			"[--protocol BITS] [--list N=NAMES]...\n"
			"    [--accept-at-data]\n"
			"stages:");
	for (int i = 0; i < STAGES; i++)
		fprintf(stderr, " %s", stages[i].name);
	fputc('\n', stderr);
	exit(2);
}

/* Keeps the stages named and asks the MTA to leave out the others. */
static void
like(char *names)
{
	protocol = 0;
	for (int i = 0; i < STAGES; i++)
		protocol |= stages[i].no;
	for (char *n = strtok(names, ","); n; n = strtok(NULL, ",")) {
		int i = 0;

		while (i < STAGES && strcmp(stages[i].name, n) != 0)
			i++;
		if (i == STAGES)
			usage();
		protocol &= ~stages[i].no;
	}
}

static void
list(char *argument)
{
	char *names;
	unsigned long n = strtoul(argument, &names, 10);

	if (names == argument || *names != '=' || n > SMFIM_LAST)
		usage();
	lists[n] = names + 1;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "like", required_argument, NULL, 'L' },
		{ "protocol", required_argument, NULL, 'P' },
		{ "list", required_argument, NULL, 'M' },
		{ "accept-at-data", no_argument, NULL, 'A' },
		{ 0 },
	};
	char *where = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "p:", options, NULL)) != -1) {
		if (c == 'p')
			where = optarg;
		else if (c == 'L')
			like(optarg);
		else if (c == 'P')
			protocol = strtoul(optarg, NULL, 0);
		else if (c == 'M')
			list(optarg);
		else if (c == 'A')
			accept_at_data = 1;
		else
			usage();
	}
	if (!where || optind != argc)
		usage();
	if (smfi_setconn(where) != MI_SUCCESS ||
	    smfi_register(filter) != MI_SUCCESS ||
	    smfi_opensocket(1) != MI_SUCCESS) {
		fprintf(stderr, "noop: cannot listen on %s\n", where);
		return 3;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 3;
}
