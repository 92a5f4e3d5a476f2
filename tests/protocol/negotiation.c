/* What is asked of the MTA: exactly what the policy needs, and no more. */
#include "tests/mta/letter.h"
#include "tests/unit/test.h"

enum {
	ENVELOPE = SMFIP_NOUNKNOWN | SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_SKIP,
	NO_CONTENT = SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NR_BODY |
		     SMFIP_NR_EOH,
};

/* The log wants the queue's number as soon as the MTA knows it. */
#define QUEUE_ID "2=i|3=i|4=i"

/* "0=j v|2={mail_addr}": the lists of macro names that are not empty. */
static struct str
lists_text(const struct mta *m)
{
	static char text[2048];
	size_t n = 0;

	for (int i = 0; i < MTA_LISTS; i++)
		if (m->has_list[i] && m->lists[i].n)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s%d=%.*s", n ? "|" : "", i, STR_ARG(m->lists[i]));
	return (struct str){ text, n };
}

static void
check(
    const char *policy, uint32_t actions, uint32_t protocol, const char *lists)
{
	struct filter f;
	struct mta m;
	struct letter l = { .header = "Subject: x\nX: y\n",
		.body = "body\r\n",
		.to = { "<a@example.com>", "<b@example.com>" } };
	struct mta_outcome o;

	CHECK(filter_start(&f, policy));
	if (f.pid == 0)
		return;
	CHECK(mta_open(&m, f.where, 30000) &&
	      mta_negotiate(&m, &mta_offer_postfix));
	CHECK(m.version == 6);
	CHECK(m.actions == (actions | SMFIF_SETSYMLIST));
	CHECK(m.protocol == protocol);
	if (m.protocol != protocol)
		printf("#  got: 0x%x\n# want: 0x%x\n%s", m.protocol, protocol,
		    policy);
	CHECK_STR(lists_text(&m), lists);
	/* Whatever is asked, these stay (the stages and their answers). */
	CHECK(!(m.protocol &
		(SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NR_DATA |
		    SMFIP_RCPT_REJ | SMFIP_HDR_LEADSPC)));
	mta_close(&m);
	for (int i = 0; i < 2; i++) {
		CHECK(letter_open(&m, f.where, &l));
		letter_send(&m, &l, &o);
		letter_send(&m, &l, &o);
		CHECK(o.reply.verdict != MTA_FAILED);
		mta_quit(&m);
	}
	CHECK(filter_log_count(&f, "claimed not to reply") == 0);
	CHECK(filter_log_count(&f, "cannot be given") == 0);
	CHECK(filter_stop(&f) == 0);
}

static void
test_stages(void)
{
	check("milt 1\n"
	      "rule a { when sender.domain is \"example.net\"\n"
	      "  reject 550 5.7.1 \"no\" }\n",
	    0,
	    ENVELOPE | NO_CONTENT | SMFIP_NR_CONN | SMFIP_NOHELO |
		SMFIP_NR_HELO,
	    QUEUE_ID);
	check("milt 1\n"
	      "rule a { when helo is \"x\" reject 550 5.7.1 \"no\" }\n",
	    0, ENVELOPE | NO_CONTENT | SMFIP_NR_CONN | SMFIP_NR_HELO, QUEUE_ID);
	check("milt 1\n"
	      "rule a { at helo when helo is \"x\" reject 550 5.7.1 \"no\" }\n"
	      "rule b { when header.subject is \"x\"\n"
	      "  reject 550 5.7.1 \"no\" }\n",
	    0,
	    ENVELOPE | SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NOBODY |
		SMFIP_NR_BODY,
	    QUEUE_ID);
	check("milt 1\n"
	      "rule a { when body.raw contains \"x\"\n"
	      "  reject 550 5.7.1 \"no\" }\n",
	    0,
	    ENVELOPE | SMFIP_NR_CONN | SMFIP_NOHELO | SMFIP_NR_HELO |
		SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NOHDRS | SMFIP_NOEOH |
		SMFIP_NR_EOH,
	    QUEUE_ID);
}

static void
test_actions(void)
{
	enum {
		MAIL_ONLY = ENVELOPE | NO_CONTENT | SMFIP_NR_CONN |
			    SMFIP_NOHELO | SMFIP_NR_HELO
	};

	check("milt 1\nrule a { when sender is <> quarantine \"x\" }\n",
	    SMFIF_QUARANTINE, MAIL_ONLY, QUEUE_ID);
	check("milt 1\nrule a { when sender is <>\n"
	      "  add header \"X\" \"y\" }\n",
	    SMFIF_ADDHDRS, MAIL_ONLY, QUEUE_ID);
	check("milt 1\nrule a { when sender is <>\n"
	      "  add recipient <a@b.example> set sender <c@d.example>\n"
	      "  remove recipient }\n",
	    SMFIF_ADDRCPT | SMFIF_CHGFROM | SMFIF_DELRCPT, MAIL_ONLY, QUEUE_ID);
}

static void
test_macros(void)
{
	check("milt 1\n"
	      "rule a { when client.reverse-name absent\n"
	      "  reject 550 5.7.1 \"no {macro(\"my_own\")}\" }\n",
	    0, ENVELOPE | NO_CONTENT | SMFIP_NOHELO | SMFIP_NR_HELO,
	    "0={client_ptr}|2={my_own} i|3={my_own} i|4={my_own} i");
	check("milt 1\n"
	      "rule a { when sasl.username exists accept }\n"
	      "rule b { when tls.protocol absent\n"
	      "  reject 550 5.7.1 \"{mta.name}\" }\n",
	    0, ENVELOPE | NO_CONTENT | SMFIP_NR_CONN | SMFIP_NR_HELO,
	    "0=j|1={tls_version}|2={auth_authen} i|3=i|4=i");
}

