/*
 * Images for people.  What is printed depends on the policy alone, not on
 * where the parts lie in the image; jumps are printed as distances.
 */
#include "runtime/image_dump.h"

#include <inttypes.h>

#include "runtime/opcodes.h"

static const char *const truth_names[] = { "false", "true", "unknown",
	"error" };
static const char *const class_names[MEMO_CLASSES] = { "connect", "helo",
	"message", "recipient" };

static void
print_quoted(struct str s, FILE *to)
{
	putc('"', to);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", to);
		else if (c < ' ' || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			putc(c, to);
	}
	putc('"', to);
}

static void
print_text(const struct milt_image *im, uint32_t text, FILE *to)
{
	print_quoted(image_text(im, text), to);
}

static void
print_attr(const struct milt_image *im, uint32_t attr, uint32_t key, FILE *to)
{
	fprintf(to, "%.*s", STR_ARG(attr_rows[attr].name));
	if (key != IMAGE_NONE) {
		putc('(', to);
		print_text(im, key, to);
		putc(')', to);
	}
}

void
print_ref(const struct milt_image *im, uint32_t number, FILE *to)
{
	const struct image_ref *ref = &im->refs[number];

	if (ref->from == REF_COUNT)
		fputs("count(", to);
	print_attr(im, ref->attr, ref->key, to);
	if (ref->from == REF_COUNT)
		putc(')', to);
	if (ref->from == REF_ELEMENT)
		fprintf(to, "[%u]", ref->loop);
}

static void
print_loop(const struct milt_image *im, uint32_t number, FILE *to)
{
	const struct image_loop *loop = &im->loops[number];

	fprintf(to, "#%" PRIu32 " [%u] over ", number, loop->depth);
	print_attr(im, loop->attr, loop->key, to);
}

void
print_list(const struct milt_image *im, uint32_t number, FILE *to)
{
	const struct image_list *list = &im->lists[number];

	if (list->name == IMAGE_NONE)
		fprintf(to, "list %" PRIu32, number);
	else
		fprintf(to, "%.*s", STR_ARG(image_text(im, list->name)));
}

static void
print_regex(const struct milt_image *im, uint32_t number, FILE *to)
{
	const struct image_regex *r = &im->regexes[number];

	print_text(im, r->source, to);
	putc(' ', to);
	for (int i = 0; i < 5; i++)
		if (r->flags >> i & 1)
			putc("imsxb"[i], to);
}

/* The key of a network or address. */
static void
print_key(const struct milt_image *im, const struct image_insn *in, FILE *to)
{
	enum milt_type type = attr_rows[im->refs[in->a].attr].type;
	struct str key = image_text(im, in->b);

	if (in->op != OPC_IS || (type != TYPE_IP && type != TYPE_NETWORK)) {
		print_quoted(key, to);
		return;
	}
	for (size_t i = 0; i < key.n; i++)
		fprintf(to, "%02x", (unsigned char)key.p[i]);
}

static void
print_operand(const struct milt_image *im, const struct image_insn *in,
    enum operand kind, uint32_t x, FILE *to)
{
	switch (kind) {
	case OPERAND_NONE:
		break;
	case OPERAND_REG:
		fprintf(to, " r%" PRIu32, x);
		break;
	case OPERAND_TRUTH:
		fprintf(to, " %s", truth_names[x]);
		break;
	case OPERAND_SKIP:
		fprintf(to, " +%" PRIu32, x);
		break;
	case OPERAND_NODE:
		fprintf(to, " node %" PRIu32, x);
		break;
	case OPERAND_LOOP:
		putc(' ', to);
		print_loop(im, x, to);
		break;
	case OPERAND_REF:
	case OPERAND_REF2:
		putc(' ', to);
		print_ref(im, x, to);
		break;
	case OPERAND_TEXT:
		putc(' ', to);
		print_key(im, in, to);
		break;
	case OPERAND_NUM:
		fprintf(to, " %" PRId64, im->numbers[x]);
		break;
	case OPERAND_LIST:
		putc(' ', to);
		print_list(im, x, to);
		break;
	case OPERAND_REGEX:
		putc(' ', to);
		print_regex(im, x, to);
		break;
	}
}

void
image_print_operand(
    const struct milt_image *im, const struct image_insn *in, FILE *to)
{
	print_operand(im, in, opcode_rows[in->op].b, in->b, to);
}

