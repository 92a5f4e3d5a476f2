/*
 * milterc: checks, compiles, tests and explains policies.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/compile.h"
#include "compiler/cost.h"
#include "compiler/explain.h"
#include "compiler/testrun.h"

enum { EXIT_OK, EXIT_POLICY, EXIT_USAGE, EXIT_SYSTEM };

struct options {
	const char *output; /* -o */
	const char *after;  /* --after */
	bool json, strict, check, verbose, cost;
};

struct command {
	const char *name, *usage, *what, *help;
	int (*run)(const struct options *, int argc, char **argv);
};

static bool
use_color(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(f)) && !(no && *no);
}

static int
no_memory(void)
{
	fputs("milterc: out of memory\n", stderr);
	return EXIT_SYSTEM;
}

/* Diagnostics to stderr, or as JSON to stdout. */
static void
show(struct compilation *c, bool json)
{
	if (json)
		diags_print_json(&c->diags, stdout);
	else
		diags_print(&c->diags, stderr, use_color(stderr));
}

static int
status_exit(enum milt_status st)
{
	switch (st) {
	case MILT_OK:
		return EXIT_OK;
	case MILT_INVALID:
		return EXIT_POLICY;
	case MILT_NO_MEMORY:
		return no_memory();
	case MILT_QUESTION:
	case MILT_OTHER_TABLES:
	case MILT_SYSTEM:
		break;
	}
	return EXIT_SYSTEM;
}

/*
 * Compiles one file and shows its diagnostics; c is to be freed in any case.
 */
static int
compile(
    struct compilation *c, const char *path, const struct options *o, bool lint)
{
	struct compile_options opt = { .lint = lint };
	int result = status_exit(milt_compile(c, path, &opt));

	show(c, o->json && lint);
	if (result == EXIT_OK && o->strict && c->diags.warnings)
		result = EXIT_POLICY;
	return result;
}

static int
worse(int a, int b)
{
	return a > b ? a : b;
}

/* ---- compile ---------------------------------------------------------- */

static const char *
output_name(struct arena *a, const char *path)
{
	struct str s = str_from(path);

	if (str_ends(s, STR(".milt")))
		s.n -= sizeof(".milt") - 1;
	return arena_printf(a, "%.*s.miltc", STR_ARG(s)).p;
}

/* Written beside the target and renamed: nobody sees half an image. */
static bool
write_file(struct arena *a, const char *path, const void *data, size_t size)
{
	const char *part =
	    arena_printf(a, "%s.part.%ld", path, (long)getpid()).p;
	FILE *f = part ? fopen(part, "wb") : NULL;
	bool ok;

	if (!f)
		return false;
	ok = fwrite(data, 1, size, f) == size && fflush(f) == 0 &&
	     fsync(fileno(f)) == 0;
	ok = fclose(f) == 0 && ok;
	if (ok && rename(part, path) == 0)
		return true;
	unlink(part);
	return false;
}

static int
run_compile(const struct options *o, int argc, char **argv)
{
	struct compilation c;
	int result;

	if (argc != 1)
		return EXIT_USAGE;
	result = compile(&c, argv[0], o, o->strict);
	if (result == EXIT_OK) {
		const char *out = o->output;

		c.arena.on_fail = NULL;
		if (!out)
			out = output_name(&c.arena, argv[0]);
		if (!out) {
			result = no_memory();
		} else if (!write_file(&c.arena, out, c.image, c.image_size)) {
			fprintf(stderr, "milterc: cannot write %s: %s\n", out,
			    strerror(errno));
			result = EXIT_SYSTEM;
		}
	}
	milt_compile_free(&c);
	return result;
}

/* ---- lint ------------------------------------------------------------- */

static int
run_lint(const struct options *o, int argc, char **argv)
{
	int result = EXIT_OK;

	if (argc < 1)
		return EXIT_USAGE;
	for (int i = 0; i < argc; i++) {
		struct compilation c;

		result = worse(result, compile(&c, argv[i], o, true));
		milt_compile_free(&c);
	}
	return result;
}

