#include "runtime/trace.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/decision_json.h"
#include "runtime/metrics.h"
#include "runtime/parts.h"
#include "runtime/state.h"

enum { WAITING = 64 }; /* lines that a tracer has not read */

struct tracer {
	struct tracer *next;
	struct trace_filter filter;
	unsigned long left; /* to come */
	pthread_cond_t come;
	char *lines[WAITING]; /* owned; a ring */
	unsigned first, n;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tracer *tracers; /* under the lock, and all in them */
static atomic_uint count;

/* ---- the transaction ----------------------------------------------------- */

/* The rules that are not false, as the decision saw them. */
static struct walk
walk_of(const struct decision_record *d)
{
	enum milt_stage stage = d->answer->stage;

	return (struct walk){
		.s = d->session,
		.reading = stage < STAGE_RCPT    ? READ_SHARED
			   : stage == STAGE_RCPT ? READ_RECIPIENT
						 : READ_OPEN,
	};
}

/* ---- filters ------------------------------------------------------------- */

static bool
fits(const char *pattern, struct str s)
{
	char text[512];

	if (!pattern[0])
		return true;
	s = str_head(s, sizeof(text) - 1);
	if (s.n)
		memcpy(text, s.p, s.n);
	text[s.n] = 0;
	return fnmatch(pattern, text, FNM_CASEFOLD) == 0;
}

static bool
fits_client(const char *pattern, struct str s)
{
	size_t open = str_find(s, '[');

	if (fits(pattern, s) || fits(pattern, str_head(s, open)))
		return true;
	if (open == s.n)
		return false;
	s = str_skip(s, open + 1);
	return fits(pattern, str_head(s, str_find(s, ']')));
}

static bool
fits_rule(const struct decision_record *d, const char *pattern)
{
	const struct milt_image *im = milt_session_image(d->session);
	struct walk w = walk_of(d);
	enum truth v;
	uint32_t i;

	if (!pattern[0])
		return true;
	if (d->decided &&
	    fits(pattern,
		image_text(im, im->rules[d->answer->speaker.rule].name)))
		return true;
	while (walk_next(&w, &i, &v))
		if (v == TRUE_ && i + 1 < im->count[SECTION_RULES] &&
		    fits(pattern, image_text(im, im->rules[i].name)))
			return true;
	return false;
}

static bool
fits_recipient(const struct decision_record *d, const char *pattern)
{
	if (!pattern[0])
		return true;
	for (size_t i = 0; i < decision_recipients(d); i++)
		if (fits(pattern, decision_recipient(d, i)))
			return true;
	return false;
}

static bool
is_wanted(const struct trace_filter *w, const struct decision_record *d)
{
	struct facts *f = milt_session_facts(d->session);

	return fits_client(w->client, facts_client_text(f)) &&
	       fits(w->sender, facts_sender_text(f)) &&
	       fits_recipient(d, w->recipient) && fits_rule(d, w->rule);
}

/* ---- the line ------------------------------------------------------------ */

/* Rules whose parts are shown; those that are not false, whatever their number.
 */
enum { SHOWN = 100 };

static json_t *
parts_json(const struct decision_record *d, uint32_t rule)
{
	struct part *parts;
	size_t n = rule_parts(d->session, rule, d->answer->stage, &parts);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		json_put_text(o, "part", parts[i].text);
		if (parts[i].there)
			json_put_text(o, "is", parts[i].value);
		json_put(o, "value", json_string(truth_word(parts[i].result)));
		json_array_append_new(list, o);
	}
	return list;
}

/* Of recipient rules behind RCPT: one recipient's parts would mislead. */
static bool
has_parts(const struct decision_record *d, uint32_t rule, enum truth v)
{
	const struct image_rule *r =
	    &milt_session_image(d->session)->rules[rule];

	if (r->flags & RULE_RECIPIENT && d->answer->stage > STAGE_RCPT)
		return false;
	return v == TRUE_ || v == ERROR_ || rule < SHOWN;
}

