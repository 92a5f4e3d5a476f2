/*
 * A random policy and random transactions, made by what the fuzzer chooses:
 * the index of rules and regexes gives what the plain evaluation gives.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/property/random.h"
#include "tests/property/text.h"
#include "tests/property/twins.h"

enum { SESSIONS = 3 };

static void
show(const struct writer *w, const char *what)
{
	fprintf(stderr, "%s\n%.*s\n", what, (int)w->n, w->text);
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct writer w;
	char error[200] = "";
	struct milt_image *im[2];
	struct twins t;
	struct str text;

	random_bytes(data, size);
	put_policy(&w);
	text = (struct str){ w.text, w.n };
	im[0] = twins_compile(text, false, error, sizeof(error));
	im[1] = twins_compile(text, true, error, sizeof(error));
	if (!im[0] != !im[1])
		show(&w, error);
	for (int i = 0; im[0] && i < SESSIONS; i++)
		if (!twins_play(im, &t))
			show(&w, t.differs);
	for (int i = 0; i < 2; i++)
		if (im[i])
			milt_image_free(im[i]);
	return 0;
}
