#include "compiler/passes.h"

#include "compiler/cost.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void
start(struct compilation *c, const struct compile_options *options)
{
	size_t limit = options && options->memory
			   ? options->memory
			   : (size_t)LIMIT_VALUE_COMPILER_MEMORY;

	memset(c, 0, sizeof(*c));
	arena_init(&c->arena, limit, &c->no_memory);
	c->sources.arena = &c->arena;
	c->diags.arena = &c->arena;
	c->diags.sources = &c->sources;
	c->diags.all = options && options->all;
}

/*
 * The image is loaded once, which verifies it: one of ours that is refused is
 * a mistake in the compiler, never in the policy.
 */
static enum milt_status
verify(struct compilation *c)
{
	struct milt_image *image;
	const char *why = NULL;
	enum milt_status s =
	    milt_image_load(c->image, c->image_size, &image, &why);

	if (s == MILT_OK) {
		milt_image_free(image);
		return MILT_OK;
	}
	if (s != MILT_NO_MEMORY) {
		fprintf(stderr, "milt: the compiler made a bad image: %s\n",
		    why ? why : "unknown reason");
		assert(!"the image verifies");
	}
	return s;
}

/*
 * All errors lie in items of which nothing else is made: what is to be said of
 * the stages of the others can be said at once.
 */
static bool
others_are_sound(struct compilation *c)
{
	struct policy_items items = policy_items(c);
	size_t inside = 0;

	if (c->diags.errors > LIMIT_VALUE_ERRORS)
		return false;
	for (size_t i = 0; i < c->diags.list.n; i++) {
		const struct diag *d = c->diags.list.v[i];
		enum item_kind kind = ITEM_VERSION;

		if (diag_rows[d->id].severity != SEVERITY_ERROR)
			continue;
		for (size_t k = 0; d->has_span && k < items.n; k++)
			if (span_holds(items.v[k]->span, d->span))
				kind = items.v[k]->kind;
		inside += kind == ITEM_RULE || kind == ITEM_GROUP ||
			  kind == ITEM_TEST;
	}
	return inside == c->diags.errors;
}

/* All passes behind the source. */
static enum milt_status
run(struct compilation *c, uint32_t source,
    const struct compile_options *options)
{
	enum milt_status s;
	size_t errors;
	bool readable;

	pass_read(c, source);
	readable = c->diags.errors == 0;
	pass_resolve(c);
	pass_check(c);
	errors = c->diags.errors;
	if (errors && !(readable && others_are_sound(c)))
		return MILT_INVALID;
	pass_lower(c);
	if (c->diags.errors == errors)
		pass_stage(c);
	if (!c->diags.errors && options && options->lint)
		pass_lint(c);
	if (c->diags.errors)
		return MILT_INVALID;
	pass_index(c, options && options->plain);
	cost_check(c);
	if (c->diags.errors)
		return options && options->cost ? MILT_OK : MILT_INVALID;
	s = pass_emit(c);
	return s == MILT_OK ? verify(c) : s;
}

/* Leaves nothing that could jump into a frame that is gone. */
static enum milt_status
finish(struct compilation *c, enum milt_status s)
{
	int error = errno;

	c->arena.on_fail = NULL;
	if (s != MILT_OK) {
		c->ir = NULL;
		free(c->image);
		c->image = NULL;
		c->image_size = 0;
	}
	errno = error;
	return s;
}

/* Reads the file that was named; says so if it cannot be, or is none. */
static enum milt_status
read_named(struct compilation *c, const char *path, uint32_t *source)
{
	enum milt_status s = source_read(&c->sources, str_from(path), source);
	int error = errno;

	if (s == MILT_OK && image_refused(c, c->sources.list.v[*source], NULL))
		return MILT_INVALID;
	if (s != MILT_SYSTEM)
		return s;
	diag_file(&c->diags, D_NO_FILE, str_from(path), "cannot read `%s`: %s",
	    path, source_error(error));
	errno = error;
	return s;
}

enum milt_status
milt_compile(struct compilation *c, const char *path,
    const struct compile_options *options)
{
	enum milt_status s;
	uint32_t source;

	start(c, options);
	if (setjmp(c->no_memory))
		return finish(c, MILT_NO_MEMORY);
	s = read_named(c, path, &source);
	return finish(c, s == MILT_OK ? run(c, source, options) : s);
}

enum milt_status
milt_parse_file(struct compilation *c, const char *path)
{
	enum milt_status s;
	uint32_t source;

	start(c, NULL);
	if (setjmp(c->no_memory))
		return finish(c, MILT_NO_MEMORY);
	s = read_named(c, path, &source);
	if (s != MILT_OK)
		return finish(c, s);
	c->file = milt_parse(&c->arena, &c->diags, source);
	return finish(c, c->diags.errors ? MILT_INVALID : MILT_OK);
}

enum milt_status
milt_compile_text(struct compilation *c, struct str path, struct str text,
    const struct compile_options *options)
{
	start(c, options);
	if (setjmp(c->no_memory))
		return finish(c, MILT_NO_MEMORY);
	return finish(c, run(c, source_add(&c->sources, path, text), options));
}

void
milt_compile_free(struct compilation *c)
{
	free(c->image);
	c->image = NULL;
	arena_free(&c->arena);
}
