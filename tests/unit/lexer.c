/* Tokens of texts in which something is special about the bytes. */
#include "dsl/lexer.h"

#include "dsl/ast.h"
#include "grammar.h"
#include "tests/unit/test.h"

static struct arena arena;
static struct sources sources;
static struct diags diags;
static struct lexer lx;

static void
open_text(struct str text)
{
	arena_free(&arena);
	arena_init(&arena, 0, NULL);
	sources = (struct sources){ .arena = &arena };
	diags = (struct diags){ .arena = &arena, .sources = &sources };
	lexer_open(
	    &lx, &arena, &diags, source_add(&sources, STR("t.milt"), text));
}

/* Is the next token of this kind, with this text? */
static bool
next_is(int kind, struct str text)
{
	struct token t = lexer_next(&lx);

	if (t.kind == kind && str_eq(t.text, text))
		return true;
	printf("# got kind %d `%.*s`\n", t.kind, STR_ARG(t.text));
	return false;
}

#define NEXT(kind, text) CHECK(next_is(TOKEN_##kind, STR(text)))
#define END() CHECK(next_is(0, STR("")))

static void
check_lines(void)
{
	open_text(STR("\xEF\xBB\xBFmilt 1\r\nrule # x\r\n\"a\"\r\n# last"));
	NEXT(MILT, "milt");
	NEXT(ATOM, "1");
	NEXT(RULE, "rule");
	NEXT(STRING, "a");
	END();
	END();
	CHECK(diags.errors == 0);
	open_text(STR(""));
	END();
	open_text(STR("\xEF\xBB\xBF"));
	END();
	open_text(STR("#"));
	END();
}

static void
check_atoms(void)
{
	open_text(STR("3com.com 4you 10MB 1.2.3.4 1.2.3.4/8 ::1 ::/0 fe80::1 "
		      "2026-01-31T12:00:00+02:00 -5 +2.5 a:b 5.7.1 1.2.x"));
	NEXT(WORD, "3com.com");
	NEXT(ATOM, "4you");
	NEXT(ATOM, "10MB");
	NEXT(ATOM, "1.2.3.4");
	NEXT(ATOM, "1.2.3.4/8");
	NEXT(ATOM, "::1");
	NEXT(ATOM, "::/0");
	NEXT(ATOM, "fe80::1");
	NEXT(ATOM, "2026-01-31T12:00:00+02:00");
	NEXT(SIGNED, "-5");
	NEXT(SIGNED, "+2.5");
	NEXT(ATOM, "a:b");
	NEXT(ATOM, "5.7.1");
	NEXT(WORD, "1.2.x");
	END();
	CHECK(diags.errors == 0);
}

static void
check_words(void)
{
	open_text(STR("no-relay header.from.domain _dmarc.x "
		      "b\xC3\xBC"
		      "cher.de spam +2 is -1 example.com. Rule"));
	NEXT(WORD, "no-relay");
	NEXT(WORD, "header.from.domain");
	NEXT(WORD, "_dmarc.x");
	NEXT(WORD, "b\xC3\xBC"
		   "cher.de");
	NEXT(SCORED, "spam");
	NEXT(SIGNED, "+2");
	NEXT(IS, "is");
	NEXT(SIGNED, "-1");
	NEXT(WORD, "example.com.");
	NEXT(WORD, "Rule");
	END();
}

static void
check_addresses(void)
{
	open_text(STR("<> <a@b> a<b c <5 and y> 3 <\"a b>\"@c> <a b> <= >="));
	NEXT(ADDRESS, "");
	NEXT(ADDRESS, "a@b");
	NEXT(WORD, "a");
	NEXT(LT, "<");
	NEXT(WORD, "b");
	NEXT(WORD, "c");
	NEXT(LT, "<");
	NEXT(ATOM, "5");
	NEXT(AND, "and");
	NEXT(WORD, "y");
	NEXT(GT, ">");
	NEXT(ATOM, "3");
	NEXT(ADDRESS, "\"a b>\"@c");
	NEXT(LT, "<");
	NEXT(WORD, "a");
	NEXT(WORD, "b");
	NEXT(GT, ">");
	NEXT(LE, "<=");
	NEXT(GE, ">=");
	END();
}

