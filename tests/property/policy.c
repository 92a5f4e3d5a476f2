#include "tests/property/policy.h"

#include <stdlib.h>

#include "tests/property/random.h"

/* A fact: variable `v` of a stage, written so that its truth can be chosen. */
static const char *const fact_text[STAGE_COUNT] = {
	"client.name contains \"c%d\"", "helo contains \"h%d\"",
	"sender.local contains \"m%d\"", "recipient.local contains \"r%d\"",
	"queue.id contains \"d%d\"", "header(\"X\") contains \"e%d\"",
	"body.raw contains \"b%d\""
};
/* The same by the client's port, which is 0, 1, 2 or 3: see port_of(). */
static const char *const range_text[VARS] = {
	"client.port >= 1 and client.port <= 2",
	"client.port > 1 and client.port < 4"
};
const char fact_letter[STAGE_COUNT + 1] = "chmrdeb";

/* ---- generating ------------------------------------------------------- */

static int
make_cond(struct rule *r, int depth, int max_stage, bool recipient)
{
	int i = r->node_count++;
	struct cond c = { .op = OP_FACT };

	if (depth > 0 && r->node_count + 2 < MAX_NODES && rnd(3)) {
		c.op = (enum op)(1 + rnd(3));
		c.a = make_cond(r, depth - 1, max_stage, recipient);
		if (c.op != OP_NOT_)
			c.b = make_cond(r, depth - 1, max_stage, recipient);
	} else {
		do
			c.stage = (int)rnd((unsigned)max_stage + 1);
		while (c.stage == STAGE_RCPT && !recipient);
		c.var = (int)rnd(VARS);
		c.range = c.stage == STAGE_CONNECT && rnd(2);
		r->recipient |= c.stage == STAGE_RCPT;
	}
	r->nodes[i] = c;
	return i;
}

static void
make_js(struct rule *r)
{
	unsigned all;

	/* In the text of what it gives on failure. */
	if (rnd(5) == 0)
		r->text_stage = (int)rnd(STAGE_COUNT - 1);
	r->failure = (int)rnd(5) - 1;
	if (!is_refusal((enum kind)r->failure))
		r->text_stage = -1;
	r->recipient |= r->text_stage == STAGE_RCPT;
	if (r->recipient && r->failure == DISCARD)
		r->failure = -1;
	all = r->recipient ? 7 : 15;
	r->may = rnd(3) ? (1 + rnd(15)) & all : 0;
	r->body = !r->recipient && rnd(6) == 0;
	r->seed = (uint64_t)rnd(1 << 30) << 20 | rnd(1 << 20);
	if (rnd(6) == 0)
		r->pin = (int)rnd(STAGE_COUNT);
}

unsigned
js_kinds(const struct rule *r)
{
	unsigned kinds = r->may ? r->may : r->recipient ? 7 : 15;

	return kinds | (r->failure >= 0 ? 1u << r->failure : 0);
}

static void
make_rule(struct rule *r)
{
	static const int tops[] = { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL,
		STAGE_RCPT, STAGE_RCPT, STAGE_DATA, STAGE_HEADERS,
		STAGE_MESSAGE };
	int top = tops[rnd(sizeof(tops) / sizeof(*tops))];

	*r = (struct rule){ .pin = -1, .text_stage = -1, .root = -1 };
	r->kind = (enum kind)rnd(KINDS);
	if (rnd(12))
		r->root = make_cond(r, (int)rnd(4), top,
		    top == STAGE_RCPT ||
			(r->kind >= EFFECT && r->kind != JS && rnd(4) == 0));
	if (r->kind == JS)
		make_js(r);
	if (r->kind == DISCARD && r->recipient)
		r->kind = REJECT;
	if (r->kind == REJECT || r->kind == TEMPFAIL) {
		if (rnd(5) == 0)
			r->pin = (int)rnd(STAGE_COUNT);
		if (rnd(5) == 0)
			r->text_stage = (int)rnd(STAGE_COUNT - 1);
		r->recipient |= r->text_stage == STAGE_RCPT;
	}
	r->extra = r->kind == ACCEPT && rnd(4) == 0;
}

