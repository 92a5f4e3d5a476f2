/* From the ir to an image: rules, actions, texts. */
#include "compiler/emit.h"

/* ---- texts
 * ----------------------------------------------------------------------- */

/* Code that finds the loop's element. */
static uint32_t
finder(struct emitter *e, const struct ir_node *each)
{
	uint32_t *code = &e->finders[each->number];

	if (*code == IMAGE_NONE)
		*code = emit_fragment(e, each, each->last, false);
	return *code;
}

static struct image_candidate
candidate(struct emitter *e, const struct ir_candidate *c)
{
	return (struct image_candidate){
		.loop = c->each ? (uint32_t)c->each->each : IMAGE_NONE,
		.ref = emit_ref(e, &c->ref),
		.regex = c->regex ? c->regex->number : IMAGE_NONE,
		.group = c->group,
		.code = c->each ? finder(e, c->each) : IMAGE_NONE,
		.stage = c->each ? c->each->last : 0,
	};
}

static void
piece(struct emitter *e, const struct ir_piece *p)
{
	static const uint32_t kinds[] = { [IR_TEXT] = IMAGE_PIECE_TEXT,
		[IR_VALUE] = IMAGE_PIECE_VALUE,
		[IR_CAPTURE] = IMAGE_PIECE_CAPTURE };
	struct image_piece out = { .kind = kinds[p->kind],
		.first = (uint32_t)e->candidates.n,
		.count = (uint32_t)p->candidates.n };

	/* A regex that is only ever denied captures nothing. */
	if (p->kind == IR_CAPTURE && p->candidates.n == 0)
		return;
	if (p->kind == IR_TEXT)
		out.a = emit_text(e, p->text);
	if (p->kind == IR_VALUE)
		out.a = emit_ref(e, &p->ref);
	for (size_t i = 0; i < p->candidates.n; i++)
		vec_push(e->arena, &e->candidates,
		    candidate(e, &p->candidates.v[i]));
	vec_push(e->arena, &e->pieces, out);
}

static uint32_t template(struct emitter *e, const struct ir_template *t)
{
	struct image_template out = { .first = (uint32_t)e->pieces.n };

	if (!t)
		return IMAGE_NONE;
	for (size_t i = 0; i < t->pieces.n; i++)
		piece(e, &t->pieces.v[i]);
	out.count = (uint32_t)e->pieces.n - out.first;
	vec_push(e->arena, &e->templates, out);
	return (uint32_t)e->templates.n - 1;
}

/* ---- actions
 * ---------------------------------------------------------------------- */

static void
action(struct emitter *e, const struct ir_action *a)
{
	struct image_action out = {
		.action = (uint16_t)a->action,
		.code = (uint16_t)a->code,
		.xcode = a->xcode.n ? emit_text(e, a->xcode) : IMAGE_NONE,
		.name = template(e, a->name),
		.address = template(e, a->address),
		.where = IMAGE_NONE,
		.index = (int32_t)a->index,
		.milliseconds = (uint32_t)a->milliseconds,
		.text_count = (uint32_t)a->texts.n,
	};

	out.texts = (uint32_t)e->templates.n;
	for (size_t i = 0; i < a->texts.n; i++)
		template(e, a->texts.v[i]);
	if (a->where)
		out.where = emit_fragment(e, a->where, STAGE_MESSAGE, false);
	vec_push(e->arena, &e->actions, out);
}

/* ---- rules
 * -------------------------------------------------------------------------- */

static uint32_t
line_of(struct emitter *e, struct span span)
{
	unsigned line, column;

	source_place(
	    e->c->sources.list.v[span.source], span.begin, &line, &column);
	return line;
}

static void
place_of(struct emitter *e, struct span span, struct image_rule *out)
{
	const struct source *src = e->c->sources.list.v[span.source];

	out->file = emit_text(e, src->path);
	out->line = line_of(e, span);
}

