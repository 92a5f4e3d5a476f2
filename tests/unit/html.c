/* HTML: what a reader sees of it, and bodies made to take long. */
#include "runtime/html.h"

#include <stdlib.h>

#include "tests/unit/test.h"

/* As large as a mail may be: quadratic work on it never ends. */
enum { LARGE = 9000000 };

static struct arena arena;

static struct str
text_of(struct str source)
{
	struct html html;

	arena_free(&arena);
	arena_init(&arena, 0, NULL);
	return html_read(&arena, source, 100, &html) ? html.text
						     : STR("(none)");
}

#define SEEN(source, want) CHECK_STR(text_of(STR(source)), want)

/* The targets, with | behind each. */
static struct str
links_of(struct str source)
{
	struct str out = STR("");
	struct html html;

	arena_free(&arena);
	arena_init(&arena, 0, NULL);
	if (!html_read(&arena, source, 100, &html))
		return STR("(none)");
	for (size_t i = 0; i < html.links.n; i++)
		out = arena_printf(&arena, "%.*s%.*s|", STR_ARG(out),
		    STR_ARG(html.links.v[i].target));
	return out;
}

#define LINKS(source, want) CHECK_STR(links_of(STR(source)), want)

/* HTML 13.2.5.43 to 13.2.5.52. */
static void
test_comments(void)
{
	SEEN("a<!-->b<!-- -->", "ab");
	SEEN("a<!--->b<!-- -->", "ab");
	SEEN("a<!-- x --!>b<!-- -->", "ab");
	SEEN("a<!----!>b<!-- -->", "ab");
	SEEN("a<!-- > -- -> b --->c", "ac");
	SEEN("a<!-- x", "a");
	SEEN("a<!x>b<?php y > z<![CDATA[ d ]]>e</ f>g</>h", "ab zegh");
}

/* Those that Outlook shows. */
static void
test_conditional_comments(void)
{
	struct html html;

	LINKS("<!--[if mso]><a href=a>x</a><img src=b><![endif]-->", "a|b|");
	LINKS("<!--[IF gte mso 9]><a href=a><style></a><![endif]-->"
	      "<a href=b>x</a>",
	    "a|b|");
	LINKS("<!--[if mso><a href=a>--><!-- [if x]><a href=b>-->"
	      "<!--[if mso]-><a href=c>-->",
	    "");
	LINKS("<!--[if !mso]><!--><a href=a>x</a><!--<![endif]-->", "a|");
	SEEN("a<!--[if mso]>b<a href=c>d</a><![endif]-->e", "ae");
	CHECK(html_read(&arena,
	    STR("a<a href=x>b<!--[if mso]><a href=y>c<![endif]-->d</a>e"), 9,
	    &html));
	CHECK_STR(html.links.v[0].text, "bd");
	CHECK_STR(html.links.v[1].text, "c");
	CHECK(html.links.v[1].begin == 2 && html.links.v[1].end == 2);
}

static void
test_tags(void)
{
	SEEN("a < b <3 </", "a < b <3 </");
	SEEN("<p title='>'>a<p title = \">\">b<p title=a'>c<p ='>'>d",
	    "a\nb\nc\n'>d");
	SEEN("<p/title=\"x>y\"/>a<br/>b", "a\nb");
	SEEN("a<b title=\"never closed>b", "a");
	SEEN("<TABLE><tr><TD>a<td>b</table>c</html></body>d", "a b\nc\nd");
	SEEN("a</milt:all>b<x\0y>c\0d", "abcd");
}

static void
test_raw(void)
{
	SEEN("a<script>x<b></scr</SCRIPT >b", "ab");
	SEEN("a<style><!--</style>b<!-- -->c", "abc");
	SEEN("a<title>t</title>b<textarea>&lt;i></textarea>c", "ab<i>c");
	SEEN("<xmp>&lt;<b></xmp><iframe><!--</iframe>a", "&lt;<b><!--a");
	SEEN("<noembed><!--</noembed><noframes><!--</noframes>a", "<!--<!--a");
	SEEN("a<plaintext><b></plaintext>", "a<b></plaintext>");
	SEEN("<script><!--<script></script>a--></script>b", "b");
	SEEN("<script><!--<script>--></script>a", "a");
	SEEN("<script><!--><script></script>a", "a");
	SEEN("<script><script></script>a", "a");
	SEEN("a<script>b", "a");
}

static void
test_references(void)
{
	SEEN("&#108ot&#x74;er&#X79 &lt &ltb &amp;amp; &AMP;",
	    "lottery < <b &amp; &");
	SEEN("&not;in &notin &nothing &alpha &alpha; &x; & &#; &#x;",
	    "\xc2\xacin \xc2\xacin \xc2\xaching &alpha \xce\xb1 &x; & &#; "
	    "&#x;");
	SEEN("a&nbsp;b&#0;&#55296;&#x110000;&#99999999999;&#128;",
	    "a b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac");
	SEEN("&UnderBar;&lcub;&fjlig;&CounterClockwiseContourIntegral;&Afr;",
	    "_{fj\u2233\U0001d504");
	SEEN("a&ZeroWidthSpace;b&nGt;&NotEqualTilde;&in;&i;&lcub &zwnj;",
	    "a\u200bb\u226b\u20d2\u2242\u0338\u2208&i;&lcub \u200c");
	SEEN("&CounterClockwiseContourIntegralx;&aacute;&Aacut;&frac12x;&a;",
	    "&CounterClockwiseContourIntegralx;\u00e1&Aacut;\u00bdx;&a;");
	LINKS("<a href='&nGt;&nLt;&nGt;&nLt;&nGt;&nLt;&nGt;&nLt;&nGt;&nLt;'>",
	    "\u226b\u20d2\u226a\u20d2\u226b\u20d2\u226a\u20d2\u226b\u20d2"
	    "\u226a\u20d2\u226b\u20d2\u226a\u20d2\u226b\u20d2\u226a\u20d2|");
	LINKS(
	    "<a "
	    "href=\"http&colon;&sol;&sol;a&period;test?b&lt=c&copy=d&amp;e\">",
	    "http://a.test?b&lt=c&copy=d&e|");
}

