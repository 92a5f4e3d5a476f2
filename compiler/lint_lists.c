#include <stdlib.h>

#include "compiler/lint.h"

enum { PER_LIST = 20 }; /* warnings; a generated list may have thousands */

/* ---- members ---------------------------------------------------------- */

/* An entry in normal form; for networks a range. */
struct entry {
	struct str key;
	struct ip_range range;
	const struct list_entry *ast;
};

/* The members of a list, or of a set that is written in place. */
struct entries {
	struct compilation *c;
	enum milt_type type;
	bool in;    /* is one of them asked for? */
	bool under; /* or, of domains, what is below them? */
	struct entry *v;
	size_t n;
	unsigned warned;
};

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int d = n ? memcmp(x->key.p, y->key.p, n) : 0;

	if (d || x->key.n != y->key.n)
		return d ? d : x->key.n < y->key.n ? -1 : 1;
	return x->ast < y->ast ? -1 : 1;
}

/*
 * IPv4 first, which no IPv6 network holds though it may lie around it; then
 * the wider one.
 */
static int
by_range(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = ip_is_v4(y->range.first) - ip_is_v4(x->range.first);

	if (!d)
		d = ip_compare(x->range.first, y->range.first);
	if (!d)
		d = ip_compare(y->range.last, x->range.last);
	return d ? d : x->ast < y->ast ? -1 : 1;
}

static struct diag *
warn(struct entries *e, enum diag_id id, const struct list_entry *at,
    const char *fmt, struct str a, struct str b)
{
	if (++e->warned > PER_LIST)
		return NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return diag_at(&e->c->diags, id, at->span, fmt, STR_ARG(a), STR_ARG(b));
#pragma GCC diagnostic pop
}

/* The one that is written later is the one too many. */
static void
warn_duplicate(struct entries *e, const struct entry *a, const struct entry *b)
{
	const struct list_entry *first = a->ast < b->ast ? a->ast : b->ast;
	const struct list_entry *second = a->ast < b->ast ? b->ast : a->ast;
	struct diag *d = warn(e, D_LIST_DUPLICATE, second,
	    "`%.*s` stands in the list already%.*s", second->text, STR(""));

	if (d)
		diag_label(&e->c->diags, d, first->span, "here");
}

static void
warn_covered(struct entries *e, const struct entry *a, const struct entry *b)
{
	struct diag *d = warn(e, D_LIST_OVERLAP, b->ast,
	    "`%.*s` is covered by `%.*s`", b->ast->text, a->ast->text);

	if (d)
		diag_label(&e->c->diags, d, a->ast->span, "covers it");
}

static void
lint_networks(struct entries *e)
{
	size_t widest = 0;

	qsort(e->v, e->n, sizeof(*e->v), by_range);
	for (size_t i = 1; i < e->n; i++) {
		const struct entry *w = &e->v[widest], *x = &e->v[i];

		if (ip_compare(w->range.first, x->range.first) == 0 &&
		    ip_compare(w->range.last, x->range.last) == 0)
			warn_duplicate(e, w, x);
		else if (network_holds(&w->range, &x->range))
			warn_covered(e, w, x);
		else
			widest = i;
	}
}

static const struct entry *
find(const struct entries *e, struct str key)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct str k = e->v[mid].key;
		size_t n = k.n < key.n ? k.n : key.n;
		int d = memcmp(k.p, key.p, n);

		if (!d && k.n == key.n)
			return &e->v[mid];
		if (d < 0 || (!d && k.n < key.n))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void
lint_parents(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct str rest = e->v[i].key;
		size_t dot;

		while ((dot = str_find(rest, '.')) < rest.n) {
			const struct entry *parent;

			rest = str_skip(rest, dot + 1);
			parent = find(e, rest);
			if (!parent)
				continue;
			warn_covered(e, parent, &e->v[i]);
			break;
		}
	}
}

static void
lint_domains(struct entries *e)
{
	for (size_t i = 0; e->under && i < e->n; i++) {
		if (domain_is_suffix(e->v[i].key))
			warn(e, D_LIST_SUFFIX, e->v[i].ast,
			    "`%.*s` is a public suffix: anybody may register "
			    "domains below it%.*s",
			    e->v[i].ast->text, STR(""));
	}
	/* With `in` a domain and one below it are both needed. */
	if (!e->in)
		lint_parents(e);
}

