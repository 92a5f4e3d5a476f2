/*
 * Hostile images: mutations, with a right checksum, of an image made by hand
 * and of one that the compiler made.  What the verifier accepts
 * is run, every fragment, condition and text of it, over the facts of one
 * transaction; the sanitizers judge.  MUTATE_ROUNDS and MUTATE_SEED from the
 * environment for longer runs.
 */
#include "tests/unit/test.h"

#include "compiler/compile.h"
#include "runtime/index.h"
#include "runtime/match.h"
#include "runtime/session.h"
#include "tests/unit/builder.h"

static uint64_t seed = 1;
static size_t refused; /* replies */

static uint64_t
dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- an image with something of everything ---------------------------- */

static void
put_lists(struct builder *b)
{
	const struct str keys[] = { STR("example.com"), STR("example.org"),
		STR("amy"), STR("b@example.com") };
	const int64_t numbers[] = { 1, 25, 4711 };
	struct ip_range range;
	bool masked;

	build_keys(b, TYPE_DOMAIN, keys, 2, 1);
	build_keys(b, TYPE_TEXT, keys, 3, 2);
	build_keys(b, TYPE_ADDRESS, keys + 3, 1, 3);
	CHECK(network_parse(STR("192.0.2.0/24"), &range, &masked));
	build_set(b, TYPE_NETWORK, &range, 1, sizeof(range));
	build_set(b, TYPE_NUMBER, numbers, 3, sizeof(*numbers));
}

static uint32_t
put_conditions(struct builder *b)
{
	uint32_t tag = build_text(b, "x-tag");
	uint16_t helo, ip, port, sender, field, element, count;
	uint16_t loop = (uint16_t)build_loop(b, ATTR_ALL_HEADERS, 0, NULL);
	uint16_t inner = (uint16_t)build_loop(b, ATTR_RECIPIENTS, 1, NULL);

	helo = (uint16_t)build_ref(b, ATTR_HELO, REF_VALUE, 0, NULL);
	ip = (uint16_t)build_ref(b, ATTR_CLIENT_IP, REF_VALUE, 0, NULL);
	port = (uint16_t)build_ref(b, ATTR_CLIENT_PORT, REF_VALUE, 0, NULL);
	sender = (uint16_t)build_ref(b, ATTR_SENDER, REF_VALUE, 0, NULL);
	field = (uint16_t)build_ref(
	    b, ATTR_ALL_HEADERS_VALUE, REF_ELEMENT, 0, NULL);
	element = (uint16_t)build_ref(b, ATTR_RECIPIENTS, REF_ELEMENT, 1, NULL);
	count = (uint16_t)build_ref(b, ATTR_HEADER, REF_COUNT, 0, "x-tag");
	build_number(b, 3);
	build_regex(b, "(a|b)+([0-9]*)", REGEX_I, 2);
	return BUILD_CODE(b, { OPC_RECALL, 0, 1, 0 }, { OPC_IN, 0, ip, 3 },
	    { OPC_KEEP, 0, 0, 0 }, { OPC_JUMP_TRUE, 0, 0, 14 },
	    { OPC_UNDER, 1, helo, 0 }, { OPC_OR, 0, 1, 0 },
	    { OPC_IN, 1, port, 4 }, { OPC_GE, 2, count, 0 },
	    { OPC_AND, 1, 2, 0 }, { OPC_CONTAINS, 2, sender, tag },
	    { OPC_IS_REF, 3, helo, sender }, { OPC_NOT, 3, 0, 0 },
	    { OPC_EACH, 2, loop, 4 }, { OPC_MATCH, 2, field, 0 },
	    { OPC_JUMP_FALSE, 2, 0, 2 }, { OPC_EACH, 2, inner, 1 },
	    { OPC_IN, 2, element, 2 }, { OPC_AND, 0, 2, 0 },
	    { OPC_HALT, 0, 0, 0 });
}

