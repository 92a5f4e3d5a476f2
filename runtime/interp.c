#include "runtime/interp.h"

#include <assert.h>

#include "runtime/value.h"
#include "runtime/limits.h"

/* One call: registers, and for each loop depth the element it is at. */
struct run {
	struct interp *ip;
	enum truth r[IMAGE_REGISTERS];
	size_t at[4];   /* LIMIT_LOOPS */
	uint32_t found; /* what made the last outermost loop true */
	unsigned long steps_left;
	bool over; /* the steps are used up */
};

static uint32_t execute(struct run *, uint32_t at, uint32_t end);

static bool
is_stopped(const struct run *run)
{
	return run->over || run->ip->asking;
}

static enum truth
each_element(
    struct run *run, const struct image_loop *loop, uint32_t code, size_t count)
{
	const struct image_insn *in = &run->ip->image->code[code];
	enum truth all = FALSE_;

	for (size_t i = 0; i < count; i++) {
		run->at[loop->depth] = i;
		execute(run, code + 1, code + 1 + in->b);
		if (is_stopped(run))
			return ERROR_;
		all = truth_or(all, run->r[in->r]);
		if (all != TRUE_)
			continue;
		if (loop->depth == 0)
			run->found = (uint32_t)i;
		break;
	}
	return all;
}

static enum truth
each(struct run *run, uint32_t code)
{
	struct interp *ip = run->ip;
	const struct image_insn *in = &ip->image->code[code];
	const struct image_loop *loop = &ip->image->loops[in->a];
	struct str key = loop->key == IMAGE_NONE
			     ? (struct str){ "", 0 }
			     : image_text(ip->image, loop->key);
	enum truth all;
	const char *why;
	size_t count = 0;

	if (loop->depth == 0)
		run->found = IMAGE_NONE;
	switch (facts_count(ip->facts, loop->attr, key, &count)) {
	case FACT_MISSING:
		return FALSE_;
	case FACT_THERE:
		return each_element(run, loop, code, count);
	case FACT_PARTIAL:
		why = facts_failure(ip->facts);
		all = each_element(run, loop, code, count);
		if (all != FALSE_)
			return all;
		ip->failure = why;
		return ERROR_;
	case FACT_FAILED:
		ip->failure = facts_failure(ip->facts);
		return ERROR_;
	case FACT_ASK:
		ip->asking = true;
		return ERROR_;
	}
	return ERROR_;
}

/* One instruction; how many of the next ones to skip. */
static uint32_t
step(struct run *run, uint32_t at)
{
	struct interp *ip = run->ip;
	const struct image_insn *in = &ip->image->code[at];
	enum truth *r = run->r;
	uint32_t kept;

	switch (in->op) {
	case OPC_CONST:
		r[in->r] = (enum truth)in->a;
		return 0;
	case OPC_AND:
		r[in->r] = truth_and(r[in->r], r[in->a]);
		return 0;
	case OPC_OR:
		r[in->r] = truth_or(r[in->r], r[in->a]);
		return 0;
	case OPC_NOT:
		r[in->r] = truth_not(r[in->r]);
		return 0;
	case OPC_JUMP_FALSE:
		return r[in->r] == FALSE_ ? in->b : 0;
	case OPC_JUMP_TRUE:
		return r[in->r] == TRUE_ ? in->b : 0;
	case OPC_RECALL:
		if (!memo_get(&ip->memo, ip->image, in->b, &kept))
			return 0;
		r[in->r] = (enum truth)kept;
		return in->a;
	case OPC_KEEP:
		if (r[in->r] != UNKNOWN_)
			memo_put(&ip->memo, ip->image, in->b, r[in->r]);
		return 0;
	case OPC_EACH:
		r[in->r] = each(run, at);
		return in->b;
	}
	r[in->r] = test_run(ip, in, run->at);
	return 0;
}

/*
 * To `end`, a HALT, or until stopped; where that is.  Recursion by EACH is as
 * deep as loops are: the verifier saw to that.
 */
static uint32_t
execute(struct run *run, uint32_t at, uint32_t end)
{
	while (at < end && run->ip->image->code[at].op != OPC_HALT) {
		if (run->steps_left == 0) {
			run->over = true;
			return at;
		}
		run->steps_left--;
		run->ip->steps++;
		at += 1 + step(run, at);
		if (is_stopped(run))
			return at;
	}
	return at;
}

static enum truth
run_fragment(struct run *run, uint32_t code)
{
	struct interp *ip = run->ip;
	uint32_t end = ip->image->count[SECTION_CODE];

	assert(code < end);
	ip->asking = false;
	run->steps_left = (unsigned long)LIMIT_VALUE_STEPS;
	end = execute(run, code, end);
	if (run->over) {
		limit_hit(LIMIT_STEPS);
		ip->failure = "a condition took too many steps";
	}
	return is_stopped(run) ? ERROR_ : run->r[ip->image->code[end].r];
}

enum truth
interp_run(struct interp *ip, uint32_t code)
{
	struct run run = { .ip = ip };

	return run_fragment(&run, code);
}

enum truth
interp_where(
    struct interp *ip, uint32_t code, enum milt_attr attr, size_t index)
{
	struct run run = { .ip = ip, .at = { index } };

	assert(attr == ATTR_ALL_HEADERS || attr == ATTR_RECIPIENTS);
	(void)attr; /* the verifier proved the code with it */
	return run_fragment(&run, code);
}

uint32_t
interp_find(struct interp *ip, uint32_t code)
{
	struct run run = { .ip = ip, .found = IMAGE_NONE };

	return run_fragment(&run, code) == TRUE_ ? run.found : IMAGE_NONE;
}
