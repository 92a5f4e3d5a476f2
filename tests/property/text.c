#include "tests/property/text.h"

#include "dsl/tables.h"
#include "tests/property/random.h"

enum { ATOMS_DEEP = 3 };

/* `%u` is a number below POOL; in parentheses: both bounds of one value. */
static const char *const atoms[STAGE_COUNT][22] = {
	[STAGE_CONNECT] = { "client.ip in near%u", "client.ip is 192.0.2.%u",
	    "client.ip in 192.0.2.%u", "client.name is \"h%u.d1.example\"",
	    "client.name under \"d%u.example\"", "client.name in domains%u",
	    "client.name under domains%u", "client.port is %u",
	    "client.port in ports%u", "client.port > %u",
	    "client.name matches /h%u/", "client.network is 192.0.%u.0/24",
	    "client.name exists", "client.port >= %u", "client.port < 1%u",
	    "client.port <= %u", "client.ip contains \"0.2.%u\"",
	    "client.name starts with \"h%u.\"",
	    "(client.port > %u and client.port <= 4)",
	    "(client.port < 1%u and client.name exists and client.port >= 2)" },
	[STAGE_HELO] = { "helo is \"h%u.d1.example\"",
	    "helo under \"d%u.example\"", "helo matches /^h%u\\./",
	    "helo in names%u", "helo under domains%u", "helo contains \"h%u\"",
	    "helo matches /^(a|aa)+%u$/", "helo is client.name",
	    "helo starts with \"h%u.\"", "helo ends with \"d%u.example\"",
	    "helo like \"H%u.*.ex?mple\"", "helo contains exactly \"h%u.d\"",
	    "helo ends with exactly \"%u.example\"",
	    "helo like exactly \"?%u.d*\"" },
	[STAGE_MAIL] = { "sender is <u%u@d1.example>", "sender in people%u",
	    "sender.domain under domains%u", "sender.local is exactly \"u%u\"",
	    "declared-size is %u", "sender is <>",
	    "sender.domain is \"d%u.example\"", "sender matches /u%u@/i",
	    "sender starts with \"u%u@d1\"", "declared-size > %u",
	    "declared-size <= %u", "sender.local like \"u%u\"",
	    "(declared-size <= %u and declared-size > 1)" },
	[STAGE_RCPT] = { "recipient is <u%u@d1.example>",
	    "recipient in people%u", "recipient.domain in domains%u",
	    "recipient.local matches /u%u/", "recipient.local is \"u%u\"",
	    "recipient.domain under \"d%u.example\"",
	    "recipient ends with exactly \"@d%u.example\"",
	    "recipient.local contains \"u%u\"" },
	[STAGE_DATA] = { "any recipient { local is \"u%u\" }",
	    "any recipient { address in people%u }", "count(recipients) is %u",
	    "every recipient { domain under domains%u }",
	    "any recipient { client.port is %u and local exists }",
	    "count(recipients) > %u", "count(recipients) <= %u",
	    "any recipient { address starts with \"u%u@\" }" },
	[STAGE_HEADERS] = { "header(\"X-%u\") is \"v1\"",
	    "header(\"X-1\") is \"v%u\"", "header(\"X-2\") matches /v%u/",
	    "header.subject matches /\\bword%u\\b/i",
	    "header.subject matches /(word1|word%u).*end/",
	    "any header { name is \"x-%u\" and value contains \"v2\" }",
	    "header.from.domain under domains%u",
	    "header.from is <u%u@d1.example>", "header.to in people%u",
	    "count(header(\"X-1\")) is %u", "raw header(\"X-3\") matches /v%u/",
	    "header.subject matches /^(a|aa)+%u/", "header(\"X-%u\") in names1",
	    "header(\"X-1\") contains \"v%u\"",
	    "header.subject contains \"word%u\"",
	    "header.subject like \"*word%u*end\"",
	    "header(\"X-%u\") ends with \"v1\"", "count(header(\"X-1\")) >= %u",
	    "any header { value starts with exactly \"v%u\" }",
	    "(count(header(\"X-1\")) >= 1 and count(header(\"X-1\")) <= %u)" },
	[STAGE_MESSAGE] = { "body.raw matches /b%u/",
	    "body.raw contains \"b%u\"", "body.size > %u00",
	    "body.raw matches /b1.*b%u/s", "message.size > 10%u",
	    "body.raw like \"*b%u*\"", "body.raw contains exactly \"b%u\"",
	    "body.size <= %u00", "body.size < %u00", "message.size >= 10%u",
	    "(body.size >= %u0 and body.size < 40)" },
};

static void
put_atom(struct writer *w, int stage)
{
	const char *const *v = atoms[stage];
	unsigned n = 0;

	while (v[n])
		n++;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	put(w, v[rnd(n)], rnd(POOL));
#pragma GCC diagnostic pop
}

