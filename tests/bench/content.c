/*
 * What it costs to look into a message, side by side with plain programs that
 * walk the same parts and do the same work with the libraries alone.  The
 * columns are time, time for each MB, the ratio to parsing and decoding with
 * GMime, and that to the program that does the same work.
 *
 *	content [SECONDS]
 */
#include "tests/unit/facts_fake.h"

#include <glib.h>
#include <gmime/gmime.h>
#include <libxml/HTMLparser.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct facts *f;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- messages ------------------------------------------------------------ */

static void
append_text(GString *s, size_t n)
{
	while (n > 75) {
		g_string_append(s, "The quick brown fox jumps over the lazy "
				   "dog, and so on until the line ends..\r\n");
		n -= n > 78 ? 78 : n;
	}
}

/* Rows of a table, as newsletters have them. */
static void
append_html(GString *s, size_t n)
{
	static const char row[] =
	    "<tr>\r\n<td style=\"padding:0 12px;font-size:14px\" "
	    "valign=top>\r\n<a href=\"https://www.example.com/offer?id=%zu\" "
	    "style=\"color:#333\">The quick brown fox</a> jumps over the "
	    "lazy&nbsp;dog, and so on &amp; on<br>\r\nuntil the "
	    "<b>line</b> ends.</td></tr>\r\n";

	for (size_t i = 0; i < n / sizeof(row); i++)
		g_string_append_printf(s, row, i);
}

static void
append_base64(GString *s, size_t n)
{
	uint32_t x = 1;
	guchar line[57];

	for (; n > 78; n -= n > 78 ? 78 : n) {
		for (size_t i = 0; i < sizeof(line); i++) {
			x = x * 1664525u + 1013904223u;
			line[i] = (guchar)(x >> 24);
		}
		char *z = g_base64_encode(line, sizeof(line));
		g_string_append_printf(s, "%s\r\n", z);
		g_free(z);
	}
}

static GString *
message(size_t text, size_t html, size_t attachment)
{
	GString *s = g_string_new(NULL);

	g_string_append(s, "--b\r\nContent-Type: text/plain\r\n\r\n");
	append_text(s, text);
	if (html) {
		g_string_append(
		    s, "--b\r\nContent-Type: text/html\r\n\r\n<table>");
		append_html(s, html);
	}
	if (attachment) {
		g_string_append(s,
		    "--b\r\nContent-Type: application/pdf\r\n"
		    "Content-Disposition: attachment; filename=x.pdf\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n");
		append_base64(s, attachment);
	}
	g_string_append(s, "--b--\r\n");
	return s;
}

static const char type[] = "multipart/mixed; boundary=b";

/* ---- the two programs ------------------------------------------------------
 */

/* What is done with the contents beside decoding them. */
enum plain_mode {
	OCTETS,
	TEXTS,  /* to UTF-8 with LF */
	HTML,   /* the same, and HTML parsed */
	KINDS,  /* libmagic, of what is no text */
	DIGESTS /* SHA-256, the same */
};

static magic_t magic;

static void
sax(GByteArray *html)
{
	static htmlSAXHandler nobody;
	htmlParserCtxtPtr parser = htmlCreatePushParserCtxt(
	    &nobody, NULL, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);

	htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
				       HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
				       HTML_PARSE_IGNORE_ENC);
	htmlParseChunk(parser, (const char *)html->data, (int)html->len, 0);
	htmlParseChunk(parser, "", 0, 1);
	htmlFreeParserCtxt(parser);
}

static GMimeStream *
with_filters(GMimeStream *to, GMimeObject *o)
{
	const char *charset =
	    g_mime_object_get_content_type_parameter(o, "charset");
	GMimeStream *out = g_mime_stream_filter_new(to);
	GMimeFilter *lf = g_mime_filter_dos2unix_new(FALSE);
	GMimeFilter *utf8 =
	    g_mime_filter_charset_new(charset ? charset : "utf-8", "utf-8");

	g_mime_stream_filter_add(GMIME_STREAM_FILTER(out), utf8);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(out), lf);
	g_object_unref(utf8);
	g_object_unref(lf);
	return out;
}

