/* The structure of a message: its parts, and those of attached messages. */
#include "runtime/content.h"
#include "runtime/limits.h"
#include "runtime/mime_contents.h"

static const char parts_over[] =
    "the message has more parts than are looked at";

static unsigned
max_depth(const struct content *c)
{
	return (unsigned)c->facts->image->needs->options[OPTION_ARCHIVE_DEPTH];
}

/* A text in lower case; missing where there is none.  False with no memory. */
static bool
set_lower(struct content *c, struct cell *cell, const char *text)
{
	char *z = text ? g_ascii_strdown(text, -1) : NULL;
	bool ok =
	    !z || facts_set_cell(cell, &c->facts->message_arena, str_from(z));

	g_free(z);
	return ok;
}

static bool
set_text(struct content *c, struct cell *cell, const char *text)
{
	return !text ||
	       facts_set_cell(cell, &c->facts->message_arena, str_from(text));
}

/* ---- parts --------------------------------------------------------------- */

static const char *
charset_of(GMimeObject *o)
{
	return g_mime_object_get_content_type_parameter(o, "charset");
}

static bool
add_part(struct content *c, GMimeObject *o, struct str name, unsigned depth)
{
	struct part_fact p = { .depth = depth, .size = -1 };
	GMimeContentType *type = g_mime_object_get_content_type(o);
	char *z = type ? g_mime_content_type_get_mime_type(type) : NULL;
	bool ok =
	    set_lower(c, &p.type, z) &&
	    set_text(c, &p.charset, charset_of(o)) &&
	    (!name.p ||
		facts_set_cell(&p.name, &c->facts->message_arena, name)) &&
	    set_lower(c, &p.disposition, g_mime_object_get_disposition(o));

	g_free(z);
	if (GMIME_IS_PART(o))
		p.size = mime_encoded_size(GMIME_PART(o));
	return ok && vec_push(&c->facts->message_arena, &c->parts, p);
}

bool
content_has_type(GMimeObject *o)
{
	const char *type = mime_field(o, "Content-Type");

	return type && strchr(type, '/');
}

/* LANGUAGE: has a name, or is marked, or is neither text nor message. */
static void
classify(GMimeObject *o, struct leaf *leaf)
{
	GMimeContentType *type =
	    content_has_type(o) ? g_mime_object_get_content_type(o) : NULL;
	const char *disposition = g_mime_object_get_disposition(o);
	bool attached =
	    disposition && g_ascii_strcasecmp(disposition, "attachment") == 0;
	bool text = !type || g_mime_content_type_is_type(type, "text", "*");
	bool html = type && g_mime_content_type_is_type(type, "text", "html");

	leaf->message = mime_is_message(o);
	leaf->file =
	    leaf->message || attached || leaf->name.text.p ||
	    (!text && !g_mime_content_type_is_type(type, "message", "*"));
	/* RFC 2046 4.1.4: other subtypes of text are read as plain. */
	leaf->plain = text && !html && !attached && !leaf->message;
	leaf->html = html && !attached;
}

/* ---- walking ---------------------------------------------------------------
 */

struct walk {
	struct content *c;
	bool with_parts;
	struct mime_budget *budget;
	bool *malformed;
	leaf_vec *leaves;
};

static bool walk_octets(struct walk *, GByteArray *, bool may_be_cut,
    unsigned part_depth, unsigned depth);

static bool
walk_leaf(struct walk *w, GMimeObject *o, const struct part_name *name,
    unsigned part_depth, unsigned depth)
{
	struct leaf leaf = {
		.part = GMIME_PART(o), .name = *name, .depth = depth
	};
	GByteArray *octets;
	bool ok;

	classify(o, &leaf);
	leaf.ambiguous = mime_is_ambiguous(leaf.part);
	*w->malformed |= leaf.ambiguous;
	leaf.too_deep = leaf.message && depth >= max_depth(w->c);
	if (!vec_push(&w->c->facts->message_arena, w->leaves, leaf))
		return false;
	if (leaf.too_deep)
		limit_option_hit(OPTION_ARCHIVE_DEPTH);
	if (!leaf.message || leaf.too_deep)
		return true;
	octets = mime_decode(leaf.part);
	/* Who returns a message often leaves out the rest of it. */
	ok = walk_octets(w, octets, true, part_depth + 1, depth + 1);
	g_byte_array_unref(octets);
	return ok;
}

static bool
is_blank(const char *text)
{
	return !text || !text[strspn(text, " \t\r\n")];
}

/* Beside its parts. */
static bool
holds_text(GMimeMultipart *m)
{
	return !is_blank(g_mime_multipart_get_prologue(m)) ||
	       !is_blank(g_mime_multipart_get_epilogue(m));
}

/* As deep as GMime's limit on nesting. */
static bool
walk_part(struct walk *w, GMimeObject *o, unsigned part_depth, unsigned depth)
{
	struct part_name name = { .text = { NULL, 0 } };
	GMimeMultipart *m;

	if (GMIME_IS_PART(o) &&
	    !part_name(&w->c->facts->message_arena, GMIME_PART(o), &name))
		return false;
	if (w->with_parts && !add_part(w->c, o, name.text, part_depth))
		return false;
	if (GMIME_IS_PART(o))
		return walk_leaf(w, o, &name, part_depth, depth);
	if (!GMIME_IS_MULTIPART(o))
		return true;
	m = GMIME_MULTIPART(o);
	/* Its boundary never comes; a looser reader may see others. */
	if (g_mime_multipart_get_count(m) == 0 && holds_text(m))
		*w->malformed = true;
	for (int i = 0; i < g_mime_multipart_get_count(m); i++)
		if (!walk_part(w, g_mime_multipart_get_part(m, i),
			part_depth + 1, depth))
			return false;
	return true;
}

