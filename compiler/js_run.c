#include "compiler/js_run.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#include "runtime/exchange.h"
#include "runtime/js_rules.h"

/* Milliseconds in which node starts and reads the functions of a policy. */
enum { LOAD_MS = 60000 };

static struct js_failure *
find_failure(struct js_run *run, uint32_t rule, struct str why)
{
	for (size_t i = 0; i < run->failures.n; i++)
		if (run->failures.v[i].rule == rule &&
		    str_eq(run->failures.v[i].why, why))
			return &run->failures.v[i];
	return NULL;
}

/* What a function says may be long, and any text. */
static void
note(struct js_run *run, uint32_t rule, const char *text)
{
	enum { MOST = 1000 };
	struct str why = arena_dup(
	    run->arena, str_head(str_from(text), strnlen(text, MOST)));
	char *p = (char *)why.p;

	for (size_t i = 0; p && i < why.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = ' ';
	if (!find_failure(run, rule, why))
		vec_push(run->arena, &run->failures,
		    ((struct js_failure){ rule, why }));
}

/* ---- node ---------------------------------------------------------------- */

static void
stop(struct js_run *run)
{
	node_end(run->node);
	json_decref(run->wrong);
	run->node = NULL;
	run->wrong = NULL;
}

/* One request about all rules: `what` is load or inspect. */
static json_t *
ask_about_all(struct node_process *n, const char *what,
    const struct milt_image *im, char *why, size_t why_size)
{
	json_t *request = json_object(), *reply, *wrong;

	json_put(request, what, js_rules_json(im));
	reply = node_ask(n, request, LOAD_MS, why, why_size);
	wrong = json_incref(json_object_get(reply, "wrong"));
	if (reply && !json_is_array(wrong)) {
		snprintf(why, why_size, "node has answered nonsense");
		json_decref(wrong);
		wrong = NULL;
	}
	json_decref(reply);
	return wrong;
}

/* What could not be started once is not tried again, for every test. */
static bool
start(struct js_run *run)
{
	if (run->node || run->broken[0])
		return run->node;
	run->node = node_start(run->program);
	if (!run->node) {
		snprintf(run->broken, sizeof(run->broken),
		    "node cannot be started: %s", strerror(errno));
		return false;
	}
	run->wrong = ask_about_all(
	    run->node, "load", run->image, run->broken, sizeof(run->broken));
	if (!run->wrong)
		stop(run);
	return run->wrong;
}

void
js_run_end(struct js_run *run)
{
	stop(run);
}

json_t *
js_inspect(const struct node_program *program, const struct milt_image *im,
    char *why, size_t why_size)
{
	struct node_process *n = node_start(program);
	json_t *wrong;

	if (!n) {
		snprintf(why, why_size, "node cannot be started: %s",
		    strerror(errno));
		return NULL;
	}
	wrong = ask_about_all(n, "inspect", im, why, why_size);
	node_end(n);
	return wrong;
}

/* ---- questions ----------------------------------------------------------- */

static const char *
wrong_with(const struct js_run *run, uint32_t rule)
{
	json_t *one;
	size_t i;

	json_array_foreach(run->wrong, i, one)
	{
		if (json_integer_value(json_array_get(one, 0)) ==
		    (json_int_t)rule)
			return json_string_value(json_array_get(one, 1));
	}
	return NULL;
}

static json_t *
request(
    struct js_run *run, struct milt_session *s, const struct milt_question *q)
{
	json_t *o = NULL;
	gchar *text;
	char *octets;
	size_t n;

	if (!question_pack(s, q, &octets, &n))
		return NULL;
	text = g_base64_encode((const guchar *)octets, n);
	o = json_object();
	json_put_number(o, "id", (unsigned long long)++run->id);
	json_put_number(o, "rule", q->rule);
	json_put(o, "question", json_string(text));
	g_free(text);
	free(octets);
	return o;
}

/* What came as an answer is given to the session; false: it is none. */
static bool
give(struct js_run *run, struct milt_session *s, uint32_t rule, json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "answer"));
	const char *thrown =
	    json_string_value(json_object_get(answer, "error"));
	struct milt_reply reply;
	struct arena arena;
	guchar *octets;
	gsize n;

	if (!text ||
	    json_integer_value(json_object_get(answer, "id")) != run->id)
		return false;
	octets = g_base64_decode(text, &n);
	arena_init(&arena, 0, NULL);
	reply_unpack(&arena, (struct str){ (const char *)octets, n }, &reply);
	(void)milt_session_reply(s, &reply);
	if (milt_session_reply_failure(s))
		note(
		    run, rule, thrown ? thrown : milt_session_reply_failure(s));
	arena_free(&arena);
	g_free(octets);
	return true;
}

/* False with the reason: there is no answer. */
static bool
ask(struct js_run *run, struct milt_session *s, const struct milt_question *q,
    char *why, size_t why_size)
{
	json_t *question, *answer;
	bool given;

	question = request(run, s, q);
	if (!question) {
		snprintf(why, why_size, "not enough memory");
		return false;
	}
	answer = node_ask(run->node, question, q->js->timeout, why, why_size);
	given = answer && give(run, s, q->rule, answer);
	if (answer && !given)
		snprintf(why, why_size, "node has answered nonsense");
	json_decref(answer);
	/* Who was silent once would answer that question next time. */
	if (!given)
		stop(run);
	return given;
}

void
js_run_answer(void *data, struct milt_session *s, const struct milt_question *q)
{
	struct js_run *run = data;
	struct milt_reply none = { .kind = REPLY_FAILURE,
		.failure = "no answer" };
	uint32_t rule = q->rule;
	const char *wrong;
	char why[256];

	if (!start(run)) {
		wrong = run->broken;
	} else {
		wrong = wrong_with(run, rule);
		if (!wrong && ask(run, s, q, why, sizeof(why)))
			return;
	}
	note(run, rule, wrong ? wrong : why);
	(void)milt_session_reply(s, &none);
}
