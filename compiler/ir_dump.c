/* The ir as text: `milterc dump --after=lower`. */
#include <inttypes.h>

#include "compiler/ir.h"
#include "runtime/opcodes.h"

struct dump {
	const struct ir *ir;
	FILE *f;
	unsigned *numbers; /* by node number: as printed, from 1; 0: not yet */
	unsigned printed;
};

static void
put(FILE *f, struct str s)
{
	fwrite(s.p ? s.p : "", 1, s.n, f);
}

static void
put_quoted(FILE *f, struct str s)
{
	fputc('"', f);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void
put_ref(FILE *f, const struct ir_ref *ref)
{
	if (ref->from == REF_COUNT)
		fputs("count(", f);
	put(f, attr_rows[ref->attr].name);
	if (attr_rows[ref->attr].keyed) {
		fputc('(', f);
		put_quoted(f, ref->key);
		fputc(')', f);
	}
	if (ref->from == REF_COUNT)
		fputc(')', f);
	if (ref->from == REF_ELEMENT)
		fprintf(f, "[%u]", ref->loop);
}

static void
put_list(FILE *f, const struct ir_list *l)
{
	struct str type = type_rows[l->type].name;

	if (l->name.n)
		put(f, l->name);
	else
		fprintf(f, "list-%u", l->number);
	fprintf(f, " of %.*s", STR_ARG(type));
}

static void
put_operand(FILE *f, const struct ir_node *n)
{
	switch (opcode_rows[n->op].b) {
	case OPERAND_TEXT:
		put_quoted(f, n->right_text);
		return;
	case OPERAND_NUM:
		fprintf(f, "%lld", n->right_number);
		return;
	case OPERAND_LIST:
		put_list(f, n->right_list);
		return;
	case OPERAND_REGEX:
		fprintf(f, "regex-%u", n->right_regex->number);
		return;
	case OPERAND_REF2:
		put_ref(f, &n->right_ref);
		return;
	case OPERAND_NONE:
	case OPERAND_REG:
	case OPERAND_TRUTH:
	case OPERAND_SKIP:
	case OPERAND_NODE:
	case OPERAND_LOOP:
	case OPERAND_REF:
		return;
	}
}

static void
put_node(struct dump *d, const struct ir_node *n)
{
	static const char *const words[] = {
		[NODE_AND] = "and", [NODE_OR] = "or", [NODE_NOT] = "not"
	};
	FILE *f = d->f;

	fprintf(f, "  n%u = ", d->printed);
	switch (n->kind) {
	case NODE_CONST:
		fputs(n->value == TRUE_ ? "true" : "false", f);
		break;
	case NODE_AND:
	case NODE_OR:
		fprintf(f, "%s n%u n%u", words[n->kind],
		    d->numbers[n->a->number], d->numbers[n->b->number]);
		break;
	case NODE_NOT:
		fprintf(f, "not n%u", d->numbers[n->a->number]);
		break;
	case NODE_EACH:
		fprintf(f, "each[%u] ", n->loop);
		put_ref(f, &n->left);
		fprintf(f, " n%u", d->numbers[n->a->number]);
		break;
	case NODE_TEST:
		fprintf(f, "%s ", opcode_rows[n->op].name);
		put_ref(f, &n->left);
		if (opcode_rows[n->op].b != OPERAND_NONE)
			fputc(' ', f);
		put_operand(f, n);
		break;
	}
	fprintf(f, "  # %.*s", STR_ARG(stage_rows[n->first].name));
	if (n->last != n->first)
		fprintf(f, " to %.*s", STR_ARG(stage_rows[n->last].name));
	fputc('\n', f);
}

/* The nodes below `root` that are not printed yet, operands first. */
static unsigned
dump_node(struct dump *d, const struct ir_node *root)
{
	VEC(const struct ir_node *) todo = { 0 };

	if (!vec_push(d->ir->arena, &todo, root))
		return 0;
	while (todo.n) {
		const struct ir_node *n = todo.v[todo.n - 1];
		const struct ir_node *next = NULL;

		if (n->b && !d->numbers[n->b->number])
			next = n->b;
		if (n->a && !d->numbers[n->a->number])
			next = n->a;
		if (next) {
			if (!vec_push(d->ir->arena, &todo, next))
				return 0;
			continue;
		}
		todo.n--;
		if (d->numbers[n->number])
			continue;
		d->numbers[n->number] = ++d->printed;
		put_node(d, n);
	}
	return d->numbers[root->number];
}

static void
put_piece(FILE *f, const struct ir_piece *p)
{
	switch (p->kind) {
	case IR_TEXT:
		put_quoted(f, p->text);
		return;
	case IR_VALUE:
		fputc('{', f);
		put_ref(f, &p->ref);
		break;
	case IR_CAPTURE:
		fputs("{capture", f);
		break;
	}
	for (size_t i = 0; i < p->candidates.n; i++) {
		const struct ir_candidate *c = &p->candidates.v[i];

		fputs(i ? ", " : ": ", f);
		put_ref(f, &c->ref);
		if (c->regex)
			fprintf(f, " regex-%u group %u", c->regex->number,
			    c->group);
	}
	fputc('}', f);
}

static void
put_template(FILE *f, const char *word, const struct ir_template *t)
{
	if (!t)
		return;
	fprintf(f, " %s", word);
	for (size_t i = 0; i < t->pieces.n; i++) {
		fputc(' ', f);
		put_piece(f, &t->pieces.v[i]);
	}
}

static void
dump_action(struct dump *d, const struct ir_action *a)
{
	unsigned where = a->where ? dump_node(d, a->where) : 0;

	fputs("  ", d->f);
	put(d->f, action_rows[a->action].name);
	if (a->code)
		fprintf(d->f, " %u %.*s", a->code, STR_ARG(a->xcode));
	if (a->action == ACTION_INSERT_HEADER)
		fprintf(d->f, " %lld", a->index);
	if (a->action == ACTION_DELAY)
		fprintf(d->f, " %lld ms", a->milliseconds);
	put_template(d->f, "name", a->name);
	put_template(d->f, "address", a->address);
	for (size_t i = 0; i < a->texts.n; i++)
		put_template(d->f, "text", a->texts.v[i]);
	if (where)
		fprintf(d->f, " where n%u", where);
	fputc('\n', d->f);
}

static void
dump_rule(struct dump *d, const struct ir_rule *r)
{
	unsigned n;

	fprintf(d->f, "%srule %.*s%s, known from %.*s",
	    r->shadow ? "shadow " : "", STR_ARG(r->name),
	    r->recipient ? " of a recipient" : "",
	    STR_ARG(stage_rows[r->known].name));
	if (r->pinned)
		fprintf(d->f, ", at %.*s", STR_ARG(stage_rows[r->pin].name));
	fputc('\n', d->f);
	n = dump_node(d, r->condition);
	fprintf(d->f, "  when n%u\n", n);
	for (size_t i = 0; i < r->actions.n; i++)
		dump_action(d, r->actions.v[i]);
}

static void
dump_list(FILE *f, const struct ir_list *l)
{
	fputs("list ", f);
	put_list(f, l);
	fprintf(f, ", %zu members\n", l->keys.n + l->numbers.n + l->ranges.n);
}

static void
dump_regex(FILE *f, const struct ir_regex *re)
{
	fprintf(f, "regex-%u ", re->number);
	put_quoted(f, re->source);
	fprintf(f, "%s%s%s%s%s on %s, %u groups\n", re->i ? " i" : "",
	    re->m ? " m" : "", re->s ? " s" : "", re->x ? " x" : "",
	    re->u ? " u" : "", re->bytes ? "octets" : "characters",
	    re->captures);
}

void
ir_dump(const struct ir *ir, FILE *f)
{
	struct dump d = { .ir = ir, .f = f };

	d.numbers = ARENA_ARRAY(ir->arena, ir->nodes.n + 1, unsigned);
	if (!d.numbers)
		return;
	for (size_t i = 0; i < ir->lists.n; i++)
		dump_list(f, ir->lists.v[i]);
	for (size_t i = 0; i < ir->regexes.n; i++)
		dump_regex(f, ir->regexes.v[i]);
	for (size_t i = 0; i < ir->rules.n; i++)
		dump_rule(&d, ir->rules.v[i]);
	dump_rule(&d, ir->otherwise);
}
