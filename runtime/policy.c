#include "runtime/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dsl/source.h"
#include "runtime/js_host.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct policy *current; /* all under the lock */
static struct policy *retired;
static unsigned long serial;
static void (*on_free)(unsigned long); /* before there are threads */
static unsigned long replaced;         /* replaced ones that are in use */

/* ---- reading ------------------------------------------------------------ */

/* Told by the first bytes.  What cannot be read is left to the compiler. */
static bool
is_image(const char *path)
{
	char magic[sizeof(IMAGE_MAGIC) - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool is;

	if (fd < 0)
		return false;
	/* Not to wait at a FIFO that nobody writes to. */
	is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	     read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
	     memcmp(magic, IMAGE_MAGIC, sizeof(magic)) == 0;
	close(fd);
	return is;
}

static bool
is_refused(const char *path)
{
	struct stat st;

	return source_guard && stat(path, &st) == 0 && source_is_shared(&st);
}

static enum milt_status
report(FILE *diagnostics, const char *path, enum milt_status s, const char *why)
{
	switch (s) {
	case MILT_OK:
	case MILT_QUESTION:
		return s;
	case MILT_INVALID:
		fprintf(diagnostics, "%s: error: not a valid image: %s\n", path,
		    why ? why : "it is damaged");
		break;
	case MILT_OTHER_TABLES:
		fprintf(diagnostics,
		    "%s: error: made by another version of milterc; "
		    "compile it again\n",
		    path);
		break;
	case MILT_NO_MEMORY:
		fprintf(diagnostics, "%s: error: not enough memory\n", path);
		break;
	case MILT_SYSTEM:
		fprintf(
		    diagnostics, "%s: error: %s\n", path, source_error(errno));
		break;
	}
	return s;
}

/* ---- what the MTA is asked for ------------------------------------------ */

/*
 * The log names messages by queue id: `i` from where the MTA may know it to
 * where it does.
 */
static bool
log_needs_id(enum milt_stage stage)
{
	return stage >= STAGE_MAIL && stage <= STAGE_DATA;
}

static char *
symbol_list(const struct policy *p, enum milt_stage stage)
{
	size_t n = sizeof("i");
	char *list, *end;
	bool id = log_needs_id(stage);

	for (size_t i = 0; i < p->macro_count; i++)
		if (p->macros[i].stage == stage)
			n += p->macros[i].text.n + 1;
	list = end = malloc(n);
	if (!list)
		return NULL;
	*end = 0;
	for (size_t i = 0; i < p->macro_count; i++) {
		struct str m = p->macros[i].text;

		if (p->macros[i].stage != stage)
			continue;
		if (str_eq(m, STR("i")))
			id = false;
		if (end > list)
			*end++ = ' ';
		memcpy(end, m.p, m.n);
		end += m.n;
		*end = 0;
	}
	if (id)
		strcpy(end, end > list ? " i" : "i");
	return list;
}

/* A name that could break the list of symbols is never asked for. */
static bool
is_symbol(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == ',')
			return false;
	return s.n > 0;
}

static bool
fill_macros(struct policy *p)
{
	const struct milt_image *im = p->image;
	uint32_t n = im->count[SECTION_MACROS];
	size_t bytes = 0;
	char *at;

	for (uint32_t i = 0; i < n; i++)
		bytes += image_text(im, im->macros[i].name).n + 1;
	p->macros = calloc((size_t)n + 1, sizeof(*p->macros));
	p->names = at = malloc(bytes + 1);
	if (!p->macros || !p->names)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct str name = image_text(im, im->macros[i].name);

		if (!is_symbol(name) || im->macros[i].stage >= STAGE_COUNT)
			continue;
		memcpy(at, name.p, name.n);
		at[name.n] = 0;
		p->macros[p->macro_count++] = (struct policy_macro){
			.stage = (enum milt_stage)im->macros[i].stage,
			.name = at,
			.text = { at, name.n },
		};
		p->macro_stages |= 1u << im->macros[i].stage;
		at += name.n + 1;
	}
	for (int s = 0; s < STAGE_COUNT; s++) {
		p->symbols[s] = symbol_list(p, (enum milt_stage)s);
		if (!p->symbols[s])
			return false;
	}
	return true;
}

struct wanted_macro {
	struct wanted_macro *next;
	char name[];
};

static const char *
keep_name(struct policy *p, struct str name)
{
	struct wanted_macro *w = malloc(sizeof(*w) + name.n + 3);
	bool braces = name.n > 1 && name.p[0] != '{';

	if (!w)
		return NULL;
	snprintf(w->name, name.n + 3, "%s%.*s%s", braces ? "{" : "",
	    STR_ARG(name), braces ? "}" : "");
	w->next = p->wanted;
	p->wanted = w;
	return w->name;
}

