/*
 * From the facts of a test block to a transaction, with the defaults of
 * LANGUAGE 3 for what it leaves out.
 */
#include <errno.h>
#include <stdlib.h>

#include "compiler/passes.h"
#include "compiler/play.h"

/* A Thursday: tests without `given now` give the same result every day. */
#define DEFAULT_NOW STR("2026-01-01T12:00:00Z")

struct maker {
	struct arena *arena;
	struct str directory;
	struct transaction *t;
	struct str message; /* whole message, CRLF; empty if not given */
	bool has_message, has_from;
	int verified; /* tls.verified: 1 yes, 0 no, -1 not stated */
	const char *error;
};

static struct str
bracketed(struct maker *m, struct str address)
{
	if (address.n && address.p[0] == '<')
		return address;
	return arena_printf(m->arena, "<%.*s>", STR_ARG(address));
}

static void
set_macro(
    struct maker *m, enum milt_stage stage, struct str name, struct str value)
{
	struct play_macro macro = { stage, name, value };

	for (size_t i = 0; i < m->t->macros.n; i++)
		if (str_eq(m->t->macros.v[i].name, name)) {
			m->t->macros.v[i] = macro;
			return;
		}
	vec_push(m->arena, &m->t->macros, macro);
}

static bool
has_macro(const struct maker *m, struct str name)
{
	for (size_t i = 0; i < m->t->macros.n; i++)
		if (str_eq(m->t->macros.v[i].name, name))
			return true;
	return false;
}

static void
named_macro(struct maker *m, struct str name, struct str value)
{
	const struct macro_row *row = macro_by_name(name);

	if (name.n > 1 && name.p[0] != '{')
		name = arena_printf(m->arena, "{%.*s}", STR_ARG(name));
	set_macro(m, row ? row->from : STAGE_DATA, name, value);
}

static void
push_parameters(struct maker *m, const struct ast_fact *f, bool recipient)
{
	for (size_t i = 0; i < f->values.n; i++) {
		struct str text = f->values.v[i]->text;

		if (!recipient)
			vec_push(m->arena, &m->t->parameters, text);
		else if (m->t->recipients.n)
			vec_push(m->arena,
			    &m->t->recipients.v[m->t->recipients.n - 1]
				 .parameters,
			    text);
	}
}

static void
declared_size(struct maker *m, struct str text)
{
	long long size;

	if (literal_size(text, &size))
		vec_push(m->arena, &m->t->parameters,
		    arena_printf(m->arena, "SIZE=%lld", size));
}

static void
attribute_fact(struct maker *m, const struct ast_fact *f)
{
	struct transaction *t = m->t;
	struct str text = f->values.n ? f->values.v[0]->text : STR("");
	const struct attr_row *row = &attr_rows[f->attr];

	if (f->attr == ATTR_CLIENT_IP)
		t->has_ip = ip_parse(text, &t->ip);
	else if (f->attr == ATTR_CLIENT_PORT)
		t->port = (unsigned)strtoul(text.p, NULL, 10);
	else if (f->attr == ATTR_CLIENT_NAME)
		t->client_name = text;
	else if (f->attr == ATTR_HELO)
		t->helo = text;
	else if (f->attr == ATTR_SENDER)
		t->sender = bracketed(m, text);
	else if (f->attr == ATTR_SENDER_PARAMETERS)
		push_parameters(m, f, false);
	else if (f->attr == ATTR_RECIPIENT_PARAMETERS)
		push_parameters(m, f, true);
	else if (f->attr == ATTR_DECLARED_SIZE)
		declared_size(m, text);
	else if (f->attr == ATTR_TLS_VERIFIED)
		m->verified = str_eq(text, STR("yes")) ? 1 : 0;
	else if (row->source == SOURCE_MACRO)
		set_macro(m, row->from, row->macro, text);
}

/* As Postfix gives it: cut at a NUL, a bare CR is a blank. */
static void
push_field(struct maker *m, struct str name, struct str value)
{
	struct play_field field = { name, value };
	char *p;

	field.value =
	    arena_dup(m->arena, str_head(value, str_find(value, '\0')));
	p = (char *)(uintptr_t)field.value.p;
	for (size_t i = 0; i < field.value.n; i++)
		if (p[i] == '\r')
			p[i] = ' ';
	vec_push(m->arena, &m->t->fields, field);
}

static void
header_fact(struct maker *m, const struct ast_fact *f)
{
	if (str_eq_ascii(f->name.text, STR("From")))
		m->has_from = true;
	push_field(
	    m, f->name.text, f->values.n ? f->values.v[0]->text : STR(""));
}

static void
message_file(struct maker *m, struct str name)
{
	struct str path = name.n && name.p[0] == '/'
			      ? name
			      : arena_printf(m->arena, "%.*s/%.*s",
				    STR_ARG(m->directory), STR_ARG(name));
	struct sources files = { .arena = m->arena };
	uint32_t number;

	if (source_read(&files, path, &number) != MILT_OK) {
		m->error = arena_printf(m->arena, "cannot read %.*s: %s",
		    STR_ARG(path), strerror(errno))
			       .p;
		return;
	}
	m->message = files.list.v[number]->text;
	m->has_message = true;
}

/* RFC 5322: line ends are CRLF, the last line has one. */
static struct str
with_crlf(struct arena *a, struct str s)
{
	char *p = arena_array(a, s.n + 1, 2);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			p[n++] = '\r';
		p[n++] = s.p[i];
	}
	if (n && p[n - 1] != '\n') {
		p[n++] = '\r';
		p[n++] = '\n';
	}
	return (struct str){ p, n };
}

