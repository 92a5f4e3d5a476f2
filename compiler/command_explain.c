/* milterc explain: policies, codes of diagnostics, logged lines. */
#include <stdlib.h>
#include <string.h>

#include "compiler/command.h"
#include "compiler/cost.h"
#include "compiler/explain.h"
#include "compiler/explain_log.h"

/* In lines of 78 columns at most, where there are blanks. */
static void
print_wrapped(struct str text)
{
	enum { WIDTH = 78 };
	bool at_top = true;

	for (size_t column = 0; text.n > 0;) {
		size_t n = str_find(text, ' ');

		if (column > 0 && column + 1 + n > WIDTH)
			column = 0;
		if (n > 0)
			printf("%s%.*s",
			    column   ? " "
			    : at_top ? ""
				     : "\n",
			    (int)n, text.p);
		column += n + (column > 0);
		at_top = false;
		text = str_skip(text, n < text.n ? n + 1 : n);
	}
	putchar('\n');
}

static void
print_example(const char *title, struct str text)
{
	if (!text.n)
		return;
	printf("\n%s\n\n", title);
	while (text.n > 0) {
		struct str line = str_line(&text);

		printf("%s%.*s\n", line.n ? "    " : "", STR_ARG(line));
	}
}

static int
explain_code(enum diag_id id)
{
	const struct diag_row *d = &diag_rows[id];

	printf("%.*s: %.*s\n\n", STR_ARG(d->code), STR_ARG(d->title));
	print_wrapped(d->why);
	print_example("This has it:", d->wrong);
	print_example("This does not:", d->right);
	return EXIT_OK;
}

static bool
looks_like_code(const char *s)
{
	return (*s == 'E' || *s == 'W') && strlen(s) == 5 &&
	       strspn(s + 1, "0123456789") == 4;
}

/* ---- logged lines ------------------------------------------------------ */

/* Takes the account. */
static void
show_account(json_t *account, const struct options *o)
{
	if (!o->json)
		explain_log_print(account, stdout);
	else {
		json_dumpf(account, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(account);
}

struct log_reader {
	struct compilation *c;
	struct milt_image *im;
	const struct options *options;
	struct arena arena; /* of a line */
	size_t explained;
};

/* Lines that milterd did not log about a decision count for nothing. */
static int
explain_line(struct log_reader *r, struct str text)
{
	struct logline line;
	json_t *account;

	if (!logline_read(&r->arena, text, &line))
		return EXIT_OK;
	r->explained++;
	account = explain_log(&r->arena, r->c, r->im, &line);
	if (!account) {
		fprintf(stderr, "milterc: the policy has no rule %.*s\n",
		    STR_ARG(line.rule));
		return EXIT_POLICY;
	}
	show_account(account, r->options);
	return EXIT_OK;
}

/* milterd's own are shorter than this. */
enum { LINE_BYTES = 1 << 16 };

static int
explain_lines(struct log_reader *r)
{
	static char line[LINE_BYTES];
	int result = EXIT_OK;

	while (fgets(line, sizeof(line), stdin)) {
		result = command_worse(
		    result, explain_line(r, str_trim(str_from(line))));
		arena_reset(&r->arena);
	}
	return result;
}

static int
explain_logged(struct compilation *c, const struct options *o)
{
	struct log_reader r = { .c = c, .options = o };
	const char *why = NULL;
	enum milt_status st =
	    milt_image_load(c->image, c->image_size, &r.im, &why);
	int result;

	if (st != MILT_OK)
		return command_status(st);
	arena_init(&r.arena, LIMIT_VALUE_SESSION_MEMORY, &c->no_memory);
	if (setjmp(c->no_memory))
		result = command_no_memory();
	else if (strcmp(o->log, "-") == 0)
		result = explain_lines(&r);
	else
		result = explain_line(&r, str_from(o->log));
	if (result == EXIT_OK && r.explained == 0) {
		fputs("milterc: that is no line about a decision of milterd\n",
		    stderr);
		result = EXIT_POLICY;
	}
	arena_free(&r.arena);
	milt_image_free(r.im);
	return result;
}

/* ---- all of it --------------------------------------------------------- */

int
command_explain(const struct options *o, int argc, char **argv)
{
	struct compilation c;
	enum diag_id id;
	int result;

	if (argc != 1 || (o->cost && o->log) ||
	    (o->log && strcmp(o->log, "-") == 0 && strcmp(argv[0], "-") == 0))
		return EXIT_USAGE;
	id = diag_by_code(str_from(argv[0]));
	if (id != DIAG_COUNT)
		return explain_code(id);
	if (looks_like_code(argv[0])) {
		fprintf(
		    stderr, "milterc: there is no diagnostic %s\n", argv[0]);
		return EXIT_USAGE;
	}
	result = command_compile(&c, argv[0], o, false);
	if (result == EXIT_OK && o->log) {
		result = explain_logged(&c, o);
	} else if (result == EXIT_OK) {
		if (o->cost)
			cost_print(&c, stdout);
		else if (o->json)
			explain_print_json(&c, stdout);
		else
			explain_print(&c, stdout);
	}
	if (result == EXIT_OK && c.diags.errors) /* beyond the budget */
		result = EXIT_POLICY;
	milt_compile_free(&c);
	return result;
}
