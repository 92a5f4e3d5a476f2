#include "compiler/passes.h"

#include <errno.h>

/* What stands on a line of a list file: without its comment. */
static struct str
line_value(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' &&
		    (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
			line.n = i;
	return str_trim(line);
}

static void
add_line(struct resolver *r, struct item_list *list, uint32_t source,
    struct str text, struct str line)
{
	struct list_entry e = { .kind = VALUE_NAME };
	struct str s = line_value(line);

	if (s.n == 0)
		return;
	e.span.source = source;
	e.span.begin = (uint32_t)(s.p - text.p);
	e.span.end = e.span.begin + (uint32_t)s.n;
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"') {
		e.kind = VALUE_STRING;
		s = (struct str){ s.p + 1, s.n - 2 };
	} else if (list->type == TYPE_ADDRESS && s.n >= 2 && s.p[0] == '<' &&
		   s.p[s.n - 1] == '>') {
		e.kind = VALUE_ADDRESS;
		s = (struct str){ s.p + 1, s.n - 2 };
	}
	e.text = s;
	vec_push(r->arena, &list->entries, e);
}

static void
read_list(struct resolver *r, struct item_list *list)
{
	struct span at = list->path->span;
	struct sources *sources = &r->c->sources;

	if (list->path->text.n == 0 ||
	    str_find(list->path->text, '\0') < list->path->text.n) {
		diag_at(r->diags, D_NO_FILE, at, "this is no path of a file");
		return;
	}
	if (sources->list.n >= (size_t)LIMIT_VALUE_SOURCE_FILES) {
		diag_at(r->diags, D_TOO_MANY_FILES, at,
		    "the policy has more than %zu files",
		    (size_t)LIMIT_VALUE_SOURCE_FILES);
		return;
	}

	struct str path = arena_dup(
	    r->arena, relative_path(r->c, at.source, list->path->text));
	uint32_t source;

	if (list->watch)
		vec_push(r->arena, &r->c->watched, path);

	enum milt_status s = source_read(sources, path, &source);

	if (s != MILT_OK) {
		diag_at(r->diags, D_NO_FILE, at, "`%.*s` cannot be read: %s",
		    STR_ARG(path),
		    s == MILT_NO_MEMORY ? "out of memory"
					: source_error(errno));
		return;
	}

	struct str text = sources->list.v[source]->text, rest = text;

	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = str_skip(rest, 3);
	while (rest.n > 0) {
		size_t n = str_find(rest, '\n');

		add_line(r, list, source, text, str_head(rest, n));
		rest = str_skip(rest, n < rest.n ? n + 1 : n);
	}
}

static void
resolve_list_type(struct resolver *r, struct item_list *list)
{
	struct str name = list->type_name.text;
	names_vec names = { 0 };

	list->type = name.n ? type_by_name(name) : TYPE_NONE;
	if (list->type != TYPE_NONE)
		return;

	struct diag *d = diag_at(r->diags, D_UNKNOWN_TYPE, list->type_name.span,
	    "there is no type `%.*s` of lists", STR_ARG(name));

	for (int t = TYPE_NONE + 1; t < TYPE_COUNT; t++)
		if (type_rows[t].name.n > 0)
			vec_push(r->arena, &names, type_rows[t].name);
	help_nearest(r->diags, d, name, &names);
	if (d->helps.n == 0)
		diag_help(r->diags, d,
		    "a list is of text, domain, address, network or "
		    "number");
}

void
resolve_list(struct resolver *r, struct item_list *list)
{
	resolve_list_type(r, list);
	if (list->from_file && list->path)
		read_list(r, list);
}
