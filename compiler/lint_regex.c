#include "compiler/lint.h"
#include "runtime/literal.h"
#include "runtime/literal_class.h"

/* What a regex is made of, as far as lint cares. */
struct shape {
	bool begin, end; /* ^ or \A first, $ or \z last */
	bool literal;    /* nothing but literal characters between */
	bool bare_dots;  /* ... but for unescaped dots */
	struct str text; /* those characters */
	size_t nested;   /* offset + 1 of a quantifier on a group that ends
			    in or holds one; 0: none */
	unsigned captures;
};

enum {
	DEPTH = 64,
	MANY = 100, /* regexes: with more, the costly ones are named */
};

static bool
is_quantifier(struct str s, size_t i)
{
	if (i >= s.n)
		return false;
	if (s.p[i] == '*' || s.p[i] == '+')
		return true;
	return s.p[i] == '{' && i + 1 < s.n && s.p[i + 1] >= '0' &&
	       s.p[i + 1] <= '9' && memchr(s.p + i, ',', s.n - i) != NULL;
}

static size_t
skip_class(struct str s, size_t i)
{
	size_t begin = i++;

	if (i < s.n && s.p[i] == '^')
		i++;
	if (i < s.n && s.p[i] == ']')
		i++;
	while (i < s.n && s.p[i] != ']')
		i += s.p[i] == '\\' ? 2 : 1;
	return i < s.n ? i : begin;
}

/* `(a+)+`: a repeated group that itself repeats may take exponential time. */
static size_t
find_nested(struct str s)
{
	bool repeats[DEPTH] = { false };
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\') {
			i++;
		} else if (s.p[i] == '[') {
			i = skip_class(s, i);
		} else if (s.p[i] == '(') {
			if (++depth >= DEPTH)
				return 0;
			repeats[depth] = false;
		} else if (s.p[i] == ')' && depth) {
			bool inner = repeats[depth--];

			if (inner && is_quantifier(s, i + 1) &&
			    !(i + 2 < s.n && s.p[i + 2] == '+'))
				return i + 2;
			repeats[depth] |= inner;
			continue;
		}
		if (is_quantifier(s, i + 1) && s.p[i] != '(' &&
		    !(i + 2 < s.n && s.p[i + 2] == '+'))
			repeats[depth] = true;
	}
	return 0;
}

static void
read_shape(struct arena *a, struct str s, struct shape *sh)
{
	char *text = arena_alloc(a, s.n + 1);
	size_t n = 0, i = 0;

	*sh = (struct shape){ .nested = find_nested(s) };
	if (s.n && s.p[0] == '^') {
		sh->begin = true;
		i = 1;
	}
	if (s.n > i && s.p[s.n - 1] == '$' &&
	    !(s.n > 1 && s.p[s.n - 2] == '\\')) {
		sh->end = true;
		s.n--;
	}
	for (; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 1 < s.n &&
		    strchr(".@-_/+*?()[]{}|^$\\ ", s.p[i + 1]))
			c = s.p[++i];
		else if (c == '.')
			sh->bare_dots = true;
		else if (strchr("\\*?+()[]{}|^$", c) || c == '\0')
			return;
		text[n++] = c;
	}
	sh->literal = n > 0;
	sh->text = (struct str){ text, n };
}

static bool
is_domain_like(struct str s)
{
	bool dot = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		dot |= c == '.' && i > 0 && i + 1 < s.n;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '.' ||
			c == '@'))
			return false;
	}
	return dot;
}

static const char *
plain_operator(const struct shape *sh, bool domain)
{
	if (sh->begin && sh->end)
		return "is";
	if (sh->begin)
		return "starts with";
	if (domain)
		return "under";
	return sh->end ? "ends with" : "contains";
}

static void
lint_literal(
    struct compilation *c, const struct ast_expr *e, const struct shape *sh)
{
	enum milt_type type = attr_rows[e->left->attr].type;
	bool domain = is_domain_like(sh->text) && !sh->begin &&
		      (type == TYPE_DOMAIN || type == TYPE_ADDRESS ||
			  e->left->attr == ATTR_HELO);
	bool exact = !memchr(
	    e->right->flags.p ? e->right->flags.p : "", 'i', e->right->flags.n);
	struct str words = source_words(c, e->left->span), text = sh->text;
	const char *op = plain_operator(sh, domain);
	struct diag *d;

