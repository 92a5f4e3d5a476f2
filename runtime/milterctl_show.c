#include "runtime/milterctl_show.h"

#include <stdio.h>

#include "dsl/diag.h"

/* From the network's side of the world: no control character gets through. */
static void
show(const char *s, int width)
{
	int n = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		putchar(c < ' ' || c == 127 ? '?' : c);
		/* Bytes that go on with a character take no place. */
		n += (c & 0xc0) != 0x80;
	}
	for (; n < width; n++)
		putchar(' ');
}

static long long
number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void
show_duration(long long s)
{
	if (s >= 86400)
		printf("%lldd ", s / 86400);
	if (s >= 3600)
		printf("%lldh ", s / 3600 % 24);
	if (s >= 60)
		printf("%lldm ", s / 60 % 60);
	printf("%llds", s % 60);
}

void
show_status(const json_t *a)
{
	const json_t *p = json_object_get(a, "policy");
	const json_t *s = json_object_get(a, "sessions");
	const json_t *r = json_object_get(a, "reloads");

	printf("milterd   %s, process %lld, up ", json_member(a, "version"),
	    number(a, "pid"));
	show_duration(number(a, "uptime"));
	printf("\npolicy    ");
	show(json_member(p, "file"), 0);
	printf("\n          %lld rules, hash %s, for ", number(p, "rules"),
	    json_member(p, "hash"));
	show_duration(number(p, "age"));
	if (number(p, "regexes") > 0)
		printf("\n          %lld regexes, %s", number(p, "regexes"),
		    json_truth(p, "jit") ? "as machine code" : "interpreted");
	printf("\nreloads   %lld, %lld failed\n", number(r, "ok"),
	    number(r, "failed"));
	printf("sessions  %lld open, %lld in all", number(s, "open"),
	    number(s, "total"));
	if (number(s, "put_off") > 0)
		printf(", %lld put off", number(s, "put_off"));
	printf("\nmessages  %lld\nmemory    %.1f MB\n", number(a, "messages"),
	    (double)number(a, "memory") / (1 << 20));
}

static int
widest(const json_t *list, const char *name, int least)
{
	int width = least;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		int n = (int)strlen(json_member(o, name));

		if (n > width && n <= 40)
			width = n;
	}
	return width;
}

static void
show_place(const json_t *o)
{
	if (number(o, "line") == 0)
		return;
	show(json_member(o, "file"), 0);
	printf(":%lld", number(o, "line"));
}

void
show_rules(const json_t *a)
{
	const json_t *rules = json_object_get(a, "rules"), *o;
	const json_t *counts = json_object_get(a, "counts");
	int width = widest(rules, "rule", 4), wide;

	printf("%-*s  %-8s %10s %10s %8s  %s\n", width, "RULE", "VERDICT",
	    "DECIDED", "EFFECTS", "FAILED", "WHERE");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		o = json_array_get(rules, i);
		show(json_member(o, "rule"), width);
		printf("  %-8s", json_truth(o, "shadow") ? "shadow"
				 : json_truth(o, "js")
				     ? "js"
				     : json_member(o, "verdict"));
		printf(" %10lld %10lld %8lld  ",
		    number(o, "decided") + number(o, "shadow_hits"),
		    number(o, "effects"), number(o, "failed"));
		show_place(o);
		putchar('\n');
	}
	if (json_array_size(counts) == 0)
		return;
	wide = widest(counts, "name", 5);
	printf("\n%-*s  %10s\n", wide, "COUNT", "");
	for (size_t i = 0; i < json_array_size(counts); i++) {
		o = json_array_get(counts, i);
		show(json_member(o, "name"), wide);
		printf("  %10lld\n", number(o, "count"));
	}
}

static void
show_pair(const char *name, const char *value)
{
	if (!value[0])
		return;
	printf("  %-10s ", name);
	show(value, 0);
	putchar('\n');
}

/* Lines such as `      false  client.ip in partners: 192.0.2.1`. */
static void
show_parts(const json_t *parts)
{
	size_t i;
	json_t *p;

	json_array_foreach(parts, i, p)
	{
		printf("    %-8s ", json_member(p, "value"));
		show(json_member(p, "part"), 0);
		if (strcmp(json_member(p, "value"), "unknown") != 0) {
			fputs(json_object_get(p, "is") ? ": " : ": missing",
			    stdout);
			show(json_member(p, "is"), 0);
		}
		putchar('\n');
	}
}

void
show_transaction(const json_t *t)
{
	const json_t *rules = json_object_get(t, "rules");
	const json_t *to = json_object_get(t, "recipients");
	const json_t *lines = json_object_get(t, "text");
	int width = widest(rules, "rule", 4);
	bool colour = diags_color(stdout);

	show(json_member(t, "id")[0] ? json_member(t, "id") : "NOQUEUE", 0);
	printf(": %s at %s, %.2f ms\n", json_member(t, "verdict"),
	    json_member(t, "stage"),
	    json_number_value(json_object_get(t, "ms")));
	show_pair("client", json_member(t, "client"));
	show_pair("helo", json_member(t, "helo"));
	show_pair("sender", json_member(t, "sender"));
	for (size_t i = 0; i < json_array_size(to); i++)
		show_pair(i ? "" : "recipient",
		    json_string_value(json_array_get(to, i)));
	for (size_t i = 0; i < json_array_size(lines); i++)
		show_pair(i ? "" : "reply",
		    json_string_value(json_array_get(lines, i)));
	show_pair("failure", json_member(t, "failure"));
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *r = json_array_get(rules, i);
		bool decided = json_truth(r, "decided");

		printf("%s%s ", colour && decided ? "\033[1m" : "",
		    decided ? "*" : " ");
		printf("%-8s ", json_member(r, "value"));
		show(json_member(r, "rule"), width);
		printf("  ");
		show_place(r);
		if (json_member(r, "why")[0]) {
			printf("  ");
			show(json_member(r, "why"), 0);
		}
		puts(colour && decided ? "\033[0m" : "");
		printf("    %s\n", json_member(r, "because"));
		show_parts(json_object_get(r, "parts"));
	}
	putchar('\n');
}
