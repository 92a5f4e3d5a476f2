/*
 * Diagnostics: the policies in tests/cases/diagnostics with the expected ones
 *as comments, and the examples of dsl/diagnostics.def.
 *
 *	  when client.ip in ours
 *	#      ^^^^^^^^^ E0402: `client.ip` is an IP address, ...
 *
 * A comment speaks of the line above it that is none of these comments; the
 * carets stand under the span.  Where they follow the # at once, it is the
 * first of them: so a span in column 1 is written.  With BLESS in the
 * environment the comments are written anew.
 */
#include <dirent.h>
#include <stdlib.h>

#include "compiler/compile.h"
#include "tests/unit/test.h"

#define CASES "tests/cases/diagnostics"

enum { MOST = 400 };

struct found {
	uint32_t source;
	unsigned line, column, width;
	struct str code, message;
};

struct set {
	struct found v[MOST];
	size_t n;
};

static unsigned
characters(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* ---- expected ---------------------------------------------------------- */

static bool
is_code(struct str s)
{
	if (s.n < 6 || (s.p[0] != 'E' && s.p[0] != 'W') || s.p[5] != ':')
		return false;
	for (int i = 1; i < 5; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* Is `line` an expectation?  Then all but source and line are set. */
static bool
parse_expected(struct str line, struct found *out)
{
	size_t i = 0, hash, first;

	while (i < line.n && line.p[i] == ' ')
		i++;
	if (i == line.n || line.p[i] != '#')
		return false;
	hash = i++;
	while (i < line.n && line.p[i] == ' ')
		i++;
	first = i;
	while (i < line.n && line.p[i] == '^')
		i++;
	if (first == hash + 1 || i == first)
		out->column = (unsigned)hash + 1;
	else
		out->column = (unsigned)first + 1;
	out->width = i == first          ? 1
		     : first == hash + 1 ? (unsigned)(i - hash)
					 : (unsigned)(i - first);
	while (i < line.n && line.p[i] == ' ')
		i++;
	if (!is_code(str_skip(line, i)))
		return false;
	out->code = str_head(str_skip(line, i), 5);
	out->message = str_trim(str_skip(line, i + 6));
	return true;
}

static void
expected_of(uint32_t number, const struct source *s, struct set *out)
{
	struct str rest = s->text;
	unsigned line = 0, subject = 0;

	while (rest.n > 0) {
		size_t n = str_find(rest, '\n');
		struct found f = { .source = number };

		line++;
		if (!parse_expected(str_head(rest, n), &f)) {
			subject = line;
		} else if (out->n < MOST) {
			f.line = subject;
			out->v[out->n++] = f;
		}
		rest = str_skip(rest, n < rest.n ? n + 1 : n);
	}
}

/* ---- found ------------------------------------------------------------- */

static void
found_in(struct compilation *c, struct set *out)
{
	for (size_t i = 0; i < c->diags.list.n && out->n < MOST; i++) {
		const struct diag *d = c->diags.list.v[i];
		struct found f = { .code = diag_rows[d->id].code,
			.message = d->message };
		const struct source *s;
		struct str line;

		if (d->has_span) {
			s = c->sources.list.v[d->span.source];
			f.source = d->span.source;
			source_place(s, d->span.begin, &f.line, &f.column);
			line = str_skip(s->text, d->span.begin);
			line = str_head(line, d->span.end - d->span.begin);
			line = str_head(line, str_find(line, '\n'));
			f.width = characters(line);
			f.width = f.width ? f.width : 1;
		}
		out->v[out->n++] = f;
	}
}

static int
compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int k;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	k = memcmp(x->code.p, y->code.p, 5);
	return k ? k : (x->width > y->width) - (x->width < y->width);
}

static bool
same(const struct found *a, const struct found *b)
{
	return compare_found(a, b) == 0 && str_eq(a->message, b->message);
}

static void
print_found(
    const char *what, const struct compilation *c, const struct found *f)
{
	printf("# %s %.*s:%u:%u +%u %.*s: %.*s\n", what,
	    STR_ARG(c->sources.list.v[f->source]->path), f->line, f->column,
	    f->width, STR_ARG(f->code), STR_ARG(f->message));
}

static bool
compare_sets(const struct compilation *c, struct set *want, struct set *got)
{
	size_t i = 0, k = 0;
	bool ok = true;

	qsort(want->v, want->n, sizeof(want->v[0]), compare_found);
	qsort(got->v, got->n, sizeof(got->v[0]), compare_found);
	while (i < want->n || k < got->n) {
		int order = i == want->n ? 1
			    : k == got->n
				? -1
				: compare_found(&want->v[i], &got->v[k]);

		if (order == 0 && same(&want->v[i], &got->v[k])) {
			i++;
			k++;
			continue;
		}
		ok = false;
		if (order <= 0)
			print_found("missing:   ", c, &want->v[i++]);
		if (order >= 0)
			print_found("unexpected:", c, &got->v[k++]);
	}
	return ok;
}

/* ---- bless ------------------------------------------------------------- */

static void
write_expected(FILE *f, const struct found *d)
{
	if (d->column == 1) {
		fputc('#', f);
	} else {
		fprintf(f, "#%*s", (int)d->column - 2, "");
		fputc('^', f);
	}
	for (unsigned i = 1; i < d->width; i++)
		fputc('^', f);
	fprintf(f, " %.*s: %.*s\n", STR_ARG(d->code), STR_ARG(d->message));
}

static void
bless(const struct source *s, uint32_t number, struct set *got)
{
	struct str rest = s->text;
	unsigned line = 0;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%.*s", STR_ARG(s->path));
	f = fopen(path, "w");
	qsort(got->v, got->n, sizeof(got->v[0]), compare_found);
	while (f && rest.n > 0) {
		size_t n = str_find(rest, '\n');
		struct str text = str_head(rest, n);
		struct found old;

		line++;
		if (!parse_expected(text, &old))
			fprintf(f, "%.*s\n", STR_ARG(text));
		for (size_t i = 0; i < got->n; i++)
			if (got->v[i].source == number &&
			    got->v[i].line == line)
				write_expected(f, &got->v[i]);
		rest = str_skip(rest, n < rest.n ? n + 1 : n);
	}
	if (f)
		fclose(f);
}

/* ---- cases ------------------------------------------------------------- */

static void
check_case(const char *name)
{
	static struct set want, got;
	struct compile_options options = { 0 };
	struct compilation c;
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s", name);
	want.n = got.n = 0;
	(void)milt_compile(&c, path, &options);
	for (size_t i = 0; i < c.sources.list.n; i++)
		expected_of((uint32_t)i, c.sources.list.v[i], &want);
	found_in(&c, &got);
	if (getenv("BLESS"))
		for (size_t i = 0; i < c.sources.list.n; i++)
			bless(c.sources.list.v[i], (uint32_t)i, &got);
	else
		test_check(compare_sets(&c, &want, &got), CASES, 0, name);
	milt_compile_free(&c);
}

static void
check_cases(void)
{
	struct dirent **list;
	int n = scandir(CASES, &list, NULL, alphasort);

	CHECK(n > 0);
	for (int i = 0; i < n; i++) {
		if (str_ends(str_from(list[i]->d_name), STR(".milt")))
			check_case(list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* ---- examples of the table --------------------------------------------- */

/* Diagnostics of the row's severity: those of the row, and others. */
static void
compile_example(
    struct str text, const struct diag_row *row, size_t *of_row, size_t *others)
{
	struct compile_options options = {
		.lint = row->severity == SEVERITY_WARNING,
	};
	struct compilation c;

	*of_row = *others = 0;
	(void)milt_compile_text(&c, STR("example.milt"), text, &options);
	for (size_t i = 0; i < c.diags.list.n; i++) {
		const struct diag *d = c.diags.list.v[i];

		if (str_eq(diag_rows[d->id].code, row->code)) {
			++*of_row;
		} else if (diag_rows[d->id].severity == SEVERITY_ERROR) {
			++*others;
			printf("# %.*s: %.*s\n", STR_ARG(diag_rows[d->id].code),
			    STR_ARG(d->message));
		}
	}
	milt_compile_free(&c);
}

static void
check_row(const struct diag_row *row)
{
	size_t of_row, others;
	char name[16];

	snprintf(name, sizeof(name), "%.*s", STR_ARG(row->code));
	test_check(row->title.n > 0 && row->why.n > 0, "texts", 0, name);
	test_check((row->wrong.n > 0) == (row->right.n > 0), "pair", 0, name);
	if (row->wrong.n == 0)
		return;
	compile_example(row->wrong, row, &of_row, &others);
	test_check(of_row > 0 && others == 0, "wrong", 0, name);
	compile_example(row->right, row, &of_row, &others);
	test_check(of_row == 0 && others == 0, "right", 0, name);
}

/* ---- as printed -------------------------------------------------------- */

static void
check_printed(struct str path, struct str text, const char *want)
{
	struct compile_options options = { 0 };
	struct compilation c;
	char *got = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&got, &size);

	(void)milt_compile_text(&c, path, text, &options);
	diags_print(&c.diags, f, false);
	fclose(f);
	CHECK_STR(
	    ((struct str){ got, strlen(want) <= size ? strlen(want) : size }),
	    want);
	free(got);
	milt_compile_free(&c);
}

/* LANGUAGE, section 7. */
static void
check_mismatch(void)
{
	check_printed(STR("inbound.milt"),
	    STR("milt 1\n\n\n\nlist ours of domain { example.com }\n\n\n\n\n"
		"\n\n\nrule r {\n  when   client.ip in ours\n  accept\n}\n"),
	    "inbound.milt:14:10: error[E0402]: `client.ip` is an IP address, "
	    "`ours` is a list of domains\n"
	    "   14 |   when   client.ip in ours\n"
	    "      |          ^^^^^^^^^    ---- list of domains, declared at "
	    "line 5\n"
	    "  help: to test the client's verified name write: client.name "
	    "under ours\n");
}

static void
check_suggestions(void)
{
	check_printed(STR("a.milt"),
	    STR("milt 1\nrule r { when client.ipp exists accept }\n"),
	    "a.milt:2:15: error[E0201]: there is no attribute or "
	    "definition `client.ipp`\n"
	    "    2 | rule r { when client.ipp exists accept }\n"
	    "      |               ^^^^^^^^^^\n"
	    "  help: the nearest name is `client.ip`\n");
}

/* ---- limits ------------------------------------------------------------ */

/* One list more than there may be files, policy included. */
static void
check_file_limit(void)
{
	struct compile_options options = { 0 };
	struct compilation c;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	fputs("milt 1\n", f);
	for (size_t i = 0; i < (size_t)LIMIT_VALUE_SOURCE_FILES; i++)
		fprintf(f, "list a%zu of network from \"files/partners\"\n", i);
	fclose(f);
	(void)milt_compile_text(
	    &c, STR(CASES "/limit.milt"), (struct str){ text, size }, &options);
	CHECK(c.diags.errors == 1);
	CHECK(c.diags.list.n == 1 && c.diags.list.v[0]->id == D_TOO_MANY_FILES);
	milt_compile_free(&c);
	free(text);
}

int
main(void)
{
	check_cases();
	check_mismatch();
	check_suggestions();
	check_file_limit();
	for (int i = 0; i < DIAG_COUNT; i++)
		check_row(&diag_rows[i]);
	TEST_DONE();
}
