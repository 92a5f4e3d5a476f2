/* Any bytes as a policy: diagnostics, or an image that loads. */
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct compile_options options = { .lint = true,
		.memory = 512 << 20 };
	struct milt_image *im = NULL;
	struct compilation c;
	enum milt_status s = milt_compile_text(&c, STR("fuzz.milt"),
	    (struct str){ (const char *)data, size }, &options);

	if (s == MILT_OK) {
		MUST(milt_image_load(c.image, c.image_size, &im, NULL) ==
		     MILT_OK);
		milt_image_free(im);
	} else
		MUST(s == MILT_NO_MEMORY || c.diags.errors > 0);
	milt_compile_free(&c);
	return 0;
}
