#include "dsl/syntax.h"

#include "grammar.h"

enum { MOST_TOKENS = 256, MOST_PHRASES = 6, MOST_NAMES = 128, LONGEST = 40 };

/* What may come: as tokens, and then in the author's words. */
struct expected {
	bool may[MOST_TOKENS]; /* [0]: the end of the file */
	struct str phrases[MOST_PHRASES];
	size_t n;
};

static const struct {
	int kind;
	struct str phrase;
} signs[] = {
	{ TOKEN_WORD, STR("a name") },
	{ TOKEN_STRING, STR("a text in quotes") },
	{ TOKEN_ATOM, STR("a number") },
	{ TOKEN_SIGNED, STR("a number with a sign") },
	{ TOKEN_ADDRESS, STR("an address in angle brackets") },
	{ TOKEN_REGEX, STR("a regex between slashes") },
	{ TOKEN_BLOCK, STR("a text between three quotes") },
	{ TOKEN_FENCE, STR("code between three backticks") },
	{ TOKEN_LB, STR("`{`") },
	{ TOKEN_RB, STR("`}`") },
	{ TOKEN_LP, STR("`(`") },
	{ TOKEN_RP, STR("`)`") },
	{ TOKEN_LSB, STR("`[`") },
	{ TOKEN_RSB, STR("`]`") },
	{ TOKEN_EQ, STR("`=`") },
	{ TOKEN_COMMA, STR("`,`") },
};

static void
phrase(struct expected *e, struct str words)
{
	if (e->n < MOST_PHRASES)
		e->phrases[e->n++] = words;
}

/*
 * If all of `marks` (0 ends) may come, `words` stand for them and for what
 * is `covered`.
 */
static bool
cover(
    struct expected *e, const char *words, const int *marks, const int *covered)
{
	for (const int *m = marks; *m; m++)
		if (!e->may[*m])
			return false;
	for (const int *m = marks; *m; m++)
		e->may[*m] = false;
	for (; *covered; covered++)
		e->may[*covered] = false;
	if (words)
		phrase(e, str_from(words));
	return true;
}

#define T(id) TOKEN_##id
#define SET(...) ((const int[]){ __VA_ARGS__, 0 })
#define LITERALS \
	T(WORD), T(STRING), T(ATOM), T(SIGNED), T(ADDRESS), T(RAW), T(COUNT)
#define BLOCKS T(ANY), T(EVERY), T(NO), T(LP)
#define HARD_WORDS T(AND), T(OR), T(NOT), T(IS), T(IN), T(WHEN), T(UNLESS)
#define VERDICTS T(ACCEPT), T(REJECT), T(TEMPFAIL), T(DISCARD)
#define EFFECTS                                                      \
	T(QUARANTINE), T(LOG), T(ADD), T(INSERT), T(SET), T(REMOVE), \
	    T(REPLACE), T(PREPEND), T(APPEND), T(COUNT), T(DELAY),   \
	    T(REMEMBER), T(SCORED)
#define GUARDS T(AT), T(WHEN), T(UNLESS)
#define OPERATORS                                                              \
	T(IS), T(NE), T(NOT), T(CONTAINS), T(STARTS), T(ENDS), T(LIKE), T(LT), \
	    T(LE), T(GT), T(GE), T(IN), T(UNDER), T(MATCHES), T(EXISTS),       \
	    T(ABSENT), T(MALFORMED), T(EXCEEDED), T(KNOWS), T(DELAYS),         \
	    T(LISTED), T(AND), T(OR), T(LP), T(LSB)
#define ITEMS                                                              \
	T(RULE), T(SHADOW), T(JS), T(GROUP), T(LIST), T(LET), T(MAP),      \
	    T(LIMIT), T(MEMORY), T(GREYLIST), T(SCORE), T(CLAIM), T(TEST), \
	    T(INCLUDE), T(OPTION), T(OTHERWISE), T(MILT)

static void
cover_items(struct expected *e)
{
	if (cover(e, "an item", SET(T(LET)), SET(ITEMS)))
		e->may[0] = false;
	cover(e, "a rule", SET(T(SHADOW), T(RULE)), SET(T(JS)));
	cover(e, "a fact", SET(T(GIVEN)),
	    SET(T(WORD), T(SENDER), T(RECIPIENT), T(MACRO), T(HEADER), T(BODY),
		T(MESSAGE)));
}

