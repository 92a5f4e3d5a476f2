/*
 * Texts put into messages of others, in ../shared/corpus where that is there:
 * all but the texts stays, octet by octet, and a reader sees what he saw.
 */
#include "runtime/insert.h"

#include <dirent.h>
#include <gmime/gmime.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/charset.h"
#include "runtime/mime_contents.h"
#include "tests/unit/facts_fake.h"
#include "tests/unit/message.h"
#include "tests/unit/test.h"

static const char before_mark[] = "BEFORE-\xc3\xa4-\xe2\x82\xac\r\n";
static const char after_mark[] = "AFTER-\xc3\xa4-\xe2\x82\xac\r\n";

static struct facts *f;
static size_t messages, changed, sealed, without, unsound;

static struct str
give(struct str s)
{
	struct str body;

	facts_reset(f, STAGE_CONNECT);
	body = message_header(f, s);
	(void)facts_body(f, body);
	return body;
}

/* ---- messages of others -------------------------------------------------- */

/* The message as a reader parses it: the describing fields and a body. */
static GMimeObject *
parse(const struct inserted *new, struct str body, GByteArray **bytes)
{
	static const char *const names[] = { "MIME-Version", "Content-Type",
		"Content-Transfer-Encoding", "Content-Disposition" };
	GString *s = g_string_new("");
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeObject *o;
	size_t n;

	for (int i = 0; i < 4; i++) {
		struct fact_value v;
		struct str value = i == 1   ? new->type
				   : i == 2 ? new->encoding
					    : (struct str){ NULL, 0 };

		(void)facts_count(f, ATTR_RAW_HEADER, str_from(names[i]), &n);
		for (size_t k = 0; k < (value.p ? 1 : n); k++) {
			(void)facts_get(
			    f, ATTR_RAW_HEADER, str_from(names[i]), k, &v);
			if (value.p)
				v.text = value;
			g_string_append_printf(s, "%s: ", names[i]);
			g_string_append_len(s, v.text.p, (gssize)v.text.n);
			g_string_append(s, "\r\n");
		}
	}
	g_string_append(s, "\r\n");
	g_string_append_len(s, body.p, (gssize)body.n);
	*bytes = g_byte_array_new_take((guint8 *)s->str, s->len);
	g_string_free(s, FALSE);
	stream = g_mime_stream_mem_new_with_byte_array(*bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	parser = g_mime_parser_new_with_stream(stream);
	o = g_mime_parser_construct_part(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	return o;
}

/* Text in its charset, which a comparison of texts needs; no NUL in it. */
static bool
is_sound(GMimePart *part)
{
	const char *charset = g_mime_object_get_content_type_parameter(
	    GMIME_OBJECT(part), "charset");
	GByteArray *octets = mime_decode(part);
	char *z = NULL;
	bool sound;

	charset = charset ? g_mime_charset_iconv_name(charset) : "us-ascii";
	z = g_convert(octets->len ? (const char *)octets->data : "",
	    octets->len, "utf-8", charset, NULL, NULL, NULL);
	sound = z && !(octets->len && memchr(octets->data, 0, octets->len));
	g_free(z);
	g_byte_array_unref(octets);
	return sound;
}

/* A text as a reader sees it, CR taken out. */
static GString *
seen(GMimePart *part)
{
	GByteArray *octets = mime_decode(part);
	struct str text = charset_decode(facts_arena(f),
	    (struct str){ (const char *)octets->data, octets->len },
	    g_mime_object_get_content_type_parameter(
		GMIME_OBJECT(part), "charset"));
	GString *s = g_string_new("");

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			g_string_append_c(s, text.p[i]);
	g_byte_array_unref(octets);
	return s;
}

/* Takes one occurrence of `what` out. */
static bool
cut(GString *s, const char *what)
{
	char *p = strstr(s->str, what);

	if (p)
		g_string_erase(s, p - s->str, (gssize)strlen(what));
	return p != NULL;
}

/* Blanks and line ends at the ends, and question marks, left out. */
static bool
same_text(const GString *a, const GString *b)
{
	char *x = g_strstrip(g_strdup(a->str)),
	     *y = g_strstrip(g_strdup(b->str));
	bool same = strcmp(x, y) == 0;

	if (!same && getenv("VERBOSE"))
		printf("# old: %s\n# new: %s\n", x, y);
	g_free(x);
	g_free(y);
	return same;
}

struct range {
	size_t begin, end; /* header and contents */
};

static struct range
range_of(GMimePart *part)
{
	GMimeStream *s =
	    g_mime_data_wrapper_get_stream(g_mime_part_get_content(part));
	GMimeHeaderList *list =
	    g_mime_object_get_header_list(GMIME_OBJECT(part));
	struct range r = { (size_t)s->bound_start, (size_t)s->bound_end };

	if (g_mime_header_list_get_count(list) > 0)
		r.begin = (size_t)g_mime_header_get_offset(
		    g_mime_header_list_get_header_at(list, 0));
	else
		r.begin -= r.begin < 2 ? r.begin : 2;
	return r;
}

struct comparison {
	GByteArray *a, *b;
	size_t a_at, b_at; /* compared up to here */
	unsigned befores, afters;
};

/* A part that has changed: marks out, the text is as it was. */
static bool
same_but_marks(struct comparison *c, GMimePart *x, GMimePart *y)
{
	static const char *const before[] = { "BEFORE-\xc3\xa4-\xe2\x82\xac\n",
		"BEFORE-?-?\n", "<div>BEFORE-&#228;-&#8364;</div>" };
	static const char *const after[] = { "AFTER-\xc3\xa4-\xe2\x82\xac\n",
		"AFTER-?-?\n", "<div>AFTER-&#228;-&#8364;</div>\n",
		"\nAFTER-\xc3\xa4-\xe2\x82\xac", "\nAFTER-?-?",
		"\n<div>AFTER-&#228;-&#8364;</div>",
		"<div>AFTER-&#228;-&#8364;</div>" };
	GString *a, *b;
	bool any = false, done = false, same;

	if (!is_sound(x)) {
		c->befores++;
		c->afters++;
		return true;
	}
	a = seen(x);
	b = seen(y);

	for (size_t i = 0; i < 3 && !done; i++)
		done = cut(b, before[i]);
	c->befores += done;
	any |= done;
	done = false;
	for (size_t i = 0; i < 7 && !done; i++)
		done = cut(b, after[i]);
	c->afters += done;
	any |= done;
	same = any && same_text(a, b);
	g_string_free(a, TRUE);
	g_string_free(b, TRUE);
	return same;
}

static bool
same_octets(const struct comparison *c, size_t a_end, size_t b_end)
{
	return a_end >= c->a_at && b_end >= c->b_at &&
	       a_end - c->a_at == b_end - c->b_at &&
	       memcmp(c->a->data + c->a_at, c->b->data + c->b_at,
		   a_end - c->a_at) == 0;
}

static bool
same_part(struct comparison *c, GMimePart *x, GMimePart *y, bool outermost)
{
	struct range a, b;
	bool same;

	if (!g_mime_part_get_content(x) || !g_mime_part_get_content(y))
		return !g_mime_part_get_content(x) &&
		       !g_mime_part_get_content(y);
	a = range_of(x);
	b = range_of(y);
	if (a.end - a.begin == b.end - b.begin &&
	    memcmp(c->a->data + a.begin, c->b->data + b.begin,
		a.end - a.begin) == 0)
		return true;
	same = (outermost || same_octets(c, a.begin, b.begin)) &&
	       same_but_marks(c, x, y);
	c->a_at = a.end;
	c->b_at = b.end;
	/* The line end of the boundary may have been that of the header. */
	if (c->a_at < c->a->len && c->a->data[c->a_at] == '-' &&
	    c->b_at + 2 < c->b->len && c->b->data[c->b_at] == '\r')
		c->b_at += 2;
	return same;
}

static bool
same_tree(struct comparison *c, GMimeObject *x, GMimeObject *y, bool outermost)
{
	int n;

	if (GMIME_IS_MULTIPART(x) != GMIME_IS_MULTIPART(y) ||
	    GMIME_IS_PART(x) != GMIME_IS_PART(y))
		return false;
	if (GMIME_IS_PART(x))
		return same_part(c, GMIME_PART(x), GMIME_PART(y), outermost);
	if (!GMIME_IS_MULTIPART(x))
		return true;
	n = g_mime_multipart_get_count(GMIME_MULTIPART(x));
	if (n != g_mime_multipart_get_count(GMIME_MULTIPART(y)))
		return false;
	for (int i = 0; i < n; i++)
		if (!same_tree(c,
			g_mime_multipart_get_part(GMIME_MULTIPART(x), i),
			g_mime_multipart_get_part(GMIME_MULTIPART(y), i),
			false))
			return false;
	return true;
}

static bool
message_ok(struct str s)
{
	static const struct inserted old = { .body = { NULL, 0 } };
	struct comparison c = { .a_at = 0 };
	struct inserted new;
	struct str body = give(s);
	GMimeObject *a, *b;
	bool ok;

	messages++;
	switch (insert_texts(
	    f, str_from(before_mark), str_from(after_mark), &new)) {
	case INSERT_OK:
		break;
	case INSERT_SEALED:
		sealed++;
		return true;
	case INSERT_NO_TEXT:
		without++;
		return true;
	case INSERT_UNSOUND:
		unsound++;
		return true;
	case INSERT_FAILED:
	case INSERT_PARTS:
	case INSERT_NO_MEMORY:
		return false;
	}
	changed++;
	a = parse(&old, body, &c.a);
	b = parse(&new, new.body, &c.b);
	ok = a && b && same_tree(&c, a, b, true) &&
	     (GMIME_IS_PART(a) || same_octets(&c, c.a->len, c.b->len)) &&
	     c.befores > 0 && c.afters > 0;
	if (a)
		g_object_unref(a);
	if (b)
		g_object_unref(b);
	g_byte_array_unref(c.a);
	g_byte_array_unref(c.b);
	return ok;
}

/* As it comes over SMTP: with CRLF. */
static struct str
with_crlf(struct str s)
{
	char *p = malloc(s.n * 2 + 1);
	size_t n = 0;

	for (size_t i = 0; p && i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			p[n++] = '\r';
		p[n++] = s.p[i];
	}
	return (struct str){ p, n };
}

static unsigned
folder_bad(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	unsigned bad = 0;

	while (dir && (e = readdir(dir))) {
		char name[4096];
		struct stat st;
		struct str s, sent;

		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (e->d_name[0] == '.' || lstat(name, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			bad += folder_bad(name);
		} else if (S_ISREG(st.st_mode)) {
			s = message_file(name);
			sent = with_crlf(s);
			if (s.p && !message_ok(sent)) {
				printf("# %s\n", name);
				bad++;
			}
			free((char *)s.p);
			free((char *)sent.p);
		}
	}
	if (dir)
		closedir(dir);
	return bad;
}

static void
test_corpus(void)
{
	static const char corpus[] = "../shared/corpus/messages.tar.xz";
	char folder[] = "/tmp/milt-insert-XXXXXX", command[256];

	if (access(corpus, R_OK) != 0) {
		printf("# skipped: %s is not there\n", corpus);
		return;
	}
	CHECK(mkdtemp(folder) != NULL);
	snprintf(command, sizeof(command), "tar -xJf %s -C %s", corpus, folder);
	CHECK(system(command) == 0);
	CHECK(folder_bad(folder) == 0);
	printf("# %zu messages: %zu changed, %zu sealed, %zu without text, "
	       "%zu unsound\n",
	    messages, changed, sealed, without, unsound);
	CHECK(changed > 500);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
}

int
main(void)
{
	f = facts_new(fake_reset());
	CHECK(f != NULL);
	facts_init();
	test_corpus();
	facts_free(f);
	TEST_DONE();
}
