/* An image that has needs and nothing else, for tests of facts alone. */
#ifndef TESTS_UNIT_FACTS_FAKE_H
#define TESTS_UNIT_FACTS_FAKE_H

#include "runtime/facts.h"

static struct image_needs fake_needs;
static struct image_text fake_texts[2];
static struct milt_image fake_image;

/* All is kept; options have their defaults. */
static inline const struct milt_image *
fake_reset(void)
{
	fake_needs = (struct image_needs){
		.flags = NEED_HELO | NEED_HEADERS | NEED_BODY | NEED_SIZES |
			 NEED_MIME | NEED_TEXTS | NEED_FILES | NEED_KINDS |
			 NEED_DIGESTS | NEED_FILE_TEXTS | NEED_URLS,
	};
	for (int i = 0; i < OPTION_COUNT; i++) {
		fake_needs.options[i] = option_rows[i].number;
		fake_needs.option_texts[i] = IMAGE_NONE;
	}
	fake_image.needs = &fake_needs;
	fake_image.texts = fake_texts;
	return &fake_image;
}

/* A text option; one at a time. */
static inline void
fake_option(enum milt_option option, const char *text)
{
	fake_image.bytes = (const uint8_t *)text;
	fake_texts[0].length = (uint32_t)strlen(text);
	fake_needs.option_texts[option] = 0;
}

#endif
