/*
 * Code.  Each instruction alone: operands in range and of the right type.
 * Each fragment as a whole: control flow, registers, loops, and that its facts
 * are there.
 *
 * Jumps go forward only, so one walk in the order of the code sees all ways to
 * an instruction before the instruction itself.
 */
#include "runtime/opcodes.h"
#include "runtime/verify.h"

struct walk {
	struct verifier *v;
	const struct place *place;
	const struct image_loop *loops[4]; /* by depth; NULL: `where` */
	unsigned depth;
};
_Static_assert(sizeof(((struct walk *)0)->loops) / sizeof(void *) == 4,
    "as many as LIMIT_LOOPS");

/* ---- single instructions ---------------------------------------------- */

static bool
operand_is_valid(
    const struct verifier *v, enum operand kind, uint32_t x, uint32_t room)
{
	const struct milt_image *im = v->im;
	uint64_t slots = 0;

	switch (kind) {
	case OPERAND_NONE:
		return x == 0;
	case OPERAND_REG:
		return x < IMAGE_REGISTERS;
	case OPERAND_TRUTH:
		return x <= ERROR_;
	case OPERAND_SKIP:
		return x <= room;
	case OPERAND_NODE:
		for (int i = 0; i < MEMO_CLASSES; i++)
			slots += im->needs->memo[i];
		return x < slots;
	case OPERAND_LOOP:
		return x < im->count[SECTION_LOOPS];
	case OPERAND_REF:
	case OPERAND_REF2:
		return x < im->count[SECTION_REFS];
	case OPERAND_TEXT:
		return x < im->count[SECTION_TEXTS];
	case OPERAND_NUM:
		return x < im->count[SECTION_NUMBERS];
	case OPERAND_LIST:
		return x < im->count[SECTION_LISTS];
	case OPERAND_REGEX:
		return x < im->count[SECTION_REGEXES];
	}
	return false;
}

const char *
verify_code(struct verifier *v)
{
	uint32_t count = v->im->count[SECTION_CODE];

	for (uint32_t i = 0; i < count; i++) {
		const struct image_insn *in = &v->im->code[i];
		const struct opcode_row *row;
		const char *why;

		if (in->op >= OPC_COUNT || in->r >= IMAGE_REGISTERS)
			return "an instruction is unknown";
		row = &opcode_rows[in->op];
		if (!operand_is_valid(v, row->a, in->a, count - i - 1) ||
		    !operand_is_valid(v, row->b, in->b, count - i - 1))
			return "an operand is out of range";
		why = verify_operands(v, in);
		if (why)
			return why;
	}
	return NULL;
}

/* ---- fragments -------------------------------------------------------- */

static const char *
check_attr(const struct walk *w, enum milt_attr attr, uint32_t key)
{
	if (verify_from(w->v, attr, key) > w->place->stage)
		return "an attribute is not known at its stage";
	if (attr_rows[attr].scope == SCOPE_RECIPIENT && !w->place->recipient)
		return "a rule that is not a recipient's names one";
	return NULL;
}

/* The collection at whose element the loop of that depth is. */
static bool
element_fits(const struct walk *w, const struct image_ref *ref)
{
	const struct image_loop *loop;

	if (ref->loop >= w->depth)
		return false;
	loop = w->loops[ref->loop];
	if (!loop)
		return verify_fits(
		    ref->attr, ref->key, w->place->where, IMAGE_NONE);
	return verify_fits(ref->attr, ref->key, loop->attr, loop->key);
}

static const char *
check_ref(const struct walk *w, uint32_t number, enum opcode op)
{
	const struct image_ref *ref = &w->v->im->refs[number];

	switch ((enum ref_from)ref->from) {
	case REF_VALUE:
		if (attr_rows[ref->attr].many && op != OPC_EXISTS &&
		    op != OPC_MALFORMED)
			return "a collection is read outside a loop";
		break;
	case REF_COUNT:
		break;
	case REF_ELEMENT:
		if (!element_fits(w, ref))
			return "an element is read outside its loop";
		break;
	}
	return check_attr(w, ref->attr, ref->key);
}

static const char *
jump(const struct walk *w, uint32_t to, uint32_t end, uint32_t written)
{
	if (to > end)
		return "a jump leaves its fragment or loop";
	w->v->written[to] &= written;
	w->v->target[to] = true;
	return NULL;
}