static void
check_strings(void)
{
	open_text(STR("\"\" \"a\\\\\\\"\\n\\r\\t\" \"\\u{0}\\u{7F}\\u{e9}"
		      "\\u{20AC}\\u{1F4E7}\" \"{header(\"X\")}\" \"{x(\" y"));
	NEXT(STRING, "");
	NEXT(STRING, "a\\\"\n\r\t");
	NEXT(STRING, "\0\x7F\xC3\xA9\xE2\x82\xAC\xF0\x9F\x93\xA7");
	NEXT(STRING, "{header(\"X\")}");
	NEXT(STRING, "{x(");
	NEXT(WORD, "y");
	END();
	CHECK(diags.errors == 0);
	open_text(STR("\"a\\d\\u{D800}\\u{110000}b\" \"open\\"));
	NEXT(STRING, "ab");
	CHECK(diags.errors == 3 && !lx.failed);
	NEXT(STRING, "open");
	END();
	CHECK(diags.errors == 5 && lx.failed);
	open_text(STR("\"open\r\nx"));
	NEXT(STRING, "open");
	NEXT(WORD, "x");
	CHECK(diags.errors == 1);
}

static void
check_regexes(void)
{
	open_text(STR("matches /a\\/[/]b/ims matches /[]/[:alpha:]/]/ "
		      "matches /a\n # b\n c/x matches // matches /open"));
	NEXT(MATCHES, "matches");
	NEXT(REGEX, "a\\/[/]b");
	NEXT(MATCHES, "matches");
	NEXT(REGEX, "[]/[:alpha:]/]");
	NEXT(MATCHES, "matches");
	NEXT(REGEX, "a\n # b\n c");
	NEXT(MATCHES, "matches");
	NEXT(REGEX, "");
	NEXT(MATCHES, "matches");
	CHECK(diags.errors == 0);
	NEXT(REGEX, "open");
	END();
	CHECK(diags.errors == 1);
	open_text(STR("matches /a/gx"));
	NEXT(MATCHES, "matches");
	CHECK(str_eq(lexer_next(&lx).flags, STR("gx")));
}

static void
check_blocks(void)
{
	open_text(STR("\"\"\"\r\n\t a\r\n\r\n\t  b \\n\n\t \"\"\" x"));
	NEXT(BLOCK, "a\r\n\r\n b \\n\r\n");
	NEXT(WORD, "x");
	CHECK(diags.errors == 0);
	open_text(STR("\"\"\"\n\"\"\""));
	NEXT(BLOCK, "");
	END();
	open_text(STR("\"\"\"\n  a\n b\n  \"\"\""));
	NEXT(BLOCK, "a\r\n b\r\n");
	CHECK(diags.errors == 1 && diags.list.v[0]->id == D_BLOCK_INDENT);
	open_text(STR("\"\"\"\na"));
	CHECK(lexer_next(&lx).kind == TOKEN_BLOCK);
	END();
	CHECK(diags.errors == 1 && diags.list.v[0]->id == D_OPEN_BLOCK);
	open_text(STR("\"\"\"a\"\"\" x"));
	CHECK(lexer_next(&lx).kind == TOKEN_BLOCK);
	NEXT(WORD, "x");
	CHECK(diags.errors == 1 && diags.list.v[0]->id == D_BLOCK_START);
	open_text(STR("```\nx } \" `` \n``` y"));
	NEXT(FENCE, "\nx } \" `` \n");
	NEXT(WORD, "y");
}

static void
check_text(void)
{
	bool clean;

	open_text(STR("a\xC3\xA9\t\r\n"));
	CHECK(text_check(&diags, 0, &clean) && clean && diags.errors == 0);
	open_text(STR("a\xFF\xFE\x62\x01\x02 \xC3"));
	CHECK(text_check(&diags, 0, &clean) && !clean);
	CHECK(diags.errors == 3);
	CHECK(
	    diags.list.v[0]->span.begin == 1 && diags.list.v[0]->span.end == 3);
	CHECK(
	    diags.list.v[1]->span.begin == 4 && diags.list.v[1]->span.end == 6);
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
	CHECK(!text_is_clean(STR("\xC0\x80")));
	CHECK(!text_is_clean(STR("\xE0\x9F\xBF")));
	CHECK(!text_is_clean(STR("\xED\xA0\x80")));
	CHECK(!text_is_clean(STR("\xF4\x90\x80\x80")));
	CHECK(text_is_clean(STR("\xF4\x8F\xBF\xBF")));
	CHECK(!text_is_clean(STR("\xE2\x82")));
}

static void
check_keywords(void)
{
	static const struct str words[] = {
#define KEYWORD(id, word) STR(word),
#include "dsl/keywords.def"
#undef KEYWORD
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct token t;

		open_text(words[i]);
		t = lexer_next(&lx);
		test_check(str_eq(keyword_text(t.kind), words[i]), __FILE__,
		    __LINE__, words[i].p);
	}
}

int
main(void)
{
	check_lines();
	check_atoms();
	check_words();
	check_addresses();
	check_strings();
	check_regexes();
	check_blocks();
	check_text();
	check_keywords();
	arena_free(&arena);
	TEST_DONE();
}
