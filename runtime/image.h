/*
 * The image: a compiled policy, one block of bytes that is used in place
 * (mapped from a file or held in memory).  Host byte order; a cache, not an
 * interchange format: an image made with other tables is refused.
 *
 * The records here are what the compiler writes (compiler/emit.c), verify.c
 * checks and the interpreter reads.  Every index is checked by verify.c before
 * anything runs; there is no way to run an image that was not verified.
 */
#ifndef RUNTIME_IMAGE_H
#define RUNTIME_IMAGE_H

#include <stdio.h>

#include "dsl/status.h"
#include "dsl/tables.h"
#include "dsl/truth.h"
#include "runtime/image_index.h"

#define IMAGE_MAGIC "milt\r\n\032\n"
enum { IMAGE_VERSION = 5, IMAGE_ALIGN = 16 };
static const uint32_t IMAGE_NONE __attribute__((unused)) = UINT32_MAX;

enum opcode {
#define OPCODE(id, name, a, b, doc) OPC_##id,
#include "dsl/opcodes.def"
#undef OPCODE
	OPC_COUNT
};

/* Which value of an attribute. */
enum ref_from {
	REF_VALUE,   /* the only value; for a collection its first */
	REF_COUNT,   /* how many values there are */
	REF_ELEMENT, /* of the element of loop `loop` */
};

enum { IMAGE_REGISTERS = 32 };

struct image_insn {
	uint8_t op, r;
	uint16_t a;
	uint32_t b;
};
_Static_assert(sizeof(struct image_insn) == 8, "instructions have 8 bytes");

/* A string: bytes [offset, offset + length) of section BYTES. */
struct image_text {
	uint32_t offset, length;
};

struct image_ref {
	uint16_t attr; /* enum milt_attr */
	uint8_t from;  /* enum ref_from */
	uint8_t loop;  /* REF_ELEMENT */
	uint32_t key;  /* text: header or macro name; IMAGE_NONE */
};

/*
 * A set, in section SETS.  Keys are normal forms (runtime/normal.h).
 *	TEXT, DOMAIN, ADDRESS: `slots` (a power of two, at least count * 4 / 3)
 *		struct image_slot at `offset`: open addressing, linear probing
 *		from hash & (slots - 1); the longest probe is `longest`.
 *	NETWORK: `count` struct ip_range, sorted, disjoint.  Those from number
 *		`longest` on, `slots` of them, begin at an IPv4 address: behind
 *		the ranges stands a tree of these addresses (sets.h).
 *	NUMBER: `count` int64_t, sorted, distinct.
 */
struct image_list {
	uint32_t type;  /* enum milt_type */
	uint32_t name;  /* text; IMAGE_NONE for one written in place */
	uint32_t count; /* entries */
	uint32_t slots;
	uint32_t longest; /* probe, from 0; below slots */
	uint32_t zero;
	uint64_t offset; /* in SETS; a multiple of 16 */
	uint64_t seed;   /* of XXH3_64bits_withSeed over the key's bytes */
};

struct image_slot {
	uint32_t tag;  /* upper half of the hash */
	uint32_t text; /* IMAGE_NONE: empty */
};

enum {
	REGEX_I = 1,
	REGEX_M = 2,
	REGEX_S = 4,
	REGEX_X = 8,
	REGEX_BYTES = 16, /* octets; otherwise PCRE2_UTF on valid UTF-8 */
};

struct image_regex {
	uint32_t source; /* text */
	uint32_t flags;
	uint32_t captures;
	uint32_t zero;
};

/* An EACH over a whole collection. */
struct image_loop {
	uint16_t attr; /* the collection */
	uint8_t depth; /* 0 outermost, below LIMIT_LOOPS */
	uint8_t zero;
	uint32_t key; /* text or IMAGE_NONE */
};

enum image_piece_kind {
	IMAGE_PIECE_TEXT,
	IMAGE_PIECE_VALUE,
	IMAGE_PIECE_CAPTURE
};

