#include "runtime/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/match.h"
#include "runtime/state.h"
#include "runtime/value.h"

enum {
	PARTS = 64,
	VALUES = 8,
	VALUE_BYTES = 200,
	MEMBERS = 4,
	DEPTH = 4 /* LIMIT_LOOPS */
};

struct gather {
	struct milt_session *s;
	struct arena *arena;
	enum milt_stage stage;
	VEC(struct part) parts;
	/* The loops that are open: the end of each, and the outermost one. */
	uint32_t ends[DEPTH], depth, outer;
};

const char *
truth_word(enum truth t)
{
	switch (t) {
	case TRUE_:
		return "true";
	case FALSE_:
		return "false";
	case UNKNOWN_:
		return "unknown";
	case ERROR_:
		return "failed";
	}
	return "unknown";
}

/* ---- texts ----------------------------------------------------------- */

/* As in the policy; of the left operand alone where nothing follows. */
static const char *const words[OPC_COUNT] = {
	[OPC_EXISTS] = "exists",
	[OPC_MALFORMED] = "malformed",
	[OPC_YES] = "is yes",
	[OPC_IS] = "is",
	[OPC_IS_EXACT] = "is exactly",
	[OPC_CONTAINS] = "contains",
	[OPC_CONTAINS_EXACT] = "contains exactly",
	[OPC_STARTS] = "starts with",
	[OPC_STARTS_EXACT] = "starts with exactly",
	[OPC_ENDS] = "ends with",
	[OPC_ENDS_EXACT] = "ends with exactly",
	[OPC_LIKE] = "like",
	[OPC_LIKE_EXACT] = "like exactly",
	[OPC_MATCH] = "matches",
	[OPC_IN] = "in",
	[OPC_UNDER] = "under",
	[OPC_EQ] = "is",
	[OPC_LT] = "<",
	[OPC_LE] = "<=",
	[OPC_GT] = ">",
	[OPC_GE] = ">=",
	[OPC_IS_REF] = "is",
	[OPC_IS_EXACT_REF] = "is exactly",
	[OPC_CONTAINS_REF] = "contains",
	[OPC_STARTS_REF] = "starts with",
	[OPC_ENDS_REF] = "ends with",
	[OPC_UNDER_REF] = "under",
	[OPC_LT_REF] = "<",
	[OPC_LE_REF] = "<=",
	[OPC_GT_REF] = ">",
	[OPC_GE_REF] = ">=",
};

static void
print_name(const struct milt_image *im, const struct image_ref *ref, FILE *to)
{
	fprintf(to, "%.*s", STR_ARG(attr_rows[ref->attr].name));
	if (ref->key != IMAGE_NONE)
		fprintf(to, "(\"%.*s\")", STR_ARG(image_text(im, ref->key)));
}

static void
print_number(struct gather *g, enum milt_type type, long long number, FILE *to)
{
	struct fact_value v = { .type = type, .number = number };
	struct str text = value_text(&g->s->interp, &v);

	fprintf(to, " %.*s", STR_ARG(text));
}

static void
print_range(struct gather *g, const struct ip_range *range, FILE *to)
{
	struct str text = network_print(g->arena, *range);

	fprintf(to, " %.*s", STR_ARG(text));
}

/* A list that has no name: its first members. */
static void
print_members(struct gather *g, const struct image_list *list, FILE *to)
{
	const struct milt_image *im = g->s->image;
	const void *set = im->sets + list->offset;
	const struct image_slot *slots = set;
	const struct ip_range *ranges = set;
	const int64_t *numbers = set;
	uint32_t shown = 0, n = list->count < MEMBERS ? list->count : MEMBERS;

	fputs(" {", to);
	for (uint32_t i = 0; shown < n; i++) {
		if (list->type == TYPE_NETWORK)
			print_range(g, &ranges[i], to);
		else if (list->type == TYPE_NUMBER)
			fprintf(to, " %" PRId64, numbers[i]);
		else if (slots[i].text == IMAGE_NONE)
			continue;
		else
			fprintf(to, " %.*s",
			    STR_ARG(image_text(im, slots[i].text)));
		shown++;
	}
	fputs(n < list->count ? " ... }" : " }", to);
}

/* The key of an address or of a network is its octets. */
static void
print_key(struct gather *g, const struct image_insn *in, FILE *to)
{
	enum milt_type type = attr_rows[g->s->image->refs[in->a].attr].type;
	struct str key = image_text(g->s->image, in->b);
	struct ip_range range;

	if (type == TYPE_ADDRESS && key.n == 0) {
		fputs(" <>", to);
		return;
	}
	if (in->op != OPC_IS || (type != TYPE_IP && type != TYPE_NETWORK) ||
	    (key.n != 16 && key.n != 32)) {
		image_print_operand(g->s->image, in, to);
		return;
	}
	memcpy(range.first.b, key.p, 16);
	memcpy(range.last.b, key.p + key.n - 16, 16);
	print_range(g, &range, to);
}