static void
put_actions(struct builder *b, struct image_rule *rule)
{
	uint32_t value = build_ref(b, ATTR_HELO, REF_VALUE, 0, NULL);
	uint32_t name =
	    build_ref(b, ATTR_ALL_HEADERS_NAME, REF_ELEMENT, 0, NULL);
	uint32_t code = BUILD_CODE(b, { OPC_EACH, 0, 0, 1 },
	    { OPC_STARTS, 0, (uint16_t)name, 0 }, { OPC_HALT, 0, 0, 0 });
	struct image_candidate c[] = { { 0, name, IMAGE_NONE, 0, code,
					   STAGE_HEADERS },
		{ 0, name, 0, 2, code, STAGE_HEADERS },
		{ IMAGE_NONE, value, 0, 1, IMAGE_NONE, 0 } };
	uint32_t first = build_put(b, SECTION_CANDIDATES, c, 3);
	struct image_action a[] = {
		{ .action = ACTION_REMOVE_HEADER,
		    .xcode = IMAGE_NONE,
		    .name = build_template(
			b, (struct image_piece){ .a = build_text(b, "X-Y") }),
		    .address = IMAGE_NONE },
		{ .action = ACTION_REJECT,
		    .code = 550,
		    .xcode = build_text(b, "5.7.1"),
		    .name = IMAGE_NONE,
		    .address = IMAGE_NONE,
		    .where = IMAGE_NONE },
	};

	a[0].where = BUILD_CODE(
	    b, { OPC_STARTS, 0, (uint16_t)name, 0 }, { OPC_HALT, 0, 0, 0 });
	a[1].texts = build_template(
	    b, (struct image_piece){ IMAGE_PIECE_VALUE, value, first, 1 });
	build_template(
	    b, (struct image_piece){ IMAGE_PIECE_CAPTURE, 0, first + 1, 2 });
	a[1].text_count = 2;
	rule->first = build_put(b, SECTION_ACTIONS, a, 2);
	rule->count = 2;
	rule->verdict = ACTION_REJECT;
	rule->text_last = STAGE_HEADERS;
}

static void *
make_image(size_t *size)
{
	struct builder b = { .needs.memo = { 1, 1, 1, 1 } };
	struct image_rule rule;

	put_lists(&b);
	rule = build_rule(&b, "all", STAGE_MESSAGE, put_conditions(&b));
	rule.fragments[STAGE_HELO] = BUILD_CODE(
	    &b, { OPC_CONST, 0, UNKNOWN_, 0 }, { OPC_HALT, 0, 0, 0 });
	put_actions(&b, &rule);
	build_put(&b, SECTION_RULES, &rule, 1);
	return build_image(&b, size);
}

/* A policy that needs most of what the compiler can write. */
static const char policy[] =
    "milt 1\n"
    "option recipient-delimiter \"+-\"\n"
    "list ours of domain { example.com example.org }\n"
    "list near of network { 192.0.2.0/24 2001:db8::/32 }\n"
    "list words of text { \"amy\" \"aab12\" }\n"
    "list people of address { <a@example.com> <b@example.com> }\n"
    "list ports of number { 25 587 }\n"
    "let inside = client.ip in near or sasl.username exists\n"
    "group outside \"not ours\" unless client.port in ports {\n"
    "  rule helo { when helo under ours and not inside\n"
    "    reject 550 5.7.1 \"You are not {helo}\" \"{client.ip}\" }\n"
    "  rule relay { when recipient.domain not in ours\n"
    "    reject \"no {recipient.domain} {now.date}\" }\n"
    "}\n"
    "rule size { when declared-size > 10MB or now.hour is 3\n"
    "  tempfail 451 4.7.1 \"later {declared-size}\" }\n"
    "shadow rule seen { when any header { name starts with \"x-\" and\n"
    "    value matches /^(a+)(?<n>[0-9]*)/i } log \"{n} {headers.name}\" }\n"
    "rule from { when header.from.domain under ours and\n"
    "    any recipient { address in people } and\n"
    "    every header { value matches /./ } or count(header(\"x-tag\")) > 3\n"
    "  add header \"X-From\" \"{header.from}\"\n"
    "  remove header \"X-Tag\" where value contains \"a\" }\n"
    "rule body { when body.raw contains \"caf\" or header.from malformed or\n"
    "    header(\"x-tag\") like \"a*\\\\*\" or sender is header.from\n"
    "  set sender <x@example.com> remove recipient where domain under ours\n"
    "  replace body \"gone {message.size}\" }\n"
    "rule stages { when sender is <x@example.com> or\n"
    "    header(\"x-tag\") is \"b\" or sender.local is \"eve\" discard }\n"
    "rule near { when client.port > 20 and client.port < 30 log \"near\" }\n"
    "rule far { when client.port >= 22 and client.port <= 25 or\n"
    "    declared-size > 5 log \"far\" }\n"
    "rule late { when raw header(\"x-tag\") matches /caf./u and\n"
    "    helo is exactly client.name reject \"no {header(\"x-tag\")}\" }\n"
    "js rule asked { when header.subject matches /(?<what>a+)(b)/ and\n"
    "    sender.domain under ours call \"x.mjs#f\" timeout 2s\n"
    "  on failure tempfail \"{what}\" may reject, accept }\n"
    "js rule code { ``` x ``` timeout 1s on failure ignore needs body }\n"
    "otherwise tempfail \"not now\"\n";

