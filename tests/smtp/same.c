/*
 * Plays the transactions of a policy's tests through a real MTA and compares
 * its replies with the outcomes that `milterc test --json` states.
 *
 *	same PORT < JSON
 *
 * Prints one line for each test: `same NAME`, `other NAME` with what was
 * wanted and what came, or `left out NAME: why` where SMTP and XCLIENT cannot
 * express it.  Exit: 0 if none differs, 1 if one does, 2 on trouble.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { RECIPIENTS = 64, TEXT = 8192 };

struct heard {
	int code; /* 0: nothing was said */
	char text[TEXT];
};

struct replies {
	int client; /* to XCLIENT */
	struct heard mail, rcpt[RECIPIENTS], data, end;
};

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void
hear(struct heard *h, struct client *c, int code)
{
	h->code = code;
	snprintf(h->text, sizeof(h->text), "%s", c->text);
}

/* ---- what can be said ---------------------------------------------------- */

static bool
has_octet_over_127(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s > 127)
			return true;
	}
	return false;
}

/* A macro that XCLIENT sets, or that only states what the MTA says anyway. */
static bool
macro_can_be_said(const char *name, const char *value)
{
	static const char *const names[] = { "{client_ptr}", "{auth_authen}" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return strcmp(name, "j") == 0 && strcmp(value, "server.invalid") == 0;
}

static const char *
fields_cannot_be_said(const json_t *fields)
{
	size_t i;
	json_t *field;

	json_array_foreach(fields, i, field)
	{
		const json_t *value = json_array_get(field, 1);
		const char *text = json_string_value(value);

		if (strlen(text) != json_string_length(value) ||
		    strchr(text, '\r'))
			return "NUL or CR in a header field";
		if (text[0] == ' ' || text[0] == '\t')
			return "a header field that begins with a blank";
	}
	return NULL;
}

/* Why a transaction cannot be played through SMTP; NULL if it can. */
static const char *
cannot_be_said(const json_t *t)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(t, "macros"), name, value)
	{
		if (!macro_can_be_said(name, json_string_value(value)))
			return name;
	}
	if (json_array_size(json_object_get(t, "given")) > 0)
		return "an answer of a js rule is given";
	if (!json_object_get(t, "client_ip"))
		return "no client address";
	if (json_array_size(json_object_get(t, "recipients")) > RECIPIENTS)
		return "too many recipients";
	if (member(t, "helo")[0] == 0)
		return "no HELO";
	if (member(t, "helo")[0] == ' ')
		return "a HELO that begins with a blank";
	json_t *body = json_object_get(t, "body");
	if (strlen(json_string_value(body)) != json_string_length(body))
		return "NUL in the body";
	return fields_cannot_be_said(json_object_get(t, "header"));
}

/* Nobody waits that long for a test: daemon.bats. */
static bool
is_delayed(const json_t *outcome)
{
	size_t i;
	json_t *change;

	json_array_foreach(json_object_get(outcome, "changes"), i, change)
	{
		if (strncmp(json_string_value(change), "delay ", 6) == 0)
			return true;
	}
	return false;
}

/* ---- saying it ----------------------------------------------------------- */

/* XCLIENT values are xtext (RFC 1891): other octets as +XX. */
static void
add_xtext(char *line, size_t room, const char *name, const char *value)
{
	size_t n = strlen(line);

	n += (size_t)snprintf(line + n, room - n, " %s=", name);
	for (; *value && n + 4 < room; value++) {
		unsigned char ch = (unsigned char)*value;

		n += (size_t)snprintf(line + n, room - n,
		    ch > 32 && ch < 127 && ch != '+' && ch != '=' ? "%c"
								  : "+%02X",
		    ch);
	}
}