/* Before it is reached, a rule has the code of its guard. */
static uint32_t
fragment(struct emitter *e, const struct ir_rule *r, enum milt_stage stage)
{
	const struct plan_rule *how = &e->c->plan->rules[r->number];
	uint32_t guard = how->guard[stage];

	if (r == e->ir->otherwise || plan_reaches(how, stage))
		return emit_fragment(e, r->condition, stage, true);
	if (guard == IMAGE_NONE)
		return IMAGE_NONE;
	if (e->guard_code[guard] == IMAGE_NONE)
		e->guard_code[guard] =
		    emit_fragment(e, r->condition, stage, true);
	return e->guard_code[guard];
}

static uint32_t
text_or_none(struct emitter *e, struct str s)
{
	return s.n ? emit_text(e, s) : IMAGE_NONE;
}

static uint32_t
js(struct emitter *e, const struct ir_rule *r)
{
	const struct ir_js *from = r->js;
	struct image_js out = {
		.rule = r->number,
		.file = text_or_none(e, from->path),
		.function = text_or_none(e, from->function),
		.code = text_or_none(e, from->code),
		.code_line = line_of(e, from->ast->code_span),
		.timeout = from->timeout,
		.flags = from->body ? JS_BODY : 0,
		.may = from->may,
		.captures = (uint32_t)e->captures.n,
		.capture_count = (uint32_t)from->captures.n,
	};

	for (size_t i = 0; i < from->captures.n; i++) {
		struct image_capture c = {
			.name = emit_text(e, from->captures.v[i].name),
			.template = template(e, from->captures.v[i].text),
		};

		vec_push(e->arena, &e->captures, c);
	}
	vec_push(e->arena, &e->js, out);
	return (uint32_t)e->js.n - 1;
}

static void
rule(struct emitter *e, const struct ir_rule *r)
{
	struct image_rule out = {
		.name = emit_text(e, r->name),
		.why = emit_text(e, r->why),
		.flags = (r->shadow ? RULE_SHADOW : 0) |
			 (r->recipient ? RULE_RECIPIENT : 0) |
			 (r->pinned ? RULE_PINNED : 0) | (r->js ? RULE_JS : 0),
		.verdict = (uint16_t)r->verdict,
		.pin = r->pinned ? (uint8_t)r->pin : 0,
		.text_last = (uint8_t)r->text_last,
		.known = (uint8_t)r->known,
		.js = IMAGE_NONE,
		.first = (uint32_t)e->actions.n,
		.count = (uint32_t)r->actions.n,
	};

	e->span = r->span;
	place_of(e, r->span, &out);
	for (size_t i = 0; i < r->actions.n; i++)
		action(e, r->actions.v[i]);
	if (r->js)
		out.js = js(e, r);
	for (int s = 0; s < STAGE_COUNT; s++)
		out.fragments[s] = rule_fragments(r) >> s & 1
				       ? fragment(e, r, (enum milt_stage)s)
				       : IMAGE_NONE;
	vec_push(e->arena, &e->rules, out);
}

enum milt_status
pass_emit(struct compilation *c)
{
	struct emitter *e = ARENA_NEW(&c->arena, struct emitter);

	e->c = c;
	e->ir = c->ir;
	e->arena = &c->arena;
	intern_init(&e->texts, e->arena);
	intern_init(&e->refs, e->arena);
	intern_init(&e->numbers, e->arena);
	intern_init(&e->loops, e->arena);
	e->list_numbers = ARENA_ARRAY(e->arena, c->ir->lists.n, uint32_t);
	for (size_t i = 0; i < c->ir->lists.n; i++)
		e->list_numbers[i] = IMAGE_NONE;
	e->guard_code = ARENA_ARRAY(e->arena, c->plan->guards.n + 1, uint32_t);
	memset(e->guard_code, 0xff, c->plan->guards.n * sizeof(uint32_t));
	e->finders = ARENA_ARRAY(e->arena, c->ir->nodes.n + 1, uint32_t);
	memset(e->finders, 0xff, c->ir->nodes.n * sizeof(uint32_t));
	e->needs = needs_of(c->ir);
	emit_memo(e);
	for (size_t i = 0; i < c->ir->rules.n && !e->too_large; i++)
		rule(e, c->ir->rules.v[i]);
	rule(e, c->ir->otherwise);
	emit_index(e);
	return e->too_large ? MILT_INVALID : emit_image(e);
}
