/*
 * The facts of a transaction: what the MTA and the message say, kept as they
 * came and given to the interpreter as typed values.  Two arenas: what belongs
 * to the session, and what belongs to one message.
 *
 * One thread at a time; libmilter may call from different threads in turn.
 */
#ifndef RUNTIME_FACTS_H
#define RUNTIME_FACTS_H

#include "runtime/image.h"
#include "runtime/normal.h"

struct facts; /* owned by the session */

/* A value of an attribute; texts are borrowed until the next reset. */
struct fact_value {
	enum milt_type type;
	struct str text; /* TEXT, DOMAIN, ADDRESS: valid UTF-8, but octets for
			    raw ones; empty for other types */
	struct ip_range range; /* IP, NETWORK */
	long long number;      /* NUMBER, SIZE, DURATION, TIME, DATE, ... */
	const void *memo;      /* private: where derived forms are kept */
};

/* Makes the libraries ready; any number of times, from any thread. */
void facts_init(void);

/* What all facts of the process hold; no limit until one is set. */
extern struct budget facts_budget;

struct facts *facts_new(const struct milt_image *);
void facts_free(struct facts *);

/* ---- filling in: by the host, stage by stage -------------------------- */

/* MILT_NO_MEMORY beyond the session's or message's limit. */
enum milt_status facts_client(struct facts *, struct str name, bool verified,
    const struct ip *ip, unsigned port); /* ip may be NULL */
enum milt_status facts_helo(struct facts *, struct str argument);
enum milt_status facts_mail(struct facts *, struct str path,
    const struct str *parameters, size_t count);
/* Sets the current recipient. */
enum milt_status facts_rcpt(struct facts *, struct str path,
    const struct str *parameters, size_t count);
/* The current recipient is accepted: one of `recipients`. */
enum milt_status facts_rcpt_accepted(struct facts *);
/* Macro values; `name` as in the image (braces if longer than one letter). */
enum milt_status facts_macro(
    struct facts *, enum milt_stage, struct str name, struct str value);
/*
 * A header field as the MTA gives it: folded with LF, without the blank
 * behind the colon.
 */
enum milt_status facts_header(
    struct facts *, struct str name, struct str value);
enum milt_status facts_body(struct facts *, struct str chunk);
/* Answer to the clock's question: milliseconds since 1970, UTC. */
void facts_clock(struct facts *, long long now);

/*
 * Starts over at a stage: HELO forgets the HELO and all later facts, MAIL the
 * message, RCPT the current recipient.
 */
void facts_reset(struct facts *, enum milt_stage);

/* Makes accepted recipient number `i` the current one again. */
void facts_select_recipient(struct facts *, size_t i);
size_t facts_recipients(const struct facts *);
struct str facts_recipient(const struct facts *, size_t i); /* text form */

/* ---- asking: by the interpreter --------------------------------------- */

enum fact_state {
	FACT_MISSING,
	FACT_THERE,
	FACT_PARTIAL, /* there, but a limit was hit, facts_failure(): what holds
			 for it is certain, what does not hold is not */
	FACT_FAILED,  /* a limit was hit, or no memory: facts_failure() */
	FACT_ASK,     /* the clock has not been asked */
};

/* How many values; FACT_THERE with 0 for an empty collection. */
enum fact_state facts_count(
    struct facts *, enum milt_attr, struct str key, size_t *out);
/* A hash of a header field's name, without regard to case. */
uint32_t facts_name_hash(struct str name);
/*
 * The hashes of the names of all fields, in order: of field number i.  False
 * behind the last one.
 */
bool facts_name_at(const struct facts *, size_t i, uint32_t *hash);
/* Were there more fields than are kept? */
bool facts_fields_over(const struct facts *);

/* Value number i, from 0. */
enum fact_state facts_get(struct facts *, enum milt_attr, struct str key,
    size_t i, struct fact_value *out);
/* header.from and the like: see opcode MALFORMED. */
enum fact_state facts_malformed(struct facts *, enum milt_attr, bool *out);

/* Derived forms, computed once; {NULL,0} with no memory. */
struct str facts_folded(struct facts *, const struct fact_value *);
/* The key by which a value of this type is compared (KEY_ column). */
struct str facts_key(
    struct facts *, const struct fact_value *, enum milt_type as);

/* What the last FACT_FAILED was about; static text. */
const char *facts_failure(const struct facts *);

/* The message arena: for texts that live as long as the message. */
struct arena *facts_arena(struct facts *);

/* For logs; empty where not known, the sender {NULL, 0}. */
struct str facts_queue_id(const struct facts *);
struct str facts_client_text(const struct facts *); /* "name[1.2.3.4]" */
struct str facts_sender_text(const struct facts *);
size_t facts_memory(const struct facts *); /* bytes held */

#endif