/* Its image, or NULL. */
static void *
compile_policy(size_t *size)
{
	struct compilation c = { 0 };
	struct compile_options options = { 0 };
	enum milt_status s = milt_compile_text(
	    &c, STR("mutate.milt"), str_from(policy), &options);
	void *image = NULL;

	if (s == MILT_OK) {
		*size = c.image_size;
		image = memcpy(build_memory(NULL, *size), c.image, *size);
	}
	for (size_t i = 0; s != MILT_OK && i < c.diags.list.n; i++)
		printf("# %.*s\n", STR_ARG(c.diags.list.v[i]->message));
	milt_compile_free(&c);
	return image;
}

/* ---- running what was accepted ---------------------------------------- */

static void
give_facts(struct facts *f)
{
	struct ip ip;
	int bad = 0;

	bad += !ip_parse(STR("192.0.2.7"), &ip);
	bad += facts_client(f, STR("mx.example.org"), true, &ip, 25) != MILT_OK;
	bad += facts_helo(f, STR("mx.example.org")) != MILT_OK;
	bad += facts_mail(f, STR("<amy@example.com>"),
		   (struct str[]){ STR("SIZE=10") }, 1) != MILT_OK;
	bad += facts_rcpt(f, STR("<b@example.com>"), NULL, 0) != MILT_OK;
	bad += facts_rcpt_accepted(f) != MILT_OK;
	bad += facts_header(f, STR("X-Tag"), STR("aab12")) != MILT_OK;
	bad +=
	    facts_header(f, STR("From"), STR("A <a@example.com>")) != MILT_OK;
	bad += facts_header(f, STR("x-tag"), STR("caf\xe9 \xff")) != MILT_OK;
	bad += facts_body(f, STR("caf\xe9 line\r\n")) != MILT_OK;
	if (bad)
		printf("# facts are refused\n");
}

static int asked; /* for the clock, beyond what the image says it needs */

static void
run_rule(struct interp *ip, const struct image_rule *rule)
{
	const struct milt_image *im = ip->image;

	for (int s = 0; s < STAGE_COUNT; s++)
		if (rule->fragments[s] != IMAGE_NONE)
			interp_run(ip, rule->fragments[s]);
	asked += ip->asking;
	for (uint32_t i = 0; i < rule->count; i++) {
		const struct image_action *a = &im->actions[rule->first + i];
		enum milt_attr attr = a->action == ACTION_REMOVE_HEADER
					  ? ATTR_ALL_HEADERS
					  : ATTR_RECIPIENTS;

		for (size_t n = 0; a->where != IMAGE_NONE && n < 4; n++)
			interp_where(ip, a->where, attr, n);
		if (a->name != IMAGE_NONE)
			interp_text(ip, a->name);
		if (a->address != IMAGE_NONE)
			interp_text(ip, a->address);
	}
}

static void
run_image(const struct milt_image *im)
{
	struct interp ip = { .image = im, .scratch = match_scratch() };
	struct rule_numbers hits = { 0 };

	ip.facts = facts_new(im);
	give_facts(ip.facts);
	if (im->needs->flags & NEED_CLOCK)
		facts_clock(ip.facts, 1769860800123);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < im->count[SECTION_RULES]; i++)
			run_rule(&ip, &im->rules[i]);
		for (uint32_t i = 0; i < im->count[SECTION_TEMPLATES]; i++)
			interp_text(&ip, i);
		for (int i = 0; i < STAGE_COUNT; i++)
			index_hits(&ip, (enum milt_stage)i, &hits);
		asked += ip.asking;
		memo_forget(&ip.memo, im, MEMO_MESSAGE);
	}
	facts_free(ip.facts);
	memo_free(&ip.memo);
	free(hits.v);
}