/*
 * A piece of a template.  TEXT: text a.  VALUE: reference a (from VALUE), or
 * the first of the candidates [first, first + count) whose loop finds an
 * element.  CAPTURE: the first candidate whose regex matches.
 */
struct image_piece {
	uint32_t kind;
	uint32_t a;
	uint32_t first, count; /* candidates */
};

struct image_candidate {
	uint32_t loop; /* index of an outermost loop, or IMAGE_NONE */
	uint32_t ref;
	uint32_t regex; /* captures; else IMAGE_NONE */
	uint32_t group; /* captures */
	uint32_t code;  /* of the loop: finds its element; or IMAGE_NONE */
	uint32_t stage; /* its facts are known from here on */
};

struct image_template {
	uint32_t first, count; /* pieces */
};

struct image_action {
	uint16_t action;            /* enum milt_action */
	uint16_t code;              /* reply code */
	uint32_t xcode;             /* text "5.7.1", or IMAGE_NONE */
	uint32_t texts, text_count; /* templates */
	uint32_t name;              /* template or IMAGE_NONE */
	uint32_t address;           /* template or IMAGE_NONE */
	uint32_t where;             /* code for loop depth 0, or IMAGE_NONE */
	int32_t index;              /* insert header */
	uint32_t milliseconds;      /* delay */
};

enum { RULE_SHADOW = 1, RULE_RECIPIENT = 2, RULE_PINNED = 4, RULE_JS = 8 };

struct image_rule {
	uint32_t name;       /* text */
	uint32_t why;        /* text, may be empty */
	uint32_t file, line; /* text; line from 1 */
	uint32_t flags;
	uint16_t verdict;      /* enum milt_action: a verdict or ACTION_NONE;
				  RULE_JS: what it gives on failure */
	uint8_t pin;           /* RULE_PINNED: enum milt_stage */
	uint8_t text_last;     /* reply text known from this stage on */
	uint32_t first, count; /* actions, verdict included */
	/*
	 * Code for each stage at which a part of the condition becomes known;
	 * IMAGE_NONE: nothing new.  A constant condition has one at CONNECT.
	 */
	uint32_t fragments[STAGE_COUNT];
	/*
	 * From this stage on the rule is never UNKNOWN: the latest of its
	 * condition's facts, its reply text's facts (text_last) and its pin.
	 * RULE_JS: its question is asked there.
	 */
	uint8_t known;
	uint8_t zero[3];
	uint32_t js; /* RULE_JS: its record, else IMAGE_NONE */
};

/* A capture of the regexes in a js rule's condition. */
struct image_capture {
	uint32_t name;     /* text: "1" and so on, or the group's name */
	uint32_t template; /* gives its text */
};

enum { JS_BODY = 1 /* needs body */ };

/*
 * What a js rule asks.  Either a function of a module or code: the texts of
 * the other one are IMAGE_NONE.
 */
struct image_js {
	uint32_t rule;
	uint32_t file;      /* text: relative to where the compiler ran, as is
			       the policy's own path in struct image_rule */
	uint32_t function;  /* text: an identifier, or `default` */
	uint32_t code;      /* text */
	uint32_t code_line; /* where it begins, in the rule's source */
	uint32_t timeout;   /* milliseconds, at least 1 */
	uint32_t flags;     /* JS_ */
	uint32_t may;       /* bit ACTION_...: verdicts of its answer */
	uint32_t captures, capture_count; /* CAPTURES: {1} and so on, then
					     those that have names */
};

struct image_macro {
	uint32_t stage; /* at which it is asked for */
	uint32_t name;  /* text, with braces if longer than one letter */
};

/* How many slots of the memo are reset when; the slots are in this order. */
enum memo_class {
	MEMO_CONNECT,   /* for the whole session */
	MEMO_HELO,      /* reset at each HELO */
	MEMO_MESSAGE,   /* reset at each MAIL */
	MEMO_RECIPIENT, /* reset at each RCPT */
	MEMO_CLASSES
};