static bool
want_at(struct policy *p, enum milt_stage stage, const char *name)
{
	struct policy_macro *more, m = { stage, name, str_from(name) };
	char *list;

	for (size_t i = 0; i < p->macro_count; i++)
		if (p->macros[i].stage == stage &&
		    str_eq(p->macros[i].text, m.text))
			return true;
	more = realloc(p->macros, (p->macro_count + 1) * sizeof(*more));
	if (!more)
		return false;
	p->macros = more;
	p->macros[p->macro_count++] = m;
	p->macro_stages |= 1u << stage;
	list = symbol_list(p, stage);
	if (!list)
		return false;
	free(p->symbols[stage]);
	p->symbols[stage] = list;
	return true;
}

bool
policy_want_macro(struct policy *p, struct str name)
{
	const struct macro_row *row = macro_by_name(name);
	const char *kept;

	if (!is_symbol(name) || !(kept = keep_name(p, name)))
		return false;
	if (row)
		return want_at(p, row->from, kept);
	return want_at(p, STAGE_MAIL, kept) && want_at(p, STAGE_RCPT, kept) &&
	       want_at(p, STAGE_DATA, kept);
}

/* ---- who answers js rules ------------------------------------------------ */

/* False, said, where nobody does. */
static bool
can_be_answered(
    const struct milt_image *im, const char *path, FILE *diagnostics)
{
	if (!im->count[SECTION_JS] || conn_has_js())
		return true;
	fprintf(diagnostics, "%s: error: milterd runs no JavaScript:", path);
	for (uint32_t i = 0; i < im->count[SECTION_JS]; i++) {
		struct str name =
		    image_text(im, im->rules[im->js[i].rule].name);

		fprintf(diagnostics, "%s js rule %.*s", i ? "," : "",
		    STR_ARG(name));
	}
	fputs("\n  help: serve the policy with `npx milt serve`, or give each "
	      "js rule its `on failure`: milterd --js failure\n",
	    diagnostics);
	return false;
}

/* ---- life ---------------------------------------------------------------- */

enum milt_status
policy_load(const char *path, policy_compiler *compile, FILE *diagnostics,
    struct policy **out)
{
	struct policy *p = NULL;
	const char *why = NULL;
	struct policy_text text = { 0 };
	bool compiled = !is_image(path);
	enum milt_status s = MILT_OK;

	if (compiled)
		s = compile(path, diagnostics, &text);
	if (s != MILT_OK)
		return s;
	p = calloc(1, sizeof(*p));
	if (!p)
		s = MILT_NO_MEMORY;
	else if (compiled)
		s = milt_image_load(text.image, text.size, &p->image, &why);
	else if (is_refused(path)) {
		errno = EPERM;
		s = MILT_SYSTEM;
	} else
		s = milt_image_open(path, &p->image, &why);
	free(text.image);
	if (p)
		p->watched = text.watched;
	else
		free(text.watched);
	if (s == MILT_OK && !can_be_answered(p->image, path, diagnostics)) {
		policy_free(p);
		return MILT_INVALID;
	}
	if (s == MILT_OK && !fill_macros(p))
		s = MILT_NO_MEMORY;
	if (s == MILT_OK) {
		p->counts = counts_new(p->image);
		s = p->counts ? MILT_OK : MILT_NO_MEMORY;
	}
	if (s != MILT_OK) {
		policy_free(p);
		return report(diagnostics, path, s, why);
	}
	p->path = path;
	*out = p;
	return MILT_OK;
}

void
policy_free(struct policy *p)
{
	if (!p)
		return;
	for (int s = 0; s < STAGE_COUNT; s++)
		free(p->symbols[s]);
	free(p->macros);
	free(p->names);
	for (struct wanted_macro *w = p->wanted; w; w = p->wanted) {
		p->wanted = w->next;
		free(w);
	}
	counts_free(p->counts);
	free(p->watched);
	if (p->image)
		milt_image_free(p->image);
	free(p);
}

/* With the lock held. */
static void
retire(struct policy *p)
{
	p->next_retired = retired;
	retired = p;
}

void
policy_set(struct policy *p)
{
	struct policy *old;

	pthread_mutex_lock(&lock);
	old = current;
	p->users = 1;
	p->serial = ++serial;
	current = p;
	if (old && --old->users == 0)
		retire(old);
	else if (old)
		replaced++;
	pthread_mutex_unlock(&lock);
}

struct policy *
policy_get(void)
{
	struct policy *p;

	pthread_mutex_lock(&lock);
	p = current;
	if (p)
		p->users++;
	pthread_mutex_unlock(&lock);
	return p;
}

void
policy_put(struct policy *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&lock);
	if (--p->users == 0) {
		replaced--;
		retire(p);
	}
	pthread_mutex_unlock(&lock);
}

void
policy_on_free(void (*tell)(unsigned long))
{
	on_free = tell;
}

bool
policy_reap(void)
{
	struct policy *p, *next;
	bool more;

	pthread_mutex_lock(&lock);
	p = retired;
	retired = NULL;
	more = replaced > 0;
	pthread_mutex_unlock(&lock);
	for (; p; p = next) {
		unsigned long number = p->serial;

		next = p->next_retired;
		policy_free(p);
		if (on_free)
			on_free(number);
	}
	return more;
}
