#include "runtime/outlook.h"

#include <gsf/gsf.h>
#include <pthread.h>

/* Messages in messages, and octets of a name. */
enum { MAX_DEPTH = 16, NAME_MOST = 4096 };

#define PROPERTIES "__properties_version1.0"
#define ATTACHMENT "__attach_version1.0_"
/* PidTagAttachDataBinary and PidTagAttachDataObject, [MS-OXPROPS] */
#define CONTENTS "__substg1.0_37010102"
#define MESSAGE "__substg1.0_3701000D"

struct walk {
	size_t size; /* of the file: no stream is longer */
	struct archive_budget *budget;
	archive_each *each;
	void *data; /* of `each` */
	struct archive_state *state;
};

/* Owned; NULL where there is none of this name. */
static GsfInput *
child_of(GsfInfile *storage, const char *name)
{
	return gsf_infile_child_by_name(storage, name);
}

static GsfInfile *
open_file(struct str s)
{
	static const char begin[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	GsfInput *in, *properties;
	GsfInfile *root;

	if (!str_starts(s, str_from(begin)))
		return NULL;
	(void)pthread_once(&once, gsf_init);
	in = gsf_input_memory_new((const guint8 *)s.p, (gsf_off_t)s.n, FALSE);
	root = in ? gsf_infile_msole_new(in, NULL) : NULL;
	if (in)
		g_object_unref(in);
	properties = root ? child_of(root, PROPERTIES) : NULL;
	if (properties)
		g_object_unref(properties);
	else if (root)
		g_clear_object(&root);
	return root;
}

/*
 * The first `most` octets of a stream, which has more if *over; NULL where
 * there is no such stream, or it is broken.
 */
static GByteArray *
read_stream(struct walk *w, GsfInfile *storage, const char *name, size_t most,
    bool *over)
{
	GsfInput *in = child_of(storage, name);
	GByteArray *out = NULL;
	size_t n;

	if (!in)
		return NULL;
	n = (size_t)gsf_input_size(in);
	*over = n > most;
	n = MIN(n, most);
	if (n <= w->size) {
		out = g_byte_array_new();
		g_byte_array_set_size(out, (guint)n);
		if (n && !gsf_input_read(in, n, out->data))
			g_clear_pointer(&out, g_byte_array_unref);
	}
	w->state->malformed |= !out;
	g_object_unref(in);
	return out;
}

/* As UTF-8, or in octets of a charset that is not told; to be freed. */
static char *
name_of(const GByteArray *s, bool utf16)
{
	if (!s->len)
		return NULL;
	if (!utf16)
		return g_strndup((const char *)s->data, s->len);
	return g_convert((const char *)s->data, s->len, "UTF-8", "UTF-16LE",
	    NULL, NULL, NULL);
}

static char *
read_name(struct walk *w, GsfInfile *attachment)
{
	/* PidTagAttachLongFilename goes in front of PidTagAttachFilename. */
	static const struct {
		const char *stream;
		bool utf16;
	} names[] = {
		{ "__substg1.0_3707001F", true },
		{ "__substg1.0_3707001E", false },
		{ "__substg1.0_3704001F", true },
		{ "__substg1.0_3704001E", false },
	};
	char *out = NULL;

	for (size_t i = 0; !out && i < sizeof(names) / sizeof(*names); i++) {
		bool over;
		GByteArray *s = read_stream(
		    w, attachment, names[i].stream, NAME_MOST, &over);

		if (s) {
			out = name_of(s, names[i].utf16);
			g_byte_array_unref(s);
		}
	}
	return out;
}

static void
give_file(struct walk *w, GsfInfile *attachment)
{
	struct archive_member m = { .name = { NULL, 0 } };
	bool over;
	GByteArray *s =
	    read_stream(w, attachment, CONTENTS, w->budget->octets, &over);
	char *name;

	if (!s)
		return;
	name = read_name(w, attachment);
	if (name)
		m.name = str_from(name);
	m.contents = (struct str){ (const char *)s->data, s->len };
	m.too_large = over;
	w->state->too_large |= over;
	w->budget->octets -= s->len;
	w->each(w->data, &m);
	g_free(name);
	g_byte_array_unref(s);
}

static void walk_message(struct walk *, GsfInfile *message, int depth);

static void
walk_attachment(struct walk *w, GsfInfile *attachment, int depth)
{
	GsfInput *inner = child_of(attachment, MESSAGE);

	give_file(w, attachment);
	if (!inner)
		return;
	if (depth == MAX_DEPTH)
		w->state->too_deep = true;
	else if (GSF_IS_INFILE(inner))
		walk_message(w, GSF_INFILE(inner), depth + 1);
	g_object_unref(inner);
}

static void
walk_message(struct walk *w, GsfInfile *message, int depth)
{
	int n = gsf_infile_num_children(message);

	for (int i = 0; i < n && !w->state->too_large; i++) {
		const char *name = gsf_infile_name_by_index(message, i);
		GsfInput *child;

		if (!name || !g_str_has_prefix(name, ATTACHMENT))
			continue;
		if (w->budget->members == 0) {
			w->state->too_large = w->state->too_many = true;
			return;
		}
		w->budget->members--;
		child = gsf_infile_child_by_index(message, i);
		if (child && GSF_IS_INFILE(child))
			walk_attachment(w, GSF_INFILE(child), depth);
		else
			w->state->malformed = true;
		if (child)
			g_object_unref(child);
	}
}

bool
outlook_walk(struct str s, struct archive_budget *budget, archive_each *each,
    void *data, struct archive_state *out)
{
	struct walk w = { s.n, budget, each, data, out };
	GsfInfile *root = open_file(s);

	*out = (struct archive_state){ .encrypted = false };
	if (!root)
		return false;
	walk_message(&w, root, 0);
	g_object_unref(root);
	return true;
}

bool
outlook_is(struct str s)
{
	GsfInfile *root = open_file(s);

	if (root)
		g_object_unref(root);
	return root != NULL;
}
