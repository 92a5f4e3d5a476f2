#include "runtime/insert.h"

#include "runtime/insert_state.h"
#include "runtime/mime.h"

/* A part that takes a text. */
struct target {
	GMimePart *part;
	size_t begin, end; /* its contents in the stream */
	bool before, after;
};

/* A place of the stream that is written anew. */
struct splice {
	size_t begin, end;
	struct str text;
};

struct plan {
	struct facts *facts;
	struct arena *arena;
	GByteArray *bytes; /* the fields that describe the body, and the body */
	size_t body;       /* where it begins */
	GMimeObject *root;
	bool sealed;
	VEC(struct target) targets;
	VEC(struct splice) splices;
	boundaries boundaries;
};

/* ---- the message --------------------------------------------------------- */

static void
append(GByteArray *out, struct str s)
{
	if (s.n)
		g_byte_array_append(out, (const guint8 *)s.p, (guint)s.n);
}

/* With LF as CRLF. */
static void
append_lines(GByteArray *out, struct str s)
{
	while (s.n) {
		size_t n = str_find(s, '\n');
		struct str line = str_head(s, n);

		if (line.n && n < s.n && line.p[line.n - 1] == '\r')
			line.n--;
		append(out, line);
		if (n < s.n)
			append(out, STR("\r\n"));
		s = str_skip(s, n + (n < s.n));
	}
}

static void
append_field(GByteArray *out, struct str name, struct str value)
{
	append(out, name);
	append(out, STR(": "));
	append_lines(out, value);
	append(out, STR("\r\n"));
}

static const struct str describing[] = { STR("MIME-Version"),
	STR("Content-Type"), STR("Content-Transfer-Encoding"),
	STR("Content-Disposition") };

static bool
append_fields(struct plan *p, struct str name)
{
	struct fact_value v;
	size_t n;

	if (facts_count(p->facts, ATTR_RAW_HEADER, name, &n) != FACT_THERE)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (facts_get(p->facts, ATTR_RAW_HEADER, name, i, &v) !=
		    FACT_THERE)
			return false;
		append_field(p->bytes, name, v.text);
	}
	return true;
}

/* False with facts_failure(). */
static bool
gather(struct plan *p, bool with_body)
{
	struct fact_value v;

	p->bytes = g_byte_array_new();
	for (size_t i = 0; i < sizeof(describing) / sizeof(*describing); i++)
		if (!append_fields(p, describing[i]))
			return false;
	append(p->bytes, STR("\r\n"));
	p->body = p->bytes->len;
	if (!with_body)
		return true;
	if (facts_get(p->facts, ATTR_BODY_RAW, STR(""), 0, &v) != FACT_THERE)
		return false;
	append(p->bytes, v.text);
	return true;
}

/* ---- what is in it ------------------------------------------------------- */

static void
look(struct plan *p, GMimeObject *o)
{
	const char *boundary =
	    g_mime_object_get_content_type_parameter(o, "boundary");

	p->sealed |= part_is_sealed(p->arena, o);
	if (!GMIME_IS_MULTIPART(o))
		return;
	if (boundary)
		(void)vec_push(p->arena, &p->boundaries,
		    arena_dup(p->arena, str_from(boundary)));
	for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(o)); i++)
		look(p, g_mime_multipart_get_part(GMIME_MULTIPART(o), i));
}

/* ---- where texts go ------------------------------------------------------ */

static bool
has_name(GMimeObject *o)
{
	return g_mime_object_get_content_disposition_parameter(o, "filename") ||
	       g_mime_object_get_content_type_parameter(o, "name");
}

static bool
is_text(GMimeObject *o)
{
	const char *disposition = g_mime_object_get_disposition(o);

	return GMIME_IS_PART(o) &&
	       (part_is_plain(o) || part_is(o, "text", "html")) &&
	       !(disposition &&
		   g_ascii_strcasecmp(disposition, "attachment") == 0) &&
	       !has_name(o) &&
	       g_mime_part_get_content_encoding(GMIME_PART(o)) !=
		   GMIME_CONTENT_ENCODING_UUENCODE &&
	       g_mime_part_get_content(GMIME_PART(o));
}

static bool
take(struct plan *p, GMimePart *part, bool last)
{
	GMimeStream *s =
	    g_mime_data_wrapper_get_stream(g_mime_part_get_content(part));
	struct target t = { .part = part, .before = !last, .after = last };

	for (size_t i = 0; i < p->targets.n; i++) {
		if (p->targets.v[i].part != part)
			continue;
		p->targets.v[i].before |= !last;
		p->targets.v[i].after |= last;
		return true;
	}
	t.begin = (size_t)s->bound_start;
	t.end = s->bound_end < 0 ? p->bytes->len : (size_t)s->bound_end;
	if (t.begin < p->body || t.begin > t.end || t.end > p->bytes->len)
		return false;
	return vec_push(p->arena, &p->targets, t);
}

