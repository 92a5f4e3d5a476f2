#include "dsl/lexer.h"

#include "dsl/ast.h"
#include "grammar.h"

/* So that many regexes without an end take no quadratic time. */
enum { MOST_SEARCHED = 1 << 20 };

/* A name that a change of a score follows, as in `spam +2.5`. */
static int
scored_kind(struct str word)
{
	int kind = word_kind(word);

	return kind == TOKEN_WORD ? TOKEN_SCORED : kind;
}

void
lexer_open(struct lexer *lx, struct arena *arena, struct diags *diags,
    uint32_t source)
{
	struct str text = diags->sources->list.v[source]->text;

	*lx = (struct lexer){ .arena = arena, .diags = diags,
		.source = source, .text = text.p, .at = text.p,
		.limit = text.p + text.n };
	if (str_starts(text, STR("\xEF\xBB\xBF")))
		lx->at += 3;
}

static struct span
span_of(const struct lexer *lx, const char *begin, const char *end)
{
	size_t b = (size_t)(begin - lx->text), e = (size_t)(end - lx->text);

	if (lx->map)
		return (struct span){ lx->source, lx->map[b], lx->map[e] };
	return (struct span){ lx->source, (uint32_t)b, (uint32_t)e };
}

static struct str
text_of(const char *begin, const char *end)
{
	return (struct str){ begin, (size_t)(end - begin) };
}

/* Reports an error of the text; what follows may only follow from it. */
#define complain(lx, id, span, ...) \
	((lx)->failed = true, report(lx, id, span, __VA_ARGS__))

/* Reports one after which all can be read as it was meant. */
#define correct(lx, id, span, ...) \
	((lx)->failed |= !(lx)->diags, report(lx, id, span, __VA_ARGS__))

