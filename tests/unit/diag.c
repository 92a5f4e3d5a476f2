/* How diagnostics look, where they are, and which names are near. */
#include "dsl/diag.h"

#include <jansson.h>
#include <stdlib.h>

#include "tests/unit/test.h"

static struct arena arena;
static struct sources sources;
static struct diags diags;

static uint32_t
open_text(struct str text)
{
	arena_free(&arena);
	arena_init(&arena, 0, NULL);
	sources = (struct sources){ .arena = &arena };
	diags = (struct diags){ .arena = &arena, .sources = &sources };
	return source_add(&sources, STR("t.milt"), text);
}

/* The span of the first `word` in the source. */
static struct span
find(uint32_t source, const char *word)
{
	struct str text = sources.list.v[source]->text;
	const char *p = memmem(text.p, text.n, word, strlen(word));
	uint32_t at = p ? (uint32_t)(p - text.p) : 0;

	return (struct span){ source, at, at + (uint32_t)strlen(word) };
}

static void
check_print(const char *want, int line)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	diags_print(&diags, f, false);
	fclose(f);
	test_str(
	    (struct str){ out, n }, str_from(want), __FILE__, line, "printed");
	free(out);
}

#define PRINTS(want) check_print(want, __LINE__)

static void
check_forms(void)
{
	uint32_t s = open_text(STR("list ours of domain { x.y }\n"
				   "rule r {\n"
				   "  when   client.ip in ours\n"));
	struct diag *d = diag_at(&diags, D_SYNTAX, find(s, "client.ip"),
	    "`client.ip` is an IP address, `ours` is a "
	    "list of domains");

	d->labels.n = 0;
	diag_label(&diags, d, (struct span){ s, 59, 63 },
	    "list of domains, declared at line 1");
	diag_help(&diags, d,
	    "to test the client's verified name write: "
	    "client.name under ours");
	PRINTS("t.milt:3:10: error[E0111]: `client.ip` is an IP address, "
	       "`ours` is a list of domains\n"
	       "    3 |   when   client.ip in ours\n"
	       "      |          ^^^^^^^^^    ---- list of domains, "
	       "declared at line 1\n"
	       "  help: to test the client's verified name write: "
	       "client.name under ours\n");
	diag_primary_label(&diags, d, "an address");
	diag_label(&diags, d, find(s, "ours"), "declared here");
	d->helps.n = 0;
	PRINTS("t.milt:3:10: error[E0111]: `client.ip` is an IP address, "
	       "`ours` is a list of domains\n"
	       "    3 |   when   client.ip in ours\n"
	       "      |          ^^^^^^^^^    ---- list of domains, "
	       "declared at line 1\n"
	       "      |          an address\n"
	       "    1 | list ours of domain { x.y }\n"
	       "      |      ---- declared here\n");
}

static void
check_files(void)
{
	uint32_t s = open_text(STR("rule a { }\n"));
	uint32_t o =
	    source_add(&sources, STR("o\033.milt"), STR("\n rule a { }"));
	struct diag *d = diag_at(&diags, D_TWICE, find(o, "a"), "twice");

	diag_label(&diags, d, find(s, "a"), "first here");
	diag_at(&diags, D_TWICE, find(s, "rule"), "above");
	diag_at(&diags, D_TWICE, find(s, "rule"), "the same again");
	diag_file(&diags, D_SYNTAX, STR("gone.milt"), "no such file");
	diag_file(&diags, D_SYNTAX, STR(""), "nothing");
	PRINTS("gone.milt: error[E0111]: no such file\n"
	       "error[E0111]: nothing\n"
	       "t.milt:1:1: error[E0115]: above\n"
	       "    1 | rule a { }\n"
	       "      | ^^^^\n"
	       "o\\u{1B}.milt:2:7: error[E0115]: twice\n"
	       "    2 |  rule a { }\n"
	       "      |       ^\n"
	       "  t.milt:1:6:\n"
	       "    1 | rule a { }\n"
	       "      |      - first here\n");
	CHECK(diags.errors == 4);
}

static void
check_bytes(void)
{
	uint32_t s = open_text(STR("\ta\tb\xC3\xBC\x01\xFF\xE4\xBD\xA0z\r\n"));

	diag_at(&diags, D_SYNTAX, find(s, "z"), "a\tb\033c");
	PRINTS("t.milt:1:9: error[E0111]: a b\\u{1B}c\n"
	       "    1 |         a       b\xC3\xBC\\u{1}\\xFF\xE4\xBD\xA0z\n"
	       "      |                              ^\n");
}

