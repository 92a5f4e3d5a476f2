#include "compiler/logline.h"

#include <jansson.h>

static bool
find_stage(struct str word, enum milt_stage *out)
{
	for (int i = 0; i < STAGE_COUNT; i++)
		if (str_eq(stage_rows[i].name, word)) {
			*out = (enum milt_stage)i;
			return true;
		}
	return false;
}

static bool
is_verdict(struct str s)
{
	for (int i = 1; i < ACTION_COUNT; i++)
		if (action_rows[i].kind == ACTION_VERDICT &&
		    str_eq(action_rows[i].name, s))
			return true;
	return false;
}

static bool
is_note(struct str s)
{
	return str_eq(s, STR("shadow")) || str_eq(s, STR("note")) ||
	       str_eq(s, STR("ignored")) || str_eq(s, STR("question"));
}

/* ---- plain ------------------------------------------------------------- */

static int
digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* Takes back \xHH. */
static struct str
unescape(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.n - i >= 4 && s.p[i] == '\\' && s.p[i + 1] == 'x' &&
		    digit(s.p[i + 2]) >= 0 && digit(s.p[i + 3]) >= 0) {
			out[n++] =
			    (char)(digit(s.p[i + 2]) * 16 + digit(s.p[i + 3]));
			i += 3;
		} else {
			out[n++] = s.p[i];
		}
	}
	return (struct str){ out, n };
}

/* Cuts the first word off *rest: to the next blank outside marks. */
static struct str
next_word(struct str *rest)
{
	char close = 0;
	size_t n = 0;

	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	for (; n < rest->n && (close || rest->p[n] != ' '); n++) {
		if (close)
			close = rest->p[n] == close ? 0 : close;
		else if (rest->p[n] == '<')
			close = '>';
		else if (rest->p[n] == '"')
			close = '"';
	}

	struct str word = str_head(*rest, n);

	*rest = str_skip(*rest, n);
	return word;
}

/* The value without its marks. */
static struct str
plain_value(struct arena *a, struct str v)
{
	if (v.n >= 2 && (v.p[0] == '<' || v.p[0] == '"'))
		v = (struct str){ v.p + 1, v.n - 2 };
	return unescape(a, v);
}

/* <a@b>,<c@d>,+3 */
static void
plain_recipients(struct arena *a, struct str v, struct logline *out)
{
	out->all_recipients = true;
	while (v.n > 0) {
		size_t end =
		    v.p[0] == '<' ? str_find(v, '>') + 1 : str_find(v, ',');

		end = end < v.n ? end : v.n;
		if (v.p[0] == '+')
			out->all_recipients = false;
		else
			vec_push(a, &out->recipients,
			    plain_value(a, str_head(v, end)));
		v = str_skip(v, end < v.n ? end + 1 : end);
	}
}

/* tag/add-header,hold/quarantine,+3: no name of a rule has a slash. */
static void
plain_effects(struct arena *a, struct str v, struct logline *out)
{
	while (v.n > 0) {
		size_t end = str_find(v, ',');
		struct str one = str_head(v, end);
		size_t slash = str_find(one, '/');
		struct logline_effect e;

		if (slash < one.n) {
			e.rule = unescape(a, str_head(one, slash));
			e.action = arena_dup(a, str_skip(one, slash + 1));
			for (size_t i = 0; i < e.action.n; i++)
				if (e.action.p[i] == '-')
					((char *)e.action.p)[i] = ' ';
			vec_push(a, &out->effects, e);
		}
		v = str_skip(v, end < v.n ? end + 1 : end);
	}
}

static void
plain_member(
    struct arena *a, struct str name, struct str v, struct logline *out)
{
	if (str_eq(name, STR("stage")))
		out->decision = find_stage(v, &out->stage);
	else if (str_eq(name, STR("rule")))
		out->rule = plain_value(a, v);
	else if (str_eq(name, STR("at")))
		out->place = plain_value(a, v);
	else if (str_eq(name, STR("client")))
		out->client = plain_value(a, v);
	else if (str_eq(name, STR("reply")))
		out->reply = plain_value(a, v);
	else if (str_eq(name, STR("failure")))
		out->failure = plain_value(a, v);
	else if (str_eq(name, STR("effects")))
		plain_effects(a, v, out);
	else if (str_eq(name, STR("to")))
		plain_recipients(a, v, out);
	else if (str_eq(name, STR("helo"))) {
		out->helo = plain_value(a, v);
		out->has_helo = true;
	} else if (str_eq(name, STR("from"))) {
		out->sender = plain_value(a, v);
		out->has_sender = true;
	}
}

/* A note of a recipient's rule tells of that one. */
static bool
ends_well(struct logline *out)
{
	if (!out->decision && out->recipients.n > 0)
		out->stage = STAGE_RCPT;
	return out->decision || (is_note(out->verdict) && out->rule.n > 0);
}

