/* The files of a message: attachments, and what is in archives. */
#include "runtime/content.h"
#include "runtime/html.h"
#include "runtime/inspect.h"
#include "runtime/kind.h"
#include "runtime/limits.h"

struct files {
	struct content *c;
	uint32_t need;  /* NEED_ of the image */
	unsigned depth; /* of members that come */
	bool macros;    /* a member holds macros */
	bool no_memory;
};

/* What is known of a file besides its contents. */
struct origin {
	struct str name; /* any octets; p NULL: none */
	const char *type, *charset;
	unsigned depth;
	bool message, too_deep, too_large, encrypted, malformed;
};

static struct arena *
arena_of(const struct files *w)
{
	return &w->c->facts->message_arena;
}

static struct cell
cell_of(const struct files *w, struct str s)
{
	return (struct cell){ .text = s, .arena = arena_of(w) };
}

/* ---- names ------------------------------------------------------------------
 */

/* What Windows and readers drop at the end of a name, or do not see. */
static bool
hides(gunichar c)
{
	GUnicodeType type = g_unichar_type(c);

	return c == '.' || g_unichar_isspace(c) || type == G_UNICODE_CONTROL ||
	       type == G_UNICODE_FORMAT;
}

static struct str
base_name(struct str s)
{
	while (s.n && (s.p[s.n - 1] == '/' || s.p[s.n - 1] == '\\'))
		s.n--;
	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == '/' || s.p[i] == '\\')
			return str_skip(s, i + 1);
	return s;
}

static struct str
without_tail(struct str s)
{
	while (s.n) {
		const char *last = g_utf8_find_prev_char(s.p, s.p + s.n);

		if (!last || !hides(g_utf8_get_char(last)))
			break;
		s.n = (size_t)(last - s.p);
	}
	return s;
}

/* False with no memory. */
static bool
set_extensions(struct files *w, struct file_fact *f)
{
	struct str s = without_tail(base_name(f->name.text)), all;
	size_t dot = str_find(s, '.');
	char *lower;

	if (dot >= s.n)
		return true;
	s = str_skip(s, dot + 1);
	lower = g_utf8_strdown(s.p, (gssize)s.n);
	all = arena_dup(arena_of(w), str_from(lower));
	g_free(lower);
	if (!all.p)
		return false;
	f->extensions = cell_of(w, all);
	for (size_t i = all.n; i-- > 0;)
		if (all.p[i] == '.') {
			all = str_skip(all, i + 1);
			break;
		}
	f->extension = cell_of(w, all);
	return true;
}

/* ---- contents
 * ----------------------------------------------------------------- */

static bool
set_digest(struct files *w, struct file_fact *f, struct str contents)
{
	char *hex = g_compute_checksum_for_data(
	    G_CHECKSUM_SHA256, (const guchar *)contents.p, contents.n);
	struct str text = arena_dup(arena_of(w), str_from(hex));

	g_free(hex);
	f->sha256 = cell_of(w, text);
	return text.p != NULL;
}

static bool
is_html(const struct file_fact *f)
{
	static const char *const names[] = { "htm", "html", "shtml", "xhtml" };

	if (f->type.text.p && str_eq(f->type.text, STR("text/html")))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (f->extension.text.p &&
		    str_eq(f->extension.text, str_from(names[i])))
			return true;
	return false;
}

/* A byte order mark says more than what is declared. */
static struct str
decoded(struct files *w, struct str s, const char *charset)
{
	if (str_starts(s, STR("\xff\xfe")))
		return content_text(arena_of(w), str_skip(s, 2), "utf-16le");
	if (str_starts(s, STR("\xfe\xff")))
		return content_text(arena_of(w), str_skip(s, 2), "utf-16be");
	return content_text(arena_of(w), s, charset);
}

static bool
set_text(struct files *w, struct file_fact *f, struct str contents,
    const char *charset)
{
	struct str text = decoded(w, contents, charset);
	struct html html;

	if (!text.p)
		return false;
	if (is_html(f)) {
		if (!html_read(arena_of(w), text, 0, &html))
			return false;
		text = html.text;
	}
	f->text = cell_of(w, text);
	return true;
}

static bool
set_contents(struct files *w, struct file_fact *f, const struct origin *o,
    struct str contents)
{
	enum kind kind = o->message ? KIND_MESSAGE : KIND_OTHER;
	bool known = o->message;

