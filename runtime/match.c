#include "runtime/match.h"

#include <pthread.h>
#include <stdlib.h>

#include "runtime/match_code.h"
#include "runtime/scan.h"
#include "runtime/limits.h"

enum {
	MAX_PAIRS = 100, /* LIMIT_REGEX_CAPTURES, and the whole match */
	JIT_STACK_FIRST = 32 << 10,
	JIT_STACK_LAST = 1 << 20,
	KEEP_AT_MOST = 64 << 10, /* octets that match data may keep */
};

/* In front of each block that PCRE2 takes for match data. */
union block_head {
	size_t size;
	max_align_t align;
};

struct match_scratch {
	struct scan_cache *scans;
	pcre2_general_context *memory; /* counts what `data` holds */
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	size_t held;
};

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
	if (rc == PCRE2_ERROR_NOMEMORY)
		return MATCH_NO_MEMORY;
	limit_option_hit(rc == PCRE2_ERROR_HEAPLIMIT
			     ? OPTION_REGEX_HEAP_LIMIT
			     : OPTION_REGEX_MATCH_LIMIT);
	return MATCH_LIMIT;
}

enum match_result
match_run(const struct milt_image *im, uint32_t regex, struct str subject,
    struct match_scratch *s, struct str *groups, size_t count)
{
	const pcre2_code *code = match_code(im, regex);
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

/* Where a match that begins at `from` or in the character there begins. */
static size_t
window_start(struct str subject, size_t from, bool octets)
{
	if (from >= subject.n)
		return subject.n;
	while (!octets && from > 0 && ((uint8_t)subject.p[from] & 0xc0) == 0x80)
		from--;
	return from;
}

/*
 * Could a match of the window begin between CR and LF?  PCRE2 tries that place
 * or not, as its search comes along: then it has to search as it always does.
 */
static bool
has_line_end(struct str subject, size_t from, size_t to)
{
	for (size_t i = from; i <= to && i < subject.n; i++) {
		const char *lf = memchr(subject.p + i, '\n',
		    (to < subject.n ? to + 1 : subject.n) - i);

		if (!lf)
			return false;
		i = (size_t)(lf - subject.p);
		if (i > 0 && subject.p[i - 1] == '\r')
			return true;
	}
	return false;
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
	code = match_code(im, regex);
	if (!code || !s || !renew_data(s))
		return MATCH_NO_MEMORY;
	set_limits(s, im->needs);
	while (result == MATCH_NO && first != IMAGE_NONE) {
		const struct scan_window *w = &windows[first];
		size_t from = window_start(subject, w->from, octets);

		if (has_line_end(subject, from, w->to))
			return match_run(im, regex, subject, s, NULL, 0);
		result = result_of(run(code, subject, from, w->to, s));
		first = w->next;
	}
	return result;
}
