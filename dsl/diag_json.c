/* Diagnostics for programs. */
#include "dsl/diag_order.h"

#include <jansson.h>

#include "dsl/lexer.h"

/* JSON is UTF-8: other bytes become U+FFFD. */
static json_t *
text(struct arena *arena, struct str s)
{
	const char *limit = s.n ? s.p + s.n : s.p;
	char *out = arena_alloc(arena, s.n * 3 + 1);
	size_t n = 0, k;

	for (const char *p = s.p; p != limit; p += k ? k : 1) {
		k = utf8_length(p, limit);
		memcpy(out + n, k ? p : "\xEF\xBF\xBD", k ? k : 3);
		n += k ? k : 3;
	}
	return json_stringn(out, n);
}

static void
set_place(json_t *o, const struct diags *ds, struct span span)
{
	const struct source *s = ds->sources->list.v[span.source];
	unsigned line, column;

	json_object_set_new(o, "file", text(ds->arena, s->path));
	source_place(s, span.begin, &line, &column);
	json_object_set_new(o, "line", json_integer(line));
	json_object_set_new(o, "column", json_integer(column));
	source_place(s, span.end, &line, &column);
	json_object_set_new(o, "end_line", json_integer(line));
	json_object_set_new(o, "end_column", json_integer(column));
}

static json_t *
label_json(const struct diags *ds, const struct diag_label *label)
{
	json_t *o = json_object();

	set_place(o, ds, label->span);
	json_object_set_new(o, "text", text(ds->arena, label->text));
	return o;
}

static json_t *
diag_json(const struct diags *ds, const struct diag *d)
{
	const struct diag_row *row = &diag_rows[d->id];
	json_t *o = json_object(), *labels = json_array();
	json_t *help = json_array();

	json_object_set_new(o, "code", text(ds->arena, row->code));
	json_object_set_new(o, "severity",
	    json_string(row->severity == SEVERITY_ERROR ? "error" : "warning"));
	json_object_set_new(o, "message", text(ds->arena, d->message));
	if (d->has_span)
		set_place(o, ds, d->span);
	else if (d->path.n)
		json_object_set_new(o, "file", text(ds->arena, d->path));
	json_object_set_new(o, "label", text(ds->arena, d->label));
	for (size_t i = 0; i < d->labels.n; i++)
		json_array_append_new(labels, label_json(ds, &d->labels.v[i]));
	json_object_set_new(o, "labels", labels);
	for (size_t i = 0; i < d->helps.n; i++)
		json_array_append_new(help, text(ds->arena, d->helps.v[i]));
	json_object_set_new(o, "help", help);
	return o;
}

json_t *
diags_json(struct diags *ds)
{
	json_t *all = json_array();

	diags_sort(ds);
	for (size_t i = 0; i < ds->list.n; i++)
		json_array_append_new(all, diag_json(ds, ds->list.v[i]));
	return all;
}