static int
say_client(struct client *c, const json_t *t)
{
	const json_t *macros = json_object_get(t, "macros");
	const char *name = member(t, "client_name");
	const char *ptr = member(macros, "{client_ptr}");
	const char *login = member(macros, "{auth_authen}");
	const char *ip = member(t, "client_ip");
	char line[2048] = "XCLIENT", number[32], address[64];
	long long port = json_integer_value(json_object_get(t, "client_port"));

	snprintf(address, sizeof(address), "%s%s",
	    strchr(ip, ':') ? "IPV6:" : "", ip);
	snprintf(number, sizeof(number), "%lld", port);
	add_xtext(line, sizeof(line), "NAME", *name ? name : "[UNAVAILABLE]");
	add_xtext(
	    line, sizeof(line), "REVERSE_NAME", *ptr ? ptr : "[UNAVAILABLE]");
	add_xtext(line, sizeof(line), "ADDR", address);
	add_xtext(line, sizeof(line), "PORT", number);
	if (*login)
		add_xtext(line, sizeof(line), "LOGIN", login);
	return client_say(c, line);
}

static void
say_sender(struct client *c, const json_t *t, struct heard *h)
{
	const char *sender = member(t, "sender");
	const json_t *parameters = json_object_get(t, "parameters");
	bool utf8 = has_octet_over_127(sender);
	char line[4096];
	size_t i, n;
	json_t *p;

	n = (size_t)snprintf(line, sizeof(line), "%s", sender);
	json_array_foreach(parameters, i, p)
	{
		if (n < sizeof(line))
			n += (size_t)snprintf(line + n, sizeof(line) - n, " %s",
			    json_string_value(p));
	}
	json_array_foreach(json_object_get(t, "recipients"), i, p) utf8 |=
	    has_octet_over_127(json_string_value(p));
	if (utf8 && n < sizeof(line))
		snprintf(line + n, sizeof(line) - n, " SMTPUTF8");
	hear(h, c, client_path(c, "MAIL FROM", line));
}

static void
say_message(struct client *c, const json_t *t)
{
	const json_t *body = json_object_get(t, "body");
	char *text = NULL;
	size_t n = 0, i;
	FILE *f = open_memstream(&text, &n);
	json_t *field;

	if (!f)
		die("memory");
	json_array_foreach(json_object_get(t, "header"), i, field)
	{
		fprintf(f, "%s: %s\n",
		    json_string_value(json_array_get(field, 0)),
		    json_string_value(json_array_get(field, 1)));
	}
	fputs("\n", f);
	fwrite(json_string_value(body), 1, json_string_length(body), f);
	if (fclose(f) != 0)
		die("memory");
	client_text(c, text, n, false);
	free(text);
}

static void
say_all(const char *port, const json_t *t, struct replies *r)
{
	static struct client c;
	const json_t *recipients = json_object_get(t, "recipients");
	unsigned accepted = 0;
	size_t i;
	json_t *path;

	memset(r, 0, sizeof(*r));
	client_open(&c, port);
	client_reply(&c, "connect");
	r->client = say_client(&c, t);
	client_verb(&c, "EHLO", member(t, "helo"));
	say_sender(&c, t, &r->mail);
	json_array_foreach(recipients, i, path)
	{
		if (c.closed || r->mail.code / 100 != 2)
			break;
		int code = client_path(&c, "RCPT TO", json_string_value(path));

		hear(&r->rcpt[i], &c, code);
		accepted += code / 100 == 2;
	}
	if (accepted && !c.closed) {
		hear(&r->data, &c, client_say(&c, "DATA"));
		if (r->data.code == 354) {
			say_message(&c, t);
			hear(&r->end, &c, client_end(&c));
		}
	}
	if (!c.closed)
		client_say(&c, "QUIT");
	client_close(&c);
}

/* ---- comparing ----------------------------------------------------------- */

/* The reply in which a verdict of that stage has to be heard. */
static const struct heard *
reply_at(const struct replies *r, const char *stage, size_t recipient)
{
	if (strcmp(stage, "connect") == 0 || strcmp(stage, "helo") == 0 ||
	    strcmp(stage, "mail") == 0)
		return &r->mail;
	if (strcmp(stage, "rcpt") == 0)
		return &r->rcpt[recipient];
	if (strcmp(stage, "data") == 0)
		return &r->data;
	return &r->end;
}