void
image_print_insn(const struct milt_image *im, uint32_t at, FILE *to)
{
	const struct image_insn *in = &im->code[at];
	const struct opcode_row *row = &opcode_rows[in->op];

	fprintf(to, "%-14s r%u", row->name, in->r);
	print_operand(im, in, row->a, in->a, to);
	print_operand(im, in, row->b, in->b, to);
}

static void
dump_code(const struct milt_image *im, uint32_t code, FILE *to)
{
	for (uint32_t at = code;; at++) {
		fprintf(to, "    %4" PRIu32 "  ", at - code);
		image_print_insn(im, at, to);
		putc('\n', to);
		if (im->code[at].op == OPC_HALT)
			return;
	}
}

static void
dump_candidate(
    const struct milt_image *im, const struct image_candidate *c, FILE *to)
{
	fputs(" | ", to);
	print_ref(im, c->ref, to);
	if (c->loop != IMAGE_NONE)
		fprintf(to, " of #%" PRIu32, c->loop);
	if (c->regex != IMAGE_NONE) {
		fprintf(to, " group %" PRIu32 " of ", c->group);
		print_regex(im, c->regex, to);
	}
}

static void
dump_template(
    const struct milt_image *im, const char *what, uint32_t number, FILE *to)
{
	const struct image_template *t = &im->templates[number];

	fprintf(to, "      %s", what);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct image_piece *p = &im->pieces[t->first + i];

		putc(' ', to);
		if (p->kind == IMAGE_PIECE_TEXT) {
			print_text(im, p->a, to);
			continue;
		}
		putc('{', to);
		if (p->kind == IMAGE_PIECE_VALUE)
			print_ref(im, p->a, to);
		else
			fputs("capture", to);
		for (uint32_t j = 0; j < p->count; j++)
			dump_candidate(im, &im->candidates[p->first + j], to);
		putc('}', to);
	}
	putc('\n', to);
}

static void
dump_action(const struct milt_image *im, const struct image_action *a, FILE *to)
{
	bool reply = a->action == ACTION_REJECT || a->action == ACTION_TEMPFAIL;

	fprintf(to, "    %.*s", STR_ARG(action_rows[a->action].name));
	if (reply)
		fprintf(to, " %u", a->code);
	if (reply && a->xcode != IMAGE_NONE)
		fprintf(to, " %.*s", STR_ARG(image_text(im, a->xcode)));
	if (a->action == ACTION_INSERT_HEADER)
		fprintf(to, " %" PRId32, a->index);
	if (a->action == ACTION_DELAY)
		fprintf(to, " %" PRIu32 " ms", a->milliseconds);
	putc('\n', to);
	if (a->name != IMAGE_NONE)
		dump_template(im, "name", a->name, to);
	if (a->address != IMAGE_NONE)
		dump_template(im, "address", a->address, to);
	for (uint32_t i = 0; i < a->text_count; i++)
		dump_template(im, "text", a->texts + i, to);
	if (a->where != IMAGE_NONE) {
		fputs("      where\n", to);
		dump_code(im, a->where, to);
	}
}

static void
dump_js(const struct milt_image *im, const struct image_js *js, FILE *to)
{
	fputs("  asks ", to);
	if (js->code == IMAGE_NONE)
		fprintf(to, "%.*s#%.*s", STR_ARG(image_text(im, js->file)),
		    STR_ARG(image_text(im, js->function)));
	else
		print_text(im, js->code, to);
	fprintf(to, " %" PRIu32 " ms%s, may", js->timeout,
	    js->flags & JS_BODY ? " with body" : "");
	for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (js->may >> a & 1)
			fprintf(to, " %.*s", STR_ARG(action_rows[a].name));
	putc('\n', to);
	for (uint32_t i = 0; i < js->capture_count; i++) {
		const struct image_capture *c = &im->captures[js->captures + i];

		fprintf(
		    to, "    capture %.*s\n", STR_ARG(image_text(im, c->name)));
		dump_template(im, "is", c->template, to);
	}
}