/* ---- test ------------------------------------------------------------- */

struct totals {
	size_t passed, failed, files;
	json_t *list; /* NULL: for people */
};

static int
test_compiled(struct compilation *c, const char *path, const struct options *o,
    struct totals *sum)
{
	struct milt_image *im;
	struct test_results r;
	const char *why = NULL;
	enum milt_status st;

	st = milt_image_load(c->image, c->image_size, &im, &why);
	if (st != MILT_OK) {
		fprintf(stderr, "milterc: %s: %s\n", path, why ? why : "");
		return status_exit(st);
	}
	if (setjmp(c->no_memory)) {
		milt_image_free(im);
		return no_memory();
	}
	c->arena.on_fail = &c->no_memory;
	st = tests_run(&c->arena, c, im, &r);
	if (st == MILT_OK) {
		sum->passed += r.n - r.failed;
		sum->failed += r.failed;
		if (sum->list) {
			json_t *one = tests_json(&r, c, im);

			json_array_extend(sum->list, one);
			json_decref(one);
		} else {
			printf("%s: %zu test%s%s\n", path, r.n,
			    r.n == 1 ? "" : "s",
			    r.n ? "" : " (the policy has none)");
			tests_print(
			    &r, c, stdout, use_color(stdout), o->verbose);
		}
	}
	milt_image_free(im);
	return st != MILT_OK ? no_memory() : r.failed ? EXIT_POLICY : EXIT_OK;
}

static int
test_file(const char *path, const struct options *o, struct totals *sum)
{
	struct options quiet = *o;
	struct compilation c;
	int result;

	quiet.json = false;
	sum->files++;
	result = compile(&c, path, &quiet, false);
	if (result == EXIT_OK)
		result = test_compiled(&c, path, o, sum);
	milt_compile_free(&c);
	return result;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int test_path(const char *path, const struct options *, struct totals *);

static int
test_directory(const char *path, const struct options *o, struct totals *sum)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, by_name), result = EXIT_OK;

	if (n < 0) {
		fprintf(stderr, "milterc: cannot read %s: %s\n", path,
		    strerror(errno));
		return EXIT_SYSTEM;
	}
	for (int i = 0; i < n; i++) {
		struct str name = str_from(entries[i]->d_name);
		char *child;
		struct stat st;

		if (name.p[0] != '.' &&
		    asprintf(&child, "%s/%s", path, name.p) >= 0) {
			if (stat(child, &st) == 0 &&
			    (S_ISDIR(st.st_mode) ||
				str_ends(name, STR(".milt"))))
				result =
				    worse(result, test_path(child, o, sum));
			free(child);
		}
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int
test_path(const char *path, const struct options *o, struct totals *sum)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return test_directory(path, o, sum);
	return test_file(path, o, sum);
}