/* The same transaction in a session that is asked. */
static void
run_session(const struct milt_image *im)
{
	struct milt_session *s = milt_session_new(im);
	struct milt_answer a;

	for (int i = STAGE_CONNECT; i < STAGE_COUNT; i++) {
		milt_session_begin(s, (enum milt_stage)i);
		if (i == STAGE_RCPT)
			give_facts(milt_session_facts(s));
		while (milt_session_answer(s, &a) == MILT_QUESTION) {
			const struct milt_question *q =
			    milt_session_question(s);
			struct milt_reply r = { .kind = REPLY_ANSWER,
				.verdict = (enum milt_action)(dice() % 5),
				.logs = q->captures,
				.log_count = q->capture_count };

			if (q->kind == QUESTION_CLOCK)
				facts_clock(milt_session_facts(s), 0);
			else
				refused += milt_session_reply(s, &r) != MILT_OK;
		}
	}
	milt_session_free(s);
}

/* ---- mutations -------------------------------------------------------- */

/* One field, half-word or octet, mostly to something near. */
static void
mutate(char *image, size_t size)
{
	static const uint32_t special[] = { 0, 1, 2, 7, 16, 31, 32, 255, 65535,
		1 << 16, UINT32_MAX, UINT32_MAX - 1, INT32_MAX };
	size_t from = offsetof(struct image_header, section);
	size_t width = (size_t)1 << dice() % 3;
	size_t at = from + dice() % (size - from - 4) / width * width;
	uint32_t x = 0;

	memcpy(&x, image + at, width);
	switch (dice() % 4) {
	case 0:
		x = special[dice() % (sizeof(special) / sizeof(*special))];
		break;
	case 1:
		x += (uint32_t)(dice() % 7) - 3;
		break;
	case 2:
		x ^= (uint32_t)1 << dice() % (8 * width);
		break;
	case 3:
		/* A copy of another place: most fields are small indices. */
		memcpy(&x, image + from + dice() % (size - from - 4), width);
		break;
	}
	memcpy(image + at, &x, width);
}

/* In a section: all of them alike, however small. */
static void
mutate_section(char *image, size_t size)
{
	const struct image_header *h = (const struct image_header *)image;
	int s = (int)(dice() % SECTION_COUNT);
	uint64_t from = h->section[s].offset;
	uint64_t bytes = h->section[s].count * build_size[s];

	if (from + bytes > size || bytes < 8 || bytes > size)
		return;
	mutate(image + from - offsetof(struct image_header, section),
	    bytes + offsetof(struct image_header, section));
}

static size_t
hunt(const char *image, size_t size, size_t rounds)
{
	char *copy = build_memory(NULL, size);
	size_t accepted = 0;

	for (size_t i = 0; i < rounds; i++) {
		struct milt_image *im;
		unsigned n = 1 + (unsigned)(dice() % 4);

		memcpy(copy, image, size);
		while (n--)
			if (dice() % 8)
				mutate_section(copy, size);
			else
				mutate(copy, size);
		build_checksum(copy, size);
		if (milt_image_load(copy, size, &im, NULL) != MILT_OK)
			continue;
		accepted++;
		run_image(im);
		run_session(im);
		milt_image_free(im);
	}
	free(copy);
	return accepted;
}

static size_t
number_from(const char *name, size_t value)
{
	const char *z = getenv(name);

	return z ? strtoull(z, NULL, 10) : value;
}

static void
hunt_image(void *image, size_t size)
{
	size_t rounds = number_from("MUTATE_ROUNDS", 10000), accepted;
	struct milt_image *im = NULL;
	const char *why = "";

	CHECK(image && milt_image_load(image, size, &im, &why) == MILT_OK);
	if (!im) {
		printf("# %s\n", why);
		free(image);
		return;
	}
	run_image(im);
	run_session(im);
	milt_image_free(im);
	accepted = hunt(image, size, rounds);
	/* Both kinds must occur, or nothing was tried. */
	CHECK(accepted > rounds / 100);
	CHECK(accepted < rounds);
	CHECK(asked == 0);
	CHECK(refused == 0);
	printf("# %zu of %zu accepted\n", accepted, rounds);
	free(image);
}

int
main(void)
{
	size_t size = 0;
	void *image;

	seed = number_from("MUTATE_SEED", 1) * 2654435761u + 1;
	image = make_image(&size);
	hunt_image(image, size);
	image = compile_policy(&size);
	hunt_image(image, size);
	TEST_DONE();
}
