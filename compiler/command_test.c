/* milterc test: policies named, or all below a directory. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compiler/command.h"
#include "compiler/testrun.h"
#include "runtime/normal.h"

struct totals {
	size_t passed, failed;
	size_t broken; /* files that do not compile */
	json_t *list;  /* NULL: for people */
	json_t *broken_list;
	const struct node_program *node; /* --js; NULL: functions do not run */
	struct js_run js;                /* of the policy that is tested */
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
		return command_status(st);
	}
	sum->js = (struct js_run){
		.program = sum->node,
		.image = im,
		.arena = &c->arena,
	};
	if (setjmp(c->no_memory)) {
		js_run_end(&sum->js);
		milt_image_free(im);
		return command_no_memory();
	}
	c->arena.on_fail = &c->no_memory;
	st = tests_run(&c->arena, c, im, sum->node ? &sum->js : NULL, &r);
	js_run_end(&sum->js);
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
			    &r, c, stdout, diags_color(stdout), o->verbose);
		}
	}
	milt_image_free(im);
	return st != MILT_OK ? command_no_memory()
	       : r.failed    ? EXIT_POLICY
			     : EXIT_OK;
}

/* JSON is UTF-8; a path need not be. */
static void
add_broken(struct totals *sum, const char *path)
{
	struct arena a;
	struct str name;

	sum->broken++;
	if (!sum->list)
		return;
	arena_init(&a, 0, NULL);
	name = utf8_make_valid(&a, str_from(path));
	if (name.p)
		json_array_append_new(
		    sum->broken_list, json_stringn(name.p, name.n));
	arena_free(&a);
}

static int
test_file(const char *path, const struct options *o, struct totals *sum)
{
	struct options quiet = *o;
	struct compilation c;
	int result;

	quiet.json = false;
	result = command_compile(&c, path, &quiet, false);
	if (result == EXIT_OK)
		result = test_compiled(&c, path, o, sum);
	else
		add_broken(sum, path);
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
			/* A link to a folder may lead back up. */
			if (lstat(child, &st) == 0 &&
			    (S_ISDIR(st.st_mode) ||
				str_ends(name, STR(".milt"))))
				result = command_worse(
				    result, test_path(child, o, sum));
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

int
command_test(const struct options *o, int argc, char **argv)
{
	struct totals sum = {
		.list = o->json ? json_array() : NULL,
		.broken_list = o->json ? json_array() : NULL,
	};
	struct node_program node;
	char why[512];
	int result = EXIT_OK;

	if (argc < 1)
		return EXIT_USAGE;
	if (o->js && !node_find(&node, o->node, why, sizeof(why))) {
		fprintf(stderr, "milterc: js rules cannot be run: %s\n", why);
		json_decref(sum.list);
		json_decref(sum.broken_list);
		return EXIT_SYSTEM;
	}
	if (o->js)
		sum.node = &node;
	for (int i = 0; i < argc; i++)
		result = command_worse(result, test_path(argv[i], o, &sum));
	if (!sum.list) {
		printf("%zu passed, %zu failed", sum.passed, sum.failed);
		if (sum.broken)
			printf(", %zu file%s not compiled", sum.broken,
			    sum.broken == 1 ? "" : "s");
		putchar('\n');
		return result;
	}
	sum.list = json_pack("{s:o,s:I,s:I,s:o}", "tests", sum.list, "passed",
	    (json_int_t)sum.passed, "failed", (json_int_t)sum.failed,
	    "not_compiled", sum.broken_list);
	json_dumpf(sum.list, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(sum.list);
	return result;
}