#define report(lx, id, span, ...) \
	((lx)->diags ? diag_at((lx)->diags, D_##id, span, __VA_ARGS__) : NULL)

static void
help(struct lexer *lx, struct diag *d, const char *text)
{
	if (d)
		diag_help(lx->diags, d, "%s", text);
}

void
report_escape(struct lexer *lx, const char *begin, const char *end)
{
	struct diag *d = correct(lx, BAD_ESCAPE, span_of(lx, begin, end),
	    "`%.*s` is not an escape", (int)(end - begin), begin);

	help(lx, d, "the escapes are \\\\ \\\" \\n \\t \\r and \\u{1F4E7}; a "
	    "backslash is written \\\\");
}

/* ---- tokens ---------------------------------------------------------- */

static struct token
make(struct lexer *lx, int kind, const char *begin, struct str text)
{
	lx->last = kind;
	return (struct token){ .kind = kind,
		.span = span_of(lx, begin, lx->at), .text = text };
}

static struct token
plain(struct lexer *lx, int kind, const char *begin)
{
	return make(lx, kind, begin, text_of(begin, lx->at));
}

static struct token
string(struct lexer *lx, const char *begin, size_t open, size_t close)
{
	struct str raw = text_of(begin + open, lx->at - close);

	if (memchr(raw.p, '\\', raw.n))
		raw = unescape(lx->arena, lx, raw, 0, NULL);
	return make(lx, TOKEN_STRING, begin, raw);
}

static const char *
line_end(const struct lexer *lx, const char *p)
{
	const char *q = memchr(p, '\n', (size_t)(lx->limit - p));

	if (!q)
		q = lx->limit;
	return q > p && q[-1] == '\r' ? q - 1 : q;
}

static struct token
string_open(struct lexer *lx, const char *begin)
{
	struct diag *d;

	lx->at = line_end(lx, begin + 1);
	d = complain(lx, OPEN_STRING, span_of(lx, begin, begin + 1),
	    "the text is not closed on its line");
	help(lx, d, "end the text with \"; a line break in it is written \\n");
	return string(lx, begin, 1, 0);
}

static struct token
quoted_otherwise(struct lexer *lx, const char *begin, size_t quote,
    const char *name)
{
	struct diag *d = correct(lx, FOREIGN, span_of(lx, begin, lx->at),
	    "texts do not stand in %s quotes", name);

	help(lx, d, "write \"...\"");
	return string(lx, begin, quote, quote);
}

static struct token
regex_token(struct lexer *lx, const char *begin)
{
	const char *slash = lx->at;
	struct token t;

	while (slash[-1] != '/')
		slash--;
	t = make(lx, TOKEN_REGEX, begin, text_of(begin + 1, slash - 1));
	t.flags = text_of(slash, lx->at);
	return t;
}

/*
 * Does /.../flags end such a regex?  Only with the flag x, and not where the
 * last slash rather begins the next regex.
 */
static bool
ends_extended(struct str s)
{
	size_t n = s.n;
	bool extended = false;

	for (; s.p[n - 1] != '/'; n--)
		extended |= s.p[n - 1] == 'x';
	return extended && !str_ends(str_trim(str_head(s, n - 1)),
	    STR("matches"));
}

/* A regex of several lines: the flag x makes their ends mean nothing. */
static bool
regex_of_lines(struct lexer *lx, const char *begin)
{
	const char *m, *limit = lx->limit;

	if (lx->searched > MOST_SEARCHED)
		return false;
	lx->at = begin + 1;
	/*!re2c
	re2c:yyfill:enable = 0;
	re2c:eof = 0;
	re2c:define:YYCTYPE = "unsigned char";
	re2c:flags:case-ranges = 1;
	re2c:define:YYCURSOR = lx->at;
	re2c:define:YYMARKER = m;
	re2c:define:YYLIMIT = lx->limit;

	any   = [^];
	lines = "[" "^"? "]"? ("[:" [^\]:]* ":]" | [^\]\\] | "\\" any)* "]";

	([^/\\[] | "\\" any | lines)+ "/" [A-Za-z]* { goto closed; }
	*           { lx->searched += (size_t)(limit - begin); return false; }
	$           { return false; }
	*/
closed:
	if (ends_extended(text_of(begin, lx->at)))
		return true;
	lx->searched += (size_t)(lx->at - begin);
	return false;
}

static struct token
regex_open(struct lexer *lx, const char *begin)
{
	struct diag *d;

	if (regex_of_lines(lx, begin))
		return regex_token(lx, begin);
	lx->at = line_end(lx, begin + 1);
	d = complain(lx, OPEN_REGEX, span_of(lx, begin, begin + 1),
	    "the regex is not closed on its line");
	help(lx, d, "end the regex with /; a slash in it is written \\/");
	return make(lx, TOKEN_REGEX, begin, text_of(begin + 1, lx->at));
}

/*
 * A slash in a class does not end the regex, nor does an escaped one; lx->at
 * is behind the first slash.
 */
static struct token
regex(struct lexer *lx, const char *begin)
{
	const char *m;

	/*!re2c
	re2c:define:YYCURSOR = lx->at;
	re2c:define:YYMARKER = m;
	re2c:define:YYLIMIT = lx->limit;

	escape = "\\" [^\n\r];
	class  = "[" "^"? "]"? ("[:" [^\]:\n\r]* ":]" | [^\]\\\n\r] |
		 escape)* "]";

	([^/\\[\n\r] | escape | class)+ "/" [A-Za-z]* { return regex_token(lx, begin); }
	*           { return regex_open(lx, begin); }
	$           { return regex_open(lx, begin); }
	*/
}

/* Text that begins with a digit is a word where it can only be a domain. */
static int
atom_kind(struct str s)
{
	size_t label = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ':' || s.p[i] == '/' || s.p[i] == '+')
			return TOKEN_ATOM;
		if (s.p[i] == '.' && i + 1 < s.n)
			label = i + 1;
	}
	if (label == 0)
		return TOKEN_ATOM;
	return s.p[label] >= '0' && s.p[label] <= '9' ? TOKEN_ATOM : TOKEN_WORD;
}

/* Where the line behind p begins, or the limit. */
static const char *
next_line(const struct lexer *lx, const char *p)
{
	const char *q = memchr(p, '\n', (size_t)(lx->limit - p));

	return q ? q + 1 : lx->limit;
}