static const char *
reason(const struct decision_record *d, uint32_t rule, enum truth v)
{
	const struct image_rule *r =
	    &milt_session_image(d->session)->rules[rule];
	bool decided = d->decided && d->answer->speaker.rule == rule;

	switch (v) {
	case FALSE_:
		return "its condition does not hold";
	case UNKNOWN_:
		return "its facts are not known yet";
	case ERROR_:
		return decided ? "it could not be decided, and that decides"
			       : "it could not be decided";
	case TRUE_:
		break;
	}
	if (decided)
		return "it decides";
	if (r->flags & RULE_SHADOW)
		return "it holds, and only counts";
	if (d->decided && rule > d->answer->speaker.rule)
		return "it holds, but a rule above it decides";
	if (r->verdict == ACTION_NONE)
		return "it holds, and has effects alone";
	return "it holds, and another one speaks for it";
}

static json_t *
rule_json(const struct decision_record *d, uint32_t i, enum truth v)
{
	const struct milt_image *im = milt_session_image(d->session);
	const struct image_rule *r = &im->rules[i];
	json_t *o = json_object();

	json_put_text(o, "rule", image_text(im, r->name));
	if (r->line) {
		json_put_text(o, "file", image_text(im, r->file));
		json_put_number(o, "line", r->line);
	}
	json_put(o, "value", json_string(truth_word(v)));
	if (r->flags & RULE_SHADOW)
		json_put(o, "shadow", json_true());
	if (image_text(im, r->why).n)
		json_put_text(o, "why", image_text(im, r->why));
	if (d->decided && d->answer->speaker.rule == i)
		json_put(o, "decided", json_true());
	json_put(o, "because", json_string(reason(d, i, v)));
	if (has_parts(d, i, v))
		json_put(o, "parts", parts_json(d, i));
	return o;
}

static char *
line_of(const struct decision_record *d)
{
	const struct milt_image *im = milt_session_image(d->session);
	json_t *o = decision_json(d), *rules = json_array();
	struct walk w = walk_of(d);
	enum truth v;
	uint32_t at;
	bool more;

	more = walk_next(&w, &at, &v);
	for (uint32_t i = 0; i < im->count[SECTION_RULES]; i++) {
		enum truth value =
		    im->rules[i].known > d->answer->stage ? UNKNOWN_ : FALSE_;

		if (more && at == i) {
			value = v;
			more = walk_next(&w, &at, &v);
		}
		json_array_append_new(rules, rule_json(d, i, value));
	}
	json_put(o, "rules", rules);
	return json_line(o);
}

/* ---- giving and taking --------------------------------------------------- */

bool
trace_is_on(void)
{
	return atomic_load_explicit(&count, memory_order_relaxed) > 0;
}

void
trace_give(const struct decision_record *d)
{
	pthread_mutex_lock(&lock);
	for (struct tracer *t = tracers; t; t = t->next) {
		char *line;

		if (t->left == 0 || !is_wanted(&t->filter, d))
			continue;
		line = t->n < WAITING ? line_of(d) : NULL;
		if (!line) {
			metric_add(METRIC_TRACES_LOST);
			continue;
		}
		t->lines[(t->first + t->n++) % WAITING] = line;
		t->left--;
		pthread_cond_signal(&t->come);
	}
	pthread_mutex_unlock(&lock);
}

struct tracer *
trace_open(const struct trace_filter *filter, unsigned long n)
{
	struct tracer *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	t->filter = *filter;
	t->left = n;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->come, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&lock);
	t->next = tracers;
	tracers = t;
	pthread_mutex_unlock(&lock);
	atomic_fetch_add(&count, 1);
	return t;
}

void
trace_close(struct tracer *t)
{
	struct tracer **at = &tracers;

	pthread_mutex_lock(&lock);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	pthread_mutex_unlock(&lock);
	atomic_fetch_sub(&count, 1);
	for (unsigned i = 0; i < t->n; i++)
		free(t->lines[(t->first + i) % WAITING]);
	pthread_cond_destroy(&t->come);
	free(t);
}

char *
trace_next(struct tracer *t, int ms, bool *over)
{
	struct timespec end;
	char *line = NULL;
	int e = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&lock);
	while (t->n == 0 && t->left > 0 && e == 0)
		e = pthread_cond_timedwait(&t->come, &lock, &end);
	if (t->n > 0) {
		line = t->lines[t->first];
		t->first = (t->first + 1) % WAITING;
		t->n--;
	}
	*over = t->n == 0 && t->left == 0;
	pthread_mutex_unlock(&lock);
	return line;
}
