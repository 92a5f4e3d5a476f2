/*
 * milterc: checks, compiles, tests and explains policies.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/command.h"
#include "compiler/write_file.h"

struct command {
	const char *name, *usage, *what, *help;
	const char *options; /* letters of run_command */
	int (*run)(const struct options *, int argc, char **argv);
};

/* ---- compile ---------------------------------------------------------- */

static const char *
output_name(struct arena *a, const char *path)
{
	struct str s = str_from(path);

	if (str_ends(s, STR(".milt")))
		s.n -= sizeof(".milt") - 1;
	return arena_printf(a, "%.*s.miltc", STR_ARG(s)).p;
}

static int
run_compile(const struct options *o, int argc, char **argv)
{
	struct compilation c;
	int result;

	if (argc != 1)
		return EXIT_USAGE;
	if (strcmp(argv[0], "-") == 0 && !o->output) {
		fputs("milterc: for a policy on standard input say where to "
		      "write: -o OUT.miltc\n",
		    stderr);
		return EXIT_USAGE;
	}
	result = command_compile(&c, argv[0], o, o->strict);
	if (result == EXIT_OK) {
		const char *out = o->output;

		c.arena.on_fail = NULL;
		if (!out)
			out = output_name(&c.arena, argv[0]);
		if (!out) {
			result = command_no_memory();
		} else if (!write_file(out, c.image, c.image_size)) {
			fprintf(stderr, "milterc: cannot write %s: %s\n", out,
			    strerror(errno));
			result = EXIT_SYSTEM;
		}
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

	result = command_status(milt_parse_file(&c, path));
	if (result != EXIT_OK) {
		command_show(&c, o);
		milt_compile_free(&c);
		return result;
	}
	s = c.sources.list.v[c.file->source];
	text = milt_format(&c.arena, s, c.file);
	c.arena.on_fail = NULL;
	if (!text.p && s->text.n) {
		result = command_no_memory();
	} else if (o->check) {
		if (!str_eq(text, s->text)) {
			puts(path);
			result = EXIT_POLICY;
		}
	} else if (strcmp(path, "-") == 0) {
		fwrite(text.p, 1, text.n, stdout);
	} else if (!str_eq(text, s->text) &&
		   !write_file(path, text.p, text.n)) {
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
		result = command_worse(result, format_file(argv[i], o));
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
		return command_status(st);
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
		result = command_status(milt_parse_file(&c, path));
		command_show(&c, o);
		if (c.file)
			ast_dump(c.file, &c.sources, stdout);
	} else {
		result = command_compile(&c, path, o, false);
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
	    "os", run_compile },
	{ "lint", "[--strict] [--json] [--node NODE] FILE...",
	    "errors and warnings",
	    "Checks each FILE and reports errors and warnings; where there is "
	    "Node.js, of\nthe functions of js rules, too.\n"
	    "  --strict           exit 1 on warnings too\n"
	    "  --json             diagnostics as JSON on standard output\n"
	    "  --node NODE        the program that reads the functions "
	    "(node)\n",
	    "sjN", command_lint },
	{ "test", "[-v] [--json] [--js] [--node NODE] FILE|DIR...",
	    "run the tests of policies",
	    "Runs the test blocks of each FILE, and of each .milt file below "
	    "DIR.\n"
	    "  -v, --verbose      name the tests that pass too\n"
	    "  --json             results as JSON on standard output\n"
	    "  --js               js rules for which a test gives no answer "
	    "ask their\n                     function, in Node.js\n"
	    "  --node NODE        the program to do that with (node)\n",
	    "vjJN", command_test },
	{ "explain", "[--json] [--cost|--log LINE] FILE|CODE",
	    "when rules decide; what a code or a logged line means",
	    "For a policy: where each rule is decided and spoken, what holds "
	    "it, and what\nthe policy asks of the MTA.  For a code such as "
	    "E0402: what it means.\n"
	    "  --log LINE         what milterd logged, plain or JSON: the "
	    "rule, "
	    "its source,\n                     what the facts of the line make "
	    "of "
	    "its condition, and\n                     why no rule above it "
	    "decided; `-` reads lines from\n                     standard "
	    "input\n"
	    "  --cost             how each rule is reached and what it costs, "
	    "and what\n                     is looked at for every message\n"
	    "  --json             as JSON\n",
	    "jCl", command_explain },
	{ "fmt", "[--check] FILE...", "canonical layout",
	    "Rewrites each FILE in the canonical layout; `-` formats standard "
	    "input to\nstandard output.\n"
	    "  --check            write nothing; name files that differ, exit "
	    "1\n",
	    "c", run_fmt },
	{ "dump", "--after=PASS FILE", "what a pass made",
	    "Shows a policy after a pass of the compiler: parse (syntax tree), "
	    "lower\n(conditions as a graph) or emit (image; also of a .miltc "
	    "file).\n",
	    "a", run_dump },
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

/* What getopt_long has returned is none of the command's. */
static int
bad_option(const struct command *c, int ch, char **argv)
{
	const char *last = argv[optind - 1];

	if (ch == ':')
		fprintf(stderr, "milterc: %s needs a value\n", last);
	else /* behind an option with a value stands that */
		fprintf(stderr, "milterc: %s is no option of %s\n",
		    ch == 'o'   ? "--output"
		    : ch == 'a' ? "--after"
		    : ch == 'l' ? "--log"
		    : ch == 'N' ? "--node"
				: last,
		    c->name);
	usage(c, stderr);
	return EXIT_USAGE;
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
		{ "js", no_argument, NULL, 'J' },
		{ "log", required_argument, NULL, 'l' },
		{ "node", required_argument, NULL, 'N' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { 0 };
	int ch, result;

	opterr = 0;
	while ((ch = getopt_long(argc, argv, ":o:vh", longs, NULL)) != -1) {
		if (ch != 'h' && !strchr(c->options, ch))
			return bad_option(c, ch, argv);
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
		case 'J':
			o.js = true;
			break;
		case 'l':
			o.log = optarg;
			break;
		case 'N':
			o.node = optarg;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'h':
			usage(c, stdout);
			fputs(c->help, stdout);
			return EXIT_OK;
		}
	}
	result = c->run(&o, argc - optind, argv + optind);
	if (result == EXIT_USAGE)
		usage(c, stderr);
	return result;
}

/*
 * A closed descriptor would be that of the next file that is opened, and what
 * is said would be written into it.  Like a closed one, this cannot be written.
 */
static bool
fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

static int
run(int argc, char **argv)
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

int
main(int argc, char **argv)
{
	int result;

	if (!fill_standard_files())
		return EXIT_SYSTEM;
	result = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "milterc: cannot write: %s\n", strerror(errno));
		return EXIT_SYSTEM;
	}
	return result;
}