static void
cover_conditions(struct expected *e)
{
	cover(e, NULL, SET(T(LP), T(LSB)), SET(0)); /* of a name's key */
	cover(e, "a condition", SET(T(NOT), T(ANY)), SET(LITERALS, BLOCKS));
	cover(e, "a value", SET(T(WORD), T(AND), T(STRING)),
	    SET(LITERALS, HARD_WORDS, VERDICTS));
	cover(e, "a value", SET(T(WORD), T(STRING)),
	    SET(LITERALS, T(LB), VERDICTS, T(NOT), T(EXACTLY)));
	cover(
	    e, "a value", SET(T(STRING), T(ATOM), T(ADDRESS)), SET(T(SIGNED)));
	cover(e, "a name", SET(T(WORD), T(AND), T(ACCEPT)),
	    SET(HARD_WORDS, VERDICTS));
	cover(e, "a comparison", SET(T(IS), T(CONTAINS)), SET(OPERATORS));
	cover(e, "a number", SET(T(ATOM), T(SIGNED)), SET(0));
	cover(e, "`and`, `or`", SET(T(AND), T(OR)), SET(T(OR)));
}

static void
cover_actions(struct expected *e)
{
	if (cover(e, "an action", SET(T(ACCEPT), T(ADD)),
		SET(VERDICTS, EFFECTS, GUARDS)))
		return;
	cover(e, "a verdict", SET(T(ACCEPT)), SET(VERDICTS, T(WORD)));
	cover(e, "an effect", SET(T(ADD)), SET(EFFECTS));
}

static void
find_expected(const struct parser *ps, struct expected *e)
{
	for (int k = 0; k < grammar_tokens && k < MOST_TOKENS; k++)
		e->may[k] = grammar_accepts(ps->grammar, k, false);
	cover_items(e);
	cover_conditions(e);
	cover_actions(e);
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		cover(e, signs[i].phrase.p, SET(signs[i].kind), SET(0));
	for (int k = 1; k < grammar_tokens && k < MOST_TOKENS; k++)
		if (e->may[k] && keyword_text(k).n)
			phrase(e, arena_printf(ps->arena, "`%.*s`",
				      STR_ARG(keyword_text(k))));
	if (e->may[0])
		phrase(e, STR("the end of the file"));
}

/* "a", "a or b", "a, b or c" */
static struct str
join(struct arena *arena, const struct expected *e)
{
	struct str s = STR("");

	for (size_t i = 0; i < e->n; i++)
		s = arena_printf(arena, "%.*s%s%.*s", STR_ARG(s),
		    i == 0          ? ""
		    : i + 1 == e->n ? " or "
				    : ", ",
		    STR_ARG(e->phrases[i]));
	return s;
}

/* Cut between characters. */
static struct str
shorten(struct str s)
{
	if (s.n <= LONGEST)
		return s;
	s.n = LONGEST;
	while (s.n && (s.p[s.n] & 0xC0) == 0x80)
		s.n--;
	return s;
}

static struct str
found(const struct parser *ps, struct token t)
{
	if (t.kind == 0)
		return STR("the end of the file");
	if (t.kind == TOKEN_STRING || t.kind == TOKEN_REGEX ||
	    t.kind == TOKEN_BLOCK || t.kind == TOKEN_FENCE)
		for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
			if (signs[i].kind == t.kind)
				return signs[i].phrase;
	if (t.kind == TOKEN_ADDRESS)
		return arena_printf(
		    ps->arena, "`<%.*s>`", STR_ARG(shorten(t.text)));
	return arena_printf(ps->arena, "`%.*s`", STR_ARG(shorten(t.text)));
}

/* ---- help ------------------------------------------------------------ */

static const struct {
	int kind;
	const char *help;
} forms[] = {
	{ TOKEN_RULE,
	    "a rule is written: rule NAME { when CONDITION ACTION }" },
	{ TOKEN_SHADOW, "a shadow rule is written: shadow rule NAME { ... }" },
	{ TOKEN_GROUP,
	    "a group is written: group NAME when CONDITION { ... }" },
	{ TOKEN_LIST, "a list is written: list NAME of TYPE { ... }, or "
		      "list NAME of TYPE from \"path\"" },
	{ TOKEN_OF, "a list is written: list NAME of TYPE { ... }, or "
		    "list NAME of TYPE from \"path\"" },
	{ TOKEN_LET, "a definition is written: let NAME = CONDITION" },
	{ TOKEN_INCLUDE, "a file is named in quotes: include \"file.milt\"" },
	{ TOKEN_TEST, "a test is named in quotes: test \"what it shows\" "
		      "{ ... }" },
	{ TOKEN_MESSAGE, "a message is written between lines of three quotes, "
			 "or named: message file \"x.eml\"" },
	{ TOKEN_STARTS, "write `starts with`" },
	{ TOKEN_ENDS, "write `ends with`" },
	{ TOKEN_MATCHES, "write matches /regex/, or like \"*.exe\" for "
			 "wildcards" },
	{ TOKEN_HEADER, "the name of a header field stands in quotes: "
			"header \"X-Test\"" },
	{ TOKEN_QUARANTINE, "the reason stands in quotes: quarantine \"why\"" },
	{ TOKEN_DELAY, "a delay is written: delay 10s" },
	{ TOKEN_LOG, "the text stands in quotes: log \"text\"" },
	{ TOKEN_REJECT, "a verdict needs its text in quotes: "
			"reject 550 5.7.1 \"text\"" },
	{ TOKEN_TEMPFAIL, "a verdict needs its text in quotes: "
			  "tempfail 451 4.7.1 \"text\"" },
};