static const char *
skip_blanks(const struct lexer *lx, const char *p)
{
	while (p < lx->limit && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static bool
at_quotes(const struct lexer *lx, const char *p)
{
	return lx->limit - p >= 3 && memcmp(p, "\"\"\"", 3) == 0;
}

static struct str
block_text(struct lexer *lx, const char *begin, const char *close,
    struct str indent)
{
	char *out = arena_alloc(lx->arena, (size_t)(close - begin) * 2 + 1);
	size_t n = 0;
	bool told = false;

	for (const char *p = begin; p < close;) {
		const char *end = line_end(lx, p), *next = next_line(lx, p);
		struct str line = text_of(p, end);

		if (str_starts(line, indent)) {
			line = str_skip(line, indent.n);
		} else if (str_trim(line).n == 0) {
			line.n = 0;
		} else if (!told) {
			struct diag *d = correct(lx, BLOCK_INDENT,
			    span_of(lx, p, skip_blanks(lx, p) + 1),
			    "the line is indented less than the closing "
			    "quotes");

			help(lx, d, "begin each line of the text with the "
			    "same blanks as the line of the closing \"\"\"");
			told = true;
		}
		memcpy(out + n, line.p, line.n);
		n += line.n;
		out[n++] = '\r';
		out[n++] = '\n';
		p = next;
	}
	return (struct str){ out, n };
}

/* Text between lines of three quotes; lx->at is behind the first ones. */
static struct token
block(struct lexer *lx, const char *begin)
{
	const char *first = next_line(lx, lx->at), *p;
	struct diag *d;

	if (skip_blanks(lx, lx->at) < line_end(lx, lx->at)) {
		d = correct(lx, BLOCK_START, span_of(lx, begin, begin + 3),
		    "the text begins on the line of its opening quotes");
		help(lx, d, "begin the text on the next line, and put the "
		    "closing \"\"\" on a line of their own");
		for (p = lx->at; p < first; p++)
			if (at_quotes(lx, p)) {
				lx->at = p + 3;
				return plain(lx, TOKEN_BLOCK, begin);
			}
	}
	for (p = first; p < lx->limit; p = next_line(lx, p)) {
		const char *close = skip_blanks(lx, p);

		if (!at_quotes(lx, close))
			continue;
		lx->at = close + 3;
		return make(lx, TOKEN_BLOCK, begin,
		    block_text(lx, first, p, text_of(p, close)));
	}
	d = complain(lx, OPEN_BLOCK, span_of(lx, begin, begin + 3),
	    "the text is never closed");
	help(lx, d, "close it with \"\"\" on a line of their own");
	lx->at = lx->limit;
	return plain(lx, TOKEN_BLOCK, begin);
}

/* JavaScript between two runs of three backticks. */
static struct token
fence(struct lexer *lx, const char *begin)
{
	const char *code = lx->at;

	while (lx->limit - lx->at >= 3) {
		if (memcmp(lx->at, "```", 3) == 0) {
			lx->at += 3;
			return make(lx, TOKEN_FENCE, begin,
			    text_of(code, lx->at - 3));
		}
		lx->at++;
	}
	lx->at = lx->limit;
	complain(lx, OPEN_BLOCK, span_of(lx, begin, begin + 3),
	    "the code is never closed");
	return plain(lx, TOKEN_FENCE, begin);
}

static struct token
foreign(struct lexer *lx, const char *begin, int kind, const char *write)
{
	struct diag *d = correct(lx, FOREIGN, span_of(lx, begin, lx->at),
	    "`%.*s` is not an operator", (int)(lx->at - begin), begin);

	help(lx, d, write);
	return plain(lx, kind, begin);
}

static void
skip_foreign_comment(struct lexer *lx, const char *begin)
{
	struct diag *d = correct(lx, FOREIGN, span_of(lx, begin, begin + 2),
	    "`%.2s` does not begin a comment", begin);

	help(lx, d, "comments run from # to the end of the line");
	lx->at = line_end(lx, begin);
}

static void
skip_semicolon(struct lexer *lx, const char *begin)
{
	struct diag *d = correct(lx, FOREIGN, span_of(lx, begin, lx->at),
	    "`;` has no meaning here");

	help(lx, d, "leave it out: nothing separates or ends actions");
}

static struct token
bare_address(struct lexer *lx, const char *begin)
{
	struct diag *d = correct(lx, FOREIGN, span_of(lx, begin, lx->at),
	    "a mail address stands in angle brackets");

	if (d)
		diag_help(lx->diags, d, "write <%.*s>", (int)(lx->at - begin),
		    begin);
	return plain(lx, TOKEN_ADDRESS, begin);
}

static void
skip_stray(struct lexer *lx, const char *begin)
{
	struct diag *d;

	while (lx->at < lx->limit && (*lx->at & 0xC0) == 0x80)
		lx->at++;
	d = complain(lx, STRAY, span_of(lx, begin, lx->at),
	    "`%.*s` has no meaning here", (int)(lx->at - begin), begin);
	if (*begin == '*')
		help(lx, d, "wildcards stand in texts: like \"*.exe\"");
}

/* *.example.com, .example.com and @example.com, as other programs want it. */
static struct token
stray_domain(struct lexer *lx, const char *begin)
{
	const char *word = begin + (*begin == '*' ? 2 : 1);
	struct diag *d = correct(lx, STRAY, span_of(lx, begin, word),
	    "`%.*s` has no meaning here", (int)(word - begin), begin);

	if (d)
		diag_help(lx->diags, d, "write %.*s; `under` holds for a "
		    "domain and all below it", (int)(lx->at - word), word);
	return make(lx, TOKEN_WORD, begin, text_of(word, lx->at));
}

struct token
lexer_next(struct lexer *lx)
{
	const char *begin, *m, *t1;

again:
	begin = lx->at;
	/*!re2c
	re2c:define:YYCURSOR = lx->at;
	re2c:define:YYMARKER = m;
	re2c:define:YYCTXMARKER = t1;
	re2c:define:YYLIMIT = lx->limit;

	high    = [\x80-\xff];
	letter  = [A-Za-z_] | high;
	rest    = letter | [0-9.] | "-";
	word    = letter rest*;
	hex     = [0-9A-Fa-f];
	number  = [0-9] (rest | ":")* ("+" [0-9:]+)? ("/" [0-9]+)?;
	colons  = hex{0,4} ":" (hex | [:.])+ ("/" [0-9]+)?;
	blank   = [ \t\r\n] | [\x01-\x08\x0b\x0c\x0e-\x1f\x7f\x00];
	char    = [^"\\\n\r] | "\\" [^\n\r];
	key     = "{" [A-Za-z.( -]+ "(" ["] [^"\\\n\r]* ["] ")"+ "}";
	str     = ["] (char | key)* ["];
	inside  = [^<>" \t\r\n\x00];

	blank+                  { goto again; }
	"#"                     { lx->at = line_end(lx, begin); goto again; }
	$                       { return make(lx, 0, begin, STR("")); }

	word                    { return plain(lx, word_kind(text_of(begin,
				      lx->at)), begin); }
	word / [ \t]+ [+-] [0-9] { return plain(lx, scored_kind(text_of(begin,
				      lx->at)), begin); }
	number                  { return plain(lx, atom_kind(text_of(begin,
				      lx->at)), begin); }
	colons                  { return plain(lx, TOKEN_ATOM, begin); }
	[+-] number             { return plain(lx, TOKEN_SIGNED, begin); }
	str                     { return string(lx, begin, 1, 1); }
	["]                     { return string_open(lx, begin); }
	["]{3}                  { return block(lx, begin); }
	"```"                   { return fence(lx, begin); }
	"<" (inside | str)* ">" { return make(lx, TOKEN_ADDRESS, begin,
				      text_of(begin + 1, lx->at - 1)); }
	"/"                     { if (lx->last == TOKEN_MATCHES)
					return regex(lx, begin);
				  skip_stray(lx, begin);
				  goto again; }

	"{"  { return plain(lx, TOKEN_LB, begin); }
	"}"  { return plain(lx, TOKEN_RB, begin); }
	"("  { return plain(lx, TOKEN_LP, begin); }
	")"  { return plain(lx, TOKEN_RP, begin); }
	"["  { return plain(lx, TOKEN_LSB, begin); }
	"]"  { return plain(lx, TOKEN_RSB, begin); }
	"="  { return plain(lx, TOKEN_EQ, begin); }
	","  { return plain(lx, TOKEN_COMMA, begin); }
	"<"  { return plain(lx, TOKEN_LT, begin); }
	"<=" { return plain(lx, TOKEN_LE, begin); }
	">"  { return plain(lx, TOKEN_GT, begin); }
	">=" { return plain(lx, TOKEN_GE, begin); }

	"=="         { return foreign(lx, begin, TOKEN_IS, "write `is`"); }
	"=~"         { return foreign(lx, begin, TOKEN_MATCHES,
			   "write `matches`"); }
	"!="         { return foreign(lx, begin, TOKEN_NE, "write `is not`"); }
	"&" | "&&"   { return foreign(lx, begin, TOKEN_AND, "write `and`"); }
	"|" | "||"   { return foreign(lx, begin, TOKEN_OR, "write `or`"); }
	"!"          { return foreign(lx, begin, TOKEN_NOT, "write `not`"); }
	";"          { skip_semicolon(lx, begin); goto again; }
	"//" [A-Za-z]* {
		if (lx->last == TOKEN_MATCHES)
			return regex_token(lx, begin);
		skip_foreign_comment(lx, begin);
		goto again;
	}
	"/" "/"+     { skip_foreign_comment(lx, begin); goto again; }
	"/" "*"      { skip_foreign_comment(lx, begin); goto again; }
	['] [^'\n\r]* ['] { return quoted_otherwise(lx, begin, 1, "single"); }
	"\xe2\x80" [\x9c\x9d\x9e] ([^"\xe2\n\r] | "\xe2" [^\x80\n\r] |
	"\xe2\x80" [^\x9c\x9d\x9e\n\r])*
	"\xe2\x80" [\x9c\x9d] {
		return quoted_otherwise(lx, begin, 3, "typographic");
	}
	word "@" [A-Za-z0-9.\-]+ { return bare_address(lx, begin); }
	"*"? "." letter rest* | "@" letter rest* {
		return stray_domain(lx, begin);
	}
	*            { skip_stray(lx, begin); goto again; }
	*/
}
