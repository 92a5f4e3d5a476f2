/*
 * What the tables say is legal, compiles, and nothing else: each attribute's
 * example, each attribute at each stage, each action beside each verdict, each
 * option at its bounds.
 */
#include "compiler/compile.h"
#include "tests/unit/test.h"

/* The code of the first error of a policy, or "" if it compiles. */
static const char *
first_error(struct arena *a, struct str text)
{
	struct compile_options opt = { 0 };
	struct compilation c;
	const char *code = "";

	if (milt_compile_text(&c, STR("p.milt"), text, &opt) != MILT_OK) {
		code = "no diagnostic";
		for (size_t i = 0; i < c.diags.list.n; i++) {
			struct str s = diag_rows[c.diags.list.v[i]->id].code;

			if (s.p[0] == 'E') {
				code = arena_dup(a, s).p;
				break;
			}
		}
	}
	milt_compile_free(&c);
	return code;
}

static void
expect(struct arena *a, struct str text, const char *want)
{
	const char *got = first_error(a, text);
	int ok = strcmp(got, want) == 0;

	test_check(ok, __FILE__, __LINE__, "legality");
	if (!ok)
		printf("# want \"%s\", got \"%s\": %.*s\n", want, got,
		    STR_ARG(text));
}

/* Of macro("x") it is the macro that says when. */
static enum milt_stage
known_from(enum milt_attr attr)
{
	const struct macro_row *m = macro_by_name(STR("client_connections"));

	return attr == ATTR_MACRO ? m->from : attr_rows[attr].from;
}

static void
attributes_at_stages(struct arena *a)
{
	for (int i = 1; i < ATTR_COUNT; i++) {
		const struct attr_row *r = &attr_rows[i];

		expect(a,
		    arena_printf(a, "milt 1\nrule r { when %.*s log \"x\" }\n",
			STR_ARG(r->example)),
		    "");
		for (int s = 0; s < STAGE_COUNT; s++) {
			const char *want = "";

			if (s < (int)known_from((enum milt_attr)i))
				want = "E0501";
			else if (r->scope == SCOPE_RECIPIENT && s != STAGE_RCPT)
				want = "E0503";
			expect(a,
			    arena_printf(a,
				"milt 1\nrule r { at %.*s when %.*s reject "
				"550 5.7.1 \"x\" }\n",
				STR_ARG(stage_rows[s].name),
				STR_ARG(r->example)),
			    want);
		}
	}
}

/* accept takes every effect, other verdicts take notes alone. */
static void
actions_beside_verdicts(struct arena *a)
{
	for (int v = 1; v < ACTION_COUNT; v++) {
		if (action_rows[v].kind != ACTION_VERDICT)
			continue;
		for (int e = 1; e < ACTION_COUNT; e++) {
			const char *want = "E0606";

			if (e == v)
				continue;
			if (action_rows[e].kind == ACTION_VERDICT)
				want = "E0605";
			else if (v == ACTION_ACCEPT ||
				 action_rows[e].kind == ACTION_NOTE)
				want = "";
			expect(a,
			    arena_printf(a,
				"milt 1\nrule r { when helo is \"x\" %.*s "
				"%.*s }\n",
				STR_ARG(action_rows[v].example),
				STR_ARG(action_rows[e].example)),
			    want);
		}
	}
}

static void
option_value(struct arena *a, int i, long long value, const char *want)
{
	expect(a,
	    arena_printf(a, "milt 1\noption %.*s %lld\n",
		STR_ARG(option_rows[i].name), value),
	    want);
}

static void
options_at_bounds(struct arena *a)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *o = &option_rows[i];

		expect(a,
		    arena_printf(a, "milt 1\noption %.*s %.*s\n",
			STR_ARG(o->name), STR_ARG(o->example)),
		    "");
		if (o->kind != OPTION_NUMBER && o->kind != OPTION_SIZE)
			continue;
		option_value(a, i, o->min, "");
		option_value(a, i, o->max, "");
		option_value(a, i, o->min - 1, "E0302");
		option_value(a, i, o->max + 1, "E0302");
	}
}

/* Every warning's and error's examples do what they say. */
static void
examples_of_warnings(struct arena *a)
{
	for (int i = 0; i < DIAG_COUNT; i++) {
		const struct diag_row *d = &diag_rows[i];
		struct compile_options opt = { .lint = true };
		struct compilation c;
		bool found = false;

		/* What needs many regexes has its case in tests/cases/lint. */
		if (d->severity != SEVERITY_WARNING || d->wrong.n == 0)
			continue;
		(void)milt_compile_text(&c, STR("p.milt"), d->wrong, &opt);
		for (size_t k = 0; k < c.diags.list.n; k++)
			found |= (int)c.diags.list.v[k]->id == i;
		test_check(found && c.diags.list.n == 1, __FILE__, __LINE__,
		    arena_printf(a, "%.*s: failing example", STR_ARG(d->code))
			.p);
		milt_compile_free(&c);
		(void)milt_compile_text(&c, STR("p.milt"), d->right, &opt);
		test_check(c.diags.list.n == 0, __FILE__, __LINE__,
		    arena_printf(a, "%.*s: corrected example", STR_ARG(d->code))
			.p);
		milt_compile_free(&c);
	}
}

int
main(void)
{
	struct arena a;

	arena_init(&a, 0, NULL);
	attributes_at_stages(&a);
	actions_beside_verdicts(&a);
	options_at_bounds(&a);
	examples_of_warnings(&a);
	arena_free(&a);
	TEST_DONE();
}
