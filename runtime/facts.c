/* The facts of a transaction: their life, and what logs want of them. */
#include "runtime/content.h"
#include "runtime/limits.h"

#include <stdlib.h>

const char facts_no_memory[] = "the message holds more than fits into memory";
const char facts_header_over[] = "the header is larger than what is looked at";
const char facts_body_over[] = "the body is larger than option scan-limit";

struct budget facts_budget;

struct facts *
facts_new(const struct milt_image *im)
{
	struct facts *f = calloc(1, sizeof(*f));
	size_t session = (size_t)LIMIT_VALUE_SESSION_MEMORY / 2;

	if (!f)
		return NULL;
	f->image = im;
	arena_init(&f->connect_arena, session, NULL);
	arena_init(&f->helo_arena, session, NULL);
	arena_init(&f->message_arena, (size_t)LIMIT_VALUE_MESSAGE_MEMORY, NULL);
	f->connect_arena.refused = f->helo_arena.refused =
	    limit_counter(LIMIT_SESSION_MEMORY);
	f->message_arena.refused = limit_counter(LIMIT_MESSAGE_MEMORY);
	f->connect_arena.budget = f->helo_arena.budget =
	    f->message_arena.budget = &facts_budget;
	return f;
}

static void
forget_message(struct facts *f)
{
	if (f->message)
		content_free(f->message->content);
	f->message = NULL;
	arena_free(&f->message_arena);
	facts_free_body(f);
	f->body_over = false;
}

static void
forget_helo(struct facts *f)
{
	f->helo = f->helo_org = (struct cell){ .text = { NULL, 0 } };
	f->helo_macros = NULL;
	arena_free(&f->helo_arena);
}

static void
forget_connect(struct facts *f)
{
	f->client_name = f->client_text = f->client_network = f->client_org =
	    f->helo;
	f->has_client = f->has_ip = false;
	f->connect_macros = NULL;
	f->clock = NULL;
	arena_free(&f->connect_arena);
}

void
facts_free(struct facts *f)
{
	if (!f)
		return;
	forget_message(f);
	forget_helo(f);
	forget_connect(f);
	free(f);
}

void
facts_reset(struct facts *f, enum milt_stage stage)
{
	switch (stage) {
	case STAGE_CONNECT:
		forget_message(f);
		forget_helo(f);
		forget_connect(f);
		break;
	case STAGE_HELO:
		forget_message(f);
		forget_helo(f);
		break;
	case STAGE_MAIL:
		forget_message(f);
		break;
	case STAGE_RCPT:
		if (f->message)
			f->message->recipient = NULL;
		break;
	case STAGE_DATA:
	case STAGE_HEADERS:
	case STAGE_MESSAGE:
	case STAGE_COUNT:
		break;
	}
}

struct message *
facts_message(struct facts *f)
{
	if (!f->message)
		f->message = ARENA_NEW(&f->message_arena, struct message);
	return f->message;
}

void
facts_select_recipient(struct facts *f, size_t i)
{
	if (f->message && i < f->message->recipients.n)
		f->message->recipient = f->message->recipients.v[i];
}

size_t
facts_recipients(const struct facts *f)
{
	return f->message ? f->message->recipients.n : 0;
}

struct str
facts_recipient(const struct facts *f, size_t i)
{
	if (i >= facts_recipients(f))
		return STR("");
	return f->message->recipients.v[i]->address.part[PART_ADDRESS].text;
}

const char *
facts_failure(const struct facts *f)
{
	return f->failure ? f->failure : facts_no_memory;
}

struct arena *
facts_arena(struct facts *f)
{
	return &f->message_arena;
}

struct str
facts_queue_id(const struct facts *f)
{
	const struct cell *c = facts_find_macro((struct facts *)f, STR("i"));

	return c ? c->text : STR("");
}

struct str
facts_client_text(const struct facts *f)
{
	return f->client_text.text.p ? f->client_text.text : STR("");
}

struct str
facts_sender_text(const struct facts *f)
{
	struct str text;

	if (!f->message || !f->message->sender)
		return (struct str){ NULL, 0 };
	text = f->message->sender->part[PART_ADDRESS].text;
	return text.p ? text : STR("");
}

size_t
facts_memory(const struct facts *f)
{
	return sizeof(*f) + f->connect_arena.used + f->helo_arena.used +
	       f->message_arena.used + f->body_room;
}
