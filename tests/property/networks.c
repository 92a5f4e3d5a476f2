/*
 * Networks against arithmetic on their bits: random ones, IPv4, IPv6 and
 * IPv4-mapped, in lists and in place, hold exactly the addresses that they
 * should, and lint says of exactly those that others cover them.
 *
 *	networks [POLICIES [SEED]]
 */
#include <stdlib.h>

#include "compiler/compile.h"
#include "runtime/session.h"
#include "tests/property/random.h"
#include "tests/property/writer.h"
#include "tests/unit/test.h"

enum { MOST = 5, ADDRESSES = 24, GROUPS = 8, BITS = 128 };

/* ---- what should be ------------------------------------------------------ */

struct network {
	unsigned group[GROUPS]; /* of sixteen bits */
	unsigned prefix;        /* of all 128 bits */
	bool dotted;            /* written in IPv4's form */
};

static unsigned
bit(const struct network *n, unsigned i)
{
	return n->group[i / 16] >> (15 - i % 16) & 1;
}

static bool
is_mapped(const struct network *n)
{
	for (unsigned i = 0; i < 5; i++)
		if (n->group[i])
			return false;
	return n->group[5] == 0xffff;
}

/* Of IPv4 as a whole: no IPv6 network, and no address, is both. */
static bool
is_v4(const struct network *n)
{
	return is_mapped(n) && n->prefix >= 96;
}

/* An address is a network of 128 bits. */
static bool
holds(const struct network *n, const struct network *other)
{
	for (unsigned i = 0; i < n->prefix; i++)
		if (bit(n, i) != bit(other, i))
			return false;
	return n->prefix <= other->prefix && is_v4(n) == is_v4(other);
}

/* ---- random ones ----------------------------------------------------------
 */

static unsigned
random_group(void)
{
	static const unsigned often[] = { 0, 0, 0, 1, 0x7fff, 0x8000, 0xfffe,
		0xffff };

	return rnd(8) ? often[rnd(8)] : rnd(0x10000);
}

static struct network
random_address(void)
{
	struct network n = { .prefix = BITS };
	unsigned zeros = rnd(3) ? rnd(GROUPS + 1) : 0;

	for (unsigned i = zeros; i < GROUPS; i++)
		n.group[i] = random_group();
	if (rnd(2)) {
		memset(n.group, 0, 5 * sizeof(n.group[0]));
		n.group[5] = 0xffff;
	}
	return n;
}

static struct network
random_network(void)
{
	struct network n = random_address();

	n.dotted = is_mapped(&n) && rnd(2);
	n.prefix = n.dotted ? 96 + rnd(33) : rnd(BITS + 1);
	if (!n.dotted && rnd(4) == 0)
		n.prefix = 76 + rnd(24);
	return n;
}

/* One of the addresses at its ends, or beside them. */
static struct network
address_near(const struct network *n)
{
	struct network a = *n;
	bool ones = rnd(2);

	a.prefix = BITS;
	for (unsigned i = n->prefix; i < BITS; i++) {
		unsigned mask = 1u << (15 - i % 16);

		a.group[i / 16] &= ~mask;
		a.group[i / 16] |= ones ? mask : 0;
	}
	if (rnd(2)) {
		unsigned i = rnd(2) && n->prefix ? n->prefix - 1 : rnd(BITS);

		a.group[i / 16] ^= 1u << (15 - i % 16);
	}
	return a;
}

/* ---- as text --------------------------------------------------------------
 */

static void
put_address(struct writer *w, const struct network *n, bool dotted)
{
	const unsigned *g = n->group;

	if (dotted)
		put(w, "%u.%u.%u.%u", g[6] >> 8, g[6] & 255, g[7] >> 8,
		    g[7] & 255);
	else
		put(w, "%x:%x:%x:%x:%x:%x:%x:%x", g[0], g[1], g[2], g[3], g[4],
		    g[5], g[6], g[7]);
}

static void
put_network(struct writer *w, const struct network *n)
{
	put(w, "\"");
	put_address(w, n, n->dotted);
	put(w, "/%u\" ", n->dotted ? n->prefix - 96 : n->prefix);
}

static void
put_policy(struct writer *w, const struct network *v, unsigned n, bool list)
{
	put(w, "milt 1\n");
	if (list)
		put(w, "list l of network {\n  ");
	else
		put(w, "rule r {\n  at connect\n  when client.ip in %s",
		    n > 1 ? "{ " : "");
	for (unsigned i = 0; i < n; i++)
		put_network(w, &v[i]);
	if (list)
		put(w, "}\nrule r {\n  at connect\n  when client.ip in l");
	else
		put(w, "%s", n > 1 ? "}" : "");
	put(w, "\n  reject \"no\"\n}\n");
}

