/*
 * Any bytes as an image: refused, or what the interpreter can run.  Magic,
 * hash and checksum are made right first, so that the verifier gets to see
 * the rest.
 */

#include "runtime/edits.h"
#include "tests/fuzz/fuzz.h"

static void
make_right(char *image, size_t size)
{
	struct image_header h;

	memcpy(&h, image, sizeof(h));
	memcpy(h.magic, IMAGE_MAGIC, sizeof(IMAGE_MAGIC) - 1);
	h.version = IMAGE_VERSION;
	h.sections = SECTION_COUNT;
	h.tables = tables_hash();
	h.size = size;
	memcpy(image, &h, sizeof(h));
	h.checksum = image_checksum(image, size);
	memcpy(image, &h, sizeof(h));
}

static void
run(const struct milt_image *im)
{
	static const struct ip ip = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct str parameter = STR("SIZE=1000");
	struct milt_session *s = milt_session_new(im);
	struct facts *f;
	const struct edit *edits;
	size_t n;

	MUST(s != NULL);
	f = milt_session_facts(s);
	milt_session_begin(s, STAGE_CONNECT);
	(void)facts_client(f, STR("mx.example.net"), true, &ip, 25);
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_HELO);
	(void)facts_helo(f, STR("mx.example.net"));
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_MAIL);
	(void)facts_mail(f, STR("<a@example.net>"), &parameter, 1);
	(void)fuzz_answer(s);
	for (int i = 0; i < 2; i++) {
		milt_session_begin(s, STAGE_RCPT);
		(void)facts_rcpt(f,
		    i ? STR("<b@example.org>") : STR("<c+d@example.com>"), NULL,
		    0);
		(void)fuzz_answer(s);
	}
	milt_session_begin(s, STAGE_DATA);
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_HEADERS);
	(void)facts_header(f, STR("From"), STR("A <a@example.net>"));
	(void)facts_header(f, STR("Subject"), STR("=?utf-8?q?x=20y?="));
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_MESSAGE);
	(void)facts_body(f, STR("text\r\n"));
	if (fuzz_answer(s).kind == ANSWER_ACCEPT)
		(void)milt_edits(s, &edits, &n);
	milt_session_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct milt_image *im;
	char *copy;

	if (size < sizeof(struct image_header))
		return 0;
	copy = malloc(size);
	MUST(copy != NULL);
	memcpy(copy, data, size);
	make_right(copy, size);
	if (milt_image_load(copy, size, &im, NULL) == MILT_OK) {
		run(im);
		milt_image_free(im);
	}
	free(copy);
	return 0;
}
