/* Documents that cannot be read: runtime/inspect.h. */
#include "runtime/inspect.h"

#include <stdlib.h>

#include "tests/unit/test.h"

enum { LARGE = 9000000 };

#define PDF(text) inspect(STR("%PDF-1.7\n" text)).encrypted

static void
test_pdf(void)
{
	CHECK(PDF("trailer<</Root 1 0 R/Encrypt 2 0 R>>"));
	CHECK(PDF("trailer<</Encrypt<</V 4>>>>"));
	CHECK(PDF("trailer<</Encrypt\r\n% x\n2 0 R>>"));
	CHECK(PDF("trailer<</#45ncrypt 2 0 R>>"));
	CHECK(PDF("trailer<</E#6E#63ryp#74\t2 0 R>>"));
	CHECK(PDF("1 0 obj<</Type/XRef/Encrypt 2 0 R>>stream"));
	CHECK(PDF("(/Encrypt here) trailer<</Encrypt 2 0 R>>"));
	CHECK(PDF("//Encrypt 2 0 R"));
	CHECK(!PDF("(talk about /Encrypt here) /Encrypt"));
	CHECK(!PDF("<</EncryptMetadata true/Encrypt5 2 0 R>>"));
	CHECK(!PDF("<</#4encrypt 2 0 R/#45ncryp#7 2 0 R/Encryp#"));
	CHECK(!PDF("<</encrypt 2 0 R/Encryp 2 0 R"));
	CHECK(!inspect(STR("/Encrypt 2 0 R")).encrypted);
}

static void
test_manifest(void)
{
	struct str name = STR("META-INF/manifest.xml");

	CHECK(inspect_is_encrypted(name, STR("<m:encryption-data m:x='y'/>")));
	CHECK(!inspect_is_encrypted(name, STR("<m:file-entry/>")));
	CHECK(!inspect_is_encrypted(
	    STR("content.xml"), STR("<m:encryption-data/>")));
	CHECK(!inspect_is_encrypted(name, STR("")));
}

/* Each takes a step for each octet alone, or never ends. */
static void
test_large(void)
{
	static const struct str pieces[] = { STR("/"), STR("/Encrypt"),
		STR("/Encrypt "), STR("/#45#6e"), STR("#"), STR(" ") };
	char *p = malloc(LARGE);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		size_t n = 14;

		memcpy(p, "%PDF- /Encrypt", n);
		for (; n + pieces[i].n <= LARGE; n += pieces[i].n)
			memcpy(p + n, pieces[i].p, pieces[i].n);
		CHECK(!inspect((struct str){ p, n }).encrypted);
	}
	free(p);
}

int
main(void)
{
	test_pdf();
	test_manifest();
	test_large();
	TEST_DONE();
}
