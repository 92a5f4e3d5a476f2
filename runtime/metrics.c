#include "runtime/metrics.h"

#include <stdatomic.h>

#include "runtime/conn.h"
#include "runtime/counts.h"
#include "runtime/delay.h"
#include "runtime/limits.h"

enum { VERDICTS = 4, SHARDS = 16, REASONS = 64 };

/* Upper bounds of the histogram, in microseconds; above them there is one. */
static const unsigned bounds[] = { 10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
	10000, 50000, 250000, 1000000, 5000000 };

enum { BOUNDS = sizeof(bounds) / sizeof(*bounds) };

/* One of the copies that threads share; a reader adds them up. */
struct histogram {
	atomic_ullong times[BOUNDS + 1];
	atomic_ullong nanoseconds;
};

struct shard {
	_Alignas(64) atomic_ullong simple[METRIC_COUNT];
	atomic_ullong verdicts[VERDICTS][STAGE_COUNT];
	struct histogram stages[STAGE_COUNT];
	struct histogram questions; /* of js rules */
};

static struct shard shards[SHARDS];

/* Failures by their static text; a slot is taken once and for all. */
static struct reason {
	_Atomic(const char *) text;
	atomic_ullong n;
} reasons[REASONS];

/* ---- counting ------------------------------------------------------------ */

static struct shard *
own_shard(void)
{
	static atomic_uint threads;
	static _Thread_local struct shard *own;

	if (!own)
		own = &shards[atomic_fetch_add(&threads, 1) % SHARDS];
	return own;
}

