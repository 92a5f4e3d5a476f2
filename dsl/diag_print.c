/* Diagnostics for people: the form of LANGUAGE.md section 7. */
#include <stdlib.h>
#include <unistd.h>

#include "dsl/diag_order.h"
#include "dsl/excerpt.h"
#include "dsl/tables.h"

/* Terminal colors; empty without. */
struct colors {
	const char *error, *warning, *mark, *label, *help, *end;
};

static const struct colors plain = { "", "", "", "", "", "" };
static const struct colors colored = { "\033[1;31m", "\033[1;33m", "\033[1;31m",
	"\033[1;34m", "\033[1;32m", "\033[0m" };

static void
print_text(FILE *f, struct str s)
{
	const char *limit = s.n ? s.p + s.n : s.p;
	struct cell cell;

	for (const char *p = s.p; p < limit; p += cell.bytes) {
		cell = cell_at(p, limit);
		if (*p == '\t')
			fputc(' ', f);
		else
			fwrite(cell.text, 1, cell.n, f);
	}
}

static void
print_place(FILE *f, const struct sources *ss, struct span span)
{
	const struct source *s = ss->list.v[span.source];
	unsigned line, column;

	source_place(s, span.begin, &line, &column);
	print_text(f, s->path);
	fprintf(f, ":%u:%u:", line, column);
}

static void
print_head(FILE *f, const struct diags *ds, const struct diag *d,
    const struct colors *c)
{
	const struct diag_row *row = &diag_rows[d->id];
	bool error = row->severity == SEVERITY_ERROR;

	if (d->has_span) {
		print_place(f, ds->sources, d->span);
		fputc(' ', f);
	} else if (d->path.n) {
		print_text(f, d->path);
		fputs(": ", f);
	}
	fprintf(f, "%s%s[%.*s]%s: ", error ? c->error : c->warning,
	    error ? "error" : "warning", STR_ARG(row->code), c->end);
	print_text(f, d->message);
	fputc('\n', f);
}

static void
print_line(FILE *f, struct str line)
{
	fwrite(line.p, 1, line.n, f);
	fputc('\n', f);
}

/* The source line, the marks below it, and their texts. */
static void
print_excerpt(FILE *f, struct arena *arena, const struct excerpt *e,
    const struct colors *c)
{
	const char *color = e->marks.v[0].primary ? c->mark : c->label;
	struct str row;

	fprintf(f, "%5u | ", e->line);
	print_line(f, excerpt_text(arena, e));
	row = excerpt_marks(arena, e);
	fprintf(f, "      | %s%.*s%s", color, STR_ARG(row), c->end);
	for (size_t i = e->marks.n; i > 0; i--) {
		const struct mark *m = &e->marks.v[i - 1];

		if (m->text.n == 0)
			continue;
		if (m->beside)
			fputc(' ', f);
		else
			fprintf(f, "\n      | %*s", (int)m->column, "");
		print_text(f, m->text);
	}
	fputc('\n', f);
}

static void
print_diag(FILE *f, const struct diags *ds, const struct diag *d,
    const struct colors *c)
{
	struct excerpts all = { 0 };

	print_head(f, ds, d, c);
	excerpts_of(ds, d, &all);
	for (size_t i = 0; i < all.list.n; i++) {
		const struct excerpt *e = &all.list.v[i];

		if (e->source != d->span.source) {
			fputs("  ", f);
			print_place(f, ds->sources, e->marks.v[0].span);
			fputc('\n', f);
		}
		print_excerpt(f, ds->arena, e, c);
	}
	for (size_t i = 0; i < d->helps.n; i++) {
		fprintf(f, "  %shelp%s: ", c->help, c->end);
		print_text(f, d->helps.v[i]);
		fputc('\n', f);
	}
}

static size_t
count_kept(const struct diags *ds, enum severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < ds->list.n; i++)
		n += diag_rows[ds->list.v[i]->id].severity == severity;
	return n;
}

static void
print_rest(FILE *f, const struct diags *ds)
{
	size_t errors = ds->errors - count_kept(ds, SEVERITY_ERROR);
	size_t warnings = ds->warnings - count_kept(ds, SEVERITY_WARNING);

	if (errors)
		fprintf(f, "and %zu more error%s\n", errors,
		    errors == 1 ? "" : "s");
	if (warnings)
		fprintf(f, "and %zu more warning%s\n", warnings,
		    warnings == 1 ? "" : "s");
	if ((errors || warnings) && !ds->all)
		fputs("`milterc lint` shows all\n", f);
}

bool
diags_color(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return isatty(fileno(f)) && !(no && *no);
}

void
diags_print(struct diags *ds, FILE *f, bool color)
{
	diags_sort(ds);
	for (size_t i = 0; i < ds->list.n; i++)
		print_diag(f, ds, ds->list.v[i], color ? &colored : &plain);
	print_rest(f, ds);
}
