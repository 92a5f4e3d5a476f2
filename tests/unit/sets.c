/* Membership in sets, against a plain search. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "tests/unit/builder.h"

static struct milt_image *
load(struct builder *b)
{
	size_t size;
	void *data = build_image(b, &size);
	struct milt_image *im = NULL;
	const char *why = "";

	if (milt_image_load(data, size, &im, &why) != MILT_OK)
		printf("# %s\n", why);
	free(data);
	return im;
}

static void
test_keys(void)
{
	enum { N = 3000 };
	static char text[N][16];
	static struct str keys[N];
	struct builder b = { 0 };
	struct milt_image *im;
	int wrong = 0;

	for (int i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), "key%d", i * 2);
		keys[i] = str_from(text[i]);
	}
	build_keys(&b, TYPE_TEXT, keys, N, 42);
	build_keys(&b, TYPE_TEXT, keys, 0, 42);
	build_keys(&b, TYPE_TEXT, keys, 1, 7);
	im = load(&b);
	CHECK(im);
	for (int i = 0; i < 2 * N; i++) {
		char probe[16];

		snprintf(probe, sizeof(probe), "key%d", i);
		wrong += set_has_key(im, &im->lists[0], str_from(probe)) !=
			 (i % 2 == 0);
		wrong += set_has_key(im, &im->lists[1], str_from(probe));
		wrong +=
		    set_has_key(im, &im->lists[2], str_from(probe)) != (i == 0);
	}
	CHECK(wrong == 0);
	CHECK(!set_has_key(im, &im->lists[0], STR("")));
	CHECK(!set_has_key(im, &im->lists[0], (struct str){ NULL, 0 }));
	milt_image_free(im);
}

static void
test_under(void)
{
	const struct str keys[] = { STR("example.com"), STR("org"),
		STR("a.b.example.net") };
	struct builder b = { 0 };
	struct milt_image *im;
	const struct image_list *list;
	static char many[70000];

	build_keys(&b, TYPE_DOMAIN, keys, 3, 1);
	im = load(&b);
	list = &im->lists[0];
	CHECK(set_has_under(im, list, STR("example.com")));
	CHECK(set_has_under(im, list, STR("mx.example.com")));
	CHECK(set_has_under(im, list, STR("a.b.c.example.com")));
	CHECK(!set_has_under(im, list, STR("badexample.com")));
	CHECK(!set_has_under(im, list, STR("com")));
	CHECK(set_has_under(im, list, STR("org")));
	CHECK(set_has_under(im, list, STR("x.org")));
	CHECK(!set_has_under(im, list, STR("b.example.net")));
	CHECK(set_has_under(im, list, STR("x.a.b.example.net")));
	CHECK(!set_has_under(im, list, STR("")));
	CHECK(!set_has_under(im, list, STR(".")));
	CHECK(set_has_under(im, list, STR("..org")));
	memset(many, '.', sizeof(many));
	CHECK(!set_has_under(im, list, (struct str){ many, sizeof(many) }));
	memcpy(many + sizeof(many) - 4, ".org", 4);
	CHECK(set_has_under(im, list, (struct str){ many, sizeof(many) }));
	milt_image_free(im);
}

static struct ip_range
range_of(const char *z)
{
	struct ip_range r = { 0 };
	bool masked;

	if (!network_parse(str_from(z), &r, &masked))
		printf("# %s is no network\n", z);
	return r;
}

static bool
has(const struct milt_image *im, const char *z)
{
	struct ip_range r = range_of(z);

	return set_has_range(im, &im->lists[0], &r);
}

/* Ranges of IPv6 that hold those of IPv4 too. */
static void
test_ranges_around(void)
{
	const struct ip_range ranges[] = { range_of("::/80"),
		range_of("2001:db8::/32") };
	struct builder b = { 0 };
	struct milt_image *im;

	build_set(&b, TYPE_NETWORK, ranges, 2, sizeof(*ranges));
	im = load(&b);
	CHECK(has(im, "192.0.2.1"));
	CHECK(has(im, "::1"));
	CHECK(has(im, "2001:db8::1"));
	CHECK(!has(im, "2001:db9::1"));
	milt_image_free(im);
}

static void
test_ranges(void)
{
	const struct ip_range ranges[] = { range_of("10.0.0.0/8"),
		range_of("192.0.2.0/25"), range_of("192.0.2.255"),
		range_of("2001:db8::/32") };
	struct builder b = { 0 };
	struct milt_image *im;

	build_set(&b, TYPE_NETWORK, ranges, 4, sizeof(*ranges));
	im = load(&b);
	CHECK(has(im, "10.0.0.0"));
	CHECK(has(im, "10.255.255.255"));
	CHECK(has(im, "10.1.0.0/16"));
	CHECK(!has(im, "10.0.0.0/7"));
	CHECK(!has(im, "9.255.255.255"));
	CHECK(!has(im, "11.0.0.0"));
	CHECK(has(im, "192.0.2.127"));
	CHECK(!has(im, "192.0.2.128"));
	CHECK(!has(im, "192.0.2.0/24"));
	CHECK(has(im, "192.0.2.255"));
	CHECK(has(im, "2001:db8:ffff::1"));
	CHECK(!has(im, "2001:db9::"));
	CHECK(!has(im, "::"));
	CHECK(!has(im, "ffff::"));
	milt_image_free(im);
}