static size_t
name_length(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] > ' ' && line.p[n] < 127 &&
	       line.p[n] != ':')
		n++;
	return n && n < line.n && line.p[n] == ':' ? n : 0;
}

/*
 * Header fields as Postfix gives them to a milter: one blank behind the colon
 * is gone, folds are LF, and a line that is no field ends the header.
 */
static void
split_message(struct maker *m)
{
	struct str rest = with_crlf(m->arena, m->message);

	while (rest.n) {
		struct str at = rest, line = str_line(&rest);
		size_t n = name_length(line);
		struct play_field field;

		if (line.n == 0)
			break;
		if (!n) {
			rest = at;
			break;
		}
		field.name = str_head(line, n);
		field.value = str_skip(line, n + 1);
		if (field.value.n && field.value.p[0] == ' ')
			field.value = str_skip(field.value, 1);
		while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t')) {
			line = str_line(&rest);
			field.value = arena_printf(m->arena, "%.*s\n%.*s",
			    STR_ARG(field.value), STR_ARG(line));
		}
		push_field(m, field.name, field.value);
	}
	m->t->body = rest;
}

/* A text of an answer is literal. */
static struct str
literal_text(struct maker *m, const struct ast_template *t)
{
	struct str s = STR("");

	for (size_t i = 0; i < t->pieces.n; i++)
		s = arena_printf(m->arena, "%.*s%.*s", STR_ARG(s),
		    STR_ARG(t->pieces.v[i].text));
	return s;
}

static void
given_js(struct maker *m, const struct ast_fact *f)
{
	const struct ast_action *v = f->verdict;
	struct play_given g = { .rule = f->name.text, .span = f->span };
	struct str *lines;

	if (!v) {
		bool fails = str_eq(f->word.text, STR("fails"));

		g.reply.kind = fails ? REPLY_FAILURE : REPLY_NOTHING;
		g.reply.failure = fails ? "given js fails" : NULL;
	} else {
		lines = ARENA_ARRAY(m->arena, v->texts.n + 1, struct str);
		for (size_t i = 0; lines && i < v->texts.n; i++)
			lines[i] = literal_text(m, v->texts.v[i]);
		g.reply = (struct milt_reply){ .kind = REPLY_ANSWER,
			.verdict = v->action,
			.code = v->code,
			.xcode = v->xcode,
			.lines = lines,
			.line_count = (unsigned)v->texts.n };
	}
	vec_push(m->arena, &m->t->given, g);
}

static void
one_fact(struct maker *m, const struct ast_fact *f)
{
	struct str text = f->values.n ? f->values.v[0]->text : STR("");
	struct play_recipient r = { .path = STR("") };

	switch (f->kind) {
	case FACT_ATTRIBUTE:
		attribute_fact(m, f);
		return;
	case FACT_RECIPIENT:
		r.path = bracketed(m, text);
		vec_push(m->arena, &m->t->recipients, r);
		return;
	case FACT_MACRO:
		named_macro(m, f->name.text, text);
		return;
	case FACT_HEADER:
		header_fact(m, f);
		return;
	case FACT_BODY:
		m->t->body = with_crlf(m->arena, text);
		return;
	case FACT_MESSAGE:
		m->message = text;
		m->has_message = true;
		return;
	case FACT_MESSAGE_FILE:
		message_file(m, text);
		return;
	case FACT_GIVEN_NOW:
		(void)time_parse(text, &m->t->now);
		return;
	case FACT_GIVEN_JS:
		given_js(m, f);
		return;
	case FACT_GIVEN:
		return;
	}
}

static void
put_from_first(struct maker *m)
{
	struct transaction *t = m->t;
	struct play_field from = { STR("From"), STR("") };

	from.value = str_eq(t->sender, STR("<>"))
			 ? STR("MAILER-DAEMON@client.invalid")
			 : (struct str){ t->sender.p + 1, t->sender.n - 2 };
	vec_push(m->arena, &t->fields, from);
	for (size_t i = t->fields.n - 1; i > 0; i--)
		t->fields.v[i] = t->fields.v[i - 1];
	t->fields.v[0] = from;
}

static void
defaults(struct maker *m)
{
	struct transaction *t = m->t;
	struct play_recipient r = {
		.path = STR("<recipient@server.invalid>"),
	};

	if (!t->recipients.n)
		vec_push(m->arena, &t->recipients, r);
	/* As Postfix says it: a subject is sent if the certificate is trusted.
	 */
	if (m->verified == 1 && !has_macro(m, STR("{cert_subject}")))
		set_macro(m, STAGE_HELO, STR("{cert_subject}"),
		    STR("client.invalid"));
	if (m->verified >= 0 && !has_macro(m, STR("{tls_version}")))
		set_macro(m, STAGE_HELO, STR("{tls_version}"), STR("TLSv1.3"));
	if (m->has_message)
		split_message(m);
	else if (!m->has_from)
		put_from_first(m);
}

const char *
transaction_make(struct arena *arena, const struct item_test *test,
    struct str directory, struct transaction *out)
{
	struct maker m = {
		.arena = arena, .directory = directory, .t = out, .verified = -1
	};

	*out = (struct transaction){
		.has_ip = true,
		.port = 25252,
		.helo = STR("client.invalid"),
		.sender = STR("<sender@client.invalid>"),
	};
	(void)ip_parse(STR("203.0.113.1"), &out->ip);
	(void)time_parse(DEFAULT_NOW, &out->now);
	set_macro(&m, STAGE_CONNECT, STR("j"), STR("server.invalid"));
	for (size_t i = 0; i < test->facts.n; i++)
		one_fact(&m, test->facts.v[i]);
	defaults(&m);
	return m.error;
}