/* An older MTA gets no more than it offers, and the same verdicts. */
static void
test_old_mta(void)
{
	static const struct mta_offer v2 = { 2, SMFI_V2_ACTS, SMFI_V2_PROT };
	static const struct mta_offer few = { 6, SMFIF_ADDHDRS,
		SMFIP_NOCONNECT };
	const struct mta_offer *offers[] = { &v2, &few };
	struct filter f;
	struct letter l = { .header = "Subject: spam\n" };
	struct letter clean = { .header = "Subject: fine\n",
		.body = "virus\r\n" };

	CHECK(filter_start(&f, "milt 1\n"
			       "rule a { when header.subject is \"spam\"\n"
			       "  reject 550 5.7.1 \"spam\" }\n"
			       "rule b { when body.raw contains \"virus\"\n"
			       "  reject 550 5.7.1 \"virus\" }\n"
			       "rule c { when sender.domain is \"no.example\"\n"
			       "  reject 550 5.7.1 \"no\" }\n"));
	if (f.pid == 0)
		return;
	for (int i = 0; i < 2; i++) {
		struct mta m;
		struct mta_outcome o;

		CHECK(mta_open(&m, f.where, 30000) &&
		      mta_negotiate(&m, offers[i]));
		CHECK((m.protocol & ~offers[i]->protocol) == 0);
		CHECK(!m.has_lists);
		/* The offer says what events the MTA can leave out; it
		 * sends all of them. */
		m.offer.protocol = SMFI_V2_PROT;
		CHECK(mta_connect(&m, STR("x"), SMFIA_INET, 1, STR("192.0.2.1"))
			  .verdict == MTA_CONTINUE);
		CHECK(mta_helo(&m, STR("x")).verdict == MTA_CONTINUE);
		letter_send(&m, &l, &o);
		CHECK_STR(outcome_text(&m, &o), "reject 550 5.7.1 spam at eoh");
		letter_send(&m, &clean, &o);
		CHECK_STR(
		    outcome_text(&m, &o), "reject 550 5.7.1 virus at eom");
		clean.sender = "<a@no.example>";
		letter_send(&m, &clean, &o);
		CHECK_STR(outcome_text(&m, &o), "reject 550 5.7.1 no at rcpt");
		clean.sender = NULL;
		mta_quit(&m);
	}
	CHECK(filter_log_count(&f, "claimed not to reply") == 0);
	CHECK(filter_stop(&f) == 0);
}

/*
 * A policy that cannot do its work never lets mail through unchanged: the
 * connection fails, or the message does.
 */
static void
test_missing_action(void)
{
	static const struct mta_offer no_quarantine = { 6,
		SMFI_CURR_ACTS & ~SMFIF_QUARANTINE, SMFI_CURR_PROT };
	struct filter f;
	struct letter l = { .header = "X: 1\n" };
	struct mta m;
	struct mta_outcome o;

	CHECK(filter_start(&f, "milt 1\n"
			       "rule a { when header(\"X\") exists\n"
			       "  quarantine \"x\" }\n"));
	if (f.pid == 0)
		return;
	CHECK(mta_open(&m, f.where, 30000));
	if (mta_negotiate(&m, &no_quarantine)) {
		mta_connect(&m, STR("x"), SMFIA_INET, 1, STR("192.0.2.1"));
		mta_helo(&m, STR("x"));
		letter_send(&m, &l, &o);
		CHECK(o.reply.verdict == MTA_TEMPFAIL);
		CHECK_STR(outcome_text(&m, &o),
		    "tempfail 451 4.3.0 Temporary failure, try again later "
		    "at mail");
	}
	mta_close(&m);
	CHECK(letter_open(&m, f.where, &l));
	letter_send(&m, &l, &o);
	CHECK_STR(outcome_text(&m, &o), "accept at eom | quarantine x");
	mta_quit(&m);
	CHECK(filter_stop(&f) == 0);
}

static void
bare(const struct filter *f, const char *body, const char *want)
{
	struct mta_address to = { STR("<a@example.com>"), NULL, 0 };
	struct mta_message msg = { .sender = { STR("<s@example.org>"), NULL,
				       0 },
		.recipients = &to,
		.recipient_count = 1,
		.body = str_from(body) };
	struct mta_outcome o;
	struct mta m;

	CHECK(letter_open(&m, f->where, &(struct letter){ 0 }));
	for (int i = 0; i < 2; i++) {
		mta_deliver(&m, &msg, &o);
		CHECK_STR(outcome_text(&m, &o), want);
	}
	mta_quit(&m);
}

/*
 * A message without a field, whatever of it is asked for: libmilter ignores a
 * body that comes where it does not expect one, and never replies.
 */
static void
test_no_header(void)
{
	static const char *const conditions[] = {
		"body.text contains \"virus\"",
		"body.raw contains \"virus\"",
		"body.size is 7",
		"message.size is 9", /* with the empty line */
		"count(parts) is 1 and body.text contains \"virus\"",
		"header.subject absent and body.text contains \"virus\"",
		"header.subject is \"x\" or body.raw contains \"virus\"",
	};

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		struct filter f;
		char policy[300];

		snprintf(policy, sizeof(policy),
		    "milt 1\nrule a { when %s\n  reject 550 5.7.1 \"no\" }\n",
		    conditions[i]);
		CHECK(filter_start(&f, policy));
		if (f.pid == 0)
			return;
		bare(&f, "virus\r\n", "reject 550 5.7.1 no at eom");
		bare(&f, "", "accept at eom");
		CHECK(filter_stop(&f) == 0);
	}
}

int
main(void)
{
	test_stages();
	test_actions();
	test_macros();
	test_old_mta();
	test_missing_action();
	test_no_header();
	TEST_DONE();
}