static void
add(atomic_ullong *cell, unsigned long long n)
{
	atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void
metric_add(enum metric m)
{
	add(&own_shard()->simple[m], 1);
}

static unsigned
verdict_index(enum milt_answer_kind kind)
{
	switch (kind) {
	case ANSWER_CONTINUE:
	case ANSWER_SKIP:
	case ANSWER_ACCEPT:
		return 0;
	case ANSWER_REJECT:
		return 1;
	case ANSWER_TEMPFAIL:
		return 2;
	case ANSWER_DISCARD:
		return 3;
	}
	return 2;
}

void
metric_decision(enum milt_answer_kind kind, enum milt_stage stage)
{
	add(&own_shard()->verdicts[verdict_index(kind)][stage], 1);
}

static void
add_time(struct histogram *h, uint64_t ns)
{
	unsigned i = 0;

	while (i < BOUNDS && ns > bounds[i] * (uint64_t)1000)
		i++;
	add(&h->times[i], 1);
	add(&h->nanoseconds, ns);
}

void
metric_time(enum milt_stage stage, uint64_t ns)
{
	add_time(&own_shard()->stages[stage], ns);
}

void
metric_question(enum milt_reply_kind kind, uint64_t ns)
{
	switch (kind) {
	case REPLY_NOTHING:
		metric_add(METRIC_QUESTIONS_NOTHING);
		break;
	case REPLY_ANSWER:
		metric_add(METRIC_QUESTIONS_ANSWER);
		break;
	case REPLY_FAILURE:
		metric_add(METRIC_QUESTIONS_FAILURE);
		break;
	}
	add_time(&own_shard()->questions, ns);
}

void
metric_failure(const char *why)
{
	for (unsigned i = 0; i < REASONS; i++) {
		const char *text = atomic_load(&reasons[i].text);

		if (!text && atomic_compare_exchange_strong(
				 &reasons[i].text, &text, why))
			text = why;
		if (text == why || strcmp(text, why) == 0) {
			add(&reasons[i].n, 1);
			return;
		}
	}
}

uint64_t
metrics_uptime(void)
{
	static atomic_ullong start;
	unsigned long long now = conn_clock(), none = 0;

	(void)atomic_compare_exchange_strong(&start, &none, now);
	return (now - atomic_load(&start)) / 1000000000u;
}

/* ---- reading ------------------------------------------------------------- */

/* The sum over the shards of the cell at this place in them. */
static unsigned long long
sum(const atomic_ullong *in_first)
{
	size_t at = (size_t)((const char *)in_first - (const char *)shards);
	unsigned long long n = 0;

	for (unsigned i = 0; i < SHARDS; i++)
		n += atomic_load_explicit(
		    (const atomic_ullong *)(const void
			    *)((const char *)&shards[i] + at),
		    memory_order_relaxed);
	return n;
}

uint64_t
metric_read(enum metric m)
{
	return sum(&shards[0].simple[m]);
}

static void
head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
print_simple(FILE *to)
{
	static const struct {
		const char *name, *labels, *help;
	} rows[] = {
#define METRIC(id, name, labels, help) { name, labels, help },
		METRICS(METRIC)
#undef METRIC
	};
	const char *last = "";

	for (int i = 0; i < METRIC_COUNT; i++) {
		bool labels = rows[i].labels[0] != 0;

		if (strcmp(rows[i].name, last) != 0)
			head(to, rows[i].name, "counter", rows[i].help);
		last = rows[i].name;
		fprintf(to, "%s%s%s%s %llu\n", last, labels ? "{" : "",
		    rows[i].labels, labels ? "}" : "",
		    (unsigned long long)metric_read((enum metric)i));
	}
	head(to, "milt_memory_bytes", "gauge",
	    "Octets that all sessions and messages hold.");
	fprintf(to, "milt_memory_bytes %zu\n", atomic_load(&facts_budget.used));
	head(to, "milt_sessions_open", "gauge", "Sessions that are open.");
	fprintf(to, "milt_sessions_open %lu\n", conn_count());
	head(to, "milt_sessions_delayed", "gauge",
	    "Sessions whose answer is delayed.");
	fprintf(to, "milt_sessions_delayed %lu\n", delay_waiting());
}

static void
print_verdicts(FILE *to)
{
	static const char *const words[VERDICTS] = { "accept", "reject",
		"tempfail", "discard" };

	head(to, "milt_decisions_total", "counter",
	    "Answers that decided, by verdict and stage.");
	for (int v = 0; v < VERDICTS; v++)
		for (int s = 0; s < STAGE_COUNT; s++)
			fprintf(to,
			    "milt_decisions_total{verdict=\"%s\",stage=\"%.*"
			    "s\"}"
			    " %llu\n",
			    words[v], STR_ARG(stage_rows[s].name),
			    sum(&shards[0].verdicts[v][s]));
}

/* `label` as in stage="rcpt". */
static void
print_histogram(FILE *to, const char *name, const char *label, struct str value,
    const struct histogram *h)
{
	unsigned long long n = 0;

	for (unsigned i = 0; i < BOUNDS; i++) {
		n += sum(&h->times[i]);
		fprintf(to, "%s_bucket{%s=\"%.*s\",le=\"%g\"} %llu\n", name,
		    label, STR_ARG(value), bounds[i] / 1e6, n);
	}
	n += sum(&h->times[BOUNDS]);
	fprintf(to,
	    "%s_bucket{%s=\"%.*s\",le=\"+Inf\"} %llu\n"
	    "%s_sum{%s=\"%.*s\"} %.9f\n"
	    "%s_count{%s=\"%.*s\"} %llu\n",
	    name, label, STR_ARG(value), n, name, label, STR_ARG(value),
	    (double)sum(&h->nanoseconds) / 1e9, name, label, STR_ARG(value), n);
}

static void
print_times(FILE *to)
{
	head(to, "milt_stage_seconds", "histogram",
	    "Time spent on the events and the evaluation of a stage.");
	for (int s = 0; s < STAGE_COUNT; s++)
		print_histogram(to, "milt_stage_seconds", "stage",
		    stage_rows[s].name, &shards[0].stages[s]);
	head(to, "milt_question_seconds", "histogram",
	    "Time until a question of the policy was answered, or failed.");
	print_histogram(to, "milt_question_seconds", "kind", STR("js"),
	    &shards[0].questions);
}

static void
print_failures(FILE *to)
{
	head(to, "milt_failures_total", "counter",
	    "What could not be decided: limits that were hit, and why.");
	for (unsigned i = 0; i < REASONS; i++) {
		const char *text = atomic_load(&reasons[i].text);

		if (!text)
			break;
		fprintf(to, "milt_failures_total{reason=\"%s\"} %llu\n", text,
		    (unsigned long long)atomic_load(&reasons[i].n));
	}
}

static void
print_limits(FILE *to)
{
	head(to, "milt_limits_total", "counter",
	    "Times that a limit was hit; what happens then says the manual.");
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (limit_rows[i].counted)
			fprintf(to, "milt_limits_total{limit=\"%.*s\"} %zu\n",
			    STR_ARG(limit_rows[i].id),
			    limit_hits((enum milt_limit)i));
	for (size_t i = 0; i < counted_option_count; i++)
		fprintf(to, "milt_limits_total{limit=\"%.*s\"} %zu\n",
		    STR_ARG(option_rows[counted_options[i]].name),
		    limit_option_hits(counted_options[i]));
	head(to, "milt_failures_ignored_total", "counter",
	    "Conditions and effects that could not be decided, and the policy "
	    "says that it goes on.");
	fprintf(to, "milt_failures_ignored_total %zu\n", failures_ignored());
}

/* ---- by rule ------------------------------------------------------------- */

/* As a value between quotes: LF, quote and backslash are escaped. */
static void
label(FILE *to, const char *name, struct str value)
{
	fprintf(to, "%s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n')
			fputs("\\n", to);
		else if (value.p[i] == '"' || value.p[i] == '\\')
			fprintf(to, "\\%c", value.p[i]);
		else
			putc(value.p[i], to);
	}
	putc('"', to);
}

static void
print_rules(
    FILE *to, const struct policy *p, enum rule_event event, const char *name)
{
	const struct milt_image *im = p->image;

	for (uint32_t i = 0; i < im->count[SECTION_RULES]; i++) {
		const struct image_rule *r = &im->rules[i];

		if (!counts_may(p->counts, im, i, event))
			continue;
		fprintf(to, "%s{", name);
		label(to, "rule", image_text(im, r->name));
		putc(',', to);
		label(to, "file", r->line ? image_text(im, r->file) : STR(""));
		fprintf(to, ",line=\"%u\"} %llu\n", (unsigned)r->line,
		    counts_rule(p->counts, i, event));
	}
}

static void
print_policy(FILE *to, const struct policy *p)
{
	head(to, "milt_policy_info", "gauge", "The policy in use.");
	fputs("milt_policy_info{", to);
	label(to, "file", str_from(p->path));
	fprintf(to, ",hash=\"%016llx\",version=\"" MILT_VERSION "\"} 1\n",
	    (unsigned long long)p->image->header->policy);
	head(to, "milt_policy_generation", "gauge",
	    "Number of policies that were used, this one included.");
	fprintf(to, "milt_policy_generation %lu\n", p->serial);
	head(to, "milt_rule_decisions_total", "counter",
	    "Answers that a rule decided.");
	print_rules(to, p, RULE_DECIDED, "milt_rule_decisions_total");
	head(to, "milt_rule_effects_total", "counter",
	    "Effects, notes and counts of a rule that came about.");
	print_rules(to, p, RULE_EFFECT, "milt_rule_effects_total");
	head(to, "milt_rule_shadow_total", "counter",
	    "Times that a shadow rule matched.");
	print_rules(to, p, RULE_MATCHED_SHADOW, "milt_rule_shadow_total");
	head(to, "milt_rule_failures_total", "counter",
	    "Times that a rule could not be decided.");
	print_rules(to, p, RULE_FAILED, "milt_rule_failures_total");
	head(to, "milt_count_total", "counter",
	    "What the policy counts by count actions.");
	for (size_t i = 0; i < counts_names(p->counts); i++) {
		fputs("milt_count_total{", to);
		label(to, "name", counts_name(p->counts, i));
		fprintf(to, "} %llu\n", counts_named(p->counts, i));
	}
}

void
metrics_print(FILE *to)
{
	struct policy *p = policy_get();

	print_simple(to);
	print_verdicts(to);
	print_times(to);
	print_failures(to);
	print_limits(to);
	if (p)
		print_policy(to, p);
	policy_put(p);
}
