/* The account of a logged line as text. */
#include "compiler/explain_log.h"

static const char *
text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static long long
number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

/* What stands in a log comes from clients: no control reaches the terminal. */
static void
print(const char *s, FILE *f)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			fprintf(f, "\\x%02x", (unsigned char)*s);
		else
			putc(*s, f);
}

static void
print_place(const json_t *o, FILE *f)
{
	print(text(o, "rule"), f);
	if (number(o, "line") == 0)
		return;
	fputs(" (", f);
	print(text(o, "file"), f);
	fprintf(f, ":%lld)", number(o, "line"));
}

static void
print_parts(const json_t *parts, FILE *f)
{
	const json_t *p;
	size_t i;

	json_array_foreach(parts, i, p)
	{
		bool unknown = strcmp(text(p, "value"), "unknown") == 0;

		fprintf(f, "    %-8s ", text(p, "value"));
		print(text(p, "part"), f);
		if (unknown)
			fputs(", which the line does not tell", f);
		else if (json_object_get(p, "is")) {
			fputs(": ", f);
			print(text(p, "is"), f);
		} else
			fputs(": missing", f);
		putc('\n', f);
	}
}

static void
print_source(const json_t *lines, FILE *f)
{
	const json_t *o;
	size_t i;

	json_array_foreach(lines, i, o)
	{
		fprintf(f, "%5lld | ", number(o, "line"));
		/* A tab of the source is one. */
		for (const char *s = text(o, "text"); *s; s++)
			if (*s == '\t')
				fputs("        ", f);
			else
				print((char[]){ *s, 0 }, f);
		putc('\n', f);
	}
}

static void
print_head(const json_t *o, FILE *f)
{
	print(text(o, "id"), f);
	fprintf(f, ": %s", text(o, "verdict"));
	if (text(o, "stage")[0])
		fprintf(f, " at %s", text(o, "stage"));
	if (text(o, "rule")[0]) {
		fputs(" by ", f);
		print_place(o, f);
	}
	putc('\n', f);
	if (text(o, "why")[0]) {
		fputs("  ", f);
		print(text(o, "why"), f);
		putc('\n', f);
	}
	if (text(o, "reply")[0]) {
		fputs("  reply: ", f);
		print(text(o, "reply"), f);
		putc('\n', f);
	}
	if (text(o, "text")[0]) {
		fputs("  text: ", f);
		print(text(o, "text"), f);
		putc('\n', f);
	}
	if (text(o, "failure")[0]) {
		fputs("  it could not be decided: ", f);
		print(text(o, "failure"), f);
		putc('\n', f);
	}
}

static void
print_effects(const json_t *effects, FILE *f)
{
	const json_t *o;
	size_t i;

	json_array_foreach(effects, i, o)
	{
		fputs(i ? "  " : "\n  what was changed\n  ", f);
		print_place(o, f);
		fputs(": ", f);
		print(text(o, "effect"), f);
		fputs(json_is_true(json_object_get(o, "known"))
			  ? "\n"
			  : ", by a rule that the policy does not have\n",
		    f);
		print_source(json_object_get(o, "source"), f);
		print_parts(json_object_get(o, "parts"), f);
	}
}

static void
print_moved(const json_t *o, FILE *f)
{
	if (!json_is_true(json_object_get(o, "moved")))
		return;
	fputs("  When it was logged the rule stood at ", f);
	print(text(o, "logged_at"), f);
	fputs(": the policy may have been another.\n", f);
}

void
explain_log_print(const json_t *o, FILE *f)
{
	const json_t *others = json_object_get(o, "others"), *r;
	size_t i;

	print_head(o, f);
	print_moved(o, f);
	if (json_array_size(json_object_get(o, "source")) > 0) {
		putc('\n', f);
		print_source(json_object_get(o, "source"), f);
	}
	if (json_array_size(json_object_get(o, "parts")) > 0) {
		fputs("\n  its condition, by what the line tells\n", f);
		print_parts(json_object_get(o, "parts"), f);
	}
	print_effects(json_object_get(o, "effects"), f);
	if (json_array_size(others) > 0)
		fputs("\n  no rule above it decided\n", f);
	json_array_foreach(others, i, r)
	{
		fputs("  ", f);
		print_place(r, f);
		fprintf(f, ": %s\n", text(r, "because"));
		print_parts(json_object_get(r, "parts"), f);
	}
	if (number(o, "others_left") > 0)
		fprintf(f, "  and %lld more\n", number(o, "others_left"));
	putc('\n', f);
}