/* RFC 2387 3.2: the part that `start` names, by default the first one. */
static GMimeObject *
related_root(GMimeMultipart *m)
{
	const char *start =
	    g_mime_object_get_content_type_parameter(GMIME_OBJECT(m), "start");
	char *id = start ? g_mime_utils_decode_message_id(start) : NULL;
	int n = g_mime_multipart_get_count(m), found = 0;

	for (int i = 0; id && i < n; i++) {
		const char *other = g_mime_object_get_content_id(
		    g_mime_multipart_get_part(m, i));

		if (other && strcmp(other, id) == 0) {
			found = i;
			break;
		}
	}
	g_free(id);
	return n ? g_mime_multipart_get_part(m, found) : NULL;
}

/*
 * The texts that are read first, or last: all alternatives of one place.
 * False where there is none.
 */
static bool
choose(struct plan *p, GMimeObject *o, bool last)
{
	GMimeMultipart *m;
	bool any = false;
	int n;

	if (!o || !GMIME_IS_MULTIPART(o))
		return o && is_text(o) && take(p, GMIME_PART(o), last);
	if (part_is(o, "multipart", "related"))
		return choose(p, related_root(GMIME_MULTIPART(o)), last);
	m = GMIME_MULTIPART(o);
	n = g_mime_multipart_get_count(m);
	for (int i = 0; i < n; i++) {
		int k = last ? n - 1 - i : i;

		any |= choose(p, g_mime_multipart_get_part(m, k), last);
		if (any && !part_is(o, "multipart", "alternative"))
			return true;
	}
	return any;
}

/* ---- the plan ------------------------------------------------------------ */

static void
free_plan(struct plan *p)
{
	if (p->root)
		g_object_unref(p->root);
	if (p->bytes)
		g_byte_array_unref(p->bytes);
}

static struct str
all(const struct plan *p)
{
	return (struct str){ (const char *)p->bytes->data, p->bytes->len };
}

static struct str
contents(const struct plan *p, const struct target *t)
{
	return str_skip(str_head(all(p), t->end), t->begin);
}

static enum insert_status
parse(struct plan *p)
{
	struct mime_budget budget = {
		.parts = (size_t)LIMIT_VALUE_PARTS,
		.fields = (size_t)LIMIT_VALUE_PARTS,
		.octets = (size_t)LIMIT_VALUE_HEADER_BYTES,
	};
	bool malformed = false;
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(p->bytes);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	p->root = mime_parse(stream, NULL, &budget, false, &malformed);
	g_object_unref(stream);
	if (!p->root)
		return INSERT_NO_TEXT;
	look(p, p->root);
	if (p->sealed)
		return INSERT_SEALED;
	return budget.over ? INSERT_PARTS : INSERT_OK;
}

static enum insert_status
make_plan(struct plan *p, bool before, bool after)
{
	enum insert_status s;

	if (!gather(p, true))
		return INSERT_FAILED;
	s = parse(p);
	if (s != INSERT_OK)
		return s;
	if (before && !choose(p, p->root, false))
		return INSERT_NO_TEXT;
	if (after && !choose(p, p->root, true))
		return INSERT_NO_TEXT;
	for (size_t i = 0; i < p->targets.n; i++)
		if (!part_is_sound(
			p->targets.v[i].part, contents(p, &p->targets.v[i])))
			return INSERT_UNSOUND;
	return INSERT_OK;
}

enum insert_status
insert_check(struct facts *f)
{
	struct plan p = { .facts = f, .arena = facts_arena(f) };
	enum insert_status s;

	facts_init();
	s = make_plan(&p, true, true);
	free_plan(&p);
	return s;
}

bool
insert_is_sealed(struct facts *f)
{
	struct plan p = { .facts = f, .arena = facts_arena(f) };
	bool sealed;

	facts_init();
	/* A body that is too large is not there: its type tells still. */
	if (!gather(&p, true) && !p.body) {
		free_plan(&p);
		return false;
	}
	sealed = parse(&p) == INSERT_SEALED;
	free_plan(&p);
	return sealed;
}

/* ---- writing ------------------------------------------------------------- */