/* Of an address the domain. */
static void
lint_scripts(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct str domain = e->v[i].key, label;

		for (size_t k = domain.n; k-- > 0;)
			if (domain.p[k] == '@')
				domain = str_skip(domain, k + 1);
		label = domain_mixed_label(&e->c->arena, domain);
		if (label.n)
			warn(e, D_LIST_SCRIPTS, e->v[i].ast,
			    "`%.*s` mixes scripts in the label `%.*s`",
			    e->v[i].ast->text, label);
	}
}

static void
lint_duplicates(struct entries *e)
{
	qsort(e->v, e->n, sizeof(*e->v), by_key);
	for (size_t i = 1; i < e->n; i++)
		if (str_eq(e->v[i - 1].key, e->v[i].key))
			warn_duplicate(e, &e->v[i - 1], &e->v[i]);
}

static struct str
entry_key(struct compilation *c, enum milt_type type, struct str text)
{
	struct mailbox m;
	long long number;

	if (type == TYPE_DOMAIN)
		return domain_normal(&c->arena, text);
	if (type == TYPE_NUMBER && literal_number(text, &number))
		return arena_printf(&c->arena, "%lld", number);
	if (type != TYPE_ADDRESS)
		return text_fold(&c->arena, text);
	m = mailbox_parse(&c->arena, text);
	return mailbox_normal(&c->arena, &m,
	    c->ir->options[OPTION_LOCAL_PARTS] == LOCAL_PARTS_EXACT);
}

/*
 * `address` is IPv4-mapped and `range` is not: the prefix is that of an IPv4
 * network.
 */
static void
warn_mapped(struct entries *e, const struct list_entry *le, struct ip address,
    struct ip_range range)
{
	struct arena *arena = &e->c->arena;
	struct diags *ds = &e->c->diags;
	struct str ip = ip_print(arena, address);
	struct str meant = arena_printf(arena, "%.*s%.*s", STR_ARG(ip),
	    STR_ARG(str_skip(le->text, str_find(le->text, '/'))));
	struct diag *d = warn(e, D_NETWORK_MAPPED, le,
	    "`%.*s` is the IPv6 network %.*s and holds no IPv4 address",
	    le->text, network_print(arena, range));
	bool masked;

	if (!d)
		return;
	if (network_parse(meant, &range, &masked))
		diag_help(ds, d, "the IPv4 network is written: %.*s",
		    STR_ARG(network_print(arena, range)));
	else
		diag_help(ds, d,
		    "the prefix counts all 128 bits; the IPv4 address alone is "
		    "written: %.*s",
		    STR_ARG(ip));
}

static void
add_network(struct entries *e, const struct list_entry *le)
{
	struct entry x = { .ast = le };
	bool masked = false;
	struct ip ip;

	(void)network_parse(le->text, &x.range, &masked);
	(void)ip_parse(str_head(le->text, str_find(le->text, '/')), &ip);
	if (ip_is_v4(ip) && !ip_is_v4(x.range.first)) {
		warn_mapped(e, le, ip, x.range);
		return;
	}
	if (masked)
		warn(e, D_HOST_BITS, le,
		    "`%.*s` has bits set behind its prefix; it is read as "
		    "%.*s",
		    le->text, network_print(&e->c->arena, x.range));
	e->v[e->n++] = x;
}

/* The n of them at `v` stand in the order of the source. */
static void
lint_entries(struct entries *e, const struct list_entry *v, size_t n)
{
	e->v = ARENA_ARRAY(&e->c->arena, n + 1, struct entry);
	if (e->type == TYPE_NETWORK) {
		for (size_t i = 0; i < n; i++)
			add_network(e, &v[i]);
		lint_networks(e);
		return;
	}
	for (; e->n < n; e->n++)
		e->v[e->n] = (struct entry){
			.ast = &v[e->n],
			.key = entry_key(e->c, e->type, v[e->n].text),
		};
	lint_duplicates(e);
	if (e->type == TYPE_DOMAIN || e->type == TYPE_ADDRESS)
		lint_scripts(e);
	if (e->type == TYPE_DOMAIN)
		lint_domains(e);
}

/* ---- declared lists --------------------------------------------------- */

static bool
is_used_with_in(const struct compilation *c, const struct item_list *list)
{
	for (size_t i = 0; i < c->ir->nodes.n; i++) {
		const struct ir_node *n = c->ir->nodes.v[i];

		if (n->kind == NODE_TEST && n->op == OPC_IN &&
		    n->right_list->item == list)
			return true;
	}
	return false;
}

