#include "addon/host.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "addon/ask.h"
#include "addon/claim.h"
#include "addon/settings.h"
#include "compiler/policy_text.h"
#include "runtime/decision_json.h"
#include "runtime/delay.h"
#include "runtime/js_host.h"
#include "runtime/js_rules.h"
#include "runtime/json.h"
#include "runtime/milter.h"
#include "runtime/reload.h"
#include "runtime/signals.h"

static struct settings settings;
static struct queue *queue; /* owned; made once and kept */
static atomic_bool ended;

/* ---- what waits ---------------------------------------------------------- */

void
matter_free(void *arg)
{
	struct matter *m = arg;

	free(m->octets);
	free(m);
}

static void
post(enum matter_kind kind, char *octets, size_t most)
{
	struct matter *m = calloc(1, sizeof(*m));

	if (!m) {
		free(octets);
		return;
	}
	m->kind = kind;
	m->octets = octets;
	m->count = octets ? strlen(octets) : 0;
	(void)queue_post(queue, m, most);
}

static void
ask_for_reload(void)
{
	post(MATTER_RELOAD, NULL, 0);
}

static void
gave_up(void)
{
	post(MATTER_GAVE_UP, NULL, 0);
}

/* Where JavaScript does not keep up, decisions are left out. */
static void
tell_decision(const struct decision_record *d)
{
	enum { MOST = 10000 };
	char *line = json_line(decision_json(d));

	if (line)
		post(MATTER_DECISION, line, MOST);
}

/* ---- a start ------------------------------------------------------------- */

static bool
make_queue(void (*bell)(void *), void *arg)
{
	struct queue *q = queue_new(settings.limit, bell, arg, matter_free);

	if (!q)
		return false;
	queue = q;
	ask_open(q);
	return true;
}

bool
host_configure(const char *options, void (*bell)(void *), void *bell_arg,
    struct queue **out, char *why, size_t why_size)
{
	const char *owner = claim_process("serve()");

	if (owner) {
		snprintf(why, why_size,
		    "this process serves already: %s was first, and libmilter "
		    "can serve once in a process",
		    owner);
		return false;
	}
	if (!settings_read(&settings, options, why, why_size)) {
		claim_return();
		return false;
	}
	if (!make_queue(bell, bell_arg)) {
		snprintf(why, why_size, "not enough memory");
		settings_free(&settings);
		claim_return();
		return false;
	}
	log_name("milt");
	log_open(settings.log, settings.format, settings.verbose);
	facts_budget.limit = settings.memory;
	conn_set_js(&ask_host);
	policy_on_free(ask_freed);
	reload_open(settings.policy,
	    settings.strict ? compile_policy_strict : compile_policy,
	    ask_for_reload);
	if (settings.decisions)
		decision_watch(tell_decision);
	*out = queue;
	return true;
}

void
host_unconfigure(void)
{
	queue_close(queue);
	queue_free(queue);
	queue = NULL;
	decision_watch(NULL);
	settings_free(&settings);
	claim_return();
}

/* ---- policies ------------------------------------------------------------ */

struct host_policy {
	struct reading reading;
};

struct host_policy *
host_read(void)
{
	struct host_policy *p = calloc(1, sizeof(*p));

	if (p)
		reload_read(&p->reading);
	return p;
}

const char *
host_diagnostics(const struct host_policy *p)
{
	return p->reading.diagnostics ? p->reading.diagnostics : "";
}

bool
host_is_valid(const struct host_policy *p)
{
	return p->reading.status == MILT_OK;
}

char *
host_rules(const struct host_policy *p)
{
	return json_line(js_rules_json(p->reading.policy->image));
}

bool
host_want_macro(struct host_policy *p, const char *name)
{
	return policy_want_macro(p->reading.policy, str_from(name));
}

void
host_discard(struct host_policy *p)
{
	if (!p)
		return;
	policy_free(p->reading.policy);
	free(p->reading.diagnostics);
	free(p);
}

/* What was read becomes the current policy; its generation. */
static unsigned long
begin(struct host_policy *p)
{
	unsigned long generation;

	reload_first("milt serve", p->reading.policy);
	generation = p->reading.policy->serial;
	p->reading.policy = NULL;
	return generation;
}

bool
host_start(struct host_policy *p, unsigned long *generation, bool *again,
    char *why, size_t why_size)
{
	bool ok;

	*again = true;
	if (!service_raise_files(why, why_size) ||
	    !service_open(&settings.service, why, why_size)) {
		host_discard(p);
		return false;
	}
	*again = false;
	if (geteuid() == 0)
		log_say(LEVEL_WARNING, "running as root");
	*generation = begin(p);
	host_discard(p);
	/* libmilter's signal thread and all others: signals are Node's. */
	signals_hide();
	ok = service_start(&settings.service, gave_up, why, why_size);
	signals_show();
	return ok;
}

unsigned long
host_use(struct host_policy *p, const char *objection)
{
	struct policy *policy = p->reading.policy;
	bool use = p->reading.status == MILT_OK && !objection;
	unsigned long generation = 0;

	reload_finish(&p->reading, objection);
	if (use)
		generation = policy->serial;
	free(p);
	return generation;
}

/* ---- while it serves ------------------------------------------------------
 */

bool
host_reload_is_due(void)
{
	return reload_is_watching() && reload_is_due();
}

bool
host_reap(void)
{
	return policy_reap();
}

unsigned long
host_next_freed(void)
{
	return ask_next_freed();
}

unsigned long
host_sessions(void)
{
	return milter_sessions();
}

void
host_log(bool error, const char *text)
{
	log_say(error ? LEVEL_ERROR : LEVEL_INFO, "%s", text);
}

void
host_retire(void)
{
	log_say(LEVEL_INFO, "stopping: %lu open sessions", milter_sessions());
	service_retire();
}

void
host_end(void)
{
	/* Milliseconds; answers are short, and go to a local socket. */
	enum { TURN = 5, TURNS = 100, AFTER = 50 };
	bool asked;

	if (!queue || atomic_exchange(&ended, true))
		return;
	service_unlink();
	asked = ask_running() > 0 || delay_waiting() > 0;
	delay_stop();
	queue_close(queue);
	for (int i = 0; i < TURNS && ask_running() + delay_waiting() > 0; i++)
		nanosleep(&(struct timespec){ 0, TURN * 1000000 }, NULL);
	if (asked)
		nanosleep(&(struct timespec){ 0, AFTER * 1000000 }, NULL);
}
