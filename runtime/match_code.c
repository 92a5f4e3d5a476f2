#include "runtime/match_code.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/match.h"

enum {
	MAX_PATTERN = 32768, /* octets of a source */
	JIT_AT_ONCE = 500,   /* regexes; of more, each when it is tried */
};

/*
 * `ready` is what is run: NULL until the regex has its machine code.  That is
 * made in a copy, since other threads may be reading the code itself.
 */
struct matcher {
	pcre2_code *code;
	_Atomic(pcre2_code *) ready;
};

struct matchers {
	pthread_mutex_t lock; /* held while machine code is made */
	uint32_t count;
	struct matcher v[];
};

static uint32_t
compile_options(uint32_t flags)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;

	/*
	 * The image's flags decide between characters and octets, not what is
	 * written in the pattern.  With characters, \w, \b and the rest know
	 * all of Unicode.
	 */
	options |= flags & REGEX_BYTES ? PCRE2_NEVER_UTF | PCRE2_NEVER_UCP
				       : PCRE2_UTF | PCRE2_UCP;
	options |= flags & REGEX_I ? PCRE2_CASELESS : 0;
	options |= flags & REGEX_M ? PCRE2_MULTILINE : 0;
	options |= flags & REGEX_S ? PCRE2_DOTALL : 0;
	options |= flags & REGEX_X ? PCRE2_EXTENDED : 0;
	return options;
}

/* NULL with PCRE2's error number. */
static pcre2_code *
compile(struct str source, uint32_t flags, int *error, size_t *offset)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;

	*offset = 0;
	if (!context) {
		*error = PCRE2_ERROR_NOMEMORY;
		return NULL;
	}
	pcre2_set_max_pattern_length(context, MAX_PATTERN);
	/* Lines of raw bodies end in CRLF, those of all else in LF. */
	pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	code = pcre2_compile((PCRE2_SPTR)(source.n ? source.p : ""), source.n,
	    compile_options(flags), error, offset, context);
	pcre2_compile_context_free(context);
	return code;
}

static uint32_t
captures_of(const pcre2_code *code)
{
	uint32_t n = 0;

	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

/* Machine code for `code`, if it can have some. */
static int
translate(struct matcher *m, pcre2_code *code)
{
	int error = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);

	atomic_store_explicit(&m->ready, code, memory_order_release);
	return error;
}

static void
translate_first(struct milt_image *im, struct matcher *m)
{
	int error = translate(m, m->code);

	if (error == 0)
		return;
	im->jit = false;
	im->jit_error =
	    error == PCRE2_ERROR_JIT_BADOPTION
		? "this PCRE2 is built without JIT"
		: "the system gives no memory that is writable and executable, "
		  "or a regex is too large for JIT";
}

const pcre2_code *
match_code(const struct milt_image *im, uint32_t regex)
{
	struct matcher *m = &im->matchers->v[regex];
	pcre2_code *code =
	    atomic_load_explicit(&m->ready, memory_order_acquire);

	if (code)
		return code;
	pthread_mutex_lock(&im->matchers->lock);
	code = atomic_load_explicit(&m->ready, memory_order_relaxed);
	if (!code) {
		code = pcre2_code_copy(m->code);
		if (code)
			translate(m, code);
	}
	pthread_mutex_unlock(&im->matchers->lock);
	return code;
}

static enum milt_status
compile_one(struct milt_image *im, uint32_t i)
{
	const struct image_regex *r = &im->regexes[i];
	struct matcher *m = &im->matchers->v[i];
	size_t offset;
	int error;

	m->code = compile(image_text(im, r->source), r->flags, &error, &offset);
	if (!m->code)
		return error == PCRE2_ERROR_NOMEMORY ||
			       error == PCRE2_ERROR_HEAP_FAILED
			   ? MILT_NO_MEMORY
			   : MILT_INVALID;
	if (captures_of(m->code) != r->captures)
		return MILT_INVALID;
	/* The first tells whether the system allows it. */
	if (i == 0 || im->matchers->count <= JIT_AT_ONCE)
		translate_first(im, m);
	return MILT_OK;
}

enum milt_status
match_compile(struct milt_image *im)
{
	uint32_t count = im->count[SECTION_REGEXES];
	struct matchers *all =
	    calloc(1, sizeof(*all) + (size_t)count * sizeof(*all->v));

	if (!all)
		return MILT_NO_MEMORY;
	if (pthread_mutex_init(&all->lock, NULL) != 0) {
		free(all);
		return MILT_NO_MEMORY;
	}
	all->count = count;
	im->matchers = all;
	im->jit = true;
	im->jit_error = NULL;
	for (uint32_t i = 0; i < count; i++) {
		enum milt_status s = compile_one(im, i);

		if (s != MILT_OK)
			return s;
	}
	return MILT_OK;
}

void
match_free(struct milt_image *im)
{
	struct matchers *all = im->matchers;

	if (!all)
		return;
	for (uint32_t i = 0; i < all->count; i++) {
		pcre2_code *ready = atomic_load(&all->v[i].ready);

		if (ready != all->v[i].code)
			pcre2_code_free(ready);
		pcre2_code_free(all->v[i].code);
	}
	pthread_mutex_destroy(&all->lock);
	free(all);
	im->matchers = NULL;
}

/* ---- for the compiler ------------------------------------------------- */

bool
match_check(struct str source, uint32_t flags, size_t *offset,
    char message[256], uint32_t *captures)
{
	int error;
	pcre2_code *code = compile(source, flags, &error, offset);

	if (!code) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)message, 200);
		return false;
	}
	*captures = captures_of(code);
	pcre2_code_free(code);
	return true;
}

struct str
match_group_name(
    struct arena *arena, struct str source, uint32_t flags, uint32_t group)
{
	int error;
	size_t offset;
	pcre2_code *code = compile(source, flags, &error, &offset);
	uint32_t count = 0, size = 0;
	const char *entry = NULL;
	struct str name = { NULL, 0 };

	if (!code)
		return name;
	pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &entry);
	/* Each entry: the group in two octets, the name, a NUL. */
	for (uint32_t i = 0; i < count; i++, entry += size)
		if (group == ((unsigned)(unsigned char)entry[0] << 8 |
				 (unsigned char)entry[1]))
			name = str_from(entry + 2);
	if (name.n) {
		/* The code must go, even where the arena jumps away. */
		char copy[128];
		size_t n = name.n < sizeof(copy) ? name.n : sizeof(copy);

		memcpy(copy, name.p, n);
		pcre2_code_free(code);
		return arena_dup(arena, (struct str){ copy, n });
	}
	pcre2_code_free(code);
	return name;
}
