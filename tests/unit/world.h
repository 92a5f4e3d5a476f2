/*
 * A transaction and an interpreter for images made by hand.  Include test.h
 * first.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include "runtime/interp.h"
#include "runtime/match.h"
#include "tests/unit/builder.h"

struct world {
	struct milt_image *im;
	struct interp ip;
};

static inline void
say(enum milt_status s)
{
	if (s != MILT_OK)
		printf("# a fact is refused: %d\n", (int)s);
}

/* Facts of a transaction up to its end. */
static inline void
give_facts(struct facts *f)
{
	static const char *const header[][2] = {
		{ "Subject", "Your Invoice 2026-01" },
		{ "X-Tag", "one" },
		{ "X-Tag", "Two" },
		{ "X-Tag", "three" },
		{ "Reply-To", "<Amy+x@Sub.Example.COM>" },
	};
	struct ip ip;

	if (!ip_parse(STR("192.0.2.7"), &ip))
		printf("# no address\n");
	say(facts_client(f, STR("MX.example.org"), true, &ip, 4711));
	say(facts_helo(f, STR("mx.Example.org")));
	say(facts_mail(f, STR("<Amy+x@Sub.Example.COM>"),
	    (struct str[]){ STR("SIZE=1000"), STR("BODY=8BITMIME") }, 2));
	say(facts_rcpt(f, STR("<bob@example.net>"), NULL, 0));
	say(facts_rcpt_accepted(f));
	for (size_t i = 0; i < sizeof(header) / sizeof(*header); i++)
		say(facts_header(
		    f, str_from(header[i][0]), str_from(header[i][1])));
	say(facts_body(f, STR("caf\xe9 line\r\n")));
}

/* Takes the builder's image and starts a session with it. */
static inline bool
start(struct world *w, struct builder *b)
{
	size_t size;
	void *data = build_image(b, &size);
	const char *why = "";
	enum milt_status s = milt_image_load(data, size, &w->im, &why);

	free(data);
	CHECK(s == MILT_OK);
	if (s != MILT_OK) {
		printf("# %s\n", why);
		return false;
	}
	w->ip = (struct interp){ .image = w->im,
		.facts = facts_new(w->im),
		.stage = STAGE_MESSAGE,
		.scratch = match_scratch() };
	give_facts(w->ip.facts);
	return true;
}

static inline void
stop(struct world *w)
{
	facts_free(w->ip.facts);
	memo_free(&w->ip.memo);
	milt_image_free(w->im);
}

static inline enum truth
run(struct world *w, uint32_t rule)
{
	const struct image_rule *r = &w->im->rules[rule];

	for (int s = STAGE_COUNT - 1; s > 0; s--)
		if (r->fragments[s] != IMAGE_NONE)
			return interp_run(&w->ip, r->fragments[s]);
	return interp_run(&w->ip, r->fragments[0]);
}

static inline void
add_rule(struct builder *b, enum milt_stage stage, uint32_t code)
{
	struct image_rule rule = build_rule(b, "r", stage, code);

	rule.flags = RULE_RECIPIENT;
	build_put(b, SECTION_RULES, &rule, 1);
}

/* A rule that is one test of one attribute. */
static inline void
add_test(struct builder *b, enum opcode op, enum milt_attr attr,
    const char *key, uint32_t operand)
{
	uint32_t ref = build_ref(b, attr, REF_VALUE, 0, key);

	add_rule(b, STAGE_MESSAGE,
	    BUILD_CODE(
		b, { op, 3, (uint16_t)ref, operand }, { OPC_HALT, 3, 0, 0 }));
}

#endif
