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
#include <stdlib.h>

#include "dsl/arena.h"
#include "dsl/diag.h"
#include "dsl/tables.h"

/* A table of rows with a term and what it means; printed in two forms. */
struct form {
	void (*begin)(const char *const *head);
	void (*row)(const struct str *cells);
	void (*end)(void);
};

/* ---- Markdown ----------------------------------------------------------- */

static size_t columns; /* of the table that is being printed */

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
md_begin(const char *const *head)
{
	for (size_t i = 0; i < columns; i++)
		printf("| %s ", head[i]);
	puts("|");
	for (size_t i = 0; i < columns; i++)
		printf("| --- ");
	puts("|");
}

static void
md_row(const struct str *cells)
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
man_begin(const char *const *head)
{
	(void)head;
}

static void
man_row(const struct str *cells)
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

/* ---- the tables --------------------------------------------------------- */

static const struct form *form;
static struct arena arena;

static void
begin(const char *const *head, size_t n)
{
	columns = n;
	form->begin(head);
}

static struct str
code(struct str s)
{
	return s.n ? arena_printf(&arena, "`%.*s`", STR_ARG(s)) : s;
}

static void
print_stages(void)
{
	static const char *const head[] = { "stage", "when", "" };

	begin(head, 3);
	for (int i = 0; i < STAGE_COUNT; i++)
		form->row((struct str[]){ code(stage_rows[i].name),
		    stage_rows[i].event, stage_rows[i].doc });
	form->end();
}

static void
print_types(void)
{
	static const char *const head[] = { "type", "in `list X of`", "" };

	begin(head, 3);
	for (int i = 1; i < TYPE_COUNT; i++)
		form->row((struct str[]){ type_rows[i].phrase,
		    code(type_rows[i].name), type_rows[i].doc });
	form->end();
}

static void
print_attributes(void)
{
	static const char *const head[] = { "attribute", "type", "from",
		"meaning", "example" };
	static const char *const scope[] = { "session", "message",
		"recipient" };

	begin(head, 5);
	for (int i = 1; i < ATTR_COUNT; i++) {
		const struct attr_row *r = &attr_rows[i];
		struct str name = arena_printf(&arena, "`%.*s%s`",
		    STR_ARG(r->name), r->keyed ? "(\"...\")" : "");
		struct str type = arena_printf(&arena, "%.*s%s",
		    STR_ARG(r->many ? type_rows[r->type].plural
				    : type_rows[r->type].phrase),
		    r->many ? " (many)" : "");
		struct str from = arena_printf(&arena, "%.*s, %s",
		    STR_ARG(stage_rows[r->from].name), scope[r->scope]);

		form->row((struct str[]){
		    name, type, from, r->doc, code(r->example) });
	}
	form->end();
}

static void
print_macros(void)
{
	static const char *const head[] = { "macro", "from", "meaning" };

	begin(head, 3);
	for (size_t i = 0; i < macro_row_count; i++)
		form->row((struct str[]){ code(macro_rows[i].name),
		    stage_rows[macro_rows[i].from].name, macro_rows[i].doc });
	form->end();
}

static void
print_collections(void)
{
	static const char *const head[] = { "collection", "its fields" };

	begin(head, 2);
	for (size_t i = 0; i < collection_row_count; i++) {
		const struct collection_row *c = &collection_rows[i];
		struct str prefix = arena_printf(
		    &arena, "%.*s.", STR_ARG(attr_rows[c->attr].name));
		struct str fields = STR("");

		for (int k = 1; k < ATTR_COUNT; k++)
			if (str_starts(attr_rows[k].name, prefix))
				fields = arena_printf(&arena, "%.*s%s`%.*s`",
				    STR_ARG(fields), fields.n ? ", " : "",
				    STR_ARG(
					str_skip(attr_rows[k].name, prefix.n)));
		form->row((struct str[]){
		    str_eq(c->singular, c->plural)
			? code(c->plural)
			: arena_printf(&arena, "`%.*s`, `%.*s`",
			      STR_ARG(c->singular), STR_ARG(c->plural)),
		    fields });
	}
	form->end();
}

static void
print_actions(void)
{
	static const char *const head[] = { "action", "kind", "meaning",
		"example" };
	static const char *const kind[] = { "verdict", "change", "note" };

	begin(head, 4);
	for (int i = 1; i < ACTION_COUNT; i++)
		form->row((struct str[]){ code(action_rows[i].name),
		    str_from(kind[action_rows[i].kind]), action_rows[i].doc,
		    code(action_rows[i].example) });
	form->end();
}

static struct str
option_default(int i)
{
	const struct option_row *o = &option_rows[i];

	for (size_t k = 0; k < choice_row_count; k++)
		if ((int)choice_rows[k].option == i &&
		    (long long)choice_rows[k].choice == o->number)
			return choice_rows[k].word;
	if (o->kind == OPTION_TEXT)
		return o->text.n
			   ? arena_printf(&arena, "\"%.*s\"", STR_ARG(o->text))
			   : STR("");
	return arena_printf(&arena, "%lld", o->number);
}

static void
print_options(void)
{
	static const char *const head[] = { "option", "default", "meaning",
		"example" };

	begin(head, 4);
	for (int i = 0; i < OPTION_COUNT; i++)
		form->row((struct str[]){ code(option_rows[i].name),
		    option_default(i), option_rows[i].doc,
		    arena_printf(&arena, "`option %.*s %.*s`",
			STR_ARG(option_rows[i].name),
			STR_ARG(option_rows[i].example)) });
	form->end();
}

static void
print_limits(void)
{
	static const char *const head[] = { "limit", "value",
		"what it bounds, and what happens beyond" };

	begin(head, 3);
	for (int i = 0; i < LIMIT_COUNT; i++)
		form->row((struct str[]){ limit_rows[i].id,
		    arena_printf(&arena, "%lld", limit_rows[i].value),
		    limit_rows[i].doc });
	form->end();
}

static void
print_diagnostics(void)
{
	static const char *const head[] = { "code", "what it says" };

	begin(head, 2);
	for (int i = 0; i < DIAG_COUNT; i++)
		form->row(
		    (struct str[]){ diag_rows[i].code, diag_rows[i].title });
	form->end();
}

static const struct {
	const char *name;
	void (*print)(void);
} tables[] = {
	{ "stages", print_stages },
	{ "types", print_types },
	{ "attributes", print_attributes },
	{ "macros", print_macros },
	{ "collections", print_collections },
	{ "actions", print_actions },
	{ "options", print_options },
	{ "limits", print_limits },
	{ "diagnostics", print_diagnostics },
};

/* ---- the template ------------------------------------------------------- */

static bool
print_table(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (strcmp(tables[i].name, name) != 0)
			continue;
		tables[i].print();
		return true;
	}
	fprintf(stderr, "milt-gen: no table %s\n", name);
	return false;
}

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
print_template(const char *path, void (*put)(struct str))
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
			ok = print_table(line + 1);
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

	arena_init(&arena, 0, NULL);
	if (argc == 3 && strcmp(argv[1], "reference") == 0) {
		form = &markdown;
		result = print_template(argv[2], md_line);
	} else if (argc == 3 && strcmp(argv[1], "man") == 0) {
		form = &man;
		puts(".TH MILT 5 \"\" \"milt " MILT_VERSION "\" "
		     "\"File formats\"");
		result = print_template(argv[2], man_line);
	} else if (argc == 2 && strcmp(argv[1], "vim") == 0) {
		result = print_vim();
	} else {
		fputs("usage: milt-gen reference|man TEMPLATE | vim\n", stderr);
	}
	arena_free(&arena);
	return result;
}