static void
walk(GMimeObject *parent, GMimeObject *o, gpointer data)
{
	enum plain_mode mode = *(enum plain_mode *)data;
	GMimeContentType *declared = g_mime_object_get_content_type(o);
	bool text = g_mime_content_type_is_type(declared, "text", "*");
	GByteArray *octets;
	GMimeDataWrapper *w;
	GMimeStream *memory, *to;

	(void)parent;
	w = GMIME_IS_PART(o) ? g_mime_part_get_content(GMIME_PART(o)) : NULL;
	if (!w)
		return;
	octets = g_byte_array_new();
	memory = g_mime_stream_mem_new_with_byte_array(octets);
	to = (mode == TEXTS || mode == HTML) && text ? with_filters(memory, o)
						     : g_object_ref(memory);
	g_mime_data_wrapper_write_to_stream(w, to);
	g_mime_stream_flush(to);
	if (mode == HTML &&
	    g_mime_content_type_is_type(declared, "text", "html"))
		sax(octets);
	if (mode == KINDS && !text)
		(void)magic_buffer(magic, octets->data, octets->len);
	if (mode == DIGESTS && !text)
		g_free(g_compute_checksum_for_data(
		    G_CHECKSUM_SHA256, octets->data, octets->len));
	g_object_unref(to);
	g_object_unref(memory);
}

static void
read_plainly(const GString *body, enum plain_mode mode)
{
	GString *all = g_string_new("Content-Type: ");
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *m;

	g_string_append_printf(all, "%s\r\n\r\n", type);
	g_string_append_len(all, body->str, (gssize)body->len);
	stream = g_mime_stream_mem_new_with_buffer(all->str, all->len);
	parser = g_mime_parser_new_with_stream(stream);
	m = g_mime_parser_construct_message(parser, NULL);
	g_mime_message_foreach(m, walk, &mode);
	g_object_unref(m);
	g_object_unref(parser);
	g_object_unref(stream);
	g_string_free(all, TRUE);
}

static void
plain(const GString *body)
{
	read_plainly(body, OCTETS);
}

static void
plain_texts(const GString *body)
{
	read_plainly(body, TEXTS);
}

static void
plain_html(const GString *body)
{
	read_plainly(body, HTML);
}

static void
plain_kinds(const GString *body)
{
	read_plainly(body, KINDS);
}

static void
plain_digests(const GString *body)
{
	read_plainly(body, DIGESTS);
}

static void
give(const GString *body)
{
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	facts_header(f, STR("Content-Type"), str_from(type));
	facts_header(f, STR("Subject"), STR("x"));
	facts_body(f, (struct str){ body->str, body->len });
}

static void
ask(enum milt_attr attr)
{
	size_t n;

	if (facts_count(f, attr, STR(""), &n) != FACT_THERE)
		abort();
}

/* As a policy without a rule on the body: the MTA does not send it. */
static void
subject(const GString *body)
{
	(void)body;
	fake_needs.flags = NEED_HEADERS;
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	facts_header(f, STR("Content-Type"), str_from(type));
	facts_header(f, STR("Subject"), STR("x"));
	ask(ATTR_HEADER_SUBJECT);
}

/* As one with such rules, none of which has to be looked at. */
static void
subject_body(const GString *body)
{
	fake_reset();
	give(body);
	ask(ATTR_HEADER_SUBJECT);
}

static void
nothing(const GString *body)
{
	give(body);
	ask(ATTR_BODY_SIZE);
}

static void
parts(const GString *body)
{
	give(body);
	ask(ATTR_PART);
}

static void
texts(const GString *body)
{
	fake_reset();
	fake_needs.flags &= ~(uint32_t)NEED_URLS;
	give(body);
	ask(ATTR_BODY_TEXT);
}

static void
urls(const GString *body)
{
	fake_reset();
	give(body);
	ask(ATTR_BODY_TEXT);
	ask(ATTR_URL);
}

static void
names(const GString *body)
{
	fake_reset();
	fake_needs.flags &=
	    ~(uint32_t)(NEED_KINDS | NEED_DIGESTS | NEED_FILE_TEXTS);
	give(body);
	ask(ATTR_FILE);
}