void
make_policy(struct policy *p)
{
	struct rule *o;

	p->n = 1 + (int)rnd(MAX_RULES);
	for (int i = 0; i < p->n; i++)
		make_rule(&p->rules[i]);
	o = &p->rules[p->n];
	*o = (struct rule){ .pin = -1, .text_stage = -1, .root = -1 };
	o->kind = (enum kind)rnd(4);
}

/* ---- writing ---------------------------------------------------------- */

static struct str
cond_text(struct arena *a, const struct rule *r, int i)
{
	const struct cond *c = &r->nodes[i];

	switch (c->op) {
	case OP_FACT:
		if (c->range)
			return arena_printf(a, "%s", range_text[c->var]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		return arena_printf(a, fact_text[c->stage], c->var);
#pragma GCC diagnostic pop
	case OP_NOT_:
		return arena_printf(a, "not (%s)", cond_text(a, r, c->a).p);
	case OP_AND_:
	case OP_OR_:
		break;
	}
	return arena_printf(a, "(%s) %s (%s)", cond_text(a, r, c->a).p,
	    c->op == OP_AND_ ? "and" : "or", cond_text(a, r, c->b).p);
}

static const char *
text_fact(int stage)
{
	static const char *const names[STAGE_COUNT] = { "{client.name}",
		"{helo}", "{sender}", "{recipient}", "{queue.id}",
		"{header.subject}", "{body.size}" };

	return stage < 0 ? "" : names[stage];
}

static const char *const verdict_words[] = { "accept", "reject", "tempfail",
	"discard" };

static struct str
js_text(struct arena *a, const struct rule *r)
{
	const char *text = text_fact(r->text_stage);
	struct str s =
	    arena_printf(a, "call \"x.mjs#f\" timeout 1s on failure %s%s%s%s%s",
		r->failure < 0 ? "ignore" : verdict_words[r->failure],
		*text ? " \"no " : "", text, *text ? "\"" : "",
		r->body ? " needs body" : "");
	const char *comma = " may ";

	for (int k = 0; k < 4; k++)
		if (r->may >> k & 1) {
			s = arena_printf(
			    a, "%s%s%s", s.p, comma, verdict_words[k]);
			comma = ", ";
		}
	return s;
}

static struct str
action_text(struct arena *a, const struct rule *r, int i)
{
	switch (r->kind) {
	case ACCEPT:
		return r->extra ? arena_printf(
				      a, "accept add header \"X-%d\" \"y\"", i)
				: STR("accept");
	case REJECT:
		return arena_printf(
		    a, "reject 550 5.7.1 \"no %s\"", text_fact(r->text_stage));
	case TEMPFAIL:
		return arena_printf(a, "tempfail 451 4.7.1 \"later %s\"",
		    text_fact(r->text_stage));
	case DISCARD:
		return STR("discard");
	case EFFECT:
	case SHADOW:
		return arena_printf(a, "add header \"X-%d\" \"y\"", i);
	case NOTE:
		return arena_printf(a, "log \"%d\"", i);
	case JS:
		return js_text(a, r);
	case KINDS:
		break;
	}
	return STR("");
}

struct str
policy_text(struct arena *a, const struct policy *p)
{
	struct str s = STR("milt 1\n");

	for (int i = 0; i <= p->n; i++) {
		const struct rule *r = &p->rules[i];
		struct str action = action_text(a, r, i);

		if (i == p->n) {
			s = arena_printf(
			    a, "%s\notherwise %s\n", s.p, action.p);
			break;
		}
		s = arena_printf(a, "%s%srule r%d {\n%s%s%s%s%s%s\n}\n", s.p,
		    r->kind == SHADOW ? "shadow "
		    : r->kind == JS   ? "js "
				      : "",
		    i, r->pin >= 0 ? "at " : "",
		    r->pin >= 0 ? stage_rows[r->pin].name.p : "",
		    r->root >= 0 ? " when " : "",
		    r->root >= 0 ? cond_text(a, r, r->root).p : "", "\n",
		    action.p);
	}
	return s;
}

static struct str
value_text(struct arena *a, const struct facts_bits *f, int stage)
{
	return arena_printf(a, "x%s%s",
	    f->v[stage][0] ? (char[]){ fact_letter[stage], '0', 0 } : "",
	    f->v[stage][1] ? (char[]){ fact_letter[stage], '1', 0 } : "");
}

/* One more step, one more bit changed: each bit is a range. */
static unsigned
port_of(const bool *v)
{
	return v[1] ? 3 - v[0] : v[0];
}

void
make_transaction(struct arena *a, const struct facts_bits *f,
    const struct facts_bits *recipients, int n, struct transaction *t)
{
	struct play_macro id = { STAGE_DATA, STR("i"),
		value_text(a, f, STAGE_DATA) };
	struct play_field x = { STR("X"), value_text(a, f, STAGE_HEADERS) };
	struct play_field subject = { STR("Subject"), STR("s") };

	*t = (struct transaction){ .has_ip = true };
	(void)ip_parse(STR("192.0.2.1"), &t->ip);
	t->client_name = value_text(a, f, STAGE_CONNECT);
	t->port = port_of(f->v[STAGE_CONNECT]);
	t->helo = value_text(a, f, STAGE_HELO);
	t->sender =
	    arena_printf(a, "<%s@a.test>", value_text(a, f, STAGE_MAIL).p);
	for (int i = 0; i < n; i++) {
		struct play_recipient r = {
			.path = arena_printf(a, "<%s.%d@b.test>",
			    value_text(a, &recipients[i], STAGE_RCPT).p, i),
		};

		vec_push(a, &t->recipients, r);
	}
	vec_push(a, &t->macros, id);
	vec_push(a, &t->fields, x);
	vec_push(a, &t->fields, subject);
	t->body = arena_printf(a, "%s\r\n", value_text(a, f, STAGE_MESSAGE).p);
}

/* ---- answers ---------------------------------------------------------- */

/* What a function answers, permitted or not. */
struct answer {
	enum { NOTHING, ANSWER, FAILS } type;
	int verdict; /* -1: none */
	bool effects, log;
};

static struct answer
answer_of(const struct rule *r, int recipient)
{
	uint64_t h = (r->seed + (uint64_t)(recipient + 2)) *
		     UINT64_C(0x9e3779b97f4a7c15);
	struct answer a = { .type = ANSWER, .verdict = -1 };

	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	h ^= h >> 32;
	switch (h % 8) {
	case 0:
		a.type = NOTHING;
		return a;
	case 1:
		a.type = FAILS;
		return a;
	case 2:
		break;
	default:
		a.verdict = (int)(h >> 8 & 3);
	}
	a.log = h >> 16 & 1;
	/* Beside a refusal now and then: a failure. */
	a.effects = (a.verdict <= 0 ? h >> 17 & 1 : (h >> 17 & 15) == 0);
	return a;
}

struct result
result_of(const struct rule *r, int recipient)
{
	struct answer a = answer_of(r, r->recipient ? recipient : -1);
	struct result none = { .verdict = -1 };
	unsigned may = r->may ? r->may : r->recipient ? 7 : 15;

	if (a.type == NOTHING)
		return none;
	if (a.type == FAILS || (a.verdict >= 0 && !(may >> a.verdict & 1)) ||
	    (a.verdict > 0 && a.effects))
		return (struct result){ .verdict = r->failure };
	return (struct result){ a.verdict, a.effects, a.log };
}

void
answer_question(struct milt_session *s, const struct rule *r, int recipient)
{
	struct answer a = answer_of(r, r->recipient ? recipient : -1);
	char name[16];
	struct str log = STR("said");
	struct milt_change change = { .action = ACTION_ADD_HEADER,
		.value = STR("y") };
	struct milt_reply reply = { .kind = REPLY_ANSWER };

	snprintf(name, sizeof(name), "X-%u", milt_session_question(s)->rule);
	change.name = str_from(name);
	reply.changes = &change;
	reply.change_count = a.effects;
	reply.logs = &log;
	reply.log_count = a.log;
	if (a.verdict >= 0)
		reply.verdict = (enum milt_action)(ACTION_ACCEPT + a.verdict);
	if (a.type == NOTHING)
		reply = (struct milt_reply){ .kind = REPLY_NOTHING };
	if (a.type == FAILS)
		reply = (struct milt_reply){ .kind = REPLY_FAILURE,
			.failure = "threw" };
	if (milt_session_reply(s, &reply) != MILT_OK)
		abort();
}
