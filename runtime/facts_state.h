/*
 * How facts are kept.  Private to runtime/facts*.c.
 *
 * What belongs to the session lies in two arenas (HELO comes again after
 * STARTTLS), what belongs to the message in a third that takes no memory until
 * there is something to hold.  Headers are parsed when they are asked for.
 */
#ifndef RUNTIME_FACTS_STATE_H
#define RUNTIME_FACTS_STATE_H

#include "runtime/facts.h"

/* Forms of a text by which it is compared; p is NULL until asked for. */
struct derived {
	struct str folded, domain, address;
};

/* A text and its forms; lives in `arena`, as they do. */
struct cell {
	struct str text; /* p NULL: missing */
	struct arena *arena;
	struct derived *derived; /* NULL until one is asked for */
};

struct macro {
	struct macro *next;
	struct str name; /* without braces */
	struct cell value;
	enum milt_stage stage;
};

enum part {
	PART_ADDRESS,
	PART_LOCAL,
	PART_DOMAIN,
	PART_ORG,
	PART_USER,
	PART_DETAIL,
	PART_NAME, /* display name, header fields only */
	PART_COUNT
};

struct address {
	struct cell part[PART_COUNT]; /* PART_ORG: see facts_org */
};

struct cells {
	struct cell *v;
	size_t n;
};

struct recipient {
	struct address address;
	struct cells parameters;
	struct macro *macros;
	bool has_path, accepted;
};

struct field {
	struct cell name, raw;
	struct cell value; /* unfolded, trimmed; p NULL until asked for */
	uint32_t hash;     /* of the name, without case */
};

/* The fields of one name, in order. */
struct index {
	struct index *next;
	struct str name;
	uint32_t hash;
	uint32_t *fields;
	size_t n;
};

/* The fields of RFC 5322 3.6.2 and 3.6.3 that hold addresses. */
enum address_field {
	FIELD_FROM,
	FIELD_SENDER,
	FIELD_REPLY_TO,
	FIELD_TO,
	FIELD_CC,
	FIELD_COUNT
};

struct address_vec {
	struct address **v;
	size_t n, cap;
};

struct addresses {
	bool parsed, malformed;
	const char *failure; /* a limit was hit */
	struct address_vec list;
};

/* A field of which the first counts and which is decoded in its own way. */
struct named {
	bool parsed, malformed;
	struct cell text;
	long long number;
};

enum { INDEX_BUCKETS = 32 };

struct header {
	VEC(struct field) fields;
	size_t bytes;         /* names and values held */
	bool over;            /* a limit was hit: incomplete */
	struct index **index; /* INDEX_BUCKETS, or NULL */
	struct addresses addresses[FIELD_COUNT];
	struct named subject, message_id, list_id, date;
	struct authres_facts *authres; /* NULL until asked for */
};

struct message {
	struct address *sender;
	struct cells parameters;
	long long declared_size;
	bool has_declared_size;
	struct macro *macros;
	struct recipient *recipient; /* current */
	VEC(struct recipient *) recipients;
	struct header *header;            /* NULL: no field yet */
	long long header_size, body_size; /* octets as sent */
	struct cell body;                 /* the octets at facts.body */
	struct content *content; /* owned: content_free; NULL until asked for */
};

struct clock {
	long long now; /* milliseconds since 1970 */
	long long hour, weekday, date;
	bool local; /* the last three are known */
};

struct facts {
	const struct milt_image *image;
	struct arena connect_arena, helo_arena, message_arena;
	struct cell client_name, client_text, client_network, helo;
	struct cell client_org, helo_org; /* see facts_org */
	struct ip client_ip;
	unsigned client_port;
	bool has_client, has_ip;
	struct macro *connect_macros, *helo_macros;
	struct clock *clock;     /* NULL: not asked */
	struct message *message; /* NULL: none */
	char *body;              /* owned; malloc */
	size_t body_length, body_room;
	bool body_over; /* larger than option scan-limit: cut there */
	const char *failure;
};

extern const char facts_no_memory[], facts_header_over[], facts_body_over[];

/* facts.c: the message, made if there is none; NULL with no memory. */
struct message *facts_message(struct facts *);

/* facts_fill.c: a text from the MTA, made valid UTF-8, in an arena. */
bool facts_set_cell(struct cell *, struct arena *, struct str);
/* The value of a macro, or NULL where it is not given or empty. */
struct cell *facts_find_macro(struct facts *, struct str name);
/* Forgets the octets of the body. */
void facts_free_body(struct facts *);

/* facts_address.c: from an envelope path; false with no memory. */
bool facts_envelope_address(struct facts *, struct address *, struct str path);
/* From local@domain of a header field; `name` may be {NULL, 0}. */
bool facts_header_address(
    struct facts *, struct address *, struct str text, struct str name);
/*
 * Fills in `org`, the registrable domain of `domain`, when it is first asked
 * for; gives NULL where there is none.
 */
struct cell *facts_org(struct facts *, struct cell *domain, struct cell *org);
/* The cell of a part, or NULL where the address does not have it. */
struct cell *facts_part(struct facts *, struct address *, enum part);

/*
 * facts_header.c: the fields of a name; false with f->failure set.  *out is
 * NULL where there is none.
 */
bool facts_fields(struct facts *, struct str name, const struct index **out);
/* A field's unfolded, trimmed value; {NULL, 0} with no memory. */
struct str facts_field_value(struct facts *, struct field *);

/* facts_parse.c: parsed header fields; NULL with f->failure set. */
struct addresses *facts_addresses(struct facts *, enum address_field);
struct named *facts_subject(struct facts *);
struct named *facts_message_id(struct facts *);
struct named *facts_list_id(struct facts *);
struct named *facts_date(struct facts *);

/*
 * facts_decode.c: GMime's view of a text.  All results lie in the arena.
 */
/* RFC 2047 words decoded; {NULL, 0} with no memory. */
struct str decode_words(struct arena *, struct str);
/*
 * The addresses of a list (groups are flattened), appended to *out; *malformed
 * is set where it is not one.  False with no memory.
 */
bool decode_addresses(
    struct facts *, struct str list, struct address_vec *out, bool *malformed);
/* A date of RFC 5322 3.3 and its obsolete forms, ms since 1970. */
bool decode_date(struct str, long long *out);

/* facts_clock.c: the clock in option time-zone. */
const struct clock *facts_local_clock(struct facts *);

#endif
