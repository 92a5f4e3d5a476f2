/* Sources of unusual size, depth and bytes: what is left of them, and how
 * many errors they are. */
#include <stdlib.h>

#include "dsl/ast.h"
#include "tests/unit/test.h"

static struct arena arena;
static struct sources sources;
static struct diags diags;

static struct ast_file *
parse(struct str text)
{
	arena_free(&arena);
	arena_init(&arena, 0, NULL);
	sources = (struct sources){ .arena = &arena };
	diags = (struct diags){ .arena = &arena, .sources = &sources };
	return milt_parse(
	    &arena, &diags, source_add(&sources, STR("t.milt"), text));
}

/* `before`, `count` times `part`, `after`; malloc'ed. */
static struct str
repeat(const char *before, const char *part, size_t count, const char *after)
{
	size_t a = strlen(before), n = strlen(part), z = strlen(after);
	char *p = malloc(a + n * count + z), *at = p + a;

	memcpy(p, before, a);
	for (size_t i = 0; i < count; i++, at += n)
		memcpy(at, part, n);
	memcpy(at, after, z);
	return (struct str){ p, a + n * count + z };
}

static struct ast_file *
parse_repeated(
    const char *before, const char *part, size_t count, const char *after)
{
	struct str text = repeat(before, part, count, after);
	struct ast_file *file = parse(text);

	free((char *)text.p);
	return file;
}

/* One error of this number, and the rule below it is read. */
static bool
one_error(const struct ast_file *file, enum diag_id id)
{
	if (diags.errors == 1 && diags.list.v[0]->id == id &&
	    file->items.n == 1)
		return true;
	printf("# %zu errors, %zu items\n", diags.errors, file->items.n);
	return false;
}

#define AFTER "\nrule next { accept }\n"

static void
check_depth(void)
{
	static const size_t counts[] = { 201, 10000, 1000000 };

	for (size_t i = 0; i < 3; i++) {
		size_t n = counts[i];

		CHECK(one_error(parse_repeated("rule a { when ", "(", n,
				    " x accept }" AFTER),
		    D_NESTING));
		CHECK(one_error(parse_repeated("rule a { when ", "not ", n,
				    "x accept }" AFTER),
		    D_NESTING));
		CHECK(
		    one_error(parse_repeated("let a = ", "any b { ", n, AFTER),
			D_NESTING));
		CHECK(one_error(
		    parse_repeated("let a = ", "not ( ", n, AFTER), D_NESTING));
		CHECK(one_error(
		    parse_repeated("let a = ", "m[", n, AFTER), D_NESTING));
	}
	CHECK(parse_repeated("let a = ", "(", 200, "x")->items.n == 0);
	CHECK(diags.errors == 1 && diags.list.v[0]->id == D_OPEN_BRACKET);
	CHECK(parse_repeated("let a = ", "not ", 200, "x")->items.n == 1);
	CHECK(diags.errors == 0);
}

static unsigned
depth(const struct ast_expr *e)
{
	unsigned a = e->a ? depth(e->a) : 0, b = e->b ? depth(e->b) : 0;

	return 1 + (a > b ? a : b);
}

static void
check_chains(void)
{
	struct ast_file *f =
	    parse_repeated("let a = x", " or y and z and q", 100000, "");
	struct item_let *let = (struct item_let *)f->items.v[0];

	CHECK(diags.errors == 0 && let->item.kind == ITEM_LET);
	CHECK(let->expr->kind == EXPR_OR && depth(let->expr) <= 21);
	CHECK(let->expr->span.begin == 8 &&
	      let->expr->span.end == sources.list.v[0]->text.n);
}

static void
check_size(void)
{
	struct ast_file *f =
	    parse_repeated("list a of text {", " x", 1000000, "}");

	CHECK(diags.errors == 0);
	CHECK(((struct item_list *)f->items.v[0])->entries.n == 1000000);
	f = parse_repeated("rule a { reject \"", "y", 1000000, "\" }");
	CHECK(diags.errors == 0 && f->items.n == 1);
	f = parse_repeated("rule a { reject \"", "{x}", 100000, "\" }");
	CHECK(diags.errors == 0 && f->items.n == 1);
	parse_repeated("", "} ", 100000, "");
	CHECK(diags.errors == 100000 && diags.list.n == 100);
	f = parse_repeated("", "rule r { foo }\n", 1000, AFTER);
	CHECK(diags.errors == 1000 && f->items.n == 1);
}

static void
check_bytes(void)
{
	struct ast_file *f = parse(STR("\xEF\xBB\xBFmilt 1\r\nrule a {\r\n"
				       "  accept\r\n}\r\n# end"));

	CHECK(diags.errors == 0 && f->items.n == 2);
	f = parse(STR(""));
	CHECK(diags.errors == 0 && f->items.n == 0);
	/* Bytes that are none explain what follows from them. */
	f = parse(STR("rule a { acc\xFF"
		      "ept }\nrule\0b { accept }" AFTER));
	CHECK(diags.errors == 2 && f->items.n == 2);
	f = parse(STR("rule a { acc\0ept }" AFTER));
	CHECK(one_error(f, D_CONTROL));
	f = parse_repeated("", "\xFF\x01", 100000, "");
	CHECK(diags.errors == 20 && f->items.n == 0);
}

static void
check_memory(void)
{
	struct str text =
	    repeat("", "rule a { when x is \"y\" accept }\n", 1000, "");
	volatile size_t failed = 0, done = 0;
	jmp_buf no_memory;

	for (size_t limit = 1000; done == 0; limit += limit / 3) {
		arena_free(&arena);
		arena_init(&arena, limit, &no_memory);
		if (setjmp(no_memory)) {
			failed++;
			continue;
		}
		sources = (struct sources){ .arena = &arena };
		diags = (struct diags){ .arena = &arena, .sources = &sources };
		done = milt_parse(
		    &arena, &diags, source_add(&sources, STR("t"), text))
			   ->items.n;
	}
	CHECK(failed > 5 && done == 1000);
	free((char *)text.p);
}

int
main(void)
{
	check_depth();
	check_chains();
	check_size();
	check_bytes();
	check_memory();
	arena_free(&arena);
	TEST_DONE();
}
