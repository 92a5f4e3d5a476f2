/* Lists: from entries to sets in the image. */
#include "compiler/sets.h"
#include "runtime/sets.h"
#include "tests/unit/test.h"

static struct arena arena;

static void
add_range(struct ir_list *l, const char *text)
{
	struct ip_range range;
	bool masked;

	if (network_parse(str_from(text), &range, &masked))
		vec_push(&arena, &l->ranges, range);
}

/* The ranges of a network, from address to address. */
static struct str
parts(const char *z)
{
	struct ip_range r, p[2];
	struct str s = STR("");
	bool masked;
	size_t n;

	if (!network_parse(str_from(z), &r, &masked))
		return STR("-");
	n = network_parts(&r, p);
	for (size_t i = 0; i < n; i++)
		s = arena_printf(&arena, "%.*s%s%.*s-%.*s", STR_ARG(s),
		    i ? " " : "", STR_ARG(ip_print(&arena, p[i].first)),
		    STR_ARG(ip_print(&arena, p[i].last)));
	return s;
}

#define ONES "ffff:ffff:ffff:ffff"
#define BELOW "::-::fffe:ffff:ffff"

static void
parts_of_networks(void)
{
	CHECK_STR(parts("::/0"), BELOW " ::1:0:0:0-" ONES ":" ONES);
	CHECK_STR(parts("::/64"), BELOW " ::1:0:0:0-::" ONES);
	CHECK_STR(parts("::/79"), BELOW " ::1:0:0:0-::1:ffff:ffff:ffff");
	CHECK_STR(parts("::/80"), BELOW);
	CHECK_STR(parts("::8000:0:0/81"), "::8000:0:0-::fffe:ffff:ffff");
	CHECK_STR(parts("::fffe:0:0/95"), "::fffe:0:0-::fffe:ffff:ffff");
	CHECK_STR(parts("::fffe:0:0/96"), "::fffe:0:0-::fffe:ffff:ffff");
	CHECK_STR(parts("::ffff:0:0/96"), "0.0.0.0-255.255.255.255");
	CHECK_STR(parts("::ffff:c000:0200/120"), "192.0.2.0-192.0.2.255");
	CHECK_STR(parts("0.0.0.0/1"), "0.0.0.0-127.255.255.255");
	CHECK_STR(parts("0:0:0:1::/64"), "0:0:0:1::-::1:" ONES);
	CHECK_STR(parts("::1:0:0:0/80"), "::1:0:0:0-::1:ffff:ffff:ffff");
}

static bool
one_holds(const char *x, const char *y)
{
	struct ip_range a, b;
	bool masked;

	return network_parse(str_from(x), &a, &masked) &&
	       network_parse(str_from(y), &b, &masked) && network_holds(&a, &b);
}

static void
networks_in_networks(void)
{
	CHECK(one_holds("192.0.2.0/24", "192.0.2.128/25"));
	CHECK(one_holds("192.0.2.0/24", "192.0.2.0/24"));
	CHECK(!one_holds("192.0.2.0/24", "192.0.0.0/16"));
	CHECK(!one_holds("192.0.2.0/24", "192.0.3.0/24"));
	CHECK(one_holds("::/0", "::/64"));
	CHECK(one_holds("::/0", "2001:db8::/32"));
	CHECK(!one_holds("::/64", "::/0"));
	CHECK(!one_holds("::/80", "::/79"));
	CHECK(!one_holds("::/0", "192.0.2.0/24"));
	CHECK(!one_holds("::/80", "0.0.0.0/0"));
	CHECK(!one_holds("::/95", "192.0.2.1"));
	CHECK(!one_holds("0.0.0.0/0", "::/0"));
	CHECK(one_holds("::ffff:0:0/96", "192.0.2.0/24"));
}

static void
networks(void)
{
	struct ir_list l = { .type = TYPE_NETWORK };
	struct ip_range want;
	bool masked;

	add_range(&l, "192.0.2.128/25");
	add_range(&l, "10.1.0.0/16");
	add_range(&l, "192.0.2.0/25");
	add_range(&l, "10.0.0.0/8");
	add_range(&l, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	add_range(&l, "ffff::/16");
	add_range(&l, "192.0.2.7");
	add_range(&l, "192.0.4.0/24");
	list_finish(&l);
	CHECK(l.ranges.n == 4);
	network_parse(STR("10.0.0.0/8"), &want, &masked);
	CHECK(memcmp(&l.ranges.v[0], &want, sizeof(want)) == 0);
	network_parse(STR("192.0.2.0/24"), &want, &masked);
	CHECK(memcmp(&l.ranges.v[1], &want, sizeof(want)) == 0);
	network_parse(STR("ffff::/16"), &want, &masked);
	CHECK(memcmp(&l.ranges.v[3], &want, sizeof(want)) == 0);
}

static void
numbers(void)
{
	struct ir_list l = { .type = TYPE_NUMBER };
	static const long long in[] = { 5, -3, 5, 9000000000, 0, -3 };

	for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
		vec_push(&arena, &l.numbers, in[i]);
	list_finish(&l);
	CHECK(l.numbers.n == 4);
	CHECK(l.numbers.v[0] == -3 && l.numbers.v[1] == 0 &&
	      l.numbers.v[2] == 5 && l.numbers.v[3] == 9000000000);
}

/* Every key is where a look-up looks for it. */
static bool
holds(const struct ir_list *l, const struct image_slot *slots,
    const struct image_list *im)
{
	for (size_t i = 0; i < l->keys.n; i++) {
		uint64_t hash = set_hash(l->keys.v[i], im->seed);
		uint32_t at = (uint32_t)hash & (im->slots - 1), probe = 0;

		while (slots[at].text != i && probe < im->longest) {
			at = (at + 1) & (im->slots - 1);
			probe++;
		}
		if (slots[at].text != i || slots[at].tag != hash >> 32)
			return false;
	}
	return true;
}

static void
keys(size_t count, uint32_t longest)
{
	struct ir_list l = { .type = TYPE_DOMAIN };
	struct image_list im;
	uint32_t *texts;
	struct str bytes;

	for (size_t i = 0; i < count; i++)
		vec_push(&arena, &l.keys,
		    arena_printf(&arena, "host%zu.example", i));
	for (size_t i = 0; i < count; i += 3)
		vec_push(&arena, &l.keys, l.keys.v[i]);
	list_finish(&l);
	CHECK(l.keys.n == count);
	texts = ARENA_ARRAY(&arena, count, uint32_t);
	for (size_t i = 0; i < count; i++)
		texts[i] = (uint32_t)i;
	bytes = set_build(&arena, &l, texts, &im);
	CHECK(im.count == count);
	CHECK(im.slots >= count * 4 / 3 && (im.slots & (im.slots - 1)) == 0);
	CHECK(bytes.n == im.slots * sizeof(struct image_slot));
	CHECK(im.longest <= longest);
	CHECK(holds(&l, (const struct image_slot *)bytes.p, &im));
}

int
main(void)
{
	jmp_buf no_memory;

	arena_init(&arena, 0, &no_memory);
	if (setjmp(no_memory))
		return 1;
	parts_of_networks();
	networks_in_networks();
	networks();
	numbers();
	keys(0, 0);
	keys(1, 1);
	keys(2, 2);
	keys(100, 8);
	keys(1000, 16);
	keys(100000, 64);
	arena_free(&arena);
	TEST_DONE();
}