static void
put_condition(struct writer *w, int deep, int top, bool recipient)
{
	int stage;

	if (deep && rnd(3)) {
		unsigned op = rnd(6);

		put(w, op == 0 ? "not (" : "(");
		put_condition(w, deep - 1, top, recipient);
		if (op) {
			put(w, op < 4 ? " and " : " or ");
			put_condition(w, deep - 1, top, recipient);
		}
		put(w, ")");
		return;
	}
	if (rnd(8) == 0) {
		put(w, "shared%u", rnd(2));
		return;
	}
	do
		stage = (int)rnd((unsigned)top + 1);
	while (stage == STAGE_RCPT && !recipient);
	put_atom(w, stage);
}

static void
put_actions(struct writer *w, unsigned rule, bool recipient, bool pinned)
{
	static const char *const verdicts[] = { "accept", "reject", "tempfail",
		"discard" };
	unsigned v = rnd(8);

	if (pinned)
		v = 1 + rnd(2);
	if (v < 4 && !(v == 3 && recipient)) {
		put(w, "  %s%s", verdicts[v],
		    v == 1 || v == 2 ? " \"no {helo}\"" : "");
		put(w, v == 0 && rnd(3) == 0 ? " log \"too\" }\n" : " }\n");
	} else if (v < 6) {
		put(w, "  add header \"X-Rule\" \"%u {client.port}\" }\n",
		    rule);
	} else {
		put(w, "  log \"%u {sender}\" }\n", rule);
	}
}

/* Of its answers see the host in rules.c. */
static void
put_js(struct writer *w, bool recipient)
{
	static const char *const may[] = { "", " may reject",
		" may accept, tempfail", " may reject, tempfail",
		" may accept" };
	static const char *const failure[] = { "ignore", "tempfail", "accept",
		"reject \"no {helo}\"" };

	put(w, "  call \"a.mjs#f\" timeout 1s on failure %s%s%s }\n",
	    failure[rnd(4)], may[rnd(5)],
	    !recipient && rnd(4) == 0 ? " needs body" : "");
}

static void
put_rule(struct writer *w, unsigned rule)
{
	static const int tops[] = { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL,
		STAGE_RCPT, STAGE_RCPT, STAGE_DATA, STAGE_HEADERS,
		STAGE_HEADERS, STAGE_MESSAGE };
	int top = tops[rnd(sizeof(tops) / sizeof(*tops))];
	bool pinned = rnd(12) == 0 && top <= STAGE_HELO;
	bool recipient = top == STAGE_RCPT || rnd(20) == 0;

	bool js = rnd(6) == 0;

	put(w, "%srule r%u {\n",
	    js                  ? "js "
	    : pinned || rnd(10) ? ""
				: "shadow ",
	    rule);
	if (pinned)
		put(w, "  at %s\n", rnd(2) ? "helo" : "rcpt");
	if (rnd(20)) {
		put(w, "  when ");
		put_condition(w, (int)rnd(ATOMS_DEEP), top, recipient);
		put(w, "\n");
	}
	if (js)
		put_js(w, recipient);
	else
		put_actions(w, rule, recipient, pinned);
}

static void
put_lists(struct writer *w)
{
	for (unsigned i = 0; i < POOL; i++) {
		unsigned many = rnd(4) == 0 ? 400 : 3;

		put(w, "list near%u of network { 192.0.2.0/%u 198.51.%u.0/24",
		    i, 24 + i, i);
		for (unsigned k = 0; k < many; k++)
			put(w, " 10.%u.%u.0/24", i, k % 256);
		put(w, " }\nlist names%u of text { \"h%u.d1.example\" \"v%u\"",
		    i, i, i);
		for (unsigned k = 0; k < many; k++)
			put(w, " \"n%u\"", k);
		put(w, " }\nlist domains%u of domain { d%u.example", i, i);
		for (unsigned k = 0; k < many / 10; k++)
			put(w, " x%u.example", k);
		put(w, " }\nlist people%u of address { <u%u@d1.example>", i, i);
		put(w, " }\nlist ports%u of number { %u %u }\n", i, i, i + 2);
	}
}

void
put_policy(struct writer *w)
{
	unsigned rules = 1 + rnd(MAX_RULES);
	bool group = false;

	w->n = 0;
	put(w, "milt 1\noption regex-match-limit 100\n");
	if (rnd(3) == 0)
		put(w, "option on-failure ignore\n");
	if (rnd(3) == 0)
		put(w, "option scan-limit 1024\n");
	put_lists(w);
	put(w, "let shared0 = client.ip in near1 or sasl.username exists\n");
	put(w, "let shared1 = ");
	put_atom(w, rnd(2) ? STAGE_CONNECT : STAGE_HELO);
	put(w, "\n");
	for (unsigned i = 0; i < rules; i++) {
		if (rnd(8) == 0 && group) {
			put(w, "}\n");
			group = false;
		} else if (rnd(8) == 0 && !group) {
			put(w, "group g%u %s shared%u {\n", i,
			    rnd(2) ? "when" : "unless", rnd(2));
			group = true;
		}
		put_rule(w, i);
	}
	if (group)
		put(w, "}\n");
	if (rnd(4) == 0)
		put(w, "otherwise tempfail \"not now\"\n");
}