/* `u` is written for raw attributes: others have it anyway. */
static void
print_regex(
    const struct milt_image *im, enum milt_attr attr, uint32_t at, FILE *to)
{
	const struct image_regex *r = &im->regexes[at];

	fprintf(to, " /%.*s/", STR_ARG(image_text(im, r->source)));
	for (int i = 0; i < 4; i++)
		if (r->flags >> i & 1)
			putc("imsx"[i], to);
	if (attr_is_raw(attr) && !(r->flags & REGEX_BYTES))
		putc('u', to);
}

/* `X exists` of what there can be several of is in code a count above 0. */
static bool
asks_for_any(const struct milt_image *im, const struct image_insn *in)
{
	return in->op == OPC_GT && im->refs[in->a].from == REF_COUNT &&
	       im->numbers[in->b] == 0;
}

static void
print_test(struct gather *g, const struct image_insn *in, FILE *to)
{
	const struct milt_image *im = g->s->image;
	const struct image_ref *ref = &im->refs[in->a];
	bool count = ref->from == REF_COUNT;

	if (asks_for_any(im, in)) {
		print_name(im, ref, to);
		fputs(" exists", to);
		return;
	}
	fputs(count ? "count(" : "", to);
	print_name(im, ref, to);
	fprintf(to, "%s %s", count ? ")" : "", words[in->op]);
	if (in->op <= OPC_YES)
		return;
	if (in->op >= OPC_IS_REF) {
		putc(' ', to);
		print_name(im, &im->refs[in->b], to);
	} else if (in->op >= OPC_EQ) {
		print_number(g, count ? TYPE_NUMBER : attr_rows[ref->attr].type,
		    im->numbers[in->b], to);
	} else if ((in->op == OPC_IN || in->op == OPC_UNDER) &&
		   im->lists[in->b].name == IMAGE_NONE) {
		print_members(g, &im->lists[in->b], to);
	} else if (in->op == OPC_MATCH) {
		print_regex(im, (enum milt_attr)ref->attr, in->b, to);
	} else {
		print_key(g, in, to);
	}
}

static struct str
text_of(struct gather *g, const struct image_insn *in)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	struct str out = { "", 0 };

	if (!to)
		return out;
	print_test(g, in, to);
	if (fclose(to) == 0)
		out = arena_dup(g->arena, (struct str){ text, n });
	free(text);
	return out;
}

/* ---- values ---------------------------------------------------------- */

static void
add_value(struct gather *g, struct part *p, const struct fact_value *v)
{
	struct str text = value_text(&g->s->interp, v);
	bool cut = text.n > VALUE_BYTES;

	text = str_head(text, VALUE_BYTES);
	p->value = arena_printf(g->arena, "%.*s%s%.*s%s", STR_ARG(p->value),
	    p->there ? ", " : "", STR_ARG(text), cut ? "..." : "");
	p->there = true;
}

/* One element, or what stands alone; `show`: with its value. */
static void
try(struct gather *g, const struct image_insn *in, const size_t *at, bool show,
    struct part *p)
{
	struct interp *ip = &g->s->interp;
	struct fact_value v;
	enum truth result;

	ip->asking = false;
	result = test_run(ip, in, at);
	if (ip->asking)
		return;
	show |= result == TRUE_ && p->result != TRUE_;
	p->result =
	    p->result == UNKNOWN_ ? result : truth_or(p->result, result);
	if (!show || (asks_for_any(ip->image, in) && result == FALSE_))
		return;
	switch (value_load(ip, &ip->image->refs[in->a], at, &v)) {
	case FACT_THERE:
	case FACT_PARTIAL:
		add_value(g, p, &v);
		return;
	case FACT_MISSING:
	case FACT_FAILED:
	case FACT_ASK:
		return;
	}
}

/* The values of the first elements are shown, and the first that fits. */
static void
try_elements(struct gather *g, const struct image_insn *in, struct part *p)
{
	const struct milt_image *im = g->s->image;
	const struct image_loop *loop = &im->loops[g->outer];
	size_t at[DEPTH] = { 0 }, n = 0;

	if (facts_count(g->s->facts, loop->attr,
		loop->key == IMAGE_NONE ? STR("") : image_text(im, loop->key),
		&n) == FACT_ASK)
		return;
	p->result = FALSE_;
	for (at[0] = 0; at[0] < n; at[0]++)
		try(g, in, at, at[0] < VALUES, p);
}

/* ---- code ------------------------------------------------------------- */