/* The text of a note is the rest of its line, as it is. */
static struct str
rest_as_text(const char *from, const char *end)
{
	struct str text = { from, (size_t)(end - from) };

	if (text.n > 0 && text.p[0] == '"')
		text = str_skip(text, 1);
	if (text.n > 0 && text.p[text.n - 1] == '"')
		text.n--;
	return text;
}

static bool
read_plain(struct arena *a, struct str line, struct logline *out)
{
	struct str before = STR(""), word = next_word(&line);

	while (
	    word.n > 0 && !((is_verdict(word) || is_note(word)) &&
			      before.n > 1 && before.p[before.n - 1] == ':')) {
		before = word;
		word = next_word(&line);
	}
	if (word.n == 0)
		return false;
	out->verdict = word;
	out->id = str_head(before, before.n - 1);
	while ((word = next_word(&line)).n > 0) {
		size_t n = str_find(word, '=');

		if (str_starts(word, STR("text="))) {
			out->text =
			    rest_as_text(word.p + n + 1, line.p + line.n);
			break;
		}
		if (n < word.n)
			plain_member(
			    a, str_head(word, n), str_skip(word, n + 1), out);
	}
	return ends_well(out);
}

/* ---- JSON -------------------------------------------------------------- */

static struct str
member(struct arena *a, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return STR("");
	return arena_dup(
	    a, (struct str){ json_string_value(v), json_string_length(v) });
}

static void
read_reply(struct arena *a, const json_t *o, struct logline *out)
{
	const json_t *lines = json_object_get(o, "text"), *line;
	size_t i;

	if (!json_is_array(lines))
		return;
	out->reply = arena_printf(a, "%lld %.*s",
	    (long long)json_integer_value(json_object_get(o, "code")),
	    STR_ARG(member(a, o, "xcode")));
	json_array_foreach(lines, i, line)
	{
		const char *text = json_string_value(line);

		out->reply = arena_printf(a, "%.*s%s%s", STR_ARG(out->reply),
		    i ? " / " : " ", text ? text : "");
	}
}

static void
read_recipients(struct arena *a, const json_t *o, struct logline *out)
{
	const json_t *list = json_object_get(o, "recipients"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!json_is_string(one))
			continue;
		struct str s = { json_string_value(one),
			json_string_length(one) };

		vec_push(a, &out->recipients, arena_dup(a, s));
	}
	out->all_recipients =
	    json_integer_value(json_object_get(o, "recipient_count")) ==
	    (json_int_t)out->recipients.n;
	if (json_object_get(o, "recipient")) {
		vec_push(a, &out->recipients, member(a, o, "recipient"));
		out->all_recipients = true;
	}
}

static void
read_effects(struct arena *a, const json_t *o, struct logline *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(o, "effects"), i, one)
	{
		struct logline_effect e = { member(a, one, "rule"),
			member(a, one, "effect") };

		vec_push(a, &out->effects, e);
	}
}

static struct str
note_of(struct arena *a, const json_t *o)
{
	struct str note = member(a, o, "note");

	if (json_object_get(o, "question"))
		return STR("question");
	return str_eq(note, STR("log")) ? STR("note") : note;
}

static bool
read_json(struct arena *a, struct str line, struct logline *out)
{
	size_t open = str_find(line, '{');
	json_t *o = json_loadb(line.p + open, line.n - open, 0, NULL);
	json_int_t number = json_integer_value(json_object_get(o, "line"));

	out->id = member(a, o, "id");
	out->verdict = member(a, o, "verdict");
	out->decision = find_stage(member(a, o, "stage"), &out->stage) &&
			is_verdict(out->verdict);
	if (!out->decision)
		out->verdict = note_of(a, o);
	out->rule = member(a, o, "rule");
	if (number > 0)
		out->place = arena_printf(a, "%.*s:%lld",
		    STR_ARG(member(a, o, "file")), (long long)number);
	out->client = member(a, o, "client");
	out->helo = member(a, o, "helo");
	out->has_helo = json_object_get(o, "helo") != NULL;
	out->sender = member(a, o, "sender");
	out->has_sender = json_object_get(o, "sender") != NULL;
	out->failure = member(a, o, "failure");
	out->text = member(a, o, "text");
	read_reply(a, o, out);
	read_recipients(a, o, out);
	read_effects(a, o, out);
	json_decref(o);
	return ends_well(out);
}

bool
logline_read(struct arena *a, struct str line, struct logline *out)
{
	*out = (struct logline){ .stage = STAGE_MAIL };
	if (read_plain(a, line, out))
		return true;
	*out = (struct logline){ .stage = STAGE_MAIL };
	return str_find(line, '{') < line.n && read_json(a, line, out);
}
