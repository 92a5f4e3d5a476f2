/* What readers may see otherwise than we do is malformed. */
#include "tests/unit/facts_show.h"

static void
message(const char *type, const char *encoding, struct str body)
{
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	header("Content-Type", type);
	if (encoding)
		header("Content-Transfer-Encoding", encoding);
	CHECK(facts_body(f, body) == MILT_OK);
}

/* An image that libarchive does not take for one, and libmagic does. */
static void
test_images(void)
{
	static char iso[40000];

	memcpy(iso + 32768, "\1CD001", 6);
	iso[32774] = 1;
	message("application/x; name=x.iso", NULL,
	    (struct str){ iso, sizeof(iso) });
	CHECK_STR(show(ATTR_FILE_MALFORMED), "1");
	message("application/x; name=x.bin", NULL, (struct str){ iso, 2048 });
	CHECK_STR(show(ATTR_FILE_MALFORMED), "0");
}

int
main(void)
{
	start();
	test_images();
	facts_free(f);
	TEST_DONE();
}