static void
kinds(const GString *body)
{
	fake_reset();
	fake_needs.flags &= ~(uint32_t)(NEED_DIGESTS | NEED_FILE_TEXTS);
	give(body);
	ask(ATTR_FILE);
}

static void
digests(const GString *body)
{
	fake_reset();
	fake_needs.flags &= ~(uint32_t)(NEED_KINDS | NEED_FILE_TEXTS);
	give(body);
	ask(ATTR_FILE);
}

enum program {
	PLAIN,
	PLAIN_TEXTS,
	PLAIN_HTML,
	PLAIN_KINDS,
	PLAIN_DIGESTS,
	SUBJECT,
	SUBJECT_BODY,
	BODY_SIZE,
	ALL_PARTS,
	BODY_TEXT,
	BODY_URLS,
	FILE_NAMES,
	FILE_KINDS,
	FILE_DIGESTS,
	PROGRAMS
};

/* `like` does the same work with the libraries alone. */
static const struct {
	const char *name;
	void (*run)(const GString *);
	enum program like;
} programs[] = {
	[PLAIN] = { "GMime: parse, decode", plain, PLAIN },
	[PLAIN_TEXTS] = { "  texts to UTF-8", plain_texts, PLAIN },
	[PLAIN_HTML] = { "  and libxml2: SAX", plain_html, PLAIN },
	[PLAIN_KINDS] = { "  decode, libmagic", plain_kinds, PLAIN },
	[PLAIN_DIGESTS] = { "  decode, SHA-256", plain_digests, PLAIN },
	[SUBJECT] = { "subject, no body", subject, PLAIN },
	[SUBJECT_BODY] = { "subject, body kept", subject_body, PLAIN },
	[BODY_SIZE] = { "body.size", nothing, PLAIN },
	[ALL_PARTS] = { "parts", parts, PLAIN },
	[BODY_TEXT] = { "body.text", texts, PLAIN_HTML },
	[BODY_URLS] = { "body.text, urls", urls, PLAIN_HTML },
	[FILE_NAMES] = { "files", names, PLAIN },
	[FILE_KINDS] = { "files, kinds", kinds, PLAIN_KINDS },
	[FILE_DIGESTS] = { "files, sha256", digests, PLAIN_DIGESTS },
};

static void
measure(const char *what, GString *body, double seconds)
{
	double spent[PROGRAMS] = { 0 };
	long rounds = 0;

	do { /* in turns, so that the machine's moods hit all alike */
		for (int i = 0; i < PROGRAMS; i++) {
			double begin;

			programs[i].run(body); /* caches become warm */
			facts_reset(f, STAGE_MAIL);
			begin = now();
			programs[i].run(body);
			facts_reset(f, STAGE_MAIL);
			if (rounds)
				spent[i] += now() - begin;
		}
		rounds++;
	} while (rounds < 4 || spent[0] < seconds);
	rounds--;
	printf("%s, %zu octets, %ld rounds\n", what, (size_t)body->len, rounds);
	for (int i = 0; i < PROGRAMS; i++)
		printf("  %-22s %9.1f us  %8.2f ms/MB  %6.2f  %6.2f\n",
		    programs[i].name, spent[i] * 1e6 / (double)rounds,
		    spent[i] * 1e3 / (double)rounds /
			((double)body->len / 1048576.0),
		    spent[i] / spent[PLAIN],
		    spent[i] / spent[programs[i].like]);
	g_string_free(body, TRUE);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.5;

	magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
			   MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TOKENS);
	if (!magic || magic_load(magic, NULL) != 0)
		return 1;
	facts_init();
	f = facts_new(fake_reset());
	measure("5 KB of text", message(5000, 0, 0), seconds);
	measure("60 KB of text and HTML", message(30000, 30000, 0), seconds);
	measure("60 KB with an attachment", message(5000, 0, 55000), seconds);
	measure("2 MB of text", message(2 << 20, 0, 0), seconds);
	measure(
	    "2 MB with an attachment", message(5000, 5000, 2 << 20), seconds);
	facts_free(f);
	magic_close(magic);
	return 0;
}
