#include "runtime/apply.h"

/* libmilter's packets: name, value and two NULs (MILTER_MAX_DATA_SIZE). */
enum { PACKET_BYTES = 65535 };

static const char no_memory[] = "not enough memory for the message's changes";

static bool
has_nul(struct str s)
{
	return str_find(s, 0) < s.n;
}

/* libmilter takes pointers to char that it does not write to. */
static char *
copy(struct arena *arena, struct str s)
{
	return (char *)arena_dup(arena, s).p;
}

/* In angle brackets, which every MTA understands. */
static char *
address(struct arena *arena, struct str s)
{
	if (s.n > 0 && s.p[0] == '<')
		return copy(arena, s);
	return (char *)arena_printf(arena, "<%.*s>", STR_ARG(s)).p;
}

static const char *
apply_header(SMFICTX *ctx, const struct edit *e, struct arena *arena)
{
	/* An empty value would delete the field, or be refused. */
	struct str text = e->value.n ? e->value : STR(" ");
	char *name = copy(arena, e->name);
	char *value = copy(arena, text);

	if (!name || !value)
		return no_memory;
	if (e->name.n + text.n + 2 > PACKET_BYTES || has_nul(e->name) ||
	    has_nul(text))
		return "a header field does not fit the milter protocol";
	switch (e->kind) {
	case EDIT_CHANGE_HEADER:
		return smfi_chgheader(ctx, name, (int)e->index, value) ==
			       MI_SUCCESS
			   ? NULL
			   : "a header field could not be changed";
	case EDIT_DELETE_HEADER:
		return smfi_chgheader(ctx, name, (int)e->index, NULL) ==
			       MI_SUCCESS
			   ? NULL
			   : "a header field could not be removed";
	case EDIT_INSERT_HEADER:
		return smfi_insheader(ctx, (int)e->index, name, value) ==
			       MI_SUCCESS
			   ? NULL
			   : "a header field could not be inserted";
	case EDIT_ADD_HEADER:
		return smfi_addheader(ctx, name, value) == MI_SUCCESS
			   ? NULL
			   : "a header field could not be added";
	case EDIT_SET_SENDER:
	case EDIT_ADD_RECIPIENT:
	case EDIT_REMOVE_RECIPIENT:
	case EDIT_QUARANTINE:
	case EDIT_REPLACE_BODY:
		break;
	}
	return "an edit is not one of a header field";
}

static const char *
apply_address(SMFICTX *ctx, const struct edit *e, struct arena *arena)
{
	char *a = address(arena, e->value);

	if (!a)
		return no_memory;
	if (has_nul(e->value) || e->value.n + 3 > PACKET_BYTES)
		return "an address does not fit the milter protocol";
	switch (e->kind) {
	case EDIT_SET_SENDER:
		return smfi_chgfrom(ctx, a, NULL) == MI_SUCCESS
			   ? NULL
			   : "the sender could not be changed";
	case EDIT_ADD_RECIPIENT:
		return smfi_addrcpt(ctx, a) == MI_SUCCESS
			   ? NULL
			   : "a recipient could not be added";
	case EDIT_REMOVE_RECIPIENT:
		return smfi_delrcpt(ctx, a) == MI_SUCCESS
			   ? NULL
			   : "a recipient could not be removed";
	case EDIT_CHANGE_HEADER:
	case EDIT_DELETE_HEADER:
	case EDIT_INSERT_HEADER:
	case EDIT_ADD_HEADER:
	case EDIT_QUARANTINE:
	case EDIT_REPLACE_BODY:
		break;
	}
	return "an edit is not one of an address";
}

static const char *
apply_quarantine(SMFICTX *ctx, const struct edit *e, struct arena *arena)
{
	/* The reason is one line, and libmilter refuses an empty one. */
	struct str text = e->value.n ? e->value : STR("policy");
	char *reason = copy(arena, str_head(text, PACKET_BYTES - 1));

	if (!reason)
		return no_memory;
	for (char *p = reason; *p; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	return smfi_quarantine(ctx, reason) == MI_SUCCESS
		   ? NULL
		   : "the message could not be held";
}

static const char *
apply_body(SMFICTX *ctx, const struct edit *e)
{
	/* Replacing by nothing sends nothing, and the old body would stay. */
	struct str body = e->value.n ? e->value : STR("\r\n");

	if (body.n > INT32_MAX)
		return "the new body is too long";
	return smfi_replacebody(ctx, (unsigned char *)body.p, (int)body.n) ==
		       MI_SUCCESS
		   ? NULL
		   : "the body could not be replaced";
}

static const char *
apply_edit(SMFICTX *ctx, const struct edit *e, struct arena *arena)
{
	switch (e->kind) {
	case EDIT_SET_SENDER:
	case EDIT_ADD_RECIPIENT:
	case EDIT_REMOVE_RECIPIENT:
		return apply_address(ctx, e, arena);
	case EDIT_CHANGE_HEADER:
	case EDIT_DELETE_HEADER:
	case EDIT_INSERT_HEADER:
	case EDIT_ADD_HEADER:
		return apply_header(ctx, e, arena);
	case EDIT_QUARANTINE:
		return apply_quarantine(ctx, e, arena);
	case EDIT_REPLACE_BODY:
		return apply_body(ctx, e);
	}
	return "an edit of an unknown kind";
}

const char *
apply_edits(
    SMFICTX *ctx, const struct edit *edits, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		const char *why = apply_edit(ctx, &edits[i], arena);

		if (why)
			return why;
	}
	return NULL;
}
