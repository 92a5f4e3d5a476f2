#include "runtime/control_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/conn.h"
#include "runtime/delay.h"
#include "runtime/json.h"
#include "runtime/metrics.h"
#include "runtime/reload.h"

/* ---- status -------------------------------------------------------------- */

static unsigned long long
resident_bytes(void)
{
	unsigned long long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &pages, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static json_t *
policy_json(const struct policy *p)
{
	const struct milt_image *im = p->image;
	json_t *o = json_object();
	char hash[17];

	snprintf(hash, sizeof(hash), "%016llx",
	    (unsigned long long)im->header->policy);
	json_put_text(o, "file", str_from(p->path));
	json_put(o, "hash", json_string(hash));
	json_put_number(o, "rules", im->count[SECTION_RULES] - 1);
	json_put_number(o, "generation", p->serial);
	json_put_number(o, "age", (conn_clock() - p->since) / 1000000000u);
	json_put_number(o, "regexes", im->count[SECTION_REGEXES]);
	json_put(o, "jit", json_boolean(im->jit));
	if (im->jit_error)
		json_put(o, "jit_error", json_string(im->jit_error));
	return o;
}

json_t *
control_status(void)
{
	struct policy *p = policy_get();
	json_t *o = json_object(), *sessions = json_object();
	json_t *reloads = json_object();

	json_put(o, "ok", json_true());
	json_put(o, "version", json_string(MILT_VERSION));
	json_put_number(o, "pid", (unsigned long long)getpid());
	json_put_number(o, "uptime", metrics_uptime());
	if (p)
		json_put(o, "policy", policy_json(p));
	policy_put(p);
	json_put_number(sessions, "open", conn_count());
	json_put_number(sessions, "total", metric_read(METRIC_SESSIONS));
	json_put_number(sessions, "put_off", metric_read(METRIC_PUT_OFF));
	json_put_number(sessions, "delayed", delay_waiting());
	json_put(o, "sessions", sessions);
	json_put_number(o, "messages", metric_read(METRIC_MESSAGES));
	json_put_number(reloads, "ok", metric_read(METRIC_RELOADS_OK));
	json_put_number(reloads, "failed", metric_read(METRIC_RELOADS_FAILED));
	json_put(o, "reloads", reloads);
	json_put_number(o, "memory", resident_bytes());
	return o;
}

/* ---- rules --------------------------------------------------------------- */

static json_t *
rule_json(const struct policy *p, uint32_t i)
{
	const struct milt_image *im = p->image;
	const struct image_rule *r = &im->rules[i];
	json_t *o = json_object();

	json_put_text(o, "rule", image_text(im, r->name));
	if (r->line) {
		json_put_text(o, "file", image_text(im, r->file));
		json_put_number(o, "line", r->line);
	}
	if (image_text(im, r->why).n)
		json_put_text(o, "why", image_text(im, r->why));
	if (r->verdict != ACTION_NONE)
		json_put_text(o, "verdict", action_rows[r->verdict].name);
	json_put(o, "shadow", json_boolean(r->flags & RULE_SHADOW));
	json_put_number(o, "decided", counts_rule(p->counts, i, RULE_DECIDED));
	json_put_number(o, "effects", counts_rule(p->counts, i, RULE_EFFECT));
	json_put_number(
	    o, "shadow_hits", counts_rule(p->counts, i, RULE_MATCHED_SHADOW));
	json_put_number(o, "failed", counts_rule(p->counts, i, RULE_FAILED));
	return o;
}

json_t *
control_rules(void)
{
	struct policy *p = policy_get();
	json_t *o = json_object(), *rules = json_array();
	json_t *names = json_array();

	json_put(o, "ok", json_true());
	for (uint32_t i = 0; p && i < p->image->count[SECTION_RULES]; i++)
		json_array_append_new(rules, rule_json(p, i));
	for (size_t i = 0; p && i < counts_names(p->counts); i++) {
		json_t *one = json_object();

		json_put_text(one, "name", counts_name(p->counts, i));
		json_put_number(one, "count", counts_named(p->counts, i));
		json_array_append_new(names, one);
	}
	policy_put(p);
	json_put(o, "rules", rules);
	json_put(o, "counts", names);
	return o;
}

/* ---- reload -------------------------------------------------------------- */

json_t *
control_reload(void)
{
	char *diagnostics;
	enum milt_status s = reload_ask(&diagnostics);
	json_t *o = json_object();

	json_put(o, "ok", json_boolean(s == MILT_OK));
	if (s != MILT_OK)
		json_put(o, "error",
		    json_string("the policy read before stays in use"));
	json_put_text(
	    o, "diagnostics", diagnostics ? str_from(diagnostics) : STR(""));
	free(diagnostics);
	return o;
}
