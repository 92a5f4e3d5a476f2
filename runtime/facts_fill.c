/* Filling facts in, as the MTA gives them. */
#include <stdlib.h>

#include "runtime/facts_state.h"
#include "runtime/limits.h"

static struct str
cut(struct str s)
{
	if (s.n > (size_t)LIMIT_VALUE_ARGUMENT_BYTES)
		limit_hit(LIMIT_ARGUMENT_BYTES);
	return str_head(s, (size_t)LIMIT_VALUE_ARGUMENT_BYTES);
}

bool
facts_set_cell(struct cell *c, struct arena *a, struct str s)
{
	struct str text = utf8_make_valid(a, s);

	if (text.p == s.p)
		text = arena_dup(a, s);
	*c = (struct cell){ .text = text, .arena = a };
	return text.p != NULL;
}

/* ---- the session ------------------------------------------------------- */

/* "mx.example.net[192.0.2.1]", "unknown[192.0.2.1]", "localhost". */
static bool
make_client_text(struct facts *f, struct str name)
{
	struct arena *a = &f->connect_arena;
	struct str who =
	    f->client_name.text.p ? f->client_name.text : STR("unknown");
	struct str ip;

	if (!f->has_ip)
		return facts_set_cell(
		    &f->client_text, a, name.n ? name : STR("local"));
	ip = ip_print(a, f->client_ip);
	f->client_text.arena = a;
	f->client_text.text =
	    arena_printf(a, "%.*s[%.*s]", STR_ARG(who), STR_ARG(ip));
	return f->client_text.text.p != NULL;
}

enum milt_status
facts_client(struct facts *f, struct str name, bool verified,
    const struct ip *ip, unsigned port)
{
	name = cut(name);
	f->has_client = true;
	f->client_port = port;
	f->has_ip = ip != NULL;
	if (ip)
		f->client_ip = *ip;
	f->client_name = f->client_org = (struct cell){ .text = { NULL, 0 } };
	if (verified && name.n &&
	    !facts_set_cell(&f->client_name, &f->connect_arena, name))
		return MILT_NO_MEMORY;
	return make_client_text(f, name) ? MILT_OK : MILT_NO_MEMORY;
}

enum milt_status
facts_helo(struct facts *f, struct str argument)
{
	f->helo_org = (struct cell){ .text = { NULL, 0 } };
	return facts_set_cell(&f->helo, &f->helo_arena, cut(argument))
		   ? MILT_OK
		   : MILT_NO_MEMORY;
}

void
facts_clock(struct facts *f, long long now)
{
	if (!f->clock)
		f->clock = ARENA_NEW(&f->connect_arena, struct clock);
	if (f->clock)
		*f->clock = (struct clock){ .now = now };
}

/* ---- the envelope ------------------------------------------------------ */

static bool
set_cells(struct cells *out, struct arena *a, const struct str *v, size_t n)
{
	*out = (struct cells){ NULL, 0 };
	if (n == 0)
		return true;
	out->v = ARENA_ARRAY(a, n, struct cell);
	if (!out->v)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!facts_set_cell(&out->v[i], a, cut(v[i])))
			return false;
	out->n = n;
	return true;
}

/* RFC 1870: SIZE=digits. */
static void
find_size(struct message *m)
{
	m->has_declared_size = false;
	for (size_t i = 0; i < m->parameters.n; i++) {
		struct str s = m->parameters.v[i].text;
		long long size = 0;
		size_t d;

		if (!str_eq_ascii(str_head(s, 5), STR("SIZE=")))
			continue;
		for (d = 5; d < s.n && s.p[d] >= '0' && s.p[d] <= '9'; d++) {
			if (size > (INT64_MAX - 9) / 10)
				return;
			size = size * 10 + (s.p[d] - '0');
		}
		if (d != s.n || d == 5)
			return;
		m->declared_size = size;
		m->has_declared_size = true;
		return;
	}
}

enum milt_status
facts_mail(struct facts *f, struct str path, const struct str *parameters,
    size_t count)
{
	struct arena *a = &f->message_arena;
	struct message *m = facts_message(f);
	struct address *sender = m ? ARENA_NEW(a, struct address) : NULL;

	if (!sender || !facts_envelope_address(f, sender, cut(path)) ||
	    !set_cells(&m->parameters, a, parameters, count))
		return MILT_NO_MEMORY;
	m->sender = sender;
	find_size(m);
	return MILT_OK;
}

/* The recipient that is being filled in. */
static struct recipient *
open_recipient(struct facts *f)
{
	struct message *m = facts_message(f);

	if (m && !m->recipient)
		m->recipient = ARENA_NEW(&f->message_arena, struct recipient);
	return m ? m->recipient : NULL;
}

enum milt_status
facts_rcpt(struct facts *f, struct str path, const struct str *parameters,
    size_t count)
{
	struct recipient *r;

	if (f->message && f->message->recipient &&
	    f->message->recipient->has_path)
		f->message->recipient = NULL;
	r = open_recipient(f);
	if (!r || !facts_envelope_address(f, &r->address, cut(path)) ||
	    !set_cells(&r->parameters, &f->message_arena, parameters, count))
		return MILT_NO_MEMORY;
	r->has_path = true;
	return MILT_OK;
}