	if (!known && w->need & (NEED_KINDS | NEED_FILE_TEXTS))
		known = kind_of(contents, &kind);
	if (known)
		f->kind = cell_of(w, kind_word(kind));
	if (o->too_large || o->encrypted || o->malformed)
		return true;
	if (w->need & NEED_DIGESTS && !set_digest(w, f, contents))
		return false;
	return !(w->need & NEED_FILE_TEXTS) ||
	       (kind != KIND_TEXT && kind != KIND_SCRIPT) ||
	       set_text(w, f, contents, o->charset);
}

/* ---- files
 * --------------------------------------------------------------------- */

static void add_file(
    struct files *, const struct origin *, struct str contents);

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

	if (!w->no_memory)
		add_file(w, &o, m->contents);
	w->macros |= m->name.p && inspect_is_macro(m->name);
}

/* What is in it comes behind it. */
static void
open_archive(struct files *w, size_t number, struct str contents)
{
	struct files inner = *w;
	struct archive_state state;
	struct file_fact *f = &w->c->files.v[number];

	if (f->depth >=
	    w->c->facts->image->needs->options[OPTION_ARCHIVE_DEPTH]) {
		f->too_deep = archive_is(contents);
		if (f->too_deep)
			limit_option_hit(OPTION_ARCHIVE_DEPTH);
		return;
	}
	inner.depth = f->depth + 1;
	inner.macros = false;
	if (!archive_walk(contents, &w->c->archives, on_member, &inner, &state))
		return;
	if (state.too_large)
		limit_option_hit(state.too_many ? OPTION_ARCHIVE_MEMBERS
						: OPTION_ARCHIVE_SIZE);
	w->no_memory = inner.no_memory;
	f = &w->c->files.v[number];
	f->encrypted |= state.encrypted;
	f->too_large |= state.too_large;
	f->malformed |= state.malformed;
	f->too_deep |= state.too_deep;
	f->has_macros |= inner.macros;
}

static void
add_file(struct files *w, const struct origin *o, struct str contents)
{
	struct file_fact f = {
		.depth = o->depth,
		.size = (long long)contents.n,
		.encrypted = o->encrypted,
		.too_large = o->too_large,
		.too_deep = o->too_deep,
		.malformed = o->malformed,
	};
	struct inspection found = inspect(contents);
	char *type = o->type ? g_ascii_strdown(o->type, -1) : NULL;

	f.encrypted |= found.encrypted;
	f.has_macros |= found.has_macros;
	w->no_memory =
	    (o->name.p && !facts_set_cell(&f.name, arena_of(w), o->name)) ||
	    (type && !facts_set_cell(&f.type, arena_of(w), str_from(type))) ||
	    (f.name.text.p && !set_extensions(w, &f)) ||
	    !set_contents(w, &f, o, contents) ||
	    !vec_push(arena_of(w), &w->c->files, f);
	g_free(type);
	if (!w->no_memory && !o->message)
		open_archive(w, w->c->files.n - 1, contents);
}

/* ---- parts
 * ---------------------------------------------------------------------- */

static void
add_leaf(struct files *w, const struct leaf *leaf, bool cut)
{
	GMimeObject *o = GMIME_OBJECT(leaf->part);
	GMimeContentType *type = g_mime_object_get_content_type(o);
	char *z = type ? g_mime_content_type_get_mime_type(type) : NULL;
	GByteArray *octets = mime_decode(leaf->part);
	const char *name = g_mime_part_get_filename(leaf->part);
	struct origin origin = {
		.name = name ? str_from(name) : (struct str){ NULL, 0 },
		.type = z,
		.charset =
		    g_mime_object_get_content_type_parameter(o, "charset"),
		.depth = leaf->depth,
		.message = leaf->message,
		.too_deep = leaf->too_deep,
		.too_large = cut,
	};

	add_file(w, &origin,
	    octets ? (struct str){ (const char *)octets->data, octets->len }
		   : STR(""));
	if (octets)
		g_byte_array_unref(octets);
	g_free(z);
}

bool
content_read_files(struct content *c)
{
	struct files w = { .c = c, .need = c->facts->image->needs->flags };

	for (size_t i = 0; i < c->leaves.n && !w.no_memory; i++)
		if (c->leaves.v[i].file)
			add_leaf(&w, &c->leaves.v[i],
			    c->partial && i + 1 == c->leaves.n);
	return !w.no_memory;
}
