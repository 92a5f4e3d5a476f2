#include "dsl/excerpt.h"

#include "dsl/lexer.h"

enum { TAB = 8, BEFORE = 60 };

static const char dots[] = "...";
enum { DOTS = sizeof(dots) - 1 };

/* ---- characters ------------------------------------------------------ */

static uint32_t
code_point(const char *p, size_t n)
{
	uint32_t c = (unsigned char)p[0];

	if (n > 1)
		c &= 0x7Fu >> n;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3F);
	return c;
}

/* Would it move or hide text on a terminal? */
static bool
is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) ||
	       (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
	       (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
	       c == 0xFEFF;
}

/* East Asian wide characters and pictures take two columns. */
static size_t
width_of(uint32_t c)
{
	if (c >= 0x300 && c <= 0x36F)
		return 0;
	return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
		       (c >= 0xAC00 && c <= 0xD7A3) ||
		       (c >= 0xF900 && c <= 0xFAFF) ||
		       (c >= 0xFE30 && c <= 0xFE6F) ||
		       (c >= 0xFF00 && c <= 0xFF60) ||
		       (c >= 0xFFE0 && c <= 0xFFE6) ||
		       (c >= 0x1F300 && c <= 0x1FAFF) ||
		       (c >= 0x20000 && c <= 0x3FFFD)
		   ? 2
		   : 1;
}

struct cell
cell_at(const char *p, const char *limit)
{
	struct cell cell = { .bytes = utf8_length(p, limit) };
	uint32_t c;

	if (cell.bytes == 0) {
		cell.bytes = 1;
		cell.n = cell.columns = (size_t)snprintf(
		    cell.text, sizeof(cell.text), "\\x%02X", (unsigned char)*p);
		return cell;
	}
	if (*p == '\t')
		return cell;
	c = code_point(p, cell.bytes);
	if (is_unsafe(c)) {
		cell.n = cell.columns = (size_t)snprintf(
		    cell.text, sizeof(cell.text), "\\u{%X}", (unsigned)c);
		return cell;
	}
	memcpy(cell.text, p, cell.bytes);
	cell.n = cell.bytes;
	cell.columns = width_of(c);
	return cell;
}

static size_t
columns_at(const struct cell *cell, const char *p, size_t column)
{
	return *p == '\t' ? TAB - column % TAB : cell->columns;
}

/* What stands at p, and the columns it takes at this place. */
static size_t
step(const char *p, const char *limit, size_t column, size_t *bytes)
{
	struct cell cell;

	*bytes = 1;
	if (*p >= ' ' && *p <= '~')
		return 1;
	cell = cell_at(p, limit);
	*bytes = cell.bytes;
	return columns_at(&cell, p, column);
}

/* Columns from the begin of the line to `end`. */
static size_t
columns_before(struct str line, size_t end)
{
	const char *limit = line.p + line.n;
	size_t column = 0, bytes;

	for (size_t i = 0; i < end && i < line.n; i += bytes)
		column += step(line.p + i, limit, column, &bytes);
	return column;
}

/* ---- lines ----------------------------------------------------------- */

/* Cuts a long line so that what stands at `focus` is shown. */
static void
cut(struct excerpt *e, size_t focus)
{
	struct str line = e->text;
	size_t first = focus > BEFORE ? focus - BEFORE : 0, column = 0;
	size_t begin = 0, end = line.n, bytes;
	bool begun = first == 0;

	for (size_t i = 0; i < line.n; i += bytes) {
		if (!begun && column >= first) {
			begun = true;
			begin = i;
			e->skipped = column;
		}
		column += step(line.p + i, line.p + line.n, column, &bytes);
		if (begun && column - e->skipped > EXCERPT_COLUMNS) {
			end = i;
			break;
		}
	}
	if (!begun)
		begin = 0;
	e->cut_left = begin > 0;
	e->cut_right = end < line.n;
	e->text = (struct str){ line.p + begin, end - begin };
}

static uint32_t
line_begin(const struct source *s, unsigned line)
{
	return s->lines.v[line - 1];
}

static struct excerpt
excerpt_new(const struct source *s, struct span span)
{
	struct excerpt e = { .source = span.source };
	unsigned column;
	size_t begin, focus;

	source_place(s, span.begin, &e.line, &column);
	e.text = source_line(s, e.line);
	begin = line_begin(s, e.line);
	focus = columns_before(e.text, span.begin - begin);
	if (columns_before(e.text, e.text.n) > EXCERPT_COLUMNS)
		cut(&e, focus);
	return e;
}

/* Does what begins at the span's place stand in the excerpt? */
static bool
excerpt_shows(const struct excerpt *e, const struct source *s, struct span span)
{
	unsigned line, column;
	size_t at;

	if (span.source != e->source)
		return false;
	source_place(s, span.begin, &line, &column);
	if (line != e->line)
		return false;
	at = (size_t)(e->text.p - s->text.p);
	return span.begin >= at && span.begin <= at + e->text.n;
}

static void
add_mark(struct arena *arena, struct excerpt *e, const struct source *s,
    struct mark m)
{
	struct str line = source_line(s, e->line);
	size_t begin = line_begin(s, e->line), end;
	size_t shown_end = e->skipped + EXCERPT_COLUMNS;

	m.column = columns_before(line, m.span.begin - begin);
	end = columns_before(line, m.span.end - begin);
	if (end > shown_end)
		end = shown_end;
	m.width = end > m.column ? end - m.column : 1;
	m.column -= e->skipped;
	m.column += e->cut_left ? DOTS : 0;
	vec_push(arena, &e->marks, m);
	for (size_t i = e->marks.n - 1;
	     i > 0 && e->marks.v[i - 1].column > m.column; i--) {
		e->marks.v[i] = e->marks.v[i - 1];
		e->marks.v[i - 1] = m;
	}
}

/* The text of the last mark stands beside it, if nothing is in the way. */
static void
place_texts(struct excerpt *e)
{
	size_t last = e->marks.n - 1, end = 0;

	for (size_t i = 0; i < last; i++)
		if (e->marks.v[i].column + e->marks.v[i].width > end)
			end = e->marks.v[i].column + e->marks.v[i].width;
	e->marks.v[last].beside =
	    e->marks.v[last].column + e->marks.v[last].width >= end;
}

static void
add_span(const struct diags *ds, struct excerpts *all, struct mark m)
{
	const struct source *s = ds->sources->list.v[m.span.source];
	struct excerpt e;

	for (size_t i = 0; i < all->list.n; i++)
		if (excerpt_shows(&all->list.v[i], s, m.span)) {
			add_mark(ds->arena, &all->list.v[i], s, m);
			return;
		}
	e = excerpt_new(s, m.span);
	add_mark(ds->arena, &e, s, m);
	vec_push(ds->arena, &all->list, e);
}

void
excerpts_of(const struct diags *ds, const struct diag *d, struct excerpts *all)
{
	if (d->has_span)
		add_span(ds, all,
		    (struct mark){
			.span = d->span, .text = d->label, .primary = true });
	for (size_t i = 0; i < d->labels.n; i++)
		add_span(ds, all,
		    (struct mark){ .span = d->labels.v[i].span,
			.text = d->labels.v[i].text });
	for (size_t i = 0; i < all->list.n; i++)
		place_texts(&all->list.v[i]);
}

struct str
excerpt_text(struct arena *arena, const struct excerpt *e)
{
	size_t column = e->skipped, n = 0;
	char *out = arena_alloc(arena, e->text.n * 16 + 2 * DOTS + 1);
	const char *limit = e->text.p + e->text.n;
	struct cell cell;

	if (e->cut_left) {
		memcpy(out, dots, DOTS);
		n = DOTS;
	}
	for (const char *p = e->text.p; p < limit; p += cell.bytes) {
		size_t width;

		cell = cell_at(p, limit);
		width = columns_at(&cell, p, column);
		if (*p == '\t')
			memset(out + n, ' ', width);
		else
			memcpy(out + n, cell.text, cell.n);
		n += *p == '\t' ? width : cell.n;
		column += width;
	}
	if (e->cut_right) {
		memcpy(out + n, dots, DOTS);
		n += DOTS;
	}
	return (struct str){ out, n };
}

struct str
excerpt_marks(struct arena *arena, const struct excerpt *e)
{
	size_t n = 0;
	char *out;

	for (size_t i = 0; i < e->marks.n; i++)
		if (e->marks.v[i].column + e->marks.v[i].width > n)
			n = e->marks.v[i].column + e->marks.v[i].width;
	out = arena_alloc(arena, n + 1);
	memset(out, ' ', n);
	for (int primary = 0; primary <= 1; primary++)
		for (size_t i = 0; i < e->marks.n; i++) {
			const struct mark *m = &e->marks.v[i];

			if (m->primary == primary)
				memset(out + m->column, primary ? '^' : '-',
				    m->width);
		}
	return (struct str){ out, n };
}
