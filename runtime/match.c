#define PCRE2_CODE_UNIT_WIDTH 8
#include "runtime/match.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "runtime/scan.h"

enum {
	MAX_PATTERN = 32768, /* octets of a source */
	MAX_PAIRS = 100,     /* LIMIT_REGEX_CAPTURES, and the whole match */
	JIT_STACK_FIRST = 32 << 10,
	JIT_STACK_LAST = 1 << 20,
	KEEP_AT_MOST = 64 << 10, /* octets that match data may keep */
	JIT_AT_ONCE = 500,       /* regexes; with more, each when it is tried */
};

/* In front of each block that PCRE2 takes for match data. */
union block_head {
	size_t size;
	max_align_t align;
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

struct match_scratch {
	struct scan_cache *scans;
	pcre2_general_context *memory; /* counts what `data` holds */
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	size_t held;
};

/* ---- compiling -------------------------------------------------------- */

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

/*
 * What is run for a regex.  Always machine code where there can be any: the
 * steps that a limit counts are not the same without, and a verdict must not
 * depend on what was matched before.
 */
static const pcre2_code *
code_of(const struct milt_image *im, uint32_t regex)
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

/* ---- scratch ---------------------------------------------------------- */

static void *
scratch_malloc(size_t size, void *of)
{
	struct match_scratch *s = of;
	union block_head *head;

	if (size > SIZE_MAX / 2)
		return NULL;
	head = malloc(sizeof(*head) + size);
	if (!head)
		return NULL;
	head->size = size;
	s->held += size;
	return head + 1;
}

static void
scratch_free(void *block, void *of)
{
	struct match_scratch *s = of;
	union block_head *head = block;

	if (!head)
		return;
	head--;
	s->held -= head->size;
	free(head);
}

static void
free_scratch(void *of)
{
	struct match_scratch *s = of;

	if (!s)
		return;
	scan_cache_free(s->scans);
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
	pcre2_jit_stack_free(s->stack);
	pcre2_general_context_free(s->memory);
	free(s);
}

static struct match_scratch *
new_scratch(void)
{
	struct match_scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->memory =
	    pcre2_general_context_create(scratch_malloc, scratch_free, s);
	if (s->memory)
		s->data = pcre2_match_data_create(MAX_PAIRS, s->memory);
	s->context = pcre2_match_context_create(NULL);
	s->scans = scan_cache_new();
	if (!s->data || !s->context || !s->scans) {
		free_scratch(s);
		return NULL;
	}
	/* Without a stack of its own, JIT has the machine's 32 KiB. */
	s->stack =
	    pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_LAST, NULL);
	if (s->stack)
		pcre2_jit_stack_assign(s->context, NULL, s->stack);
	return s;
}

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static bool scratch_key_made;

static void
make_key(void)
{
	scratch_key_made = pthread_key_create(&scratch_key, free_scratch) == 0;
}

struct match_scratch *
match_scratch(void)
{
	struct match_scratch *s;

	if (pthread_once(&scratch_once, make_key) != 0 || !scratch_key_made)
		return NULL;
	s = pthread_getspecific(scratch_key);
	if (s) {
		scan_cache_forget(s->scans);
		return s;
	}
	s = new_scratch();
	if (s && pthread_setspecific(scratch_key, s) != 0) {
		free_scratch(s);
		return NULL;
	}
	return s;
}

struct scan_cache *
match_scans(struct match_scratch *s)
{
	return s ? s->scans : NULL;
}

/*
 * After a match that took a lot of heap, match data keeps it for the next:
 * not here, where one message may be the only one that needs it.
 */
static bool
renew_data(struct match_scratch *s)
{
	if (s->data && s->held <= KEEP_AT_MOST)
		return true;
	pcre2_match_data_free(s->data);
	s->data = pcre2_match_data_create(MAX_PAIRS, s->memory);
	return s->data != NULL;
}

/* ---- matching --------------------------------------------------------- */

