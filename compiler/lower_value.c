/* Operands: references, keys, lists, regexes, numbers. */
#include "compiler/lower.h"

#include "compiler/passes.h"
#include "compiler/sets.h"
#include "runtime/match.h"

bool
value_is_many(const struct ast_value *v)
{
	return attr_rows[v->attr].many && v->kind != VALUE_COUNT && !v->element;
}

static struct str
join(struct lower *l, struct str a, struct str b, struct str c)
{
	char *p = arena_alloc(l->arena, a.n + b.n + c.n);

	memcpy(p, a.p, a.n);
	if (b.n)
		memcpy(p + a.n, b.p, b.n);
	memcpy(p + a.n + b.n, c.p, c.n);
	return (struct str){ p, a.n + b.n + c.n };
}

/* The name of a macro as it is asked for; header names without case. */
static struct str
normal_key(struct lower *l, enum milt_attr attr, struct str key)
{
	struct str out;
	char *p;

	if (attr == ATTR_MACRO) {
		if (key.n > 2 && key.p[0] == '{' && key.p[key.n - 1] == '}')
			key = (struct str){ key.p + 1, key.n - 2 };
		return key.n == 1 ? key : join(l, STR("{"), key, STR("}"));
	}
	out = arena_dup(l->arena, key);
	p = (char *)out.p;
	for (size_t i = 0; i < out.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] += 'a' - 'A';
	return out;
}

struct ir_ref
lower_ref(struct lower *l, const struct ast_value *v)
{
	struct ir_ref ref = { .attr = v->attr };

	if (attr_rows[v->attr].keyed)
		ref.key = normal_key(l, v->attr, v->key);
	if (v->kind == VALUE_COUNT)
		ref.from = REF_COUNT;
	else if (v->element) {
		ref.from = REF_ELEMENT;
		ref.loop = l->base + v->loop;
	}
	return ref;
}

enum milt_type
ref_type(const struct ir_ref *ref)
{
	return ref->from == REF_COUNT ? TYPE_NUMBER : attr_rows[ref->attr].type;
}

struct str
lower_text(struct lower *l, struct str text)
{
	return text_fold(l->arena, utf8_make_valid(l->arena, text));
}

static struct str
address_key(struct lower *l, struct str text)
{
	struct mailbox m = mailbox_parse(l->arena, text);
	bool exact = l->ir->options[OPTION_LOCAL_PARTS] == LOCAL_PARTS_EXACT;

	return mailbox_normal(l->arena, &m, exact);
}

struct str
lower_key(struct lower *l, enum milt_type type, struct str text)
{
	if (type == TYPE_ADDRESS)
		return address_key(l, text);
	if (type == TYPE_DOMAIN)
		return domain_normal(l->arena, text);
	return lower_text(l, text);
}

/* ---- lists ---------------------------------------------------------- */

static void
add_network(struct lower *l, struct ir_list *list, const struct ip_range *range)
{
	struct ip_range parts[2];
	size_t n = network_parts(range, parts);

	for (size_t i = 0; i < n; i++)
		vec_push(l->arena, &list->ranges, parts[i]);
}

static void
add_member(
    struct lower *l, struct ir_list *list, struct str text, struct span span)
{
	struct ip_range range;
	long long number;
	bool masked;

	if (list->type == TYPE_NETWORK) {
		if (network_parse(text, &range, &masked))
			add_network(l, list, &range);
		else
			lower_refuse(
			    l, span, "`%.*s` is not a network", STR_ARG(text));
	} else if (list->type == TYPE_NUMBER) {
		if (literal_number(text, &number))
			vec_push(l->arena, &list->numbers, number);
		else
			lower_refuse(
			    l, span, "`%.*s` is not a number", STR_ARG(text));
	} else {
		vec_push(l->arena, &list->keys, lower_key(l, list->type, text));
	}
}

static struct ir_list *
new_list(struct lower *l, enum milt_type type)
{
	struct ir_list *list = ARENA_NEW(l->arena, struct ir_list);

	list->type = type;
	list->number = (unsigned)l->ir->lists.n;
	return list;
}

struct ir_list *
lower_list(struct lower *l, struct item_list *item)
{
	struct ir_list *list;

	if (item->number < l->ir->lists.n &&
	    l->ir->lists.v[item->number]->item == item)
		return l->ir->lists.v[item->number];
	list = new_list(l, item->type);
	list->name = item->item.name.text;
	list->item = item;
	item->number = list->number;
	vec_push(l->arena, &l->ir->lists, list);
	for (size_t i = 0; i < item->entries.n; i++)
		add_member(
		    l, list, item->entries.v[i].text, item->entries.v[i].span);
	list_finish(list);
	return list;
}

/* The members of a finished list, as bytes. */
static struct str
contents(struct lower *l, const struct ir_list *list)
{
	size_t length = sizeof(uint32_t), n;
	uint32_t type = list->type;
	char *p, *q;

	for (size_t i = 0; i < list->keys.n; i++)
		length += sizeof(size_t) + list->keys.v[i].n;
	length += list->numbers.n * sizeof(*list->numbers.v);
	length += list->ranges.n * sizeof(*list->ranges.v);
	p = q = arena_alloc(l->arena, length);
	memcpy(q, &type, sizeof(type));
	q += sizeof(type);
	for (size_t i = 0; i < list->keys.n; i++) {
		memcpy(q, &list->keys.v[i].n, sizeof(size_t));
		q += sizeof(size_t);
		if (list->keys.v[i].n)
			memcpy(q, list->keys.v[i].p, list->keys.v[i].n);
		q += list->keys.v[i].n;
	}
	n = list->numbers.n * sizeof(*list->numbers.v);
	if (n)
		memcpy(q, list->numbers.v, n);
	n = list->ranges.n * sizeof(*list->ranges.v);
	if (n)
		memcpy(q, list->ranges.v, n);
	return (struct str){ p, length };
}