/* ---- what is --------------------------------------------------------------
 */

static bool
is_covered(const struct compilation *c)
{
	for (size_t i = 0; i < c->diags.list.n; i++)
		if (c->diags.list.v[i]->id == D_LIST_OVERLAP ||
		    c->diags.list.v[i]->id == D_LIST_DUPLICATE)
			return true;
	return false;
}

/* *covered: lint says that a network of the policy is in another one. */
static struct milt_image *
compile(const struct writer *w, bool *covered)
{
	struct compile_options options = { .lint = true, .plain = rnd(2) };
	struct milt_image *im = NULL;
	struct compilation c;

	if (milt_compile_text(&c, STR("p.milt"), (struct str){ w->text, w->n },
		&options) != MILT_OK ||
	    milt_image_load(c.image, c.image_size, &im, NULL) != MILT_OK)
		abort();
	*covered = is_covered(&c);
	milt_compile_free(&c);
	return im;
}

static bool
is_rejected(struct milt_image *im, const struct network *address)
{
	static struct writer w;
	struct milt_session *s = milt_session_new(im);
	struct milt_answer answer;
	struct ip ip;

	w.n = 0;
	put_address(&w, address, is_mapped(address) && rnd(2));
	if (!s || !ip_parse((struct str){ w.text, w.n }, &ip))
		abort();
	milt_session_begin(s, STAGE_CONNECT);
	if (facts_client(milt_session_facts(s), STR("h.example"), true, &ip,
		25) != MILT_OK ||
	    milt_session_answer(s, &answer) != MILT_OK)
		abort();
	milt_session_free(s);
	return answer.kind == ANSWER_REJECT;
}

/* ---- all ------------------------------------------------------------------
 */

struct tally {
	unsigned policies, inside, outside, covered;
};

static bool
try_addresses(struct tally *sum, struct milt_image *im, const struct network *v,
    unsigned n, const struct writer *policy)
{
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct network a =
		    rnd(4) ? address_near(&v[rnd(n)]) : random_address();
		static struct writer shown;
		bool want = false;

		for (unsigned k = 0; k < n; k++)
			want |= holds(&v[k], &a);
		sum->inside += want;
		sum->outside += !want;
		if (is_rejected(im, &a) == want)
			continue;
		shown.n = 0;
		put_address(&shown, &a, false);
		printf("# %s should %sbe in:\n%s", shown.text,
		    want ? "" : "not ", policy->text);
		return false;
	}
	return true;
}

/* Of an IPv4-mapped one that is an IPv6 network lint says only that. */
static bool
is_judged(const struct network *n)
{
	return is_mapped(n) == is_v4(n);
}

static bool
has_covered(const struct network *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < n; k++)
			if (i != k && is_judged(&v[i]) && is_judged(&v[k]) &&
			    holds(&v[i], &v[k]))
				return true;
	return false;
}

static bool
try_policy(struct tally *sum)
{
	static struct writer policy;
	struct network v[MOST];
	unsigned n = 1 + rnd(MOST);
	struct milt_image *im;
	bool covered, same;

	for (unsigned i = 0; i < n; i++)
		v[i] = random_network();
	policy.n = 0;
	put_policy(&policy, v, n, rnd(2));
	im = compile(&policy, &covered);
	same = try_addresses(sum, im, v, n, &policy);
	milt_image_free(im);
	if (covered != has_covered(v, n)) {
		printf("# lint says %s is covered in:\n%s",
		    covered ? "that one" : "not that one", policy.text);
		same = false;
	}
	sum->covered += covered;
	sum->policies++;
	return same;
}

int
main(int argc, char **argv)
{
	unsigned policies =
	    argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3000;
	struct tally sum = { 0 };
	bool same = true;

	random_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
	for (unsigned i = 0; i < policies && same; i++)
		same = try_policy(&sum);
	printf("# %u policies, %u addresses inside, %u outside, %u covered\n",
	    sum.policies, sum.inside, sum.outside, sum.covered);
	CHECK(same);
	CHECK(sum.inside > sum.policies && sum.outside > sum.policies);
	CHECK(sum.covered > sum.policies / 20);
	TEST_DONE();
}
