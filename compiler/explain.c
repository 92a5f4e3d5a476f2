/* `milterc explain FILE` as text. */
#include "compiler/explain.h"

#include "compiler/account.h"

static void
print_holders(struct compilation *c, const struct account *a, FILE *f)
{
	for (size_t i = 0; i < a->holder_count && i < ACCOUNT_HOLDERS; i++) {
		const struct ir_rule *h = a->holders[i];
		struct str file;
		unsigned line;

		account_place(c, h, &file, &line);
		fprintf(f,
		    "  held by  %.*s (%.*s:%u), which is known from %.*s "
		    "on\n",
		    STR_ARG(h->name), STR_ARG(file), line,
		    STR_ARG(stage_rows[h->known].name));
	}
	if (a->holder_count > ACCOUNT_HOLDERS)
		fprintf(f, "           and %zu more\n",
		    a->holder_count - ACCOUNT_HOLDERS);
}

static void
print_rule(struct accounts *all, const struct ir_rule *r, FILE *f)
{
	struct account a = accounts_next(all, r);

	fprintf(f, "%.*s (%.*s:%u): %.*s\n", STR_ARG(r->name), STR_ARG(a.file),
	    a.line, STR_ARG(a.kind));
	if (a.never)
		fprintf(f, "  decided  never: %.*s\n", STR_ARG(a.reason));
	else
		fprintf(f, "  decided  at %.*s: %.*s\n",
		    STR_ARG(stage_rows[a.decided].name), STR_ARG(a.reason));
	if (r->js)
		fprintf(
		    f, "  asks     %.*s\n", STR_ARG(account_call(all->c, r)));
	print_holders(all->c, &a, f);
	fprintf(f, "  spoken   %.*s\n  scope    %.*s\n\n", STR_ARG(a.spoken),
	    STR_ARG(a.scope));
}

static void
print_stages(const char *word, unsigned set, FILE *f)
{
	fprintf(f, "  %-8s", word);
	for (int s = 0; s < STAGE_COUNT; s++)
		if (set >> s & 1)
			fprintf(f, " %.*s", STR_ARG(stage_rows[s].name));
	if (!set)
		fputs(" none", f);
	fputc('\n', f);
}

static void
print_macros(const struct needs *n, FILE *f)
{
	for (size_t i = 0; i < n->macros.n; i++) {
		const struct needs_macro *m = &n->macros.v[i];

		if (i == 0 || n->macros.v[i - 1].stage != m->stage)
			fprintf(f, "%s  macros   at %.*s:", i ? "\n" : "",
			    STR_ARG(stage_rows[m->stage].name));
		fprintf(f, " %.*s", STR_ARG(m->name));
	}
	fputs(n->macros.n ? "\n" : "  macros   none\n", f);
}

static void
print_actions(const struct ir *ir, FILE *f)
{
	const char *comma = " ";

	fputs("  changes ", f);
	for (int a = 1; a < ACTION_COUNT; a++) {
		if (action_rows[a].kind != ACTION_CHANGE ||
		    !account_uses(ir, (enum milt_action)a))
			continue;
		fprintf(f, "%s%.*s", comma, STR_ARG(action_rows[a].name));
		comma = ", ";
	}
	fputs(*comma == ' ' ? " none\n" : "\n", f);
}

const struct explain_content explain_content[] = {
	{ NEED_MIME, "parts" },
	{ NEED_TEXTS, "texts" },
	{ NEED_URLS, "URLs" },
	{ NEED_FILES, "files and archives" },
	{ NEED_KINDS, "kinds of files" },
	{ NEED_DIGESTS, "digests of files" },
	{ NEED_FILE_TEXTS, "texts of files" },
};
const size_t explain_content_count =
    sizeof(explain_content) / sizeof(*explain_content);

/* What is read of the message, where its contents are. */
static void
print_content(uint32_t flags, FILE *f)
{
	const char *comma = " ";

	if (!(flags & NEED_MIME))
		return;
	fputs("  content ", f);
	for (size_t i = 0; i < explain_content_count; i++) {
		if (!(flags & explain_content[i].need))
			continue;
		fprintf(f, "%s%s", comma, explain_content[i].word);
		comma = ", ";
	}
	fputc('\n', f);
}

static void
print_needs(struct compilation *c, FILE *f)
{
	struct needs n = needs_of(c->ir);

	fputs("asked of the MTA\n", f);
	print_stages("facts at", n.info, f);
	print_stages("answers", n.answers, f);
	print_macros(&n, f);
	print_actions(c->ir, f);
	fprintf(f, "  header   %s\n  body     %s\n",
	    n.flags & NEED_HEADERS ? "yes"
	    : n.flags & NEED_SIZES ? "its size"
				   : "no",
	    n.flags & NEED_BODY    ? "yes"
	    : n.flags & NEED_SIZES ? "its size"
				   : "no");
	print_content(n.flags, f);
}

void
explain_print(struct compilation *c, FILE *f)
{
	struct accounts all;

	accounts_begin(&all, c);
	c->arena.on_fail = &c->no_memory;
	if (setjmp(c->no_memory) == 0) {
		for (size_t i = 0; i < c->ir->rules.n; i++)
			print_rule(&all, c->ir->rules.v[i], f);
		print_rule(&all, c->ir->otherwise, f);
		print_needs(c, f);
	} else {
		fputs("out of memory\n", stderr);
	}
	c->arena.on_fail = NULL;
}