static const char *
form_of(int kind)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (forms[i].kind == kind)
			return forms[i].help;
	return NULL;
}

static bool
is_name_like(int kind)
{
	return kind == TOKEN_WORD || kind == TOKEN_SCORED;
}

static bool
quantifies(int kind)
{
	return kind == TOKEN_ANY || kind == TOKEN_EVERY || kind == TOKEN_NO;
}

/* What people write who know other languages. */
static const char *
foreign_help(const struct trail *trail, struct token t)
{
	if (str_eq_ascii(t.text, STR("else")) ||
	    str_eq_ascii(t.text, STR("elsif")) ||
	    str_eq_ascii(t.text, STR("elif")))
		return "rules are read from top to bottom: write another rule "
		       "below this one";
	if (str_eq_ascii(t.text, STR("then")))
		return "leave it out: the actions follow the condition";
	if (str_eq_ascii(t.text, STR("if")))
		return "a condition stands behind `when` in a rule";
	if (str_eq_ascii(t.text, STR("equals")) ||
	    str_eq_ascii(t.text, STR("eq")))
		return "write `is`";
	if (trail->last[0].kind == TOKEN_NOT &&
	    (t.kind == TOKEN_CONTAINS || t.kind == TOKEN_MATCHES ||
		t.kind == TOKEN_LIKE || t.kind == TOKEN_STARTS ||
		t.kind == TOKEN_ENDS || t.kind == TOKEN_EXISTS))
		return t.kind == TOKEN_EXISTS
			   ? "write `absent`"
			   : "put `not` before the whole comparison: not "
			     "helo contains \"x\"";
	return NULL;
}

/* The keyword that was meant, if there is one. */
static struct str
nearest_keyword(const struct parser *ps, struct token t)
{
	struct str names[MOST_NAMES];
	size_t n = 0;

	if (!is_name_like(t.kind))
		return STR("");
	for (int k = 1; k < grammar_tokens && n < MOST_NAMES; k++)
		if (keyword_text(k).n > 1 &&
		    grammar_accepts(ps->grammar, k, false))
			names[n++] = keyword_text(k);
	return nearest_name(t.text, names, n);
}

static void
add_help(struct parser *ps, struct diag *d, const struct trail *trail,
    struct token t)
{
	const char *help = foreign_help(trail, t);
	struct str near = nearest_keyword(ps, t);
	int before = trail->last[0].kind;

	if (!help && near.n) {
		diag_help(ps->diags, d, "did you mean `%.*s`?", STR_ARG(near));
		return;
	}
	if (before == TOKEN_ATOM)
		before = trail->last[1].kind == TOKEN_ATOM
			     ? trail->last[2].kind
			     : trail->last[1].kind;
	if (quantifies(trail->last[1].kind) &&
	    grammar_accepts(ps->grammar, TOKEN_LB, false))
		help = "the condition on an element stands in braces: any "
		       "header { name is \"X-Test\" }";
	if (!help &&
	    (before == TOKEN_REJECT || before == TOKEN_TEMPFAIL ||
		before == TOKEN_HEADER) &&
	    !grammar_accepts(ps->grammar, TOKEN_STRING, false))
		return;
	if (!help && (before == TOKEN_HEADER || before != TOKEN_ATOM))
		help = form_of(before);
	if (!help && t.kind != 0 && form_of(t.kind) && trail->last[0].kind == 0)
		help = form_of(t.kind);
	if (help)
		diag_help(ps->diags, d, "%s", help);
}

void
report_syntax(struct parser *ps, const struct trail *trail, struct token t,
    const struct span *open)
{
	struct expected e = { 0 };
	struct str what = found(ps, t), wanted;
	struct diag *d;

	if (ps->diags->errors > (size_t)LIMIT_VALUE_ERRORS) {
		diag_at(
		    ps->diags, D_SYNTAX, t.span, "found %.*s", STR_ARG(what));
		return;
	}
	if (t.kind == 0 && trail->last[0].span.end) {
		t.span = trail->last[0].span;
		t.span.begin = t.span.end;
	}
	find_expected(ps, &e);
	wanted = join(ps->arena, &e);
	if (wanted.n)
		d = diag_at(ps->diags, D_SYNTAX, t.span,
		    "found %.*s, expected %.*s", STR_ARG(what),
		    STR_ARG(wanted));
	else
		d = diag_at(ps->diags, D_SYNTAX, t.span,
		    "%.*s cannot stand here", STR_ARG(what));
	if (open && (grammar_accepts(ps->grammar, TOKEN_RP, false) ||
			grammar_accepts(ps->grammar, TOKEN_RB, false)))
		diag_label(ps->diags, d, *open, "opened here");
	add_help(ps, d, trail, t);
}