static void
add_value(struct lower *l, struct ir_list *list, enum milt_type type,
    const struct ast_value *v)
{
	v = value_behind(v);
	if (list->type == TYPE_NUMBER)
		vec_push(l->arena, &list->numbers, lower_number(l, type, v));
	else
		add_member(l, list, v->text, v->span);
}

/* `helo in { example.com }`: text that is compared as what check made of it. */
static enum milt_type
literal_type(enum milt_type type, const struct ast_value *v)
{
	if (type == TYPE_TEXT && v->kind == VALUE_SET && v->items.n)
		v = v->items.v[0];
	return type == TYPE_TEXT && value_behind(v)->type == TYPE_DOMAIN
		   ? TYPE_DOMAIN
		   : type;
}

struct ir_list *
lower_set(struct lower *l, enum milt_type type, const struct ast_value *v)
{
	struct ir_list *list;
	uint32_t number;
	bool added;

	type = literal_type(type, v);
	list =
	    new_list(l, type_rows[type].key == KEY_NUMBER ? TYPE_NUMBER : type);
	if (v->kind != VALUE_SET)
		add_value(l, list, type, v);
	for (size_t i = 0; v->kind == VALUE_SET && i < v->items.n; i++)
		add_value(l, list, type, v->items.v[i]);
	list_finish(list);
	number = intern_add(&l->sets, contents(l, list), &added);
	if (!added)
		return l->set_lists.v[number];
	vec_push(l->arena, &l->set_lists, list);
	vec_push(l->arena, &l->ir->lists, list);
	return list;
}

/* ---- regexes and numbers -------------------------------------------- */

unsigned
ir_regex_flags(const struct ir_regex *re)
{
	return (re->i ? REGEX_I : 0) | (re->m ? REGEX_M : 0) |
	       (re->s ? REGEX_S : 0) | (re->x ? REGEX_X : 0) |
	       (re->bytes ? REGEX_BYTES : 0);
}

static struct ir_regex *
new_regex(struct lower *l, const struct ast_value *v, bool raw)
{
	struct ir_regex *re = ARENA_NEW(l->arena, struct ir_regex);
	uint32_t flags = 0;

	if (!regex_flags(v->flags, raw, &flags))
		lower_refuse(l, v->span, "this regex has an unknown flag");
	re->source = v->text;
	re->span = v->span;
	re->i = flags & REGEX_I;
	re->m = flags & REGEX_M;
	re->s = flags & REGEX_S;
	re->x = flags & REGEX_X;
	re->u = str_find(v->flags, 'u') < v->flags.n;
	re->bytes = flags & REGEX_BYTES;
	return re;
}

/* Groups and their names. */
static void
fill_groups(struct lower *l, struct ir_regex *re)
{
	char message[256];
	uint32_t captures = 0;
	size_t offset;

	if (!match_check(
		re->source, ir_regex_flags(re), &offset, message, &captures)) {
		lower_refuse(
		    l, re->span, "this regex does not compile: %s", message);
		return;
	}
	re->captures = captures;
	for (uint32_t g = 1; g <= captures; g++)
		vec_push(l->arena, &re->names,
		    match_group_name(
			l->arena, re->source, ir_regex_flags(re), g));
}

struct ir_regex *
lower_regex(struct lower *l, const struct ast_value *v, bool raw)
{
	struct ir_regex *re = new_regex(l, v, raw);
	uint32_t flags = ir_regex_flags(re);
	struct str key = join(l, (struct str){ (char *)&flags, sizeof(flags) },
	    re->source, re->u ? STR("u") : STR(" "));
	bool added;

	re->number = intern_add(&l->regexes, key, &added);
	if (!added)
		return l->ir->regexes.v[re->number];
	vec_push(l->arena, &l->ir->regexes, re);
	fill_groups(l, re);
	return re;
}

static bool
parse_number(enum milt_type type, struct str text, long long *out)
{
	if (type == TYPE_NUMBER)
		return literal_number(text, out);
	if (type == TYPE_SIZE)
		return literal_size(text, out);
	if (type == TYPE_DURATION)
		return literal_duration(text, out);
	if (type == TYPE_TIME)
		return time_parse(text, out);
	if (type == TYPE_DATE)
		return date_parse(text, out);
	if (type == TYPE_WEEKDAY)
		return literal_weekday(text, out);
	return type == TYPE_RESULT && literal_result(text, out);
}

long long
lower_number(struct lower *l, enum milt_type type, const struct ast_value *v)
{
	long long number;

	if (parse_number(type, v->text, &number))
		return number;
	lower_refuse(l, v->span, "`%.*s` is not %.*s", STR_ARG(v->text),
	    STR_ARG(type_rows[type].phrase));
	return 0;
}
