/* What is in a file: archives, messages, uuencoded files. */
#include "runtime/content_files.h"
#include "runtime/file_name.h"
#include "runtime/inspect.h"
#include "runtime/limits.h"
#include "runtime/macros.h"
#include "runtime/outlook.h"

static unsigned
max_depth(const struct files *w)
{
	return (
	    unsigned)w->c->facts->image->needs->options[OPTION_ARCHIVE_DEPTH];
}

/* ---- messages ------------------------------------------------------------ */

/*
 * The parts of a message that is no part itself are needed here alone, and
 * have bounds of their own: what is known of the parts of the message does not
 * depend on whether files are asked for.
 */
static void
open_message(struct files *w, size_t number, struct str contents)
{
	struct content *c = w->c;
	guint roots = c->roots->len;
	GByteArray *octets;
	leaf_vec leaves = { 0 };
	bool malformed = false;

	if (c->files.v[number].depth >= max_depth(w)) {
		c->files.v[number].too_deep = true;
		limit_option_hit(OPTION_ARCHIVE_DEPTH);
		return;
	}
	octets = g_byte_array_sized_new((guint)contents.n);
	g_byte_array_append(
	    octets, (const guint8 *)contents.p, (guint)contents.n);
	w->no_memory = !content_walk(c, octets, c->files.v[number].depth + 1,
	    &c->files_budget, &malformed, &leaves);
	g_byte_array_unref(octets);
	files_add_leaves(w, &leaves, false);
	g_ptr_array_set_size(c->roots, (gint)roots);
	c->files.v[number].malformed |= malformed;
	c->files.v[number].too_large |= c->files_budget.over;
}

static bool
is_named(const struct file_fact *f, const char *extension)
{
	return f->extension.text.p &&
	       str_eq(f->extension.text, str_from(extension));
}

/* ---- archives ------------------------------------------------------------ */

/*
 * What is compressed has the name in front of the last extension, but gzip may
 * keep another: readers take either.
 */
static void
name_packed(struct files *w, struct origin *o)
{
	struct str kept = o->name, stem = file_stem(w->archive), a, b;

	if (kept.p) {
		kept = utf8_make_valid(&w->c->facts->message_arena, kept);
		w->no_memory |= !kept.p;
	}
	a = file_extension(kept);
	b = file_extension(stem);
	o->name = kept.p && (a.p || !b.p) ? kept : stem;
	o->ambiguous = a.p && b.p && !str_eq_ascii(a, b);
}

static void
on_member(void *data, const struct archive_member *m)
{
	struct files *w = data;
	struct origin o = {
		.name = m->name,
		.depth = w->depth,
		.too_large = m->too_large,
		.encrypted = m->encrypted,
		.malformed = m->malformed,
	};

	if (m->packed)
		name_packed(w, &o);
	if (!w->no_memory)
		files_add(w, &o, m->contents);
	w->macros |= m->name.p && macros_in_part(m->name, m->contents);
	w->encrypted |= m->name.p && inspect_is_encrypted(m->name, m->contents);
}

/* What is in it comes behind it. */
static bool
open_archive(struct files *w, size_t number, struct str contents)
{
	struct files inner = *w;
	struct archive_state state;
	struct file_fact *f = &w->c->files.v[number];

	if (f->depth >= max_depth(w)) {
		f->too_deep = archive_is(contents) || outlook_is(contents);
		if (f->too_deep)
			limit_option_hit(OPTION_ARCHIVE_DEPTH);
		return f->too_deep;
	}
	inner.depth = f->depth + 1;
	inner.archive = f->name.text;
	inner.macros = inner.encrypted = false;
	if (!archive_walk(
		contents, &w->c->archives, on_member, &inner, &state) &&
	    !outlook_walk(contents, &w->c->archives, on_member, &inner, &state))
		return false;
	if (state.too_large)
		limit_option_hit(state.too_many ? OPTION_ARCHIVE_MEMBERS
						: OPTION_ARCHIVE_SIZE);
	w->no_memory = inner.no_memory;
	f = &w->c->files.v[number];
	f->encrypted |= state.encrypted || inner.encrypted;
	f->too_large |= state.too_large;
	f->malformed |= state.malformed ||
			(is_named(f, "rar") && archive_has_rar(contents));
	f->too_deep |= state.too_deep;
	f->has_macros |= inner.macros;
	return true;
}

/* ---- uuencoded files -------------------------------------------------------
 */

static const char uuencoded_over[] =
    "the message has more uuencoded files than are looked at";

static const struct str begin = { "begin ", 6 };

/*
 * The next line of *text, which it is taken off.  CR ends one, too: so it does
 * in Thunderbird.
 */
static struct str
take_line(struct str *text)
{
	size_t n = str_find(*text, '\n');
	struct str line;

	n = str_find(str_head(*text, n), '\r');
	line = str_head(*text, n);
	*text = str_skip(*text, n);
	*text =
	    str_skip(*text, str_starts(*text, STR("\r\n")) ? 2 : text->n > 0);
	return line;
}