static void
lint_list(struct compilation *c, const struct item_list *list)
{
	struct entries e = { .c = c, .type = list->type, .under = true };

	e.in = is_used_with_in(c, list);
	if (!list->entries.n)
		diag_at(&c->diags, D_LIST_EMPTY, list->item.name.span,
		    "list `%.*s` is empty: nothing is in it",
		    STR_ARG(list->item.name.text));
	lint_entries(&e, list->entries.v, list->entries.n);
}

/* ---- in place ---------------------------------------------------------- */

/* Braces, or one value alone, on the right of a comparison. */
struct in_place {
	const struct ast_value *value;
	bool under;
};

typedef VEC(struct in_place) in_place_vec;

static void
find_in_place(struct compilation *c, struct ast_expr *e, in_place_vec *out)
{
	expr_vec leaves = condition_leaves(&c->arena, e);

	for (size_t i = 0; i < leaves.n; i++) {
		const struct ast_expr *x = leaves.v[i];
		const struct ast_value *v;

		if (x->kind != EXPR_COMPARE) {
			find_in_place(c, x->a, out);
			continue;
		}
		v = value_behind(x->right);
		if (v->attr == ATTR_NONE && !v->list &&
		    (x->op == OP_IN || x->op == OP_UNDER ||
			v->type == TYPE_NETWORK))
			vec_push(&c->arena, out,
			    ((struct in_place){ v, x->op == OP_UNDER }));
	}
}

/* In all conditions. */
static in_place_vec
all_in_place(struct compilation *c)
{
	struct policy_items items = policy_items(c);
	in_place_vec out = { 0 };

	for (size_t i = 0; i < items.n; i++) {
		struct ast_item *it = items.v[i];

		if (it->kind == ITEM_LET) {
			find_in_place(c, ((struct item_let *)it)->expr, &out);
		} else if (it->kind == ITEM_GROUP) {
			find_in_place(c, ((struct item_group *)it)->when, &out);
			find_in_place(
			    c, ((struct item_group *)it)->unless, &out);
		}
	}
	for (size_t i = 0; i < c->ir->rules.n; i++) {
		const struct item_rule *r = c->ir->rules.v[i]->ast;

		if (!r)
			continue;
		find_in_place(c, r->when, &out);
		find_in_place(c, r->unless, &out);
		for (size_t k = 0; k < r->actions.n; k++)
			find_in_place(c, r->actions.v[k]->where, &out);
	}
	return out;
}

/* By place; where `under` asks for it, that first. */
static int
by_place(const void *a, const void *b)
{
	const struct in_place *x = a, *y = b;
	struct span s = x->value->span, t = y->value->span;

	if (s.source != t.source)
		return s.source < t.source ? -1 : 1;
	if (s.begin != t.begin)
		return s.begin < t.begin ? -1 : 1;
	return y->under - x->under;
}

static void
lint_in_place(struct compilation *c, const struct in_place *at)
{
	const struct ast_value *v = at->value;
	struct entries e = { .c = c, .in = !at->under, .under = at->under };
	VEC(struct list_entry) list = { 0 };
	size_t n = v->kind == VALUE_SET ? v->items.n : 1;

	e.type = at->under ? TYPE_DOMAIN : v->type;
	for (size_t i = 0; i < n; i++) {
		const struct ast_value *x =
		    v->kind == VALUE_SET ? v->items.v[i] : v;

		vec_push(&c->arena, &list,
		    ((struct list_entry){ x->text, x->span, x->kind }));
	}
	lint_entries(&e, list.v, list.n);
}

void
lint_lists(struct compilation *c)
{
	struct policy_items items = policy_items(c);
	in_place_vec sets = all_in_place(c);

	for (size_t i = 0; i < items.n; i++)
		if (items.v[i]->kind == ITEM_LIST)
			lint_list(c, (struct item_list *)items.v[i]);
	if (sets.n)
		qsort(sets.v, sets.n, sizeof(*sets.v), by_place);
	/* A definition may be used more than once. */
	for (size_t i = 0; i < sets.n; i++)
		if (i == 0 || sets.v[i].value != sets.v[i - 1].value)
			lint_in_place(c, &sets.v[i]);
}