/* As Postfix prints it: the enhanced code in front of each line. */
static void
wanted_text(const json_t *verdict, char *out, size_t room)
{
	const char *text = member(verdict, "text");
	size_t n = 0;

	for (;;) {
		size_t line = strcspn(text, "\n");

		n += (size_t)snprintf(out + n, room - n, "%s%s %.*s",
		    n ? "\n" : "", member(verdict, "enhanced"), (int)line,
		    text);
		text += line;
		if (*text++ == 0 || n >= room)
			return;
	}
}

static bool
verdict_same(const json_t *verdict, const struct replies *r, size_t recipient)
{
	const char *kind = member(verdict, "verdict");
	const char *stage = member(verdict, "stage");
	char text[TEXT];

	if (strcmp(kind, "accept") == 0 || strcmp(kind, "discard") == 0) {
		if (r->rcpt[recipient].code == 250 && r->end.code == 250)
			return true;
		printf("# wanted: %s\n# came: %d %s / %d %s\n", kind,
		    r->rcpt[recipient].code, r->rcpt[recipient].text,
		    r->end.code, r->end.text);
		return false;
	}
	const struct heard *h = reply_at(r, stage, recipient);
	int code = (int)json_integer_value(json_object_get(verdict, "code"));

	wanted_text(verdict, text, sizeof(text));
	if (h->code == code && strcmp(h->text, text) == 0)
		return true;
	printf("# wanted at %s: %d %s\n# came: %d %s\n", stage, code, text,
	    h->code, h->text);
	return false;
}

static bool
outcome_same(const json_t *test, const struct replies *r)
{
	const json_t *verdicts =
	    json_object_get(json_object_get(test, "outcome"), "verdicts");
	bool same = json_array_size(verdicts) > 0;
	size_t i;
	json_t *v;

	json_array_foreach(verdicts, i, v) same &= verdict_same(v, r, i);
	return same;
}

static bool
spoken_at_connect(const json_t *test)
{
	const json_t *verdicts =
	    json_object_get(json_object_get(test, "outcome"), "verdicts");
	size_t i;
	json_t *v;

	json_array_foreach(verdicts, i, v)
	{
		if (strcmp(member(v, "stage"), "connect") == 0 &&
		    strcmp(member(v, "verdict"), "accept") != 0)
			return true;
	}
	return false;
}

int
main(int argc, char **argv)
{
	static struct replies replies;
	json_error_t error;
	size_t i;
	json_t *test;
	int status = 0;

	if (argc != 2) {
		fputs("usage: same PORT < JSON\n", stderr);
		return 2;
	}
	json_t *root = json_loadf(stdin, JSON_ALLOW_NUL, &error);
	if (!root) {
		fprintf(stderr, "same: %s\n", error.text);
		return 2;
	}
	const json_t *tests =
	    json_is_array(root) ? root : json_object_get(root, "tests");
	json_array_foreach(tests, i, test)
	{
		const json_t *t = json_object_get(test, "transaction");
		const char *name = member(test, "name");
		const char *why = cannot_be_said(t);

		if (!why && is_delayed(json_object_get(test, "outcome")))
			why = "it is delayed";
		if (!why && spoken_at_connect(test))
			why = "Postfix answers in its own words at connect";
		if (why) {
			printf("left out %s: %s\n", name, why);
			continue;
		}
		say_all(argv[1], t, &replies);
		if (replies.client / 100 == 5 && replies.client != 554) {
			printf("left out %s: XCLIENT is refused\n", name);
			continue;
		}
		bool same = outcome_same(test, &replies);

		printf("%s %s\n", same ? "same" : "other", name);
		if (!same)
			status = 1;
	}
	json_decref(root);
	return status;
}