static int
by_begin(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* In the arena; {NULL, 0} with no memory. */
static struct str
field_line(struct arena *arena, struct str name, struct str value)
{
	GByteArray *line = g_byte_array_new();
	struct str s;

	append_field(line, name, value);
	s = arena_dup(
	    arena, (struct str){ (const char *)line->data, line->len });
	g_byte_array_unref(line);
	return s;
}

/*
 * A field of an inner part gets a new value, or is added.  Others of its name
 * go: readers may take one of them for it.
 */
static bool
set_field(
    struct plan *p, const struct target *t, struct str name, struct str value)
{
	GMimeHeaderList *list =
	    g_mime_object_get_header_list(GMIME_OBJECT(t->part));
	int n = g_mime_header_list_get_count(list);
	struct str s = all(p), line;
	struct splice x;
	bool found = false;

	if (!value.p)
		return true;
	line = field_line(p->arena, name, value);
	if (!line.p)
		return false;
	for (int i = 0; i < n; i++) {
		GMimeHeader *h = g_mime_header_list_get_header_at(list, i);
		gint64 at = g_mime_header_get_offset(h);

		if (!str_eq_ascii(str_from(g_mime_header_get_name(h)), name) ||
		    at <= 0 || (size_t)at >= t->begin)
			continue;
		x.begin = (size_t)at;
		x.end = field_end(s, x.begin);
		x.text = found ? STR("") : line;
		found = true;
		if (!vec_push(p->arena, &p->splices, x))
			return false;
	}
	x.begin = x.end = empty_line(s, t->begin);
	x.text = line;
	return found || vec_push(p->arena, &p->splices, x);
}

static bool
write_target(struct plan *p, const struct target *t, struct str before,
    struct str after, struct inserted *out)
{
	bool outermost = GMIME_OBJECT(t->part) == p->root;
	struct splice x = { .begin = t->begin, .end = t->end };
	struct part_text text = {
		.arena = p->arena,
		.boundaries = &p->boundaries,
		.part = t->part,
		.raw = contents(p, t),
		.before = t->before ? before : STR(""),
		.after = t->after ? after : STR(""),
	};

	if (!insert_part(&text))
		return false;
	/* Without an empty line there is no header to say it in. */
	if (!outermost && (text.type.p || text.encoding.p) &&
	    !empty_line(all(p), t->begin))
		return true;
	if (outermost) {
		out->type = text.type;
		out->encoding = text.encoding;
	} else if (!set_field(p, t, STR("Content-Type"), text.type) ||
		   !set_field(
		       p, t, STR("Content-Transfer-Encoding"), text.encoding)) {
		return false;
	}
	x.text = text.contents;
	return vec_push(p->arena, &p->splices, x);
}

static int
by_place(const void *a, const void *b)
{
	const struct splice *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* The body with the splices in it. */
static struct str
write_body(struct plan *p)
{
	struct str s = all(p);
	size_t n = s.n - p->body, at = p->body;
	char *out;

	if (p->splices.n)
		qsort(p->splices.v, p->splices.n, sizeof(*p->splices.v),
		    by_place);
	for (size_t i = 0; i < p->splices.n; i++)
		n += p->splices.v[i].text.n;
	out = arena_alloc(p->arena, n + 1);
	n = 0;
	if (!out)
		return (struct str){ NULL, 0 };
	for (size_t i = 0; i < p->splices.n; i++) {
		const struct splice *x = &p->splices.v[i];

		memcpy(out + n, s.p + at, x->begin - at);
		n += x->begin - at;
		memcpy(out + n, x->text.p, x->text.n);
		n += x->text.n;
		at = x->end;
	}
	memcpy(out + n, s.p + at, s.n - at);
	return (struct str){ out, n + s.n - at };
}

enum insert_status
insert_texts(
    struct facts *f, struct str before, struct str after, struct inserted *out)
{
	struct plan p = { .facts = f, .arena = facts_arena(f) };
	enum insert_status s;

	*out = (struct inserted){ .body = { NULL, 0 } };
	facts_init();
	s = make_plan(&p, before.n > 0, after.n > 0);
	if (s == INSERT_OK) {
		if (p.targets.n)
			qsort(p.targets.v, p.targets.n, sizeof(*p.targets.v),
			    by_begin);
		for (size_t i = 0; i < p.targets.n && s == INSERT_OK; i++)
			if (!write_target(
				&p, &p.targets.v[i], before, after, out))
				s = INSERT_NO_MEMORY;
		out->body = s == INSERT_OK ? write_body(&p) : STR("");
		if (!out->body.p)
			s = INSERT_NO_MEMORY;
	}
	free_plan(&p);
	return s;
}

bool
insert_new_body(struct arena *arena, struct str text, struct inserted *out)
{
	bool fits = lines_fit(text);

	*out = (struct inserted){
		.body = fits ? text : qp_encode(arena, text),
		.type = STR("text/plain; charset=utf-8"),
		.encoding = fits ? STR("8bit") : STR("quoted-printable"),
	};
	return out->body.p != NULL;
}