static struct ip
v4(uint32_t number)
{
	return (struct ip){ { [10] = 0xff,
	    [11] = 0xff,
	    [12] = (uint8_t)(number >> 24),
	    [13] = (uint8_t)(number >> 16),
	    [14] = (uint8_t)(number >> 8),
	    [15] = (uint8_t)number } };
}

/* n ranges of 10 addresses, 20 apart, up to the last address there is. */
static int
wrong_of_many(uint32_t n)
{
	struct ip_range *ranges = calloc(n, sizeof(*ranges));
	struct builder b = { 0 };
	struct milt_image *im;
	int wrong = 0;

	if (!ranges)
		abort();
	for (uint32_t i = 0; i < n; i++)
		ranges[i] = (struct ip_range){ v4(0u - 20 * (n - i) + 10),
			v4(0u - 20 * (n - i) + 19) };
	build_set(&b, TYPE_NETWORK, ranges, n, sizeof(*ranges));
	im = load(&b);
	for (uint32_t i = 0; i < 20 * n; i++) {
		struct ip_range one = { v4(0u - 1 - i), v4(0u - 1 - i) };
		struct ip_range two = { v4(0u - 1 - i), v4(0u - i) };

		wrong +=
		    set_has_range(im, &im->lists[0], &one) != (i % 20 < 10);
		wrong += i > 0 && set_has_range(im, &im->lists[0], &two) !=
				      (i % 20 < 10 && i % 20 > 0);
	}
	milt_image_free(im);
	free(ranges);
	return wrong;
}

/* As many as fill the nodes of the tree, and one more or less. */
static void
test_many_ranges(void)
{
	static const uint32_t counts[] = { 1, 2, 15, 16, 17, 32, 255, 256, 257,
		4095, 4096, 4097, 5000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		CHECK(wrong_of_many(counts[i]) == 0);
}

static void
test_numbers(void)
{
	const int64_t numbers[] = { INT64_MIN, -5, 0, 25, 587, INT64_MAX };
	struct builder b = { 0 };
	struct milt_image *im;
	int wrong = 0;

	build_set(&b, TYPE_NUMBER, numbers, 6, sizeof(*numbers));
	build_set(&b, TYPE_NUMBER, numbers, 0, sizeof(*numbers));
	im = load(&b);
	for (int i = 0; i < 6; i++)
		wrong += !set_has_number(im, &im->lists[0], numbers[i]);
	for (int64_t i = -10; i < 600; i++)
		wrong += set_has_number(im, &im->lists[0], i) !=
			 (i == -5 || i == 0 || i == 25 || i == 587);
	CHECK(wrong == 0);
	CHECK(!set_has_number(im, &im->lists[1], 0));
	milt_image_free(im);
}

/* The image with the one list, damaged, is refused. */
static bool
is_refused(struct image_list list)
{
	const struct str keys[] = { STR("a"), STR("b"), STR("c") };
	struct builder b = { 0 };
	struct milt_image *im;
	struct image_list *built;

	build_keys(&b, TYPE_TEXT, keys, 3, 9);
	built = (struct image_list *)b.part[SECTION_LISTS];
	built->type += list.type;
	built->count += list.count;
	built->slots += list.slots;
	built->longest += list.longest;
	built->offset += list.offset;
	built->seed += list.seed;
	im = load(&b);
	milt_image_free(im);
	return im == NULL;
}

static void
test_damaged(void)
{
	CHECK(!is_refused((struct image_list){ 0 }));
	CHECK(is_refused((struct image_list){ .type = TYPE_COUNT }));
	CHECK(is_refused((struct image_list){ .count = 1 }));
	CHECK(is_refused((struct image_list){ .count = (uint32_t)-1 }));
	CHECK(is_refused((struct image_list){ .slots = 4 }));
	CHECK(is_refused((struct image_list){ .slots = 1 }));
	CHECK(is_refused((struct image_list){ .slots = (uint32_t)-4 }));
	CHECK(is_refused((struct image_list){ .offset = 8 }));
	CHECK(is_refused((struct image_list){ .offset = 1 << 20 }));
	CHECK(is_refused((struct image_list){ .offset = -(uint64_t)16 }));
	CHECK(is_refused((struct image_list){ .longest = 64 }));
}

int
main(void)
{
	test_keys();
	test_under();
	test_ranges();
	test_ranges_around();
	test_many_ranges();
	test_numbers();
	test_damaged();
	TEST_DONE();
}