static void
check_wide(void)
{
	char text[1001], want[2000];
	uint32_t s;

	memset(text, 'x', 1000);
	text[1000] = 0;
	memcpy(text + 500, "CULPRIT", 7);
	s = open_text(str_from(text));
	diag_at(&diags, D_SYNTAX, find(s, "CULPRIT"), "wide");
	snprintf(want, sizeof(want),
	    "t.milt:1:501: error[E0111]: wide\n"
	    "    1 | ...%.160s...\n"
	    "      | %63s^^^^^^^\n",
	    text + 440, "");
	PRINTS(want);
	s = open_text(str_from(text));
	diag_at(&diags, D_SYNTAX, (struct span){ s, 0, 1000 }, "all of it");
	snprintf(want, sizeof(want),
	    "t.milt:1:1: error[E0111]: all of it\n"
	    "    1 | %.160s...\n      | ",
	    text);
	memset(text, '^', 160);
	text[160] = 0;
	strcat(strcat(want, text), "\n");
	PRINTS(want);
}

static void
check_limit(void)
{
	uint32_t s = open_text(STR("0123456789"));

	for (uint32_t i = 0; i < 250; i++) {
		struct diag *d = diag_file(&diags, D_SYNTAX, STR("f"), "m");

		diag_help(&diags, d, "h");
		diag_label(&diags, d, (struct span){ s, 0, 1 }, "l");
	}
	CHECK(diags.errors == 250);
	CHECK(diags.list.n == 100);
	CHECK(diag_by_code(STR("E0111")) == D_SYNTAX);
	CHECK(diag_by_code(STR("e0111")) == D_SYNTAX);
	CHECK(diag_by_code(STR("E9999")) == DIAG_COUNT);
}

static void
check_json(void)
{
	uint32_t s = open_text(STR("\xC3\xBC rule\n"));
	struct diag *d = diag_at(&diags, D_SYNTAX, find(s, "rule"), "m\xFF");
	json_t *all, *o;

	diag_help(&diags, d, "h");
	all = diags_json(&diags);
	CHECK(json_array_size(all) == 1);
	o = json_array_get(all, 0);
	CHECK_STR(
	    str_from(json_string_value(json_object_get(o, "code"))), "E0111");
	CHECK_STR(str_from(json_string_value(json_object_get(o, "severity"))),
	    "error");
	CHECK_STR(str_from(json_string_value(json_object_get(o, "message"))),
	    "m\xEF\xBF\xBD");
	CHECK_STR(
	    str_from(json_string_value(json_object_get(o, "file"))), "t.milt");
	CHECK(json_integer_value(json_object_get(o, "line")) == 1);
	CHECK(json_integer_value(json_object_get(o, "column")) == 3);
	CHECK(json_integer_value(json_object_get(o, "end_line")) == 1);
	CHECK(json_integer_value(json_object_get(o, "end_column")) == 7);
	CHECK(json_array_size(json_object_get(o, "labels")) == 0);
	CHECK(json_array_size(json_object_get(o, "help")) == 1);
	json_decref(all);
}

static void
check_place(void)
{
	static const struct {
		uint32_t offset;
		unsigned line, column;
	} rows[] = { { 3, 1, 1 }, { 4, 1, 2 }, { 6, 1, 3 }, { 8, 2, 1 },
		{ 9, 2, 2 }, { 10, 3, 1 }, { 99, 3, 1 } };
	uint32_t s = open_text(STR("\xEF\xBB\xBF"
				   "a\xC3\xBC\r\nb\n"));
	const struct source *source = sources.list.v[s];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned line, column;

		source_place(source, rows[i].offset, &line, &column);
		CHECK(line == rows[i].line && column == rows[i].column);
	}
	CHECK_STR(source_line(source, 1), "\xEF\xBB\xBF"
					  "a\xC3\xBC");
	CHECK_STR(source_line(source, 2), "b");
	CHECK_STR(source_line(source, 3), "");
	CHECK_STR(source_line(source, 4), "");
}

static void
check_nearest(void)
{
	static const struct str names[] = { STR("client.ip"),
		STR("client.name"), STR("helo"), STR("sender"), STR("ours") };
	size_t n = sizeof(names) / sizeof(*names);

	CHECK_STR(nearest_name(STR("client.iq"), names, n), "client.ip");
	CHECK_STR(nearest_name(STR("cleint.name"), names, n), "client.name");
	CHECK_STR(nearest_name(STR("Helo"), names, n), "helo");
	CHECK_STR(nearest_name(STR("ehlo"), names, n), "helo");
	CHECK_STR(nearest_name(STR("our"), names, n), "ours");
	CHECK_STR(nearest_name(STR("hxxo"), names, n), "");
	CHECK_STR(nearest_name(STR("recipient"), names, n), "");
	CHECK_STR(nearest_name(STR(""), names, n), "");
	CHECK_STR(nearest_name(STR("x"), names, 0), "");
}

int
main(void)
{
	check_forms();
	check_files();
	check_bytes();
	check_wide();
	check_limit();
	check_json();
	check_place();
	check_nearest();
	arena_free(&arena);
	TEST_DONE();
}