/* POSIX uuencode: `begin MODE NAME`.  Its name, or {NULL, 0}. */
static struct str
begin_name(struct str line)
{
	struct str none = { NULL, 0 };
	size_t digits = 0;

	if (!str_starts(line, begin))
		return none;
	line = str_skip(line, begin.n);
	while (
	    digits < line.n && line.p[digits] >= '0' && line.p[digits] <= '7')
		digits++;
	if (digits < 3 || digits > 4 || digits == line.n ||
	    line.p[digits] != ' ')
		return none;
	line = str_trim(str_skip(line, digits));
	return line.n ? line : none;
}

/*
 * Could it be a line of data, and not prose?  Some encoders leave out blanks
 * at its end.
 */
static bool
is_data(struct str line)
{
	size_t octets;

	if (!line.n)
		return false;
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < ' ' || line.p[i] > '`')
			return false;
	octets = (size_t)(line.p[0] - ' ') & 63;
	return line.n - 1 <= (octets + 2) / 3 * 4 + 1;
}

/*
 * Takes the lines of data and the end off *text, the former into `out` and
 * with LF at their ends, since GMime takes CR for data.  Is there an end?
 */
static bool
take_uuencoded(struct str *text, GString *out)
{
	struct str rest = *text, line;

	while (is_data(line = take_line(text))) {
		rest = *text;
		g_string_append_len(out, line.p, (gssize)line.n);
		g_string_append_c(out, '\n');
	}
	if (str_eq(str_trim(line), STR("end")))
		return true;
	*text = rest;
	return false;
}

static void
add_uuencoded(
    struct files *w, struct str *text, struct str name, unsigned depth)
{
	GString *s = g_string_new(NULL);
	struct origin o = { .name = name,
		.depth = depth,
		.malformed = !take_uuencoded(text, s) };
	char *out = g_malloc(s->len);
	GMimeEncoding state;
	size_t n;

	g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_UUENCODE);
	n = g_mime_encoding_step(&state, s->str, s->len, out);
	files_add(w, &o, (struct str){ out, n });
	g_free(out);
	g_string_free(s, TRUE);
}

/* The name of the file that begins with `line`, and its data with `next`. */
static struct str
uuencoded_name(struct str line, struct str next)
{
	struct str name = begin_name(line);

	return name.p && is_data(take_line(&next)) ? name
						   : (struct str){ NULL, 0 };
}

void
files_add_uuencoded(struct files *w, struct str text, unsigned depth)
{
	const char *first = text.p, *at;

	while (text.n && !w->no_memory &&
	       (at = memmem(text.p, text.n, begin.p, begin.n))) {
		struct str line, name;

		text = str_skip(text, (size_t)(at - text.p));
		if (at > first && at[-1] != '\n' && at[-1] != '\r') {
			text = str_skip(text, begin.n);
			continue;
		}
		line = take_line(&text);
		name = uuencoded_name(line, text);
		if (!name.p)
			continue;
		if (w->c->files_budget.parts == 0) {
			w->c->files_partial = uuencoded_over;
			return;
		}
		w->c->files_budget.parts--;
		add_uuencoded(w, &text, name, depth);
	}
}

/* ---- files that others see in a text ---------------------------------------
 */

/* The line of `s` that begins with `mark`; p NULL where there is none. */
static struct str
find_line(struct str s, struct str mark)
{
	for (size_t at = 0; at < s.n; at++) {
		struct str rest;

		at += str_find_text(str_skip(s, at), mark, 0);
		rest = str_skip(s, at);
		if (rest.n &&
		    (at == 0 || s.p[at - 1] == '\n' || s.p[at - 1] == '\r'))
			return take_line(&rest);
	}
	return (struct str){ NULL, 0 };
}

void
files_add_others(struct files *w, struct str text, unsigned depth)
{
	static const struct str marks[] = { STR("=ybegin "),
		STR("(This file must be converted with BinHex ") };
	struct str key = STR(" name=");

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		struct origin o = { .depth = depth, .malformed = true };
		struct str line = find_line(text, marks[i]);
		const char *name =
		    line.n ? memmem(line.p, line.n, key.p, key.n) : NULL;

		if (!line.n)
			continue;
		if (name)
			o.name = str_trim(
			    str_skip(line, (size_t)(name - line.p) + key.n));
		files_add(w, &o, STR(""));
	}
}

/* ---- all of them -----------------------------------------------------------
 */

bool
files_open(struct files *w, size_t number, struct str contents, bool message)
{
	struct file_fact *f = &w->c->files.v[number];

	if (message) {
		open_message(w, number, contents);
		return true;
	}
	if (open_archive(w, number, contents))
		return true;
	if (!is_named(f, "uu") && !is_named(f, "uue"))
		return false;
	if (f->depth >= max_depth(w))
		f->too_deep = true;
	else
		files_add_uuencoded(w, contents, f->depth + 1);
	return true;
}
