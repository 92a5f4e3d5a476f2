#include "compiler/passes.h"

#include <errno.h>
#include <sys/stat.h>

/* A file that has been read, or is being read. */
struct read_file {
	struct str path;
	dev_t dev;
	ino_t ino;
	bool known; /* dev and ino are set */
	bool open;  /* it, or what it includes, is being read */
	uint32_t source;
	struct span included; /* the path that named it */
};

struct reader {
	struct compilation *c;
	VEC(struct read_file *) files;
};

struct str
relative_path(struct compilation *c, uint32_t source, struct str path)
{
	struct str from = c->sources.list.v[source]->path;
	size_t n = from.n;

	while (n > 0 && from.p[n - 1] != '/')
		n--;
	if (path.n > 0 && path.p[0] == '/')
		return path;
	/* "-" alone would be standard input. */
	if (n == 0 && str_eq(path, STR("-")))
		return STR("./-");
	return arena_printf(
	    &c->arena, "%.*s%.*s", (int)n, from.p, STR_ARG(path));
}

/* One whose first bytes are damaged is told by its name, as no policy has a
 * NUL.
 */
bool
image_refused(
    struct compilation *c, const struct source *s, const struct span *at)
{
	bool whole = str_starts(s->text, STR(IMAGE_MAGIC));
	const char *what = whole ? "a compiled image" : "a damaged image";
	struct diag *d;

	if (!whole && !(str_ends(s->path, STR(".miltc")) &&
			  str_find(s->text, '\0') < s->text.n))
		return false;
	d = at ? diag_at(&c->diags, D_IMAGE_FILE, *at,
		     "`%.*s` is %s and no policy", STR_ARG(s->path), what)
	       : diag_file(&c->diags, D_IMAGE_FILE, s->path,
		     "`%.*s` is %s and no policy", STR_ARG(s->path), what);
	diag_help(&c->diags, d,
	    whole ? "name the policy that it was made from (.milt)"
		  : "make it again from its policy: milterc compile");
	return true;
}

static struct read_file *
file_new(struct reader *r, struct str path, struct span included)
{
	struct read_file *f = ARENA_NEW(&r->c->arena, struct read_file);
	struct stat st;

	f->path = path;
	f->included = included;
	f->known = !str_eq(path, STR("-")) && stat(path.p, &st) == 0;
	if (f->known) {
		f->dev = st.st_dev;
		f->ino = st.st_ino;
	}
	return f;
}

/* The file that `f` is, if it is known already. */
static struct read_file *
file_seen(const struct reader *r, const struct read_file *f)
{
	for (size_t i = 0; i < r->files.n; i++) {
		struct read_file *g = r->files.v[i];

		if (str_eq(f->path, g->path) ||
		    (f->known && g->known && f->dev == g->dev &&
			f->ino == g->ino))
			return g;
	}
	return NULL;
}

/* The second place is the include in `seen` that has led to the first. */
static void
report_cycle(struct reader *r, const struct item_include *inc,
    const struct read_file *seen)
{
	struct diags *ds = &r->c->diags;
	struct span at = inc->path->span;
	struct diag *d = diag_at(ds, D_INCLUDE_CYCLE, at,
	    "`%.*s` includes itself", STR_ARG(seen->path));

	for (size_t i = 0; i < r->files.n; i++) {
		struct read_file *f = r->files.v[i];

		if (f->open && f != seen && f->included.source == seen->source)
			diag_label(ds, d, f->included, "on the way here");
	}
}

static struct ast_file *parse_file(
    struct reader *, struct read_file *, uint32_t source);

static void
read_include(struct reader *r, struct item_include *inc)
{
	struct compilation *c = r->c;
	struct span at = inc->path->span;

	if (inc->path->text.n == 0 ||
	    str_find(inc->path->text, '\0') < inc->path->text.n) {
		diag_at(&c->diags, D_NO_FILE, at, "this is no path of a file");
		return;
	}

	struct str path = relative_path(c, at.source, inc->path->text);

	path = arena_dup(&c->arena, path);

	struct read_file *f = file_new(r, path, at);
	struct read_file *seen = file_seen(r, f);

	if (seen) {
		if (seen->open)
			report_cycle(r, inc, seen);
		return;
	}
	if (c->sources.list.n >= (size_t)LIMIT_VALUE_SOURCE_FILES) {
		diag_at(&c->diags, D_TOO_MANY_FILES, at,
		    "the policy has more than %zu files",
		    (size_t)LIMIT_VALUE_SOURCE_FILES);
		return;
	}

	uint32_t source;
	enum milt_status s = source_read(&c->sources, path, &source);

	if (s != MILT_OK) {
		diag_at(&c->diags, D_NO_FILE, at, "`%.*s` cannot be read: %s",
		    STR_ARG(path),
		    s == MILT_NO_MEMORY ? "out of memory"
					: source_error(errno));
		return;
	}
	if (!image_refused(c, c->sources.list.v[source], &at))
		inc->file = parse_file(r, f, source);
}

static struct ast_file *
parse_file(struct reader *r, struct read_file *f, uint32_t source)
{
	struct compilation *c = r->c;
	struct ast_file *file = milt_parse(&c->arena, &c->diags, source);

	vec_push(&c->arena, &c->files, file);
	vec_push(&c->arena, &r->files, f);
	f->open = true;
	f->source = source;
	for (size_t i = 0; i < file->items.n; i++)
		if (file->items.v[i]->kind == ITEM_INCLUDE)
			read_include(
			    r, (struct item_include *)file->items.v[i]);
	f->open = false;
	return file;
}

void
pass_read(struct compilation *c, uint32_t source)
{
	struct reader r = { .c = c };
	struct span none = { source, 0, 0 };
	struct str path = arena_dup(&c->arena, c->sources.list.v[source]->path);

	c->file = parse_file(&r, file_new(&r, path, none), source);
}