static int
run_test(const struct options *o, int argc, char **argv)
{
	struct totals sum = { .list = o->json ? json_array() : NULL };
	int result = EXIT_OK;

	if (argc < 1)
		return EXIT_USAGE;
	for (int i = 0; i < argc; i++)
		result = worse(result, test_path(argv[i], o, &sum));
	if (!sum.list) {
		printf("%zu passed, %zu failed\n", sum.passed, sum.failed);
		return result;
	}
	sum.list = json_pack("{s:o,s:I,s:I}", "tests", sum.list, "passed",
	    (json_int_t)sum.passed, "failed", (json_int_t)sum.failed);
	json_dumpf(sum.list, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(sum.list);
	return result;
}

/* ---- explain ---------------------------------------------------------- */

static int
explain_code(enum diag_id id)
{
	const struct diag_row *d = &diag_rows[id];

	printf("%.*s: %.*s\n\n%.*s\n", STR_ARG(d->code), STR_ARG(d->title),
	    STR_ARG(d->why));
	if (d->wrong.n)
		printf("\nThis has it:\n\n%.*s\n", STR_ARG(d->wrong));
	if (d->right.n)
		printf("\nThis does not:\n\n%.*s\n", STR_ARG(d->right));
	return EXIT_OK;
}

static bool
looks_like_code(const char *s)
{
	return (*s == 'E' || *s == 'W') && strlen(s) == 5 &&
	       strspn(s + 1, "0123456789") == 4;
}

static int
run_explain(const struct options *o, int argc, char **argv)
{
	struct compilation c;
	enum diag_id id;
	int result;

	if (argc != 1)
		return EXIT_USAGE;
	id = diag_by_code(str_from(argv[0]));
	if (id != DIAG_COUNT)
		return explain_code(id);
	if (looks_like_code(argv[0])) {
		fprintf(
		    stderr, "milterc: there is no diagnostic %s\n", argv[0]);
		return EXIT_USAGE;
	}
	result = compile(&c, argv[0], o, false);
	if (result == EXIT_OK) {
		if (o->cost)
			cost_print(&c, stdout);
		else if (o->json)
			explain_print_json(&c, stdout);
		else
			explain_print(&c, stdout);
	}
	milt_compile_free(&c);
	return result;
}

/* ---- fmt -------------------------------------------------------------- */

static int
format_file(const char *path, const struct options *o)
{
	struct compilation c = { 0 };
	int result = EXIT_OK;
	struct str text;
	const struct source *s;

	result = status_exit(milt_parse_file(&c, path));
	if (result != EXIT_OK) {
		show(&c, false);
		milt_compile_free(&c);
		return result;
	}
	s = c.sources.list.v[c.file->source];
	text = milt_format(&c.arena, s, c.file);
	c.arena.on_fail = NULL;
	if (!text.p && s->text.n) {
		result = no_memory();
	} else if (o->check) {
		if (!str_eq(text, s->text)) {
			puts(path);
			result = EXIT_POLICY;
		}
	} else if (strcmp(path, "-") == 0) {
		fwrite(text.p, 1, text.n, stdout);
	} else if (!str_eq(text, s->text) &&
		   !write_file(&c.arena, path, text.p, text.n)) {
		fprintf(stderr, "milterc: cannot write %s: %s\n", path,
		    strerror(errno));
		result = EXIT_SYSTEM;
	}
	milt_compile_free(&c);
	return result;
}

static int
run_fmt(const struct options *o, int argc, char **argv)
{
	int result = EXIT_OK;

	if (argc < 1)
		return EXIT_USAGE;
	for (int i = 0; i < argc; i++)
		result = worse(result, format_file(argv[i], o));
	return result;
}

/* ---- dump ------------------------------------------------------------- */

static int
dump_image(const void *data, size_t size, const char *path)
{
	struct milt_image *im;
	const char *why = NULL;
	enum milt_status st = data ? milt_image_load(data, size, &im, &why)
				   : milt_image_open(path, &im, &why);

	if (st != MILT_OK) {
		fprintf(stderr, "milterc: %s: %s\n", path,
		    why ? why : strerror(errno));
		return status_exit(st);
	}
	image_dump(im, stdout);
	milt_image_free(im);
	return EXIT_OK;
}

static int
dump_source(const struct options *o, const char *path)
{
	struct compilation c;
	int result;

	if (strcmp(o->after, "parse") == 0) {
		result = status_exit(milt_parse_file(&c, path));
		show(&c, false);
		if (c.file)
			ast_dump(c.file, &c.sources, stdout);
	} else {
		result = compile(&c, path, o, false);
		if (result == EXIT_OK && strcmp(o->after, "lower") == 0)
			ir_dump(c.ir, stdout);
		else if (result == EXIT_OK)
			result = dump_image(c.image, c.image_size, path);
	}
	milt_compile_free(&c);
	return result;
}

static int
run_dump(const struct options *o, int argc, char **argv)
{
	static const char *const passes[] = { "parse", "lower", "emit" };

	if (argc != 1 || !o->after)
		return EXIT_USAGE;
	if (str_ends(str_from(argv[0]), STR(".miltc")))
		return dump_image(NULL, 0, argv[0]);
	for (size_t i = 0; i < sizeof(passes) / sizeof(*passes); i++)
		if (strcmp(o->after, passes[i]) == 0)
			return dump_source(o, argv[0]);
	fprintf(stderr,
	    "milterc: no pass %s to dump after; there are: parse, "
	    "lower, emit\n",
	    o->after);
	return EXIT_USAGE;
}

/* ---- the command line ------------------------------------------------- */

static const struct command commands[] = {
	{ "compile", "[--strict] [-o OUT.miltc] FILE", "make an image",
	    "Checks FILE and writes its image to OUT.miltc (default: FILE with "
	    ".miltc).\n"
	    "  -o, --output OUT   where to write the image\n"
	    "  --strict           lint too; warnings are errors\n",
	    run_compile },
	{ "lint", "[--strict] [--json] FILE...", "errors and warnings",
	    "Checks each FILE and reports errors and warnings.\n"
	    "  --strict           exit 1 on warnings too\n"
	    "  --json             diagnostics as JSON on standard output\n",
	    run_lint },
	{ "test", "[-v] [--json] FILE|DIR...", "run the tests of policies",
	    "Runs the test blocks of each FILE, and of each .milt file below "
	    "DIR.\n"
	    "  -v, --verbose      name the tests that pass too\n"
	    "  --json             results as JSON on standard output\n",
	    run_test },
	{ "explain", "[--json|--cost] FILE|CODE",
	    "when rules decide; what a code means",
	    "For a policy: where each rule is decided and spoken, what holds "
	    "it, and what\nthe policy asks of the MTA.  For a code such as "
	    "E0402: what it means.\n"
	    "  --cost             how each rule is reached and what it costs, "
	    "and what\n                     is looked at for every message\n"
	    "  --json             as JSON\n",
	    run_explain },
	{ "fmt", "[--check] FILE...", "canonical layout",
	    "Rewrites each FILE in the canonical layout; `-` formats standard "
	    "input to\nstandard output.\n"
	    "  --check            write nothing; name files that differ, exit "
	    "1\n",
	    run_fmt },
	{ "dump", "--after=PASS FILE", "what a pass made",
	    "Shows a policy after a pass of the compiler: parse (syntax tree), "
	    "lower\n(conditions as a graph) or emit (image; also of a .miltc "
	    "file).\n",
	    run_dump },
};
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static void
help(FILE *f)
{
	fputs("usage: milterc COMMAND [OPTION...] FILE...\n\n", f);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].what);
	fputs("\n`milterc COMMAND --help` tells more; also milterc(1), "
	      "milt(5).\n"
	      "Exit status: 0 ok, 1 the policy has errors or a test failed, "
	      "2 usage, 3 system.\n",
	    f);
}