enum {
	NEED_HELO = 1,    /* the HELO argument */
	NEED_HEADERS = 2, /* header fields */
	NEED_BODY = 4,    /* octets of the body */
	NEED_SIZES = 8,   /* sizes of header and body */
	NEED_CLOCK = 16,
	NEED_MIME = 32,         /* the MIME structure */
	NEED_TEXTS = 64,        /* decoded texts of the body */
	NEED_FILES = 128,       /* attached files, archives opened */
	NEED_KINDS = 256,       /* what their contents are */
	NEED_DIGESTS = 512,     /* digests of their contents */
	NEED_FILE_TEXTS = 1024, /* their contents as text */
	NEED_URLS = 2048,       /* URLs in the texts of the body */
	NEED_JS = 4096,         /* somebody who answers js rules */
};

struct image_needs {
	uint32_t flags;   /* NEED_ */
	uint32_t actions; /* SMFIF_ */
	/*
	 * Bit s: at stage s an answer other than `continue` can be given
	 * (`accept` for want of open rules included).
	 */
	uint32_t answers;
	uint32_t memo[MEMO_CLASSES]; /* slots of each class */
	uint32_t loops;              /* number of EACH nodes */
	uint32_t recipient_effects;  /* some recipient rule has effects or notes
				       or  is a shadow rule */
	int64_t options[OPTION_COUNT];
	uint32_t option_texts[OPTION_COUNT]; /* texts, or IMAGE_NONE */
};

/*
 * SECTION(ID, record)
 * STAGES has STAGE_COUNT records, NEEDS one.  The last rule is `otherwise`:
 * its condition is constant and true, its verdict is the policy's default.
 */
#define IMAGE_SECTIONS(SECTION)                     \
	SECTION(BYTES, uint8_t)                     \
	SECTION(TEXTS, struct image_text)           \
	SECTION(NUMBERS, int64_t)                   \
	SECTION(REFS, struct image_ref)             \
	SECTION(LISTS, struct image_list)           \
	SECTION(SETS, uint8_t)                      \
	SECTION(REGEXES, struct image_regex)        \
	SECTION(LOOPS, struct image_loop)           \
	SECTION(PIECES, struct image_piece)         \
	SECTION(CANDIDATES, struct image_candidate) \
	SECTION(TEMPLATES, struct image_template)   \
	SECTION(ACTIONS, struct image_action)       \
	SECTION(RULES, struct image_rule)           \
	SECTION(JS, struct image_js)                \
	SECTION(CAPTURES, struct image_capture)     \
	SECTION(STAGES, struct image_stage)         \
	SECTION(STAGE_RULES, uint32_t)              \
	SECTION(GUARDS, struct image_guard)         \
	SECTION(PENDING, struct image_pending)      \
	SECTION(PENDING_RULES, uint32_t)            \
	SECTION(PROBES, struct image_probe)         \
	SECTION(SLOTS, struct image_key)            \
	SECTION(BLOCKS, struct image_block)         \
	SECTION(POINTS, struct image_point)         \
	SECTION(INTERVALS, struct image_interval)   \
	SECTION(PATTERNS, struct image_pattern)     \
	SECTION(HITS, struct image_hits)            \
	SECTION(HIT_RULES, uint32_t)                \
	SECTION(CODE, struct image_insn)            \
	SECTION(MACROS, struct image_macro)         \
	SECTION(NEEDS, struct image_needs)

enum image_section {
#define SECTION(id, record) SECTION_##id,
	IMAGE_SECTIONS(SECTION)
#undef SECTION
	    SECTION_COUNT
};

