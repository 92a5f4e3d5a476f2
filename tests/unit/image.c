/* Loading: files, damage, the dump. */
#include "tests/unit/test.h"

#include <unistd.h>

#include "tests/unit/builder.h"

/* ---- the file --------------------------------------------------------- */

static void *
small_image(size_t *size)
{
	const struct str keys[] = { STR("example.com"), STR("example.org") };
	struct builder b = { 0 };
	uint32_t ref = build_ref(&b, ATTR_HELO, REF_VALUE, 0, NULL);
	struct image_rule rule;

	rule = build_rule(&b, "inside", STAGE_HELO,
	    BUILD_CODE(&b,
		{ OPC_UNDER, 0, (uint16_t)ref,
		    build_keys(&b, TYPE_DOMAIN, keys, 2, 5) },
		{ OPC_HALT, 0, 0, 0 }));
	build_put(&b, SECTION_RULES, &rule, 1);
	return build_image(&b, size);
}

static void
test_file(void)
{
	char path[] = "/tmp/milt-image-XXXXXX";
	size_t size;
	char *data = small_image(&size);
	struct milt_image *im = NULL;
	const char *why = NULL;
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	CHECK(milt_image_open(path, &im, &why) == MILT_OK);
	CHECK(im && im->count[SECTION_RULES] == 2);
	CHECK_STR(image_text(im, im->rules[0].name), "inside");
	milt_image_free(im);
	CHECK(ftruncate(fd, (off_t)size - 1) == 0);
	CHECK(milt_image_open(path, &im, &why) == MILT_INVALID);
	CHECK_STR(str_from(why), "the image is cut short or has grown");
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(milt_image_open(path, &im, &why) == MILT_INVALID);
	close(fd);
	unlink(path);
	CHECK(milt_image_open(path, &im, &why) == MILT_SYSTEM);
	CHECK(milt_image_open("/tmp", &im, &why) == MILT_INVALID);
	CHECK_STR(str_from(why), "this is not an image");
	free(data);
}

static void
test_damage(void)
{
	size_t size;
	char *data = small_image(&size);
	char *copy = build_memory(NULL, size + 16);
	struct milt_image *im;
	int accepted = 0;

	for (size_t n = 0; n < size; n++)
		accepted += milt_image_load(data, n, &im, NULL) == MILT_OK;
	CHECK(accepted == 0);
	memcpy(copy, data, size);
	memset(copy + size, 0, 16);
	CHECK(milt_image_load(copy, size + 16, &im, NULL) == MILT_INVALID);
	for (size_t bit = 0; bit < size * 8; bit++) {
		copy[bit / 8] ^= (char)(1 << bit % 8);
		if (milt_image_load(copy, size, &im, NULL) == MILT_OK) {
			accepted++;
			milt_image_free(im);
		}
		copy[bit / 8] ^= (char)(1 << bit % 8);
	}
	CHECK(accepted == 0);
	copy[offsetof(struct image_header, tables)] ^= 1;
	CHECK(milt_image_load(copy, size, &im, NULL) == MILT_OTHER_TABLES);
	free(copy);
	CHECK(build_verdict(data, size) == NULL);
}

/* The sections' places, one after the other, with a wrong value. */
static void
test_sections(void)
{
	static const uint64_t wrong[] = { 0, 1, 16, UINT32_MAX, UINT64_MAX,
		UINT64_MAX - 15, 1u << 31, (uint64_t)1 << 63 };
	size_t size;
	char *data = small_image(&size);
	struct image_header *h = (struct image_header *)data;
	struct milt_image *im;
	int accepted = 0;

	for (int s = 0; s < SECTION_COUNT; s++)
		for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
			uint64_t offset = h->section[s].offset;
			uint64_t count = h->section[s].count;

			if (offset != wrong[i]) {
				h->section[s].offset = wrong[i];
				build_checksum(data, size);
				accepted += milt_image_load(data, size, &im,
						NULL) == MILT_OK;
				h->section[s].offset = offset;
			}
			h->section[s].count = wrong[i];
			build_checksum(data, size);
			if (wrong[i] > 16)
				accepted += milt_image_load(data, size, &im,
						NULL) == MILT_OK;
			h->section[s].count = count;
		}
	CHECK(accepted == 0);
	h->section[SECTION_CODE].offset = h->section[SECTION_RULES].offset;
	build_checksum(data, size);
	CHECK_STR(str_from(build_verdict(data, size)),
	    "a section is not where it belongs");
}

/* ---- the dump --------------------------------------------------------- */

static void
test_dump(void)
{
	size_t size, n = 0;
	char *data = small_image(&size), *text = NULL;
	struct milt_image *im = NULL;
	FILE *to = open_memstream(&text, &n);
	char *rules;

	CHECK(milt_image_load(data, size, &im, NULL) == MILT_OK);
	image_dump(im, to);
	fclose(to);
	rules = strstr(text, "list 0");
	CHECK_STR(str_from(rules ? rules : text),
	    "list 0 of domain: 2\n"
	    "stage connect\n"
	    "  always default\n"
	    "stage helo\n"
	    "  always inside\n"
	    "rule inside\n"
	    "  from test.milt:1, known at helo\n"
	    "  helo\n"
	    "       0  under          r0 helo list 0\n"
	    "       1  halt           r0\n"
	    "  actions\n"
	    "rule default\n"
	    "  from test.milt:1, known at connect\n"
	    "  connect\n"
	    "       0  const          r0 true\n"
	    "       1  halt           r0\n"
	    "  actions\n"
	    "    accept\n");
	free(text);
	milt_image_free(im);
	free(data);
}

int
main(void)
{
	test_file();
	test_damage();
	test_sections();
	test_dump();
	TEST_DONE();
}