static void
usage(const struct command *c, FILE *f)
{
	fprintf(f, "usage: milterc %s %s\n", c->name, c->usage);
}

static int
run_command(const struct command *c, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "after", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 's' },
		{ "check", no_argument, NULL, 'c' },
		{ "cost", no_argument, NULL, 'C' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { 0 };
	int ch, result;

	while ((ch = getopt_long(argc, argv, "o:vh", longs, NULL)) != -1) {
		switch (ch) {
		case 'o':
			o.output = optarg;
			break;
		case 'a':
			o.after = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 's':
			o.strict = true;
			break;
		case 'c':
			o.check = true;
			break;
		case 'C':
			o.cost = true;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'h':
			usage(c, stdout);
			fputs(c->help, stdout);
			return EXIT_OK;
		default:
			usage(c, stderr);
			return EXIT_USAGE;
		}
	}
	result = c->run(&o, argc - optind, argv + optind);
	if (result == EXIT_USAGE)
		usage(c, stderr);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "milterc: cannot write: %s\n", strerror(errno));
		return EXIT_SYSTEM;
	}
	return result;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		help(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("milterc " MILT_VERSION);
		return EXIT_OK;
	}
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "milterc: no command %s\n", argv[1]);
	help(stderr);
	return EXIT_USAGE;
}
