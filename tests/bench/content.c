/*
 * What it costs to look into a message, side by side with a plain GMime
 * program that walks the same parts and decodes their contents.
 *
 *	content [SECONDS]
 */
#include "tests/unit/facts_fake.h"

#include <glib.h>
#include <gmime/gmime.h>
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
		g_string_append(s, "--b\r\nContent-Type: text/html\r\n\r\n<p>");
		append_text(s, html);
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

static void
walk(GMimeObject *parent, GMimeObject *o, gpointer data)
{
	GMimeDataWrapper *w;
	GMimeStream *to;

	(void)parent;
	(void)data;
	w = GMIME_IS_PART(o) ? g_mime_part_get_content(GMIME_PART(o)) : NULL;
	if (!w)
		return;
	to = g_mime_stream_mem_new();
	g_mime_data_wrapper_write_to_stream(w, to);
	g_object_unref(to);
}

static void
plain(const GString *body)
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
	g_mime_message_foreach(m, walk, NULL);
	g_object_unref(m);
	g_object_unref(parser);
	g_object_unref(stream);
	g_string_free(all, TRUE);
}

static void
give(const GString *body)
{
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<a@b.test>"), NULL, 0);
	facts_header(f, STR("Content-Type"), str_from(type));
	facts_body(f, (struct str){ body->str, body->len });
}

static void
ask(enum milt_attr attr)
{
	size_t n;

	if (facts_count(f, attr, STR(""), &n) != FACT_THERE)
		abort();
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

static const struct {
	const char *name;
	void (*run)(const GString *);
} programs[] = {
	{ "plain GMime", plain },
	{ "body.size", nothing },
	{ "parts", parts },
	{ "body.text", texts },
	{ "body.text, urls", urls },
	{ "files", names },
	{ "files, kinds", kinds },
	{ "files, sha256", digests },
};
enum { PROGRAMS = sizeof(programs) / sizeof(*programs) };

static void
measure(const char *what, GString *body, double seconds)
{
	double spent[PROGRAMS] = { 0 };
	long rounds = 0;

	do { /* in turns, so that the machine's moods hit all alike */
		for (int i = 0; i < PROGRAMS; i++) {
			double begin = now();

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
		printf("  %-18s %9.1f us  %8.2f ms/MB  %6.2f\n",
		    programs[i].name, spent[i] * 1e6 / (double)rounds,
		    spent[i] * 1e3 / (double)rounds /
			((double)body->len / 1048576.0),
		    spent[i] / spent[0]);
	g_string_free(body, TRUE);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.5;

	facts_init();
	f = facts_new(fake_reset());
	measure("5 KB of text", message(5000, 0, 0), seconds);
	measure("60 KB of text and HTML", message(30000, 30000, 0), seconds);
	measure("60 KB with an attachment", message(5000, 0, 55000), seconds);
	measure("2 MB of text", message(2 << 20, 0, 0), seconds);
	measure(
	    "2 MB with an attachment", message(5000, 5000, 2 << 20), seconds);
	facts_free(f);
	return 0;
}