	if (domain) {
		size_t at = str_find(text, '@');

		text = at < text.n ? str_skip(text, at + 1) : text;
		while (text.n && text.p[0] == '.')
			text = str_skip(text, 1);
		d = diag_at(&c->diags, D_REGEX_DOMAIN, e->right->span,
		    sh->end ? "a plain domain is written as a regex"
			    : "without an anchor this matches inside longer "
			      "names, too");
		diag_help(&c->diags, d, "write: %.*s%s under %.*s",
		    STR_ARG(words), type == TYPE_ADDRESS ? ".domain" : "",
		    STR_ARG(text));
		return;
	}
	if (sh->bare_dots)
		return;
	d = diag_at(&c->diags, D_REGEX_LITERAL, e->right->span,
	    "a plain text is written as a regex");
	diag_help(&c->diags, d, "write: %.*s %s %s\"%.*s\"", STR_ARG(words), op,
	    exact && strcmp(op, "under") != 0 ? "exactly " : "", STR_ARG(text));
}

static void
lint_regex(struct compilation *c, const struct ast_expr *e)
{
	struct str source = e->right->text;
	struct span at = e->right->span;
	struct shape sh;
	struct diag *d;

	read_shape(&c->arena, source, &sh);
	if (sh.nested) {
		at.begin += (uint32_t)sh.nested;
		at.end = at.begin + 1;
		d = diag_at(&c->diags, D_REGEX_NESTED, at,
		    "a repetition inside a repetition can take very long");
		diag_primary_label(
		    &c->diags, d, "repeats a group that repeats");
		diag_help(&c->diags, d,
		    "make one of them possessive (`++`), or write the group "
		    "without the inner repetition");
	}
	if (sh.literal && e->left->attr != ATTR_NONE)
		lint_literal(c, e, &sh);
}

static void
lint_expr(struct compilation *c, const struct ast_expr *e)
{
	if (!e)
		return;
	if (e->kind == EXPR_COMPARE && e->op == OP_MATCHES &&
	    e->right->kind == VALUE_REGEX)
		lint_regex(c, e);
	lint_expr(c, e->a);
	lint_expr(c, e->b);
}

static void
lint_residual(struct compilation *c)
{
	for (size_t i = 0; i < c->ir->regexes.n; i++) {
		const struct ir_regex *re = c->ir->regexes.v[i];
		struct literals set;
		struct literals_also also;
		struct classes classes;
		bool readable;
		struct diag *d;

		if (literals_of(re->source, ir_regex_flags(re), &set, &also) ||
		    classes_of(re->source, ir_regex_flags(re), &classes))
			continue;
		d = diag_at(&c->diags, D_REGEX_RESIDUAL, re->span,
		    "the regex is tried on every value");
		readable = literals_readable(re->source, ir_regex_flags(re));
		diag_primary_label(&c->diags, d, "%s",
		    readable ? "no text of three characters is in all of its "
			       "matches"
			     : "the index cannot read this kind of regex");
		diag_help(&c->diags, d, "%s",
		    readable ? "write such a text into each alternative, or a "
			       "cheaper condition in front of the regex"
			     : "write it without (*...), \\G and calls of "
			       "groups, or a cheaper condition in front of it");
	}
}

static void
lint_template(struct compilation *c, const struct ast_template *t)
{
	for (size_t i = 0; t && i < t->pieces.n; i++) {
		const struct ast_piece *p = &t->pieces.v[i];
		struct diag *d;

		if (!p->choice)
			continue;
		d = diag_at(&c->diags, D_REGEX_CHOICE, p->span,
		    "several regexes of the rule have a group %.*s",
		    STR_ARG(p->text));
		diag_help(&c->diags, d,
		    "it is that of the last one that matched; give the group "
		    "a name: (?<name>...), and write {name}");
	}
}

static void
lint_captures(struct compilation *c, const struct item_rule *r)
{
	for (size_t i = 0; i < r->actions.n; i++) {
		const struct ast_action *a = r->actions.v[i];

		for (size_t k = 0; k < a->texts.n; k++)
			lint_template(c, a->texts.v[k]);
		lint_template(c, a->name);
		lint_template(c, a->address);
	}
}

void
lint_regexes(struct compilation *c)
{
	struct policy_items items = policy_items(c);

	for (size_t i = 0; i < items.n; i++) {
		struct ast_item *it = items.v[i];

		if (it->kind == ITEM_LET) {
			lint_expr(c, ((struct item_let *)it)->expr);
		} else if (it->kind == ITEM_GROUP) {
			lint_expr(c, ((struct item_group *)it)->when);
			lint_expr(c, ((struct item_group *)it)->unless);
		}
	}
	for (size_t i = 0; i < c->ir->rules.n; i++) {
		const struct item_rule *r = c->ir->rules.v[i]->ast;

		if (!r)
			continue;
		lint_expr(c, r->when);
		lint_expr(c, r->unless);
		lint_captures(c, r);
	}
	if (c->ir->regexes.n > MANY)
		lint_residual(c);
}