static enum milt_attr
compared_with(const struct milt_image *im, const struct image_insn *in)
{
	return in->op >= OPC_IS_REF ? (enum milt_attr)im->refs[in->b].attr
				    : ATTR_NONE;
}

static void
add_test(struct gather *g, const struct image_insn *in)
{
	static const size_t none[DEPTH];
	enum milt_attr attr = g->s->image->refs[in->a].attr;
	struct part p = { .text = text_of(g, in),
		.value = STR(""),
		.attr = attr,
		.with = compared_with(g->s->image, in),
		.result = UNKNOWN_ };

	if (attr_rows[attr].from <= g->stage) {
		if (g->depth == 0)
			try(g, in, none, true, &p);
		else if (g->depth == 1) /* deeper ones are not shown */
			try_elements(g, in, &p);
	}
	(void)vec_push(g->arena, &g->parts, p);
}

static void
add_code(struct gather *g, uint32_t at)
{
	const struct milt_image *im = g->s->image;

	for (; im->code[at].op != OPC_HALT && g->parts.n < PARTS; at++) {
		const struct image_insn *in = &im->code[at];

		while (g->depth > 0 && at >= g->ends[g->depth - 1])
			g->depth--;
		if (in->op == OPC_EACH) {
			if (g->depth == 0)
				g->outer = in->a;
			g->ends[g->depth++] = at + 1 + in->b;
		} else if (words[in->op]) {
			add_test(g, in);
		}
	}
}

/* All of the condition: the fragment of the last stage that has one. */
static uint32_t
code_of(const struct milt_session *s, uint32_t rule)
{
	const struct image_rule *r = &s->image->rules[rule];
	int last = STAGE_COUNT - 1;

	while (last >= 0 && r->fragments[last] == IMAGE_NONE)
		last--;
	return last < 0 ? IMAGE_NONE : r->fragments[last];
}

size_t
rule_parts(struct milt_session *s, uint32_t rule, enum milt_stage stage,
    struct part **out)
{
	uint32_t code = code_of(s, rule);
	struct gather g = {
		.s = s, .arena = facts_arena(s->facts), .stage = stage
	};
	const char *failure = s->interp.failure;

	*out = NULL;
	s->interp.scratch = match_scratch();
	if (code == IMAGE_NONE || !s->interp.scratch)
		return 0;
	add_code(&g, code);
	s->interp.failure = failure;
	s->interp.asking = false;
	*out = g.parts.v;
	return g.parts.n;
}

static enum truth
told_test(struct milt_session *s, const struct image_insn *in,
    bool (*told)(const void *, enum milt_attr), const void *data)
{
	static const size_t none[DEPTH];
	const struct milt_image *im = s->image;
	enum milt_attr with = compared_with(im, in);
	enum truth result;

	if (!told(data, (enum milt_attr)im->refs[in->a].attr) ||
	    (with != ATTR_NONE && !told(data, with)))
		return UNKNOWN_;
	s->interp.asking = false;
	result = test_run(&s->interp, in, none);
	return s->interp.asking ? UNKNOWN_ : result;
}

/* As the interpreter runs it, without memos: they are of all the facts. */
enum truth
rule_value(struct milt_session *s, uint32_t rule,
    bool (*told)(const void *, enum milt_attr), const void *data)
{
	const struct image_insn *code = s->image->code;
	const char *failure = s->interp.failure;
	enum truth r[IMAGE_REGISTERS];
	uint32_t at = code_of(s, rule);

	s->interp.scratch = match_scratch();
	if (at == IMAGE_NONE || !s->interp.scratch)
		return UNKNOWN_;
	for (; code[at].op != OPC_HALT; at++) {
		const struct image_insn *in = &code[at];

		switch (in->op) {
		case OPC_CONST:
			r[in->r] = (enum truth)in->a;
			break;
		case OPC_AND:
			r[in->r] = truth_and(r[in->r], r[in->a]);
			break;
		case OPC_OR:
			r[in->r] = truth_or(r[in->r], r[in->a]);
			break;
		case OPC_NOT:
			r[in->r] = truth_not(r[in->r]);
			break;
		case OPC_JUMP_FALSE:
			at += r[in->r] == FALSE_ ? in->b : 0;
			break;
		case OPC_JUMP_TRUE:
			at += r[in->r] == TRUE_ ? in->b : 0;
			break;
		case OPC_RECALL:
		case OPC_KEEP:
			break;
		case OPC_EACH:
			r[in->r] = UNKNOWN_;
			at += in->b;
			break;
		default:
			r[in->r] = told_test(s, in, told, data);
		}
	}
	s->interp.failure = failure;
	s->interp.asking = false;
	return r[code[at].r];
}
