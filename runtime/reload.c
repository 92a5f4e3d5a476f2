#include "runtime/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime/conn.h"
#include "runtime/log.h"
#include "runtime/metrics.h"

enum { PATIENCE = 120 }; /* seconds */

static const char *path;
static policy_compiler *compile;
static void (*wake_main)(void);

/* ---- who waits for it ---------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t done;
	unsigned long asked, answered; /* numbers of questions */
	enum milt_status status;       /* of the last reading */
	char *diagnostics;             /* owned; may be NULL */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.done = PTHREAD_COND_INITIALIZER };

static unsigned long
questions(void)
{
	unsigned long n;

	pthread_mutex_lock(&state.lock);
	n = state.asked;
	pthread_mutex_unlock(&state.lock);
	return n;
}

/* Takes the text. */
static void
answer(unsigned long question, enum milt_status s, char *text)
{
	pthread_mutex_lock(&state.lock);
	free(state.diagnostics);
	state.diagnostics = text;
	state.status = s;
	state.answered = question;
	pthread_cond_broadcast(&state.done);
	pthread_mutex_unlock(&state.lock);
}

enum milt_status
reload_ask(char **diagnostics)
{
	struct timespec end;
	enum milt_status s = MILT_SYSTEM;
	unsigned long question;
	int e = 0;

	*diagnostics = NULL;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE;
	pthread_mutex_lock(&state.lock);
	question = ++state.asked;
	wake_main();
	while (state.answered < question && e == 0)
		e = pthread_cond_clockwait(
		    &state.done, &state.lock, CLOCK_MONOTONIC, &end);
	if (state.answered >= question) {
		s = state.status;
		*diagnostics =
		    strdup(state.diagnostics ? state.diagnostics : "");
	}
	pthread_mutex_unlock(&state.lock);
	if (e != 0)
		errno = EINTR;
	return s;
}

/* ---- watched lists ------------------------------------------------------- */

struct watched {
	const char *path; /* in the policy */
	struct stat seen, used;
	bool changed;
};

static struct {
	struct policy *policy; /* counted: the one whose lists these are */
	struct watched *files; /* owned */
	size_t n;
} watch;

static struct stat
look(const char *file)
{
	struct stat st = { 0 };

	if (stat(file, &st) != 0)
		st = (struct stat){ 0 };
	return st;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* One that was written while the policy was read counts as changed. */
static void
watch_policy(struct policy *p, const struct timespec *since)
{
	size_t n = 0;

	policy_put(watch.policy);
	free(watch.files);
	watch.policy = p;
	watch.files = NULL;
	watch.n = 0;
	for (const char *f = p->watched; f && *f; f += strlen(f) + 1)
		n++;
	if (n == 0)
		return;
	watch.files = calloc(n, sizeof(*watch.files));
	if (!watch.files) {
		log_say(LEVEL_ERROR, "not enough memory to watch lists");
		return;
	}
	for (const char *f = p->watched; *f; f += strlen(f) + 1) {
		struct watched *w = &watch.files[watch.n++];

		w->path = f;
		w->seen = w->used = look(f);
		w->changed = w->seen.st_mtim.tv_sec >= since->tv_sec;
	}
}

bool
reload_is_watching(void)
{
	return watch.n > 0;
}

bool
reload_is_due(void)
{
	bool due = false, moving = false;

	for (size_t i = 0; i < watch.n; i++) {
		struct watched *w = &watch.files[i];
		struct stat now = look(w->path);

		moving |= !is_same(&now, &w->seen);
		w->seen = now;
		due |= w->changed || !is_same(&w->seen, &w->used);
	}
	if (!due || moving)
		return false;
	/* A policy that is not used is not tried again before a change. */
	for (size_t i = 0; i < watch.n; i++) {
		watch.files[i].used = watch.files[i].seen;
		watch.files[i].changed = false;
	}
	log_say(LEVEL_INFO, "a watched list has changed");
	return true;
}

/* ---- reading ------------------------------------------------------------- */

static void
log_policy(const char *what, const struct policy *p)
{
	const struct milt_image *im = p->image;
	char regexes[200] = "";

	if (im->count[SECTION_REGEXES] > 0)
		snprintf(regexes, sizeof(regexes), ", %u regexes%s%s",
		    (unsigned)im->count[SECTION_REGEXES],
		    im->jit ? " as machine code" : " interpreted: ",
		    im->jit         ? ""
		    : im->jit_error ? im->jit_error
				    : "no JIT");
	log_say(LEVEL_INFO, "%s %s: %u rules, hash %016llx%s", what, p->path,
	    (unsigned)im->count[SECTION_RULES] - 1,
	    (unsigned long long)im->header->policy, regexes);
}

static void
log_lines(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 0)
			log_say(LEVEL_ERROR, "%.*s", (int)n, text);
		text += n + (text[n] != 0);
	}
}

static void
use(struct policy *p, const struct timespec *since)
{
	p->since = conn_clock();
	policy_set(p);
	/* Nobody else sets one: the current one is p. */
	watch_policy(policy_get(), since);
}

void
reload_open(const char *file, policy_compiler *c, void (*wake)(void))
{
	path = file;
	compile = c;
	wake_main = wake;
}

void
reload_first(const char *program, struct policy *p)
{
	struct timespec now;
	char what[80];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(what, sizeof(what), "%s " MILT_VERSION ", policy", program);
	log_policy(what, p);
	use(p, &now);
	(void)metrics_uptime();
}

void
reload_read(struct reading *r)
{
	size_t n = 0;
	FILE *diagnostics;

	*r = (struct reading){ .status = MILT_NO_MEMORY,
		.question = questions() };
	clock_gettime(CLOCK_REALTIME, &r->since);
	diagnostics = open_memstream(&r->diagnostics, &n);
	if (!diagnostics)
		return;
	r->status = policy_load(path, compile, diagnostics, &r->policy);
	if (fclose(diagnostics) != 0) {
		free(r->diagnostics);
		r->diagnostics = NULL;
	}
}

/* What is said of a policy that is not used; with no memory as it was. */
static void
object(struct reading *r, const char *objection)
{
	char *text;

	policy_free(r->policy);
	r->status = MILT_INVALID;
	if (asprintf(&text, "%s%s", r->diagnostics ? r->diagnostics : "",
		objection) < 0)
		return;
	free(r->diagnostics);
	r->diagnostics = text;
}

void
reload_finish(struct reading *r, const char *objection)
{
	bool ok;

	if (r->status == MILT_OK && objection)
		object(r, objection);
	if (r->diagnostics)
		log_lines(r->diagnostics);
	ok = r->status == MILT_OK;
	if (ok) {
		log_policy("policy", r->policy);
		use(r->policy, &r->since);
	} else
		log_say(LEVEL_ERROR,
		    "%s is not used: the policy read before stays", path);
	metric_add(ok ? METRIC_RELOADS_OK : METRIC_RELOADS_FAILED);
	answer(r->question, r->status, r->diagnostics);
}

void
reload_now(void)
{
	struct reading r;

	reload_read(&r);
	reload_finish(&r, NULL);
}