static const char *
registers(uint32_t written, uint32_t read)
{
	return (read & ~written) == 0
		   ? NULL
		   : "a register is read before it is written";
}

/*
 * An instruction that is no loop, at `at` in a run that ends at `end`.
 * *written: registers written before it, then behind it.
 */
static const char *
walk_plain(struct walk *w, uint32_t at, uint32_t end, uint32_t *written)
{
	const struct image_insn *in = &w->v->im->code[at];
	const struct opcode_row *row = &opcode_rows[in->op];
	uint32_t r = UINT32_C(1) << in->r;
	const char *why = NULL;

	switch (in->op) {
	case OPC_CONST:
		*written |= r;
		return in->a == UNKNOWN_ && w->place->last
			   ? "a condition stays unknown at its last stage"
			   : NULL;
	case OPC_AND:
	case OPC_OR:
		return registers(*written, r | UINT32_C(1) << in->a);
	case OPC_NOT:
	case OPC_KEEP:
		return registers(*written, r);
	case OPC_JUMP_FALSE:
	case OPC_JUMP_TRUE:
		why = registers(*written, r);
		return why ? why : jump(w, at + 1 + in->b, end, *written);
	case OPC_RECALL:
		return jump(w, at + 1 + in->a, end, *written | r);
	case OPC_HALT:
		return "a fragment ends inside a loop";
	}
	if (row->a == OPERAND_REF)
		why = check_ref(w, in->a, in->op);
	if (!why && row->b == OPERAND_REF2)
		why = check_ref(w, in->b, in->op);
	*written |= r;
	return why;
}

static const char *walk_run(struct walk *, uint32_t at, uint32_t end);

static const char *
walk_each(struct walk *w, uint32_t at, uint32_t end, uint32_t *written)
{
	struct verifier *v = w->v;
	const struct image_insn *in = &v->im->code[at];
	const struct image_loop *loop = &v->im->loops[in->a];
	uint32_t r = UINT32_C(1) << in->r, after = at + 1 + in->b, outer;
	bool outer_target;
	const char *why;

	if (after > end)
		return "a loop leaves its fragment";
	if (loop->depth != w->depth)
		return "a loop is at the wrong depth";
	why = check_attr(w, loop->attr, loop->key);
	if (why)
		return why;
	for (uint32_t i = at + 1; i < after; i++)
		if (v->target[i])
			return "a jump leads into a loop";
	outer = v->written[after];
	outer_target = v->target[after];
	v->written[after] = UINT32_MAX;
	v->written[at + 1] = *written;
	w->loops[w->depth++] = loop;
	why = walk_run(w, at + 1, after);
	w->depth--;
	if (!why)
		why = registers(v->written[after], r);
	v->written[after] = outer;
	v->target[after] = outer_target;
	*written |= r; /* there may be no element */
	return why;
}

/*
 * The run [at, end), with v->written[at] what is written before it; leaves
 * what is written behind it in v->written[end].
 */
static const char *
walk_run(struct walk *w, uint32_t at, uint32_t end)
{
	struct verifier *v = w->v;

	while (at < end) {
		const struct image_insn *in = &v->im->code[at];
		uint32_t written = v->written[at];
		const char *why;

		if (in->op == OPC_EACH) {
			why = walk_each(w, at, end, &written);
			at += in->b;
		} else {
			why = walk_plain(w, at, end, &written);
		}
		if (why)
			return why;
		at++;
		v->written[at] &= written;
	}
	return NULL;
}

const char *
verify_fragment(struct verifier *v, uint32_t code, const struct place *place)
{
	struct walk w = { .v = v, .place = place };
	uint32_t count = v->im->count[SECTION_CODE], end = code;
	const char *why;

	if (code >= count)
		return "a fragment lies outside the code";
	while (end < count && v->im->code[end].op != OPC_HALT)
		end++;
	/* Each loop around an instruction looks at it once more. */
	if (!verify_spend(v, end - code + 1, 4 * sizeof(struct image_insn)))
		return "the fragments share too much code";
	if (end == count)
		return "a fragment has no end";
	for (uint32_t i = code; i <= end; i++) {
		v->written[i] = UINT32_MAX;
		v->target[i] = false;
	}
	v->written[code] = 0;
	if (place->where != ATTR_NONE)
		w.depth = 1;
	why = walk_run(&w, code, end);
	return why ? why
		   : registers(
			 v->written[end], UINT32_C(1) << v->im->code[end].r);
}