struct image_header {
	char magic[8];
	uint32_t version;
	uint32_t sections; /* SECTION_COUNT */
	uint64_t tables;   /* tables_hash() */
	uint64_t size;     /* of the whole image, in bytes */
	uint64_t checksum; /* image_checksum() */
	uint64_t policy;   /* hash of the policy's sources, for logs */
	struct {
		uint64_t offset; /* from the start; a multiple of IMAGE_ALIGN,
				    the first behind the section before */
		uint64_t count;  /* records */
	} section[SECTION_COUNT];
};

/*
 * XXH3_64bits of all that follows the checksum in the header; what is before it
 * has one right value alone.
 */
uint64_t image_checksum(const void *image, size_t size);

/*
 * A loaded, verified image.  Immutable; any number of threads may use it.
 * Owned by who loaded it, until milt_image_free.
 */
struct milt_image {
	const struct image_header *header;
	const uint8_t *bytes;
	const struct image_text *texts;
	const int64_t *numbers;
	const struct image_ref *refs;
	const struct image_list *lists;
	const uint8_t *sets;
	const struct image_regex *regexes;
	const struct image_loop *loops;
	const struct image_piece *pieces;
	const struct image_candidate *candidates;
	const struct image_template *templates;
	const struct image_action *actions;
	const struct image_rule *rules;
	const struct image_js *js;
	const struct image_capture *captures;
	const struct image_stage *stages;
	const uint32_t *stage_rules;
	const struct image_guard *guards;
	const struct image_pending *pending;
	const uint32_t *pending_rules;
	const struct image_probe *probes;
	const struct image_key *slots;
	const struct image_block *blocks;
	const struct image_point *points;
	const struct image_interval *intervals;
	const struct image_pattern *patterns;
	const struct image_hits *hits;
	const uint32_t *hit_rules;
	const struct image_insn *code;
	const struct image_macro *macros;
	const struct image_needs *needs;
	uint32_t count[SECTION_COUNT]; /* records of each section */
	struct matchers *matchers;     /* compiled regexes, owned: match.h */
	struct scan *scan;     /* what finds their candidates, owned: scan.h */
	bool jit;              /* regexes run as machine code */
	const char *jit_error; /* why not, static text; NULL if jit */
	void *map;             /* owned: mapping or heap block */
	size_t map_size;
	bool mapped;
};

/*
 * Maps, verifies, compiles the regexes.  `why` (may be NULL) gets a static
 * sentence where the result is MILT_INVALID or MILT_OTHER_TABLES.
 */
enum milt_status milt_image_open(
    const char *path, struct milt_image **out, const char **why);

/* The same from memory; `data` is copied. */
enum milt_status milt_image_load(
    const void *data, size_t size, struct milt_image **out, const char **why);

void milt_image_free(struct milt_image *);

/*
 * All that the interpreter relies on: sections inside the image and disjoint,
 * operands in range, jumps forward and inside the fragment, registers written
 * before they are read, references known at their stage, element references
 * inside a loop of their collection, sets well formed.  NULL, or a static
 * sentence that says what is wrong.
 */
const char *image_verify(const struct milt_image *);

/* NEED_ flags of what is inside a message; 0 for sources of another kind. */
uint32_t image_content_needs(enum milt_source);

static inline struct str
image_text(const struct milt_image *im, uint32_t text)
{
	const struct image_text *t = &im->texts[text];

	return (struct str){ (const char *)im->bytes + t->offset, t->length };
}

/* What a rule can give while it is not known: bit ACTION_... */
static inline unsigned
image_kinds(const struct milt_image *im, const struct image_rule *r)
{
	unsigned kinds = r->verdict != ACTION_NONE ? 1u << r->verdict : 0;

	return r->flags & RULE_JS ? kinds | im->js[r->js].may : kinds;
}

/* One instruction as text, for dump --after=emit and the tests. */
void image_print_insn(const struct milt_image *, uint32_t at, FILE *);
/* Its last operand, with a blank before it. */
void image_print_operand(
    const struct milt_image *, const struct image_insn *, FILE *);
/* The whole image, readable and stable. */
void image_dump(const struct milt_image *, FILE *);

#endif