enum milt_status
facts_rcpt_accepted(struct facts *f)
{
	struct message *m = f->message;
	struct recipient *r = m ? m->recipient : NULL;

	if (!r || !r->has_path || r->accepted)
		return MILT_OK;
	if (m->recipients.n >= (size_t)LIMIT_VALUE_RECIPIENTS ||
	    !vec_push(&f->message_arena, &m->recipients, r))
		return MILT_NO_MEMORY;
	r->accepted = true;
	return MILT_OK;
}

/* ---- macros ------------------------------------------------------------ */

static struct str
without_braces(struct str s)
{
	if (s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}')
		return (struct str){ s.p + 1, s.n - 2 };
	return s;
}

/* The list of macros that live as long as a stage's facts. */
static struct macro **
macro_list(struct facts *f, enum milt_stage stage, struct arena **a)
{
	*a = &f->message_arena;
	switch (stage) {
	case STAGE_CONNECT:
		*a = &f->connect_arena;
		return &f->connect_macros;
	case STAGE_HELO:
		*a = &f->helo_arena;
		return &f->helo_macros;
	case STAGE_RCPT: {
		struct recipient *r = open_recipient(f);

		return r ? &r->macros : NULL;
	}
	case STAGE_MAIL:
	case STAGE_DATA:
	case STAGE_HEADERS:
	case STAGE_MESSAGE:
	case STAGE_COUNT:
		break;
	}
	return facts_message(f) ? &f->message->macros : NULL;
}

enum milt_status
facts_macro(
    struct facts *f, enum milt_stage stage, struct str name, struct str value)
{
	struct arena *a;
	struct macro **list = macro_list(f, stage, &a);
	struct macro *m = list ? *list : NULL;

	name = without_braces(name);
	value = cut(value);
	while (m && !(m->stage == stage && str_eq(m->name, name)))
		m = m->next;
	if (m && str_eq(m->value.text, value))
		return MILT_OK;
	if (!m) {
		m = list ? ARENA_NEW(a, struct macro) : NULL;
		if (!m)
			return MILT_NO_MEMORY;
		m->name = arena_dup(a, cut(name));
		m->stage = stage;
		m->next = *list;
		if (!m->name.p)
			return MILT_NO_MEMORY;
		*list = m;
	}
	return facts_set_cell(&m->value, a, value) ? MILT_OK : MILT_NO_MEMORY;
}

/* The latest of the macro's values in a list, if later than `best`. */
static struct macro *
later(struct macro *best, struct macro *m, struct str name)
{
	for (; m; m = m->next)
		if (str_eq(m->name, name) && (!best || m->stage > best->stage))
			best = m;
	return best;
}

struct cell *
facts_find_macro(struct facts *f, struct str name)
{
	struct macro *m = NULL;

	name = without_braces(name);
	m = later(m, f->connect_macros, name);
	m = later(m, f->helo_macros, name);
	if (f->message) {
		m = later(m, f->message->macros, name);
		if (f->message->recipient)
			m = later(m, f->message->recipient->macros, name);
	}
	return m && m->value.text.n ? &m->value : NULL;
}

/* ---- the body ---------------------------------------------------------- */

void
facts_free_body(struct facts *f)
{
	budget_give(&facts_budget, f->body_room);
	free(f->body);
	f->body = NULL;
	f->body_length = f->body_room = 0;
}

static bool
grow_body(struct facts *f, size_t need, size_t limit)
{
	size_t room = f->body_room ? f->body_room : 8192;
	char *p;

	while (room < need)
		room *= 2;
	if (room > limit)
		room = limit;
	if (!budget_take(&facts_budget, room - f->body_room))
		return false;
	p = realloc(f->body, room);
	if (!p) {
		budget_give(&facts_budget, room - f->body_room);
		return false;
	}
	f->body = p;
	f->body_room = room;
	return true;
}

enum milt_status
facts_body(struct facts *f, struct str chunk)
{
	const struct image_needs *needs = f->image->needs;
	size_t limit = (size_t)needs->options[OPTION_SCAN_LIMIT];
	struct message *m = facts_message(f);

	if (!m)
		return MILT_NO_MEMORY;
	m->body_size += (long long)chunk.n;
	if (!(needs->flags & NEED_BODY) || f->body_over || chunk.n == 0)
		return MILT_OK;
	if (chunk.n > limit - f->body_length) {
		f->body_over = true;
		limit_option_hit(OPTION_SCAN_LIMIT);
		chunk.n = limit - f->body_length;
	}
	if (f->body_length + chunk.n > f->body_room &&
	    !grow_body(f, f->body_length + chunk.n, limit))
		return MILT_NO_MEMORY;
	memcpy(f->body + f->body_length, chunk.p, chunk.n);
	f->body_length += chunk.n;
	return MILT_OK;
}
