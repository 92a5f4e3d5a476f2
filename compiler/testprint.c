/* How test results are shown: for people, and as JSON. */
#include "compiler/testrun.h"

static void
print_source(struct compilation *c, struct span span, FILE *f)
{
	const struct source *s = c->sources.list.v[span.source];
	unsigned line, column;
	struct str text;

	source_place(s, span.begin, &line, &column);
	text = str_trim(source_line(s, line));
	fprintf(
	    f, "    %.*s:%u: %.*s\n", STR_ARG(s->path), line, STR_ARG(text));
}

void
tests_print(const struct test_results *r, struct compilation *c, FILE *f,
    bool color, bool all)
{
	const char *red = color ? "\033[31m" : "";
	const char *green = color ? "\033[32m" : "";
	const char *plain = color ? "\033[0m" : "";

	for (size_t i = 0; i < r->n; i++) {
		const struct test_result *t = &r->v[i];
		struct str name = t->test->item.name.text;

		if (!t->error && !t->failures.n) {
			if (all)
				fprintf(f, "  %sok%s    %.*s\n", green, plain,
				    STR_ARG(name));
			continue;
		}
		fprintf(f, "  %sFAIL%s  %.*s\n", red, plain, STR_ARG(name));
		if (t->error)
			fprintf(f, "    %s\n", t->error);
		for (size_t k = 0; k < t->failures.n; k++) {
			print_source(c, t->failures.v[k].span, f);
			fprintf(
			    f, "      %.*s\n", STR_ARG(t->failures.v[k].text));
		}
	}
}

/* What is not UTF-8 is made so: JSON knows nothing else. */
static json_t *
text(struct arena *a, struct str s)
{
	struct str valid = utf8_make_valid(a, s);

	return json_stringn(valid.p ? valid.p : "", valid.n);
}

static json_t *
verdict_json(struct arena *a, const struct milt_image *im,
    const struct play_verdict *v, struct str path)
{
	const struct image_rule *r = &im->rules[v->speaker.rule];
	json_t *o = json_object();

	json_object_set_new(o, "recipient", text(a, path));
	json_object_set_new(o, "verdict", text(a, answer_word(v->kind)));
	if (v->code) {
		json_object_set_new(o, "code", json_integer(v->code));
		json_object_set_new(o, "enhanced", text(a, v->xcode));
		json_object_set_new(o, "text", text(a, v->text));
	}
	json_object_set_new(o, "rule", text(a, speaker_name(im, v->speaker)));
	json_object_set_new(o, "file", text(a, image_text(im, r->file)));
	json_object_set_new(o, "line", json_integer(r->line));
	json_object_set_new(o, "stage", text(a, stage_rows[v->stage].name));
	if (v->speaker.failure)
		json_object_set_new(o, "failure",
		    json_string(v->speaker.what ? v->speaker.what : ""));
	return o;
}

static json_t *
outcome_json(
    struct arena *a, const struct milt_image *im, const struct test_result *t)
{
	const struct outcome *out = &t->outcome;
	json_t *o = json_object(), *verdicts = json_array();
	json_t *changes = json_array(), *notes = json_array();

	for (size_t i = 0; i < out->count; i++)
		json_array_append_new(
		    verdicts, verdict_json(a, im, &out->verdicts[i],
				  t->transaction.recipients.v[i].path));
	for (size_t i = 0; i < out->changes.n; i++)
		json_array_append_new(
		    changes, text(a, change_text(a, &out->changes.v[i])));
	for (size_t i = 0; i < out->notes.n; i++) {
		const struct milt_note *n = &out->notes.v[i];
		json_t *note = json_object();

		json_object_set_new(note, "rule",
		    text(a, image_text(im, im->rules[n->rule].name)));
		json_object_set_new(
		    note, "shadow", json_boolean(n->kind == NOTE_SHADOW));
		json_object_set_new(
		    note, "count", json_boolean(n->kind == NOTE_METRIC));
		json_object_set_new(note, "text", text(a, n->text));
		json_array_append_new(notes, note);
	}
	json_object_set_new(o, "verdicts", verdicts);
	json_object_set_new(o, "changes", changes);
	json_object_set_new(o, "notes", notes);
	return o;
}

static json_t *
texts_json(struct arena *a, const struct str *v, size_t n)
{
	json_t *o = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(o, text(a, v[i]));
	return o;
}

/* What was played, so that another host can play the same. */
static json_t *
transaction_json(struct arena *a, const struct transaction *t)
{
	json_t *o = json_object(), *recipients = json_array();
	json_t *macros = json_object(), *fields = json_array();
	json_t *given = json_array();

	if (t->has_ip)
		json_object_set_new(
		    o, "client_ip", text(a, ip_print(a, t->ip)));
	json_object_set_new(o, "client_port", json_integer(t->port));
	json_object_set_new(o, "client_name", text(a, t->client_name));
	json_object_set_new(o, "helo", text(a, t->helo));
	json_object_set_new(o, "sender", text(a, t->sender));
	json_object_set_new(
	    o, "parameters", texts_json(a, t->parameters.v, t->parameters.n));
	for (size_t i = 0; i < t->recipients.n; i++)
		json_array_append_new(
		    recipients, text(a, t->recipients.v[i].path));
	for (size_t i = 0; i < t->macros.n; i++)
		json_object_set_new(macros, arena_dup(a, t->macros.v[i].name).p,
		    text(a, t->macros.v[i].value));
	for (size_t i = 0; i < t->fields.n; i++)
		json_array_append_new(
		    fields, json_pack("[o,o]", text(a, t->fields.v[i].name),
				text(a, t->fields.v[i].value)));
	for (size_t i = 0; i < t->given.n; i++)
		json_array_append_new(given, text(a, t->given.v[i].rule));
	json_object_set_new(o, "recipients", recipients);
	json_object_set_new(o, "macros", macros);
	json_object_set_new(o, "header", fields);
	json_object_set_new(o, "body", text(a, t->body));
	json_object_set_new(o, "given", given);
	return o;
}

json_t *
tests_json(const struct test_results *r, struct compilation *c,
    const struct milt_image *im)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct test_result *t = &r->v[i];
		const struct source *s =
		    c->sources.list.v[t->test->item.span.source];
		json_t *o = json_object(), *failures = json_array();
		unsigned line, column;

		source_place(s, t->test->item.span.begin, &line, &column);
		json_object_set_new(
		    o, "name", text(&c->arena, t->test->item.name.text));
		json_object_set_new(o, "file", text(&c->arena, s->path));
		json_object_set_new(o, "line", json_integer(line));
		json_object_set_new(
		    o, "passed", json_boolean(!t->error && !t->failures.n));
		if (t->error)
			json_array_append_new(
			    failures, text(&c->arena, str_from(t->error)));
		for (size_t k = 0; k < t->failures.n; k++)
			json_array_append_new(
			    failures, text(&c->arena, t->failures.v[k].text));
		json_object_set_new(o, "failures", failures);
		json_object_set_new(o, "transaction",
		    transaction_json(&c->arena, &t->transaction));
		if (!t->error)
			json_object_set_new(
			    o, "outcome", outcome_json(&c->arena, im, t));
		json_array_append_new(list, o);
	}
	return list;
}