/*
 * Mailboxes have a line above a message (RFC 4155), and messages that were kept
 * in one have it still; readers skip it.
 */
static void
drop_mailbox_line(GByteArray *octets)
{
	struct str s = { (const char *)octets->data, octets->len };
	size_t n = str_find(s, '\n');

	if (str_starts(s, STR("From ")) || str_starts(s, STR(">From ")))
		g_byte_array_remove_range(octets, 0, (guint)(n + (n < s.n)));
}

/* `octets` are the caller's alone; they may become less. */
static bool
walk_octets(struct walk *w, GByteArray *octets, bool may_be_cut,
    unsigned part_depth, unsigned depth)
{
	GMimeStream *stream;
	GMimeObject *root;
	struct str s;

	drop_mailbox_line(octets);
	stream =
	    g_mime_stream_mem_new_with_byte_array(g_byte_array_ref(octets));
	root = mime_parse(stream, octets, w->budget, may_be_cut, w->malformed);
	/* With its stream they may go. */
	s = (struct str){ (const char *)octets->data, octets->len };
	if (root && GMIME_IS_MULTIPART(root) &&
	    str_find_text(s, STR("\r--"), 1) < s.n)
		*w->malformed = true; /* mime_has_bare_cr */
	g_object_unref(stream);
	if (!root)
		return true;
	g_ptr_array_add(w->c->roots, root);
	return walk_part(w, root, part_depth, depth);
}

bool
content_walk(struct content *c, GByteArray *octets, unsigned depth,
    struct mime_budget *budget, bool *malformed, leaf_vec *leaves)
{
	struct walk w = { c, false, budget, malformed, leaves };

	/* Receipts return the header alone, and under a name. */
	return walk_octets(&w, octets, true, 0, depth);
}

/* ---- the message -----------------------------------------------------------
 */

/* What says how the body is to be read. */
static bool
is_mime_field(struct str name)
{
	return str_eq_ascii(str_head(name, 8), STR("Content-")) ||
	       str_eq_ascii(name, STR("MIME-Version"));
}

static void
append(GByteArray *out, struct str s)
{
	g_byte_array_append(out, (const guint8 *)s.p, (guint)s.n);
}

/* For GMime; what it is not given is looked at here. */
static GByteArray *
message_octets(struct content *c)
{
	struct facts *f = c->facts;
	const struct header *h = f->message->header;
	GByteArray *out = g_byte_array_sized_new((guint)f->body_length + 1024);

	for (size_t i = 0; h && i < h->fields.n; i++) {
		const struct field *field = &h->fields.v[i];

		c->malformed |= mime_has_bare_cr(field->raw.text);
		if (!is_mime_field(field->name.text))
			continue;
		append(out, field->name.text);
		append(out, STR(": "));
		append(out, field->raw.text);
		append(out, STR("\n"));
	}
	append(out, STR("\n"));
	append(out, (struct str){ f->body, f->body_length });
	return out;
}

static void
note_partial(struct content *c)
{
	const struct header *h = c->facts->message->header;

	if (c->facts->body_over)
		c->partial = facts_body_over;
	else if (h && h->over)
		c->partial = facts_header_over;
}

static bool
read_parts(struct content *c)
{
	struct walk w = { c, true, &c->budget, &c->malformed, &c->leaves };
	GByteArray *octets;
	bool ok;

	facts_init();
	note_partial(c);
	octets = message_octets(c);
	ok = walk_octets(&w, octets, false, 0, 0);
	if (c->budget.over && !c->partial)
		c->partial = parts_over;
	g_byte_array_unref(octets);
	return ok;
}

static struct content *
content_new(struct facts *f)
{
	const int64_t *options = f->image->needs->options;
	struct content *c = ARENA_NEW(&f->message_arena, struct content);

	if (!c)
		return NULL;
	c->facts = f;
	c->roots = g_ptr_array_new_with_free_func(g_object_unref);
	c->budget.parts = c->budget.fields = (size_t)LIMIT_VALUE_PARTS;
	c->budget.octets = (size_t)LIMIT_VALUE_PARTS * 100;
	c->files_budget = c->budget;
	c->archives.members = (size_t)options[OPTION_ARCHIVE_MEMBERS];
	c->archives.octets = (size_t)options[OPTION_ARCHIVE_SIZE];
	return c;
}

void
content_free(struct content *c)
{
	if (c)
		g_ptr_array_unref(c->roots);
}

static bool
take_steps(struct content *c, uint32_t need)
{
	if (!c->has_parts && !read_parts(c))
		return false;
	c->has_parts = true;
	if (need & NEED_TEXTS && !c->has_texts && !content_read_texts(c))
		return false;
	c->has_texts |= (need & NEED_TEXTS) != 0;
	if (need & NEED_FILES && !c->has_files && !content_read_files(c))
		return false;
	c->has_files |= (need & NEED_FILES) != 0;
	return true;
}

struct content *
content_of(struct facts *f, uint32_t need)
{
	struct message *m = facts_message(f);

	if (m && !m->content)
		m->content = content_new(f);
	if (m && m->content && !m->content->failed) {
		if (take_steps(m->content, need))
			return m->content;
		m->content->failed = true;
	}
	f->failure = facts_no_memory;
	return NULL;
}
