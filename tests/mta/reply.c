#include "tests/mta/reply.h"

#include <arpa/inet.h>
#include <stdlib.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of "5.7.1 " at the start of the line, without the blank; 0: none. */
static size_t
xcode_length(struct str line)
{
	size_t i = 0;

	for (int part = 0; part < 3; part++) {
		size_t from = i;

		while (i < line.n && is_digit(line.p[i]))
			i++;
		if (i == from || i - from > (part ? 3 : 1))
			return 0;
		if (part < 2 && (i >= line.n || line.p[i++] != '.'))
			return 0;
	}
	return i == line.n || line.p[i] == ' ' ? i : 0;
}

/*
 * One line of a reply: the code of the first one, `-` but on the last, an
 * enhanced code of the same class.  Stricter than Postfix, which looks at the
 * first line only.
 */
static bool
reply_line(struct mta *m, struct str line, bool last, struct mta_reply *r,
    struct bytes *text)
{
	unsigned code;
	size_t x;

	if (line.n < 4 || (line.p[0] != '4' && line.p[0] != '5') ||
	    !is_digit(line.p[1]) || !is_digit(line.p[2]) ||
	    line.p[3] != (last ? ' ' : '-'))
		return mta_fail(m, "malformed reply");
	code = (unsigned)(line.p[0] - '0') * 100 +
	       (unsigned)(line.p[1] - '0') * 10 + (unsigned)(line.p[2] - '0');
	if (r->code != 0 && r->code != code)
		return mta_fail(m, "reply with two codes");
	if (r->code != 0)
		bytes_add(text, "\n", 1);
	r->code = code;
	line = str_skip(line, 4);
	x = xcode_length(line);
	if (x > 0 && line.p[0] - '0' != (int)(code / 100))
		return mta_fail(m, "reply code and enhanced code disagree");
	if (x > 0) {
		r->xcode = arena_dup(&m->arena, str_head(line, x));
		line = str_skip(line, x < line.n ? x + 1 : x);
	}
	/* A sender doubles each `%`; a single one is swallowed. */
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '%' && ++i == line.n)
			break;
		bytes_add(text, &line.p[i], 1);
	}
	return true;
}

struct mta_reply
mta_reply_code(struct mta *m, struct str data)
{
	struct mta_reply r = { .packet = SMFIR_REPLYCODE };
	struct bytes text = { 0 };
	struct str rest;
	bool ok = true;

	r.raw = arena_dup(&m->arena, data);
	rest = str_head(r.raw, str_find(r.raw, '\0'));
	if (rest.n + 1 != r.raw.n)
		ok = mta_fail(m, "reply text does not end at its end");
	while (ok) {
		size_t n = str_find(rest, '\n');
		bool last = n == rest.n;
		struct str line = str_head(rest, n);

		if (!last && (n == 0 || line.p[n - 1] != '\r'))
			ok = mta_fail(m, "reply with a bare LF");
		else if (!last)
			line.n--;
		if (ok && str_find(line, '\r') != line.n)
			ok = mta_fail(m, "reply with a bare CR");
		ok = ok && reply_line(m, line, last, &r, &text);
		if (last)
			break;
		rest = str_skip(rest, n + 1);
	}
	r.verdict = !ok                 ? MTA_FAILED
		    : r.code / 100 == 4 ? MTA_TEMPFAIL
					: MTA_REJECT;
	r.text = arena_dup(&m->arena, (struct str){ text.p, text.n });
	bytes_free(&text);
	return r;
}

/* How many NUL-ended texts, and whether an index precedes them. */
static bool
edit_shape(char kind, bool *index, int *least, int *most)
{
	*index = kind == SMFIR_CHGHEADER || kind == SMFIR_INSHEADER;
	switch (kind) {
	case SMFIR_CHGHEADER:
	case SMFIR_INSHEADER:
	case SMFIR_ADDHEADER:
		*least = *most = 2;
		return true;
	case SMFIR_CHGFROM:
	case SMFIR_ADDRCPT_PAR:
		*least = 1;
		*most = 2;
		return true;
	case SMFIR_ADDRCPT:
	case SMFIR_DELRCPT:
	case SMFIR_QUARANTINE:
		*least = *most = 1;
		return true;
	default:
		return false;
	}
}

static bool
edit_texts(struct mta *m, struct str data, struct mta_edit *edit)
{
	bool index;
	int least, most, n = 0;

	if (edit->kind == SMFIR_REPLBODY) {
		edit->value = data;
		return true;
	}
	if (!edit_shape(edit->kind, &index, &least, &most))
		return mta_fail(m, "answer '%c' is not known", edit->kind);
	if (index) {
		if (data.n < 4)
			return mta_fail(m, "change is cut");
		memcpy(&edit->index, data.p, 4);
		edit->index = ntohl(edit->index);
		data = str_skip(data, 4);
	}
	for (; data.n > 0; n++) {
		size_t end = str_find(data, '\0');

		if (end == data.n || n == most)
			return mta_fail(
			    m, "change '%c' does not end", edit->kind);
		*(n ? &edit->value : &edit->name) = str_head(data, end);
		data = str_skip(data, end + 1);
	}
	return n >= least || mta_fail(m, "change '%c' is cut", edit->kind);
}

static uint32_t
edit_action(char kind)
{
	switch (kind) {
	case SMFIR_CHGHEADER:
		return SMFIF_CHGHDRS;
	case SMFIR_INSHEADER:
	case SMFIR_ADDHEADER:
		return SMFIF_ADDHDRS;
	case SMFIR_CHGFROM:
		return SMFIF_CHGFROM;
	case SMFIR_ADDRCPT_PAR:
		return SMFIF_ADDRCPT_PAR;
	case SMFIR_ADDRCPT:
		return SMFIF_ADDRCPT;
	case SMFIR_DELRCPT:
		return SMFIF_DELRCPT;
	case SMFIR_QUARANTINE:
		return SMFIF_QUARANTINE;
	default:
		return SMFIF_CHGBODY;
	}
}

bool
mta_edit_read(struct mta *m, char kind, struct str data)
{
	struct mta_edit edit = { .kind = kind };

	if (!edit_texts(m, arena_dup(&m->arena, data), &edit))
		return false;
	if (!(m->actions & edit_action(kind)))
		return mta_fail(m, "change '%c' was not negotiated", kind);
	if (m->edit_count == m->edit_cap &&
	    !vec_grow(&m->arena, (void *)&m->edits, &m->edit_cap, sizeof(edit)))
		abort();
	m->edits[m->edit_count++] = edit;
	return true;
}
