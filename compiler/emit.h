/*
 * Inside emit: shared by emit.c (the pass, rules, actions), emit_code.c
 * (fragments), emit_memo.c (which nodes have a memo) and emit_image.c (the
 * bytes).
 */
#ifndef COMPILER_EMIT_H
#define COMPILER_EMIT_H

#include "compiler/compile.h"
#include "compiler/intern.h"
#include "compiler/needs.h"
#include "compiler/plan.h"

/* What the stages look at: emit_index.c. */
struct index_sections {
	struct image_stage stages[STAGE_COUNT];
	VEC(uint32_t) stage_rules;
	VEC(struct image_guard) guards;
	VEC(struct image_pending) pending;
	VEC(uint32_t) pending_rules;
	VEC(struct image_probe) probes;
	uint32_t made; /* how many probes */
	VEC(struct image_key) slots;
	VEC(struct image_block) blocks;
	VEC(struct image_point) points;
	VEC(struct image_interval) intervals;
	VEC(struct image_pattern) patterns;
	VEC(struct image_hits) hits;
	VEC(uint32_t) hit_rules;
};

struct emitter {
	struct compilation *c;
	struct ir *ir;
	struct arena *arena;
	struct needs needs;

	/* Records that stand once: number by contents. */
	struct intern texts, refs, numbers, loops;
	uint32_t *list_numbers; /* by ir_list.number; IMAGE_NONE: not used */

	/* Sections. */
	VEC(struct image_ref) ref_records;
	VEC(int64_t) number_records;
	VEC(struct image_list) lists;
	VEC(char) sets;
	VEC(struct image_loop) loop_records;
	VEC(struct image_piece) pieces;
	VEC(struct image_candidate) candidates;
	VEC(struct image_template) templates;
	VEC(struct image_action) actions;
	VEC(struct image_rule) rules;
	VEC(struct image_js) js;
	VEC(struct image_capture) captures;
	VEC(struct image_insn) code;
	uint32_t memo[MEMO_CLASSES];
	uint32_t *finders;    /* by node: code that finds its element */
	uint32_t *guard_code; /* by guard: the code of those that it keeps
				 from being reached, or IMAGE_NONE */
	struct index_sections index;

	/* Code of the present fragment. */
	enum milt_stage stage;
	bool use_memo; /* not in a `where` */
	bool
	    deeper_first; /* operands in the order that needs fewer registers */
	bool too_large;   /* reported once */
	struct span span; /* of the rule */
	VEC(const struct ir_node *) operands; /* of the chains around */
};

/* ---- records: emit_image.c ------------------------------------------ */

uint32_t emit_text(struct emitter *, struct str);
uint32_t emit_ref(struct emitter *, const struct ir_ref *);
uint32_t emit_number(struct emitter *, long long);
uint32_t emit_list(struct emitter *, const struct ir_list *);
/* The bytes of the image; MILT_NO_MEMORY or MILT_OK. */
enum milt_status emit_image(struct emitter *);

/* ---- memo and loops: emit_memo.c ------------------------------------ */

/* Fills memo and each of the nodes in use. */
void emit_memo(struct emitter *);

/* ---- code: emit_code.c ---------------------------------------------- */

/* Where the fragment begins.  Facts of later stages are unknown in it. */
uint32_t emit_fragment(struct emitter *, const struct ir_node *condition,
    enum milt_stage, bool use_memo);

/* ---- the index: emit_index.c, emit_probe.c -------------------------- */

/* Fills e->index; after the rules' code. */
void emit_index(struct emitter *);

struct probe_maker;

/* An empty probe; `ref` IMAGE_NONE: PROBE_CODE. */
struct probe_maker *probe_new(
    struct emitter *, enum probe_kind, uint32_t form, uint32_t ref);
/* The rule, in file order, is hit by what the test asks for. */
void probe_add(struct emitter *, struct probe_maker *,
    const struct trigger_test *, uint32_t rule);
/* It is on the fields of that name. */
void probe_set_name(struct probe_maker *, struct str name);
bool probe_has_name(const struct probe_maker *);
/* For qsort, of pointers: those with a name last, by its hash. */
int probe_compare(const void *, const void *);
/* Its records, into e->index. */
void probe_emit(struct emitter *, struct probe_maker *, enum milt_stage);

/* Reports, once, that an image cannot hold the policy. */
void emit_refuse(struct emitter *, const char *what);

#endif
