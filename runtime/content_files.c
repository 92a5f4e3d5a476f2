/* The files of a message: attachments, and what is in archives. */
#include "runtime/content_files.h"
#include "runtime/file_name.h"
#include "runtime/html.h"
#include "runtime/inspect.h"
#include "runtime/mime_contents.h"

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

/* No file of Windows has controls in its name: some readers drop them. */
static void
drop_controls(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (!g_ascii_iscntrl(*s))
			*to++ = *s;
	*to = 0;
}

/* False with no memory. */
static bool
set_extensions(struct files *w, struct file_fact *f)
{
	struct str s = file_extensions(f->name.text), all;
	char *lower;

	if (!s.p)
		return true;
	lower = g_utf8_strdown(s.p, (gssize)s.n);
	drop_controls(lower);
	all = arena_dup(arena_of(w), str_from(lower));
	g_free(lower);
	if (!all.p)
		return false;
	f->extensions = f->extension = cell_of(w, all);
	for (size_t i = all.n; i-- > 0;)
		if (all.p[i] == '.') {
			f->extension = cell_of(w, str_skip(all, i + 1));
			break;
		}
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

static bool
set_text(struct files *w, struct file_fact *f, struct str contents,
    const char *charset)
{
	struct str text =
	    content_text(arena_of(w), contents, charset, is_html(f));
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

/* ---- kinds ---------------------------------------------------------------
 */

struct finding {
	enum kind kind;
	bool known, message;
};

/* Extensions by which readers take a file for a message. */
static bool
is_named_message(const struct file_fact *f)
{
	static const char *const names[] = { "eml", "mht", "mhtml" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (f->extension.text.p &&
		    str_eq(f->extension.text, str_from(names[i])))
			return true;
	return false;
}

/* So few are asked about that do not. */
static bool
begins_with_field(struct str s)
{
	size_t n = str_find(str_head(s, 80), ':');

	for (size_t i = 0; i < n; i++)
		if (!g_ascii_isalnum(s.p[i]) && s.p[i] != '-')
			return false;
	return n > 0 && n < s.n && n < 80;
}

/* Word opens web archives by this, whatever they are called. */
static bool
begins_with_version(struct str s)
{
	struct str field = STR("MIME-Version:");

	return str_eq_ascii(str_head(s, field.n), field);
}

static bool
is_message(
    const struct file_fact *f, struct str contents, bool known, enum kind kind)
{
	if (known && kind == KIND_MESSAGE)
		return is_named_message(f) || begins_with_field(contents);
	return (is_named_message(f) || begins_with_version(contents)) &&
	       (!known || kind == KIND_TEXT || kind == KIND_SCRIPT ||
		   kind == KIND_OTHER);
}

/*
 * Whether it is a message depends on its name and contents, not on what the
 * policy asks for.
 */
static struct finding
find_kind(const struct files *w, const struct file_fact *f,
    const struct origin *o, struct str contents)
{
	struct finding out = { KIND_MESSAGE, o->message, o->message };

	if (o->message)
		return out;
	out.kind = KIND_OTHER;
	if (!(w->need & (NEED_KINDS | NEED_FILE_TEXTS)) &&
	    !is_named_message(f) && !begins_with_field(contents))
		return out;
	out.known = kind_of(contents, &out.kind);
	out.message = is_message(f, contents, out.known, out.kind);
	if (out.message)
		out = (struct finding){ KIND_MESSAGE, true, true };
	return out;
}

/* ---- files -----------------------------------------------------------------
 */

static bool
set_contents(struct files *w, struct file_fact *f, const struct origin *o,
    struct str contents, const struct finding *found)
{
	if (found->known)
		f->kind = cell_of(w, kind_word(found->kind));
	if (o->too_large || o->encrypted || o->malformed)
		return true;
	if (w->need & NEED_DIGESTS && !set_digest(w, f, contents))
		return false;
	return !(w->need & NEED_FILE_TEXTS) ||
	       (found->kind != KIND_TEXT && found->kind != KIND_SCRIPT) ||
	       set_text(w, f, contents, o->charset);
}

/* Those of attached messages are leaves of the message itself. */
static void
open_file(struct files *w, const struct origin *o, struct str contents,
    const struct finding *found)
{
	size_t number = w->c->files.n - 1;
	bool opened;

	if (w->no_memory || o->message)
		return;
	opened = files_open(w, number, contents, found->message);
	if (!opened && found->known && found->kind == KIND_ARCHIVE &&
	    !o->encrypted && !o->too_large)
		w->c->files.v[number].malformed = true;
}

void
files_add(struct files *w, const struct origin *o, struct str contents)
{
	struct file_fact f = {
		.depth = o->depth,
		.size = (long long)contents.n,
		.encrypted = o->encrypted,
		.too_large = o->too_large,
		.too_deep = o->too_deep,
		.malformed = o->malformed || o->ambiguous,
	};
	struct inspection inside = inspect(contents);
	char *type = o->type ? g_ascii_strdown(o->type, -1) : NULL;
	struct finding found;

	f.encrypted |= inside.encrypted;
	f.has_macros |= inside.has_macros;
	f.too_large |= inside.too_large;
	w->no_memory =
	    (o->name.p && !facts_set_cell(&f.name, arena_of(w), o->name)) ||
	    (type && !facts_set_cell(&f.type, arena_of(w), str_from(type))) ||
	    (f.name.text.p && !set_extensions(w, &f));
	g_free(type);
	if (w->no_memory)
		return;
	found = find_kind(w, &f, o, contents);
	w->no_memory = !set_contents(w, &f, o, contents, &found) ||
		       !vec_push(arena_of(w), &w->c->files, f);
	open_file(w, o, contents, &found);
}

/* ---- parts
 * ---------------------------------------------------------------------- */

static void
add_leaf(
    struct files *w, const struct leaf *leaf, struct str contents, bool cut)
{
	GMimeObject *o = GMIME_OBJECT(leaf->part);
	GMimeContentType *type = g_mime_object_get_content_type(o);
	char *z = type ? g_mime_content_type_get_mime_type(type) : NULL;
	struct origin origin = {
		.name = leaf->name.text,
		.type = z,
		.charset =
		    g_mime_object_get_content_type_parameter(o, "charset"),
		.depth = leaf->depth,
		.message = leaf->message,
		.too_deep = leaf->too_deep,
		.too_large = cut,
		.ambiguous = leaf->ambiguous || leaf->name.ambiguous ||
			     mime_is_loose(leaf->part),
	};

	files_add(w, &origin, contents);
	g_free(z);
}

void
files_add_leaves(struct files *w, const leaf_vec *leaves, bool cut)
{
	for (size_t i = 0; i < leaves->n && !w->no_memory; i++) {
		const struct leaf *leaf = &leaves->v[i];
		GByteArray *octets;
		struct str contents;

		if (!leaf->file && !leaf->plain)
			continue;
		contents = mime_contents(leaf->part, &octets);
		if (leaf->file)
			add_leaf(w, leaf, contents, cut && i + 1 == leaves->n);
		if (leaf->plain) {
			files_add_uuencoded(w, contents, leaf->depth);
			files_add_others(w, contents, leaf->depth);
		}
		if (octets)
			g_byte_array_unref(octets);
	}
}

bool
content_read_files(struct content *c)
{
	struct files w = { .c = c, .need = c->facts->image->needs->flags };

	files_add_leaves(&w, &c->leaves, c->partial != NULL);
	return !w.no_memory;
}