static void
set_limits(struct match_scratch *s, const struct image_needs *needs)
{
	uint32_t steps = (uint32_t)needs->options[OPTION_REGEX_MATCH_LIMIT];
	uint32_t heap =
	    (uint32_t)(needs->options[OPTION_REGEX_HEAP_LIMIT] / 1024);

	pcre2_set_match_limit(s->context, steps);
	/* JIT does not count depth; each level is a step at least. */
	pcre2_set_depth_limit(s->context, steps);
	pcre2_set_heap_limit(s->context, heap);
}

static void
take_groups(const struct match_scratch *s, int pairs, struct str subject,
    struct str *groups, size_t count)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(s->data);

	for (size_t i = 0; i < count; i++) {
		groups[i] = (struct str){ NULL, 0 };
		/* With \K in a look-ahead a match may end before it starts. */
		if (i < (size_t)pairs && at[2 * i] != PCRE2_UNSET &&
		    at[2 * i] <= at[2 * i + 1] && at[2 * i + 1] <= subject.n)
			groups[i] = (struct str){ subject.p + at[2 * i],
				at[2 * i + 1] - at[2 * i] };
	}
}

/* A match that begins at `from` to `to`. */
static int
run(const pcre2_code *code, struct str subject, size_t from, size_t to,
    struct match_scratch *s)
{
	PCRE2_SPTR p = (PCRE2_SPTR)subject.p;
	int rc;

	pcre2_set_offset_limit(s->context, to);
	rc = pcre2_match(
	    code, p, subject.n, from, PCRE2_NO_UTF_CHECK, s->data, s->context);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(code, p, subject.n, from,
		    PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s->data, s->context);
	return rc;
}

static enum match_result
result_of(int rc)
{
	if (rc >= 0)
		return MATCH_YES;
	if (rc == PCRE2_ERROR_NOMATCH)
		return MATCH_NO;
	return rc == PCRE2_ERROR_NOMEMORY ? MATCH_NO_MEMORY : MATCH_LIMIT;
}

enum match_result
match_run(const struct milt_image *im, uint32_t regex, struct str subject,
    struct match_scratch *s, struct str *groups, size_t count)
{
	const pcre2_code *code = code_of(im, regex);
	int rc;

	if (!subject.p)
		subject.p = "";
	if (!code || !s || !renew_data(s))
		return MATCH_NO_MEMORY;
	set_limits(s, im->needs);
	rc = run(code, subject, 0, PCRE2_UNSET, s);
	if (rc >= 0 && groups)
		take_groups(s, rc, subject, groups, count);
	return result_of(rc);
}

/*
 * Where matching starts so that no place is tried that a search from the
 * beginning would not try: on a character, and never between CR and LF.
 */
static size_t
window_start(struct str subject, size_t from, bool octets)
{
	if (from >= subject.n)
		return subject.n;
	while (!octets && from > 0 && ((uint8_t)subject.p[from] & 0xc0) == 0x80)
		from--;
	if (from > 0 && subject.p[from] == '\n' && subject.p[from - 1] == '\r')
		from--;
	return from;
}

enum match_result
match_windows(const struct milt_image *im, uint32_t regex, struct str subject,
    struct match_scratch *s, const struct scan_window *windows, uint32_t first)
{
	bool octets = im->regexes[regex].flags & REGEX_BYTES;
	enum match_result result = MATCH_NO;
	const pcre2_code *code;

	if (first == IMAGE_NONE)
		return match_run(im, regex, subject, s, NULL, 0);
	code = code_of(im, regex);
	if (!code || !s || !renew_data(s))
		return MATCH_NO_MEMORY;
	set_limits(s, im->needs);
	while (result == MATCH_NO && first != IMAGE_NONE) {
		const struct scan_window *w = &windows[first];

		result = result_of(run(code, subject,
		    window_start(subject, w->from, octets), w->to, s));
		first = w->next;
	}
	return result;
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