static void
test_links(void)
{
	LINKS("<!--><a href=\"http://evil.test/\">lottery</a><!-- -->",
	    "http://evil.test/|");
	LINKS("<a/href=\"a\"><a\nhref\n=\n'b'><A HREF=c><a x=\">\" href=d>",
	    "a|b|c|d|");
	LINKS("<a href=a href=b src=c><a href", "a|c|");
	LINKS("<a href=a/><a href= ><a href=''>", "a/|||");
}

static void
test_holders(void)
{
	LINKS("<object data=a><b data=x><img srcset='b 2x, c,d e'><video "
	      "poster=f>",
	    "a|b|c,d|f|");
	LINKS("<img srcset='a, b 2x ,,c,'><source srcset='data:x,y 1x, d'>",
	    "a|b|c|data:x,y|d|");
	LINKS("<svg><a xlink:href=a></svg><form action=b><td background=c>",
	    "a|b|c|");
	LINKS("<meta content='0;url=a' http-equiv=Refresh>"
	      "<meta http-equiv=refresh content=\"5 ; URL = 'b' x\">"
	      "<meta http-equiv=refresh content='1,c'>"
	      "<meta name=x content='0;url=d'>",
	    "a|b|c|");
}

static void
test_many_attributes(void)
{
	char tag[40000];
	size_t n = 0;

	for (unsigned i = 0; i < 2000; i++)
		n += (size_t)snprintf(
		    tag + n, sizeof(tag) - n, "%s%u \"'", i ? " a" : "<p a", i);
	snprintf(tag + n, sizeof(tag) - n, " href=x>lottery");
	CHECK_STR(text_of(str_from(tag)), "lottery");
	CHECK_STR(links_of(str_from(tag)), "x|");
}

static void
test_large(void)
{
	static const struct str pieces[] = { STR("<"), STR("<a "),
		STR("<a x='"), STR("</"), STR("</a"), STR("<!"), STR("<!-"),
		STR("<!--"), STR("<?"), STR("&"), STR("&#"), STR("&lt"),
		STR("&abcdefghij"), STR("-"), STR(")"), STR("@"), STR("a"),
		STR(" "), STR("<b>"), STR("<p><div>"), STR("<script>"),
		STR("<title>"), STR("</script"), STR("<script><!--"),
		STR("<a href=x>"), STR("<td>"), STR("="), STR("a=b "),
		STR("'\""), STR("\n") };
	char *p = malloc(LARGE);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces) * 2; i++) {
		struct str piece = pieces[i / 2];
		size_t n = 0;

		if (i % 2) {
			memcpy(p, "<a ", 3);
			n = 3;
		}
		for (; n + piece.n <= LARGE; n += piece.n)
			memcpy(p + n, piece.p, piece.n);
		CHECK(text_of((struct str){ p, n }).p != NULL);
	}
	free(p);
}

static void
test_charset(void)
{
	static const struct {
		const char *source, *charset;
	} rows[] = {
		{ "", "" },
		{ "<p>charset=x", "" },
		{ "<meta charset=iso-2022-jp>", "iso-2022-jp" },
		{ "<META\nCharset = ' koi8-r '>", "koi8-r" },
		{ "<meta http-equiv=Content-Type content=\"text/html; "
		  "charset=big5\">",
		    "big5" },
		{ "<meta content='text/html;charset=\"big5\" x' "
		  "http-equiv=content-type>",
		    "big5" },
		{ "<meta content='charset=big5'>", "" },
		{ "<meta http-equiv=refresh content='charset=big5'>", "" },
		{ "<meta http-equiv=content-type content='charset='>", "" },
		/* It could not be read so: no octet of it is zero. */
		{ "<meta charset=utf-16>", "utf-8" },
		{ "<meta charset=UTF-7>", "utf-8" },
		{ "<!-- <meta charset=a> --><meta charset=b>", "b" },
		{ "<script><meta charset=a></script><meta charset=b>", "b" },
		{ "<meta name=x><meta charset=><meta charset=c>", "c" },
		{ "<meta charset=b", "" },
	};
	char late[1100];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_STR(
		    html_charset(str_from(rows[i].source)), rows[i].charset);
	memset(late, ' ', sizeof(late));
	memcpy(late + 1000, "<meta charset=a>", 16);
	CHECK_STR(html_charset((struct str){ late, sizeof(late) }), "a");
	memset(late, ' ', sizeof(late));
	memcpy(late + 1020, "<meta charset=a>", 16);
	CHECK_STR(html_charset((struct str){ late, sizeof(late) }), "");
}

int
main(void)
{
	arena_init(&arena, 0, NULL);
	test_comments();
	test_conditional_comments();
	test_tags();
	test_raw();
	test_references();
	test_links();
	test_holders();
	test_many_attributes();
	test_large();
	arena_free(&arena);
	test_charset();
	TEST_DONE();
}