static void
dump_rule(const struct milt_image *im, const struct image_rule *rule, FILE *to)
{
	fprintf(to, "rule %.*s", STR_ARG(image_text(im, rule->name)));
	if (rule->why != IMAGE_NONE && image_text(im, rule->why).n) {
		putc(' ', to);
		print_text(im, rule->why, to);
	}
	fprintf(to, "\n  from %.*s:%" PRIu32 ", known at %.*s",
	    STR_ARG(image_text(im, rule->file)), rule->line,
	    STR_ARG(stage_rows[rule->known].name));
	if (rule->flags & RULE_SHADOW)
		fputs(", shadow", to);
	if (rule->flags & RULE_RECIPIENT)
		fputs(", for each recipient", to);
	if (rule->flags & RULE_PINNED)
		fprintf(to, ", at %.*s", STR_ARG(stage_rows[rule->pin].name));
	putc('\n', to);
	for (int s = 0; s < STAGE_COUNT; s++) {
		if (rule->fragments[s] == IMAGE_NONE)
			continue;
		fprintf(to, "  %.*s\n", STR_ARG(stage_rows[s].name));
		dump_code(im, rule->fragments[s], to);
	}
	if (rule->flags & RULE_JS)
		dump_js(im, &im->js[rule->js], to);
	fprintf(to, rule->flags & RULE_JS ? "  on failure\n" : "  actions\n");
	for (uint32_t i = 0; i < rule->count; i++)
		dump_action(im, &im->actions[rule->first + i], to);
}

static void
dump_lists(const struct milt_image *im, FILE *to)
{
	for (uint32_t i = 0; i < im->count[SECTION_LISTS]; i++) {
		const struct image_list *list = &im->lists[i];

		fputs("list ", to);
		if (list->name == IMAGE_NONE)
			fprintf(to, "%" PRIu32, i);
		else
			fprintf(
			    to, "%.*s", STR_ARG(image_text(im, list->name)));
		fprintf(to, " of %.*s: %" PRIu32 "\n",
		    STR_ARG(type_rows[list->type].name), list->count);
	}
}

static void
dump_options(const struct milt_image *im, FILE *to)
{
	const struct image_needs *needs = im->needs;

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		fprintf(to, "option %.*s ", STR_ARG(row->name));
		if (needs->option_texts[i] != IMAGE_NONE)
			print_text(im, needs->option_texts[i], to);
		else if (row->kind == OPTION_TEXT)
			print_quoted(row->text, to);
		else if (row->kind != OPTION_CHOICE)
			fprintf(to, "%" PRId64, needs->options[i]);
		for (size_t c = 0; c < choice_row_count; c++)
			if (row->kind == OPTION_CHOICE &&
			    choice_rows[c].option == (enum milt_option)i &&
			    choice_rows[c].choice == needs->options[i])
				fprintf(
				    to, "%.*s", STR_ARG(choice_rows[c].word));
		putc('\n', to);
	}
}

static void
dump_needs(const struct milt_image *im, FILE *to)
{
	static const char *const flags[] = { "helo", "headers", "body", "sizes",
		"clock" };
	const struct image_needs *needs = im->needs;

	fputs("needs", to);
	for (int i = 0; i < 5; i++)
		if (needs->flags >> i & 1)
			fprintf(to, " %s", flags[i]);
	if (needs->flags & NEED_JS)
		fputs(" js", to);
	fprintf(to, "\n  actions 0x%" PRIx32 "\n  answers at", needs->actions);
	for (int s = 0; s < STAGE_COUNT; s++)
		if (needs->answers >> s & 1)
			fprintf(to, " %.*s", STR_ARG(stage_rows[s].name));
	fputs("\n  memo", to);
	for (int i = 0; i < MEMO_CLASSES; i++)
		fprintf(to, " %s %" PRIu32, class_names[i], needs->memo[i]);
	fprintf(to, "\n  loops %" PRIu32 "\n", needs->loops);
	if (needs->recipient_effects)
		fputs("  effects for single recipients\n", to);
	for (uint32_t i = 0; i < im->count[SECTION_MACROS]; i++)
		fprintf(to, "  macro %.*s at %.*s\n",
		    STR_ARG(image_text(im, im->macros[i].name)),
		    STR_ARG(stage_rows[im->macros[i].stage].name));
}

void
image_dump(const struct milt_image *im, FILE *to)
{
	dump_needs(im, to);
	dump_options(im, to);
	dump_lists(im, to);
	dump_stages(im, to);
	for (uint32_t i = 0; i < im->count[SECTION_RULES]; i++)
		dump_rule(im, &im->rules[i], to);
}
