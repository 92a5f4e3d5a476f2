/*
 * milt-gen: what people read of the tables.
 *
 *	milt-gen reference TEMPLATE   dsl/reference.md
 *	milt-gen man TEMPLATE         milt(5)
 *	milt-gen vim                  dsl/editor/milt.vim
 *
 * The template is text in a small subset of Markdown: `#` headings,
 * paragraphs, ``` blocks, `- ` items; a line `@NAME` stands for a table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "compiler/gen.h"
#include "dsl/tables.h"

/* ---- Markdown ----------------------------------------------------------- */

static void
md_cell(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|')
			putchar('\\');
		putchar(s.p[i]);
	}
}

static void
md_begin(const char *const *head, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		printf("| %s ", head[i]);
	puts("|");
	for (size_t i = 0; i < columns; i++)
		printf("| --- ");
	puts("|");
}

static void
md_row(const struct str *cells, size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		printf("| ");
		md_cell(cells[i]);
		putchar(' ');
	}
	puts("|");
}

static void
md_end(void)
{
}

/* ---- man ---------------------------------------------------------------- */

static void
man_text(struct str s)
{
	bool start = true, code = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '`') {
			code = !code;
			fputs(code ? "\\fB" : "\\fR", stdout);
			continue;
		}
		if (start && (c == '.' || c == '\''))
			fputs("\\&", stdout);
		if (c == '\\')
			fputs("\\e", stdout);
		else if (c == '-')
			fputs("\\-", stdout);
		else
			putchar(c);
		start = c == '\n';
	}
}

static void
man_begin(const char *const *head, size_t columns)
{
	(void)head;
	(void)columns;
}

static void
man_row(const struct str *cells, size_t columns)
{
	puts(".TP");
	man_text(cells[0]);
	putchar('\n');
	for (size_t i = 1; i < columns; i++) {
		if (!cells[i].n)
			continue;
		if (i > 1)
			puts(".br");
		man_text(cells[i]);
		putchar('\n');
	}
}

static void
man_end(void)
{
	puts(".PP");
}

/* ---- the template ------------------------------------------------------- */

static void
md_line(struct str line)
{
	printf("%.*s\n", STR_ARG(line));
}

static bool in_code, in_item;

static void
man_line(struct str line)
{
	if (str_starts(line, STR("```"))) {
		puts(in_code ? ".fi\n.RE" : ".PP\n.RS 4\n.nf");
		in_code = !in_code;
	} else if (in_code) {
		man_text(line);
		putchar('\n');
	} else if (str_starts(line, STR("# "))) {
		return;
	} else if (str_starts(line, STR("## "))) {
		printf(".SH ");
		for (size_t i = 3; i < line.n; i++)
			putchar(line.p[i] >= 'a' && line.p[i] <= 'z'
				    ? line.p[i] - 32
				    : line.p[i]);
		putchar('\n');
	} else if (str_starts(line, STR("### "))) {
		printf(".SS %.*s\n", STR_ARG(str_skip(line, 4)));
	} else if (str_starts(line, STR("- "))) {
		puts(".IP \\(bu 2");
		man_text(str_skip(line, 2));
		putchar('\n');
		in_item = true;
	} else if (!line.n) {
		puts(".PP");
		in_item = false;
	} else {
		man_text(in_item ? str_trim(line) : line);
		putchar('\n');
	}
}

static int
print_template(
    const char *path, const struct form *form, void (*put)(struct str))
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	bool ok = true;

	if (!f) {
		fprintf(stderr, "milt-gen: %s: %s\n", path, strerror(errno));
		return 3;
	}
	while (ok && (n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (line[0] == '@')
			ok = gen_table(line + 1, form);
		else
			put((struct str){ line, (size_t)n });
	}
	free(line);
	fclose(f);
	return ok ? 0 : 3;
}

/* ---- editors ------------------------------------------------------------ */

static const char *const keywords[] = {
#define KEYWORD(id, word) word,
#include "dsl/keywords.def"
#undef KEYWORD
};

static int
print_vim(void)
{
	puts("\" Vim syntax file for milt policies; made from the language's "
	     "tables.\nif exists(\"b:current_syntax\")\n  finish\nendif");
	puts("syn iskeyword @,48-57,_,.,-");
	printf("syn keyword miltWord");
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		printf(" %s", keywords[i]);
	printf("\nsyn keyword miltAttribute");
	for (int i = 1; i < ATTR_COUNT; i++)
		if (str_find(attr_rows[i].name, ' ') == attr_rows[i].name.n)
			printf(" %.*s", STR_ARG(attr_rows[i].name));
	puts("\nsyn match miltComment \"#.*$\"\n"
	     "syn region miltString start=+\"+ skip=+\\\\.+ end=+\"+ "
	     "contains=miltField\n"
	     "syn region miltString start=+\"\"\"+ end=+\"\"\"+\n"
	     "syn match miltField \"{[^{}]*}\" contained\n"
	     "syn match miltAddress \"<[^<> ]*>\"\n"
	     "syn region miltRegex start=+\\(matches\\s\\+\\)\\@<=/+ "
	     "skip=+\\\\.+ end=+/[imsxu]*+\n"
	     "hi def link miltWord Statement\n"
	     "hi def link miltAttribute Identifier\n"
	     "hi def link miltComment Comment\n"
	     "hi def link miltString String\n"
	     "hi def link miltField Special\n"
	     "hi def link miltAddress Constant\n"
	     "hi def link miltRegex String\n"
	     "let b:current_syntax = \"milt\"");
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct form markdown = { md_begin, md_row, md_end };
	static const struct form man = { man_begin, man_row, man_end };
	int result = 2;

	if (argc == 3 && strcmp(argv[1], "reference") == 0) {
		result = print_template(argv[2], &markdown, md_line);
	} else if (argc == 3 && strcmp(argv[1], "man") == 0) {
		puts(".TH MILT 5 \"\" \"milt " MILT_VERSION "\" "
		     "\"File formats\"");
		result = print_template(argv[2], &man, man_line);
	} else if (argc == 2 && strcmp(argv[1], "vim") == 0) {
		result = print_vim();
	} else {
		fputs("usage: milt-gen reference|man TEMPLATE | vim\n", stderr);
	}
	return result;
}
